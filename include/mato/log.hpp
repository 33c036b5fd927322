// SPDX-License-Identifier: MIT
/// @file log.hpp: one line an event, in a file that cannot grow without end.
/// Layer: 2 (policy).  Test: test/toolkit/log_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: as write(2) to a file does.
/// Fork: open it after the last fork.   Errors while logging are counted, never thrown: a full disk must not stop a daemon.
#pragma once

#include "detail/chrono.hpp"
#include "error.hpp"
#include "printable.hpp"
#include "sys.hpp"
#include "unique_fd.hpp"

#include <concepts>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

enum class log_level { error, warning, info, debug };

[[nodiscard]] constexpr std::string_view to_string(log_level level) noexcept;
/// "error", "warning", "info", "debug"; nothing for other words.
[[nodiscard]] constexpr std::optional<log_level> parse_log_level(std::string_view word) noexcept;

/// Takes finished lines, newline included.
template <class L> concept log_sink = std::movable<L> && requires(L sink, std::string_view text) {
    { sink.write(text) } -> std::same_as<void>;
};

struct file_log_options {
    std::uint64_t max_bytes = 10u << 20; ///< a file that would pass it is rotated first; 10 MiB, some 100 000 lines
    unsigned keep = 3;                   ///< rotated files kept: path.1 (newest) to path.N; 0 keeps none, more than 999 is 999
};

/// Appends to a file, mode 0600, and rotates it by size. A line that did not fit on the disk leaves no part of itself.
class file_log {
public:
    file_log() noexcept = default;
    /// An empty path is descriptor 2, which is never rotated: for a service manager that keeps what is written there.
    /// @errors any of open(2); ELOOP: a symlink.
    [[nodiscard]] static file_log open(std::string path, file_log_options options, error_out out);

    void write(std::string_view line) noexcept;
    void reopen() noexcept; ///< after someone else moved the file; keeps the old one if the new one cannot be opened
    void set_options(file_log_options options) noexcept { options_ = options; }
    [[nodiscard]] std::uint64_t lost_lines() const noexcept { return lost_; }

private:
    static constexpr unsigned most_kept = 999; // each is renamed at a rotation
    void rotate() noexcept;
    bool open_anew() noexcept;
    void take_back(std::uint64_t bytes) noexcept;

    std::string path_;
    file_log_options options_;
    unique_fd fd_;
    std::uint64_t size_ = 0, lost_ = 0;
};

/// Descriptor 2, for a supervisor that keeps what is written there.
struct stderr_log {
    void write(std::string_view line) noexcept { static_cast<void>(sys::write(2, line.data(), line.size())); }
};

struct null_log {
    void write(std::string_view) noexcept {}
};

static_assert(log_sink<file_log> && log_sink<stderr_log> && log_sink<null_log>);

/// Adds time and level, drops what is below `level`, and keeps a line a line: control bytes are shown as `\xNN`
/// (printable.hpp), so that no peer can forge an entry or reach the reader's terminal.
template <class Sink = file_log> class basic_logger {
    static_assert(log_sink<Sink>, "mato: a log sink needs `void write(std::string_view)`");

public:
    explicit basic_logger(Sink sink = {}, log_level level = log_level::info) : sink_(std::move(sink)), level_(level) {}

    void write(log_level level, std::string_view text) noexcept;
    void error(std::string_view text) noexcept { write(log_level::error, text); }
    void warning(std::string_view text) noexcept { write(log_level::warning, text); }
    void info(std::string_view text) noexcept { write(log_level::info, text); }
    void debug(std::string_view text) noexcept { write(log_level::debug, text); }

    void set_level(log_level level) noexcept { level_ = level; }
    [[nodiscard]] bool takes(log_level level) const noexcept { return level <= level_; } ///< else `write` drops it
    [[nodiscard]] Sink& sink() noexcept { return sink_; }

    static constexpr std::size_t max_line_bytes = 4096; ///< longer texts are cut at a whole character, with "…" at the end

private:
    Sink sink_;
    log_level level_;
};

// ---- implementation ----

constexpr std::string_view to_string(log_level level) noexcept {
    switch (level) {
    case log_level::error: return "error";
    case log_level::warning: return "warning";
    case log_level::info: return "info";
    case log_level::debug: return "debug";
    }
    return "?";
}

constexpr std::optional<log_level> parse_log_level(std::string_view word) noexcept {
    for (const auto level : {log_level::error, log_level::warning, log_level::info, log_level::debug})
        if (word == to_string(level)) return level;
    return std::nullopt;
}

inline file_log file_log::open(std::string path, file_log_options options, error_out out) {
    file_log log;
    log.path_ = std::move(path);
    log.options_ = options;
    if (log.path_.empty()) {
        log.fd_ = unique_fd(sys::fcntl(2, F_DUPFD_CLOEXEC, 3));
        if (!log.fd_) out.set(last_error(), "open log", "stderr");
        return log;
    }
    log.fd_ = unique_fd(sys::open_private(log.path_.c_str(), O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK));
    if (!log.fd_) return out.set(last_error(), "open log", log.path_), std::move(log);
    struct ::stat now {};
    if (sys::fstat(log.fd_.get(), &now) == 0) log.size_ = static_cast<std::uint64_t>(now.st_size);
    return log;
}

