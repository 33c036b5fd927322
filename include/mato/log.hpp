// SPDX-License-Identifier: MIT
/// @file log.hpp: a log with one line per event, in a file of limited size.
/// Layer: 2 (policy).  Test: test/toolkit/log_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: like write(2) to a file.
/// Fork: open it after the last fork.   Errors while logging are counted, never thrown: a full disk must not stop a daemon.
#pragma once

#include "detail/chrono.hpp"
#include "detail/exceptions.hpp"
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
/// "error", "warning", "info", "debug"; empty for other words.
[[nodiscard]] constexpr std::optional<log_level> parse_log_level(std::string_view word) noexcept;

/// Gets the level and the text without a time and a newline, for a log that adds its own. See system_log.hpp.
template <class L> concept leveled_log_sink = std::movable<L> && requires(L sink, log_level level, std::string_view text) {
    { sink.write(level, text) } -> std::same_as<void>;
};
/// Writes complete lines, including the newline; or is a `leveled_log_sink`.
template <class L> concept log_sink = leveled_log_sink<L> ||(std::movable<L>&& requires(L sink, std::string_view text) {
    { sink.write(text) } -> std::same_as<void>;
});

/// The options of a `file_log`. A daemon takes them from `daemon_options::log`.
struct file_log_options {
    std::uint64_t max_bytes = 10u << 20; ///< the file is rotated before it would exceed this; 10 MiB, about 100 000 lines
    unsigned keep = 3;                   ///< rotated files to keep: path.1 (newest) to path.N; 0: none; at most 999
};

/// Appends to a file, mode 0600, and rotates it by size. If the disk is full, a partially written line is removed again.
///
/// The default log. Errors while logging are counted and never thrown.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork open it after the last fork.
/// @blocks like write(2) to a file.
///
/// @code
/// auto file = mato::file_log::open((directory / "app.log").native(), {.max_bytes = 1 << 20, .keep = 2}, why);
/// mato::basic_logger log(std::move(file), mato::log_level::info);
/// log.info("started");
/// log.debug("dropped: below the level");
/// @endcode
class file_log {
public:
    file_log() noexcept = default;
    /// An empty path means stderr, which is never rotated: for a service manager that collects stderr.
    /// @errors any of open(2); ELOOP: a symlink.
    [[nodiscard]] static file_log open(std::string path, file_log_options options, error_out out);

    void write(std::string_view line) noexcept;
    void reopen() noexcept; ///< for external rotation: opens the path again; keeps the old file if that fails
    void set_options(file_log_options options) noexcept { options_ = options; }
    [[nodiscard]] std::uint64_t lost_lines() const noexcept { return lost_; }

private:
    static constexpr unsigned most_kept = 999; // each is renamed at a rotation
    void rotate() noexcept;
    bool open_again() noexcept;
    void take_back(std::uint64_t bytes) noexcept;

    std::string path_;
    file_log_options options_;
    unique_fd fd_;
    std::uint64_t size_ = 0, lost_ = 0;
};

/// Writes to stderr, for a supervisor that collects it.
///
/// It never rotates.
///
/// @threads safe.
/// @blocks like write(2).
struct stderr_log {
    void write(std::string_view line) noexcept { static_cast<void>(sys::write(2, line.data(), line.size())); }
};

/// Writes nothing. For tests and daemons without a log.
struct null_log {
    void write(std::string_view) noexcept {}
};

static_assert(log_sink<file_log> && log_sink<stderr_log> && log_sink<null_log>);

/// Adds time and level, and drops lines below `level`. Control characters are shown as `\xNN` (printable.hpp), so that text
/// from a peer can neither forge a line nor control the terminal of the reader.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork create it after the last fork.
/// @blocks as the sink.
///
/// @code
/// mato::basic_logger log(std::move(file), mato::log_level::info);
/// log.info("started");
/// log.debug("dropped: below the level");
/// log.warning("a control character is escaped: \033");
/// @endcode
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
    [[nodiscard]] bool takes(log_level level) const noexcept { return level <= level_; } ///< false: `write` drops the line
    [[nodiscard]] Sink& sink() noexcept { return sink_; }

    static constexpr std::size_t max_line_bytes = 4096; ///< longer texts are cut between characters and end with "…"

private:
    static void append_stamp(std::string& line);

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

