// SPDX-License-Identifier: MIT
/// @file system_log.hpp: logs that the system collects: journald by the priority of each line, and syslog.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/system_log_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: see the classes.
/// Source: sd-daemon(3) "<N>" prefixes; RFC 3164.
#pragma once

#include "detail/exceptions.hpp"
#include "error.hpp"
#include "log.hpp"
#include "sys.hpp"
#include "unique_fd.hpp"
#include "unix_address.hpp"

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// The number of a level for syslog(3) and journald: 3 error, 4 warning, 6 info, 7 debug.
[[nodiscard]] constexpr int priority_of(log_level level) noexcept {
    switch (level) {
    case log_level::error: return 3;
    case log_level::warning: return 4;
    case log_level::info: return 6;
    case log_level::debug: return 7;
    }
    return 7;
}

/// Writes to stderr for journald: each line begins with its priority, "<6>", and has no time of its own, because journald adds
/// one. For a unit with StandardError=journal, which is the default.
///
/// @threads safe.
/// @blocks like write(2).
///
/// @code
/// struct in_the_journal : mato::default_policies {
///     using log = mato::journal_log;
/// };
/// @endcode
struct journal_log {
    void write(log_level level, std::string_view text) noexcept {
        const auto write_it = [&] {
            std::string line = {'<', static_cast<char>('0' + priority_of(level)), '>'};
            line.append(text) += '\n';
            static_cast<void>(sys::write(2, line.data(), line.size()));
        };
        detail::attempt(write_it, [] {}); // no memory for a line: drop it, as the logger does
    }
};

/// The part of the system that a syslog message comes from. The numbers are those of RFC 3164.
enum class syslog_facility : unsigned char {
    user = 1,
    mail = 2,
    daemon = 3,
    auth = 4,
    local0 = 16,
    local1,
    local2,
    local3,
    local4,
    local5,
    local6,
    local7
};

/// Sends each line as a datagram to the system's syslog daemon, as syslog(3) does, but never blocks: a line that cannot be
/// delivered is counted and dropped. A syslog daemon that is restarted gets the later lines.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork the pid in the lines is that of the process that writes.
/// @blocks never.
///
/// @code
/// struct to_syslog : mato::syslog_log {
///     to_syslog() : syslog_log("backupd", mato::syslog_facility::local3) {}
/// };
/// struct with_syslog : mato::default_policies {
///     using log = to_syslog;
/// };
/// @endcode
class syslog_log {
public:
    /// `tag`: the program's name in the lines. `path`: the socket of the syslog daemon.
    explicit syslog_log(std::string tag, syslog_facility facility = syslog_facility::daemon, std::string path = "/dev/log")
        : tag_(std::move(tag)), path_(std::move(path)), facility_(facility) {}

    void write(log_level level, std::string_view text) noexcept;
    [[nodiscard]] std::uint64_t lost_lines() const noexcept { return lost_; }

private:
    [[nodiscard]] bool send(log_level level, std::string_view text);

    std::string tag_, path_;
    syslog_facility facility_;
    unique_fd socket_; // not connected: a restarted syslog daemon has a new socket with the same name
    std::uint64_t lost_ = 0;
};

static_assert(log_sink<journal_log> && log_sink<syslog_log>);

// ---- implementation ----

inline void syslog_log::write(log_level level, std::string_view text) noexcept {
    if (!detail::attempt([&] { return send(level, text); }, [] { return false; })) ++lost_; // no memory for a line
}

inline bool syslog_log::send(log_level level, std::string_view text) {
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", // whatever the locale is
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    if (!socket_) socket_ = unique_fd(sys::unix_datagram_socket());
    std::error_code unusable;
    const auto address = unix_address::of_path(path_, unusable);
    if (!socket_ || unusable) return false;
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    ::localtime_r(&now, &local);
    char head[64];
    const int size =
        std::snprintf(head, sizeof head, "<%d>%s %2d %02d:%02d:%02d ", static_cast<int>(facility_) * 8 + priority_of(level),
                      months[local.tm_mon % 12], local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
    std::string line(head, static_cast<std::size_t>(size));
    line.append(tag_).append("[").append(std::to_string(sys::getpid())).append("]: ").append(text);
    const ssize_t sent = sys::sendto(socket_.get(), line.data(), line.size(), MSG_DONTWAIT, address.data(), address.size());
    return sent == static_cast<ssize_t>(line.size());
}

} // namespace MATO_ABI
} // namespace mato