inline void file_log::write(std::string_view line) noexcept {
    if (size_ > 0 && size_ + line.size() > options_.max_bytes && !path_.empty()) rotate();
    const ssize_t written = fd_ ? sys::write(fd_.get(), line.data(), line.size()) : -1;
    if (written > 0) size_ += static_cast<std::uint64_t>(written);
    if (written == static_cast<ssize_t>(line.size())) return;
    ++lost_;
    if (written > 0 && !path_.empty()) take_back(static_cast<std::uint64_t>(written));
}

// By the file's own size: somebody may have emptied it meanwhile.
inline void file_log::take_back(std::uint64_t bytes) noexcept {
    struct ::stat now {};
    if (sys::fstat(fd_.get(), &now) == -1 || !S_ISREG(now.st_mode) || static_cast<std::uint64_t>(now.st_size) < bytes) return;
    const std::uint64_t whole = static_cast<std::uint64_t>(now.st_size) - bytes;
    if (sys::ftruncate(fd_.get(), static_cast<off_t>(whole)) == 0) size_ = whole;
}

inline void file_log::reopen() noexcept {
    if (!path_.empty()) static_cast<void>(open_anew());
}

inline bool file_log::open_anew() noexcept {
    std::error_code why;
    try {
        file_log fresh = open(path_, options_, why);
        if (why) return false;
        fd_ = std::move(fresh.fd_);
        size_ = fresh.size_;
        return true;
    } catch (...) { // no memory for a path: the open file goes on
        return false;
    }
}

inline void file_log::rotate() noexcept {
    try {
        const std::string base = path_;
        struct ::stat named {};
        bool moved = false;
        // No name: moved by an earlier rotation that could not open it anew. The older files must not be pushed out for that.
        const bool gone = sys::lstat(base.c_str(), &named) == -1 && errno == ENOENT;
        if (!gone) {
            for (unsigned n = options_.keep < most_kept ? options_.keep : most_kept; n > 1; --n)
                sys::rename((base + "." + std::to_string(n - 1)).c_str(), (base + "." + std::to_string(n)).c_str());
            moved = (options_.keep > 0 ? sys::rename(base.c_str(), (base + ".1").c_str()) : sys::unlink(base.c_str())) == 0;
        }
        if ((gone || moved) && open_anew()) return;
        // The open file goes on: once more up to the bound when it was just moved, else from its start.
        if (moved || sys::ftruncate(fd_.get(), 0) == 0) size_ = 0;
    } catch (...) {
    }
}

/// What others can cause as often as they like is worth `most` lines in each `span`; the rest is counted. Pure.
class line_rate {
public:
    using time = std::chrono::steady_clock::time_point;
    explicit line_rate(unsigned most = 10, std::chrono::milliseconds span = std::chrono::minutes(1)) noexcept
        : most_(most), span_(span) {}
    /// @returns whether this one is worth a line.
    [[nodiscard]] bool takes(time now) noexcept {
        if (lines_ == 0 || now - begin_ >= span_) begin_ = now, lines_ = 0;
        if (lines_ < most_) return ++lines_, true;
        return ++left_out_, false;
    }
    /// How many were left out since this was asked last.
    [[nodiscard]] std::uint64_t take_left_out() noexcept { return std::exchange(left_out_, 0); }

private:
    unsigned most_, lines_ = 0;
    std::chrono::milliseconds span_;
    time begin_{};
    std::uint64_t left_out_ = 0;
};

namespace detail {

/// At most `limit` bytes, not ending inside a UTF-8 character.
[[nodiscard]] inline std::string_view cut(std::string_view text, std::size_t limit) noexcept {
    if (text.size() <= limit) return text;
    const auto continues = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80; };
    std::size_t end = limit;
    while (end > 0 && limit - end < 3 && continues(end)) --end; // a character has at most three continuation bytes
    return text.substr(0, continues(end) ? limit : end);
}

} // namespace detail

template <class Sink> void basic_logger<Sink>::write(log_level level, std::string_view text) noexcept {
    if (!takes(level)) return;
    try {
        const auto now = std::chrono::system_clock::now();
        const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
        const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
        std::tm local{};
        ::localtime_r(&seconds, &local);
        char stamp[64];
        const std::size_t at = std::strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &local);
        std::snprintf(stamp + at, sizeof stamp - at, ".%03d ", static_cast<int>(ms));
        std::string line = stamp;
        line.append(to_string(level)) += ": ";
        const std::string_view kept = detail::cut(text, max_line_bytes);
        append_printable(line, kept);
        line += kept.size() < text.size() ? "…\n" : "\n";
        sink_.write(line);
    } catch (...) { // no memory for a line: the daemon matters more
    }
}

} // namespace MATO_ABI
} // namespace mato