// Uses the file's current size: another process may have truncated it.
inline void file_log::take_back(std::uint64_t bytes) noexcept {
    struct ::stat now {};
    if (sys::fstat(fd_.get(), &now) == -1 || !S_ISREG(now.st_mode) || static_cast<std::uint64_t>(now.st_size) < bytes) return;
    const std::uint64_t whole = static_cast<std::uint64_t>(now.st_size) - bytes;
    if (sys::ftruncate(fd_.get(), static_cast<off_t>(whole)) == 0) size_ = whole;
}

inline void file_log::reopen() noexcept {
    if (!path_.empty()) static_cast<void>(open_again());
}

inline bool file_log::open_again() noexcept {
    const auto open_it = [&] {
        std::error_code why;
        file_log fresh = open(path_, options_, why);
        if (why) return false;
        fd_ = std::move(fresh.fd_);
        size_ = fresh.size_;
        return true;
    };
    return detail::attempt(open_it, [] { return false; }); // no memory for a path: continue with the open file
}

inline void file_log::rotate() noexcept {
    const auto move_away = [&] {
        const std::string base = path_;
        struct ::stat named {};
        bool moved = false;
        // The name is gone: an earlier rotation moved the file but could not open a new one. Do not shift the older files
        // again.
        const bool gone = sys::lstat(base.c_str(), &named) == -1 && errno == ENOENT;
        if (!gone) {
            for (unsigned n = options_.keep < most_kept ? options_.keep : most_kept; n > 1; --n)
                sys::rename((base + "." + std::to_string(n - 1)).c_str(), (base + "." + std::to_string(n)).c_str());
            moved = (options_.keep > 0 ? sys::rename(base.c_str(), (base + ".1").c_str()) : sys::unlink(base.c_str())) == 0;
        }
        if ((gone || moved) && open_again()) return;
        // Continue with the open file: if it was moved, up to the limit once more; else truncated.
        if (moved || sys::ftruncate(fd_.get(), 0) == 0) size_ = 0;
    };
    detail::attempt(move_away, [] {}); // no memory for a path: as above
}

/// Limits lines that others can cause at any rate to `most` per `span`, and counts the rest. Pure.
///
/// A daemon uses it for refused clients.
///
/// @threads distinct objects are independent; one object, one thread.
/// @blocks never.
class line_rate {
public:
    using time = std::chrono::steady_clock::time_point;
    explicit line_rate(unsigned most = 10, std::chrono::milliseconds span = std::chrono::minutes(1)) noexcept
        : most_(most), span_(span) {}
    /// @returns whether to write a line for this event.
    [[nodiscard]] bool takes(time now) noexcept {
        if (lines_ == 0 || now - begin_ >= span_) begin_ = now, lines_ = 0;
        if (lines_ < most_) return ++lines_, true;
        return ++left_out_, false;
    }
    /// The number of events left out since the last call.
    [[nodiscard]] std::uint64_t take_left_out() noexcept { return std::exchange(left_out_, 0); }

private:
    unsigned most_, lines_ = 0;
    std::chrono::milliseconds span_;
    time begin_{};
    std::uint64_t left_out_ = 0;
};

namespace detail {

/// The first `limit` bytes at most, without splitting a UTF-8 character.
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
    const auto write_it = [&] {
        const std::string_view kept = detail::cut(text, max_line_bytes);
        const std::string_view end = kept.size() < text.size() ? "…" : "";
        std::string line;
        if constexpr (leveled_log_sink<Sink>) {
            append_printable(line, kept);
            return sink_.write(level, line.append(end));
        } else {
            append_stamp(line);
            line.append(to_string(level)) += ": ";
            append_printable(line, kept);
            sink_.write(line.append(end) += '\n');
        }
    };
    detail::attempt(write_it, [] {}); // no memory for a line: drop it, the daemon must continue
}

template <class Sink> void basic_logger<Sink>::append_stamp(std::string& line) {
    const auto now = std::chrono::system_clock::now();
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
    std::tm local{};
    ::localtime_r(&seconds, &local);
    char stamp[64];
    const std::size_t at = std::strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &local);
    std::snprintf(stamp + at, sizeof stamp - at, ".%03d ", static_cast<int>(ms));
    line += stamp;
}

} // namespace MATO_ABI
} // namespace mato
