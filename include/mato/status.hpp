// SPDX-License-Identifier: MIT
/// @file status.hpp: memory, processor time and uptime of this process.
/// Layer: 2 (policy).  Test: test/toolkit/status_test.cpp.
/// Threads: safe; one `usage_meter`, one thread.   Blocks: never (reads proc(5)).
#pragma once

#include "clock.hpp"
#include "sys.hpp"
#include "unique_fd.hpp"

#include <charconv>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>

namespace mato {
inline namespace MATO_ABI {

/// Memory and processor time of a process at one moment. Returned by a usage source.
struct process_usage {
    std::uint64_t memory_bytes = 0; ///< resident set; 0: not known
    milliseconds cpu_time{};        ///< user and system, all threads, since the start
};

/// A source of usage figures.
template <class S> concept usage_source = requires(const S& source) {
    { source.sample() } -> std::same_as<process_usage>;
};

/// The usage of the calling process, from /proc/self/statm and clock_gettime(2).
///
/// The default source.
///
/// @threads safe.
/// @blocks never (reads proc(5)).
struct self_usage {
    [[nodiscard]] process_usage sample() const;
};
static_assert(usage_source<self_usage>);

/// Measures processor use between two calls of `ask`, in percent of one core. The first answer covers the time since
/// construction.
///
/// @threads distinct objects are independent; one object, one thread.
/// @blocks never.
///
/// @code
/// mato::usage_meter<> meter;
/// const auto now = meter.ask();
/// std::printf("up %s, %s, %.1f %%\n", mato::format_duration(now.uptime).c_str(),
///             mato::format_bytes(now.usage.memory_bytes).c_str(), now.cpu_percent);
/// @endcode
template <class Source = self_usage> class usage_meter {
    static_assert(usage_source<Source>, "mato: a usage source needs `process_usage sample() const`");

public:
    explicit usage_meter(Source source = {}, clock::time_point now = clock::now())
        : source_(source), started_(now), asked_(now), cpu_(source_.sample().cpu_time) {}

    struct answer {
        process_usage usage;
        double cpu_percent;
        std::chrono::seconds uptime;
    };
    [[nodiscard]] answer ask(clock::time_point now = clock::now()) {
        const auto usage = source_.sample();
        // An interval below a second is too short to measure: return the former percentage.
        if (now - asked_ >= std::chrono::seconds(1) || percent_ < 0) {
            const double wall = std::chrono::duration<double, std::milli>(now - asked_).count();
            const double busy = static_cast<double>((usage.cpu_time - cpu_).count());
            percent_ = wall > 0 ? 100.0 * busy / wall : 0.0;
            asked_ = now;
            cpu_ = usage.cpu_time;
        }
        return {usage, percent_, std::chrono::duration_cast<std::chrono::seconds>(now - started_)};
    }

private:
    Source source_;
    clock::time_point started_, asked_;
    milliseconds cpu_{};
    double percent_ = -1;
};

/// "45s", "12m 3s", "2h 15m", "3d 4h": the two largest units.
[[nodiscard]] std::string format_duration(std::chrono::seconds span);
/// "512 B", "45 KB", "45 MB", "1.5 GB": units of 1024.
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);
/// Local time, "2026-02-21 16:00:00".
[[nodiscard]] std::string format_time(std::time_t when);

// ---- implementation ----

inline process_usage self_usage::sample() const {
    process_usage usage;
#if MATO_HAS_PROC
    if (const unique_fd fd(sys::open("/proc/self/statm", O_RDONLY)); fd) { // "size resident …", in pages
        char text[128];
        const ssize_t got = sys::read(fd.get(), text, sizeof text);
        const std::string_view line(text, static_cast<std::size_t>(got > 0 ? got : 0));
        const auto resident = line.find(' ');
        std::uint64_t pages = 0;
        if (resident != std::string_view::npos) std::from_chars(line.data() + resident + 1, line.data() + line.size(), pages);
        usage.memory_bytes = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    }
#endif
    struct timespec spent {};
    if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent) == 0)
        usage.cpu_time = milliseconds(spent.tv_sec * 1000 + spent.tv_nsec / 1'000'000);
    return usage;
}

inline std::string format_duration(std::chrono::seconds span) {
    const auto s = span.count();
    const auto two = [](long long big, const char* b, long long small, const char* t) {
        return std::to_string(big) + b + " " + std::to_string(small) + t;
    };
    if (s < 60) return std::to_string(s) + "s";
    if (s < 3600) return two(s / 60, "m", s % 60, "s");
    if (s < 86'400) return two(s / 3600, "h", s % 3600 / 60, "m");
    return two(s / 86'400, "d", s % 86'400 / 3600, "h");
}

inline std::string format_bytes(std::uint64_t bytes) {
    constexpr const char* units[] = {"B", "KB", "MB", "GB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit < 3; ++unit) value /= 1024;
    char text[32];
    const bool fraction = unit == 3 && value < 10;
    std::snprintf(text, sizeof text, fraction ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return text;
}

inline std::string format_time(std::time_t when) {
    std::tm local{};
    ::localtime_r(&when, &local);
    char text[32];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local)};
}

} // namespace MATO_ABI
} // namespace mato
