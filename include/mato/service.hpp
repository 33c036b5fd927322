// SPDX-License-Identifier: MIT
/// @file service.hpp: the environment that a service manager passes to a daemon, as a value.
/// Layer: 4 (composition), free of asio.  Test: test/toolkit/service_test.cpp, test/process/service_process_test.cpp.
/// Threads: `take_service_environment` changes the environment: call it before the first thread.   Blocks: never.
/// Fork: call it in the process that the manager started; the value may be used after a fork.
/// Source: sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3), systemd.exec(5).
///
/// No policy reads the environment. A program reads it once with this header, and passes the value on
/// (daemon_options::service).
#pragma once

#include "detail/chrono.hpp"
#include "error.hpp"
#include "sys.hpp"

#include <charconv>
#include <concepts>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

/// One socket passed by a service manager. Pass it to the `activated` endpoint.
struct passed_socket {
    int fd;           ///< 3 or more; the user of this value must close it
    std::string name; ///< systemd.socket(5) FileDescriptorName=; "unknown" if none was given
};

/// The variables of a service manager. Empty if no manager started the process.
///
/// Pass it in `daemon_options::service`.
///
/// @threads a value.
struct service_environment {
    std::string notify_socket{};           ///< for sd_notifier; empty: none
    std::chrono::microseconds watchdog{0}; ///< interval in which the daemon must notify; 0: no watchdog
    std::vector<passed_socket> sockets{};  ///< for `activated`

    [[nodiscard]] explicit operator bool() const noexcept { return !notify_socket.empty() || !sockets.empty(); }
    /// The descriptor of the passed socket with this name (FileDescriptorName=). -1: none has it, or several have.
    [[nodiscard]] int socket(std::string_view name) const noexcept {
        int found = -1;
        for (const passed_socket& each : sockets) {
            if (each.name != name) continue;
            if (found != -1) return -1;
            found = each.fd;
        }
        return found;
    }

    static constexpr int first_passed = 3;    ///< SD_LISTEN_FDS_START
    static constexpr int most_sockets = 1024; ///< the usual descriptor limit; a larger number is an error
};

/// A function that returns the value of a variable, or empty if it is not set.
template <class F> concept variable_lookup = requires(const F& variable, const char* name) {
    { variable(name) } -> std::same_as<std::optional<std::string>>;
};

/// Parses the variables for process `self`. Variables meant for another process count as absent. Pure.
/// @errors malformed: a value that the manual page does not allow; the failure's path is the variable's name.
template <variable_lookup F>
[[nodiscard]] service_environment parse_service_environment(const F& variable, pid_t self, error_out out);

/// Reads the environment of this process and removes these variables, so that no child uses them. Sets close-on-exec on the
/// passed descriptors.
/// @errors as above · EBADF: LISTEN_FDS includes a descriptor that is not open. The variables are removed also after an error.
[[nodiscard]] inline service_environment take_service_environment(error_out out);

// ---- implementation ----

namespace detail {
inline constexpr const char* service_variables[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
                                                    "LISTEN_PID",    "LISTEN_FDS",    "LISTEN_FDNAMES"};

/// A decimal number from `least` to `most`, and nothing else.
inline std::optional<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t least, std::uint64_t most) noexcept {
    std::uint64_t value = 0;
    const auto [rest, why] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (why != std::errc() || rest != text.data() + text.size() || value < least || value > most) return std::nullopt;
    return value;
}
} // namespace detail

template <variable_lookup F> service_environment parse_service_environment(const F& variable, pid_t self, error_out out) {
    constexpr std::uint64_t most_pid = 0x7fffffff;
    service_environment result;
    // Absent, or a number; anything else is an error.
    struct found {
        std::uint64_t value = 0;
        bool is_there = false;
    };
    const auto number = [&](const char* name, std::uint64_t least, std::uint64_t most) {
        found none;
        const auto text = variable(name);
        if (!text || out.failed()) return none;
        const auto value = detail::parse_decimal(*text, least, most);
        if (!value)
            out.set(errc::malformed, "read environment", name,
                    "'" + *text + "' is not a number from " + std::to_string(least) + " to " + std::to_string(most));
        return value ? found{*value, true} : none;
    };
    const auto listen_pid = number("LISTEN_PID", 1, most_pid);
    const auto count = number("LISTEN_FDS", 0, service_environment::most_sockets);
    const auto watchdog_pid = number("WATCHDOG_PID", 1, most_pid);
    constexpr auto most_usec = static_cast<std::uint64_t>(std::chrono::microseconds::max().count());
    const auto watchdog = number(
        "WATCHDOG_USEC", 1, UINT64_MAX - 1); // the largest number means no watchdog, which managers express by not setting it
    if (out.failed()) return result;

    result.notify_socket = variable("NOTIFY_SOCKET").value_or("");
    const auto is_self = [&](std::uint64_t pid) { return pid == static_cast<std::uint64_t>(self); };
    if (watchdog.is_there && (!watchdog_pid.is_there || is_self(watchdog_pid.value)))
        result.watchdog = std::chrono::microseconds(
            static_cast<std::chrono::microseconds::rep>(watchdog.value < most_usec ? watchdog.value : most_usec));
    if (!listen_pid.is_there || !is_self(listen_pid.value) || !count.is_there) return result;

    for (int i = 0; i < static_cast<int>(count.value); ++i)
        result.sockets.push_back({service_environment::first_passed + i, "unknown"});
    if (const auto names = variable("LISTEN_FDNAMES")) {
        std::size_t begin = 0, used = 0;
        for (bool more = true; more; ++used) {
            const auto end = names->find(':', begin);
            more = end != std::string::npos;
            if (used < result.sockets.size())
                result.sockets[used].name = names->substr(begin, more ? end - begin : std::string::npos);
            begin = end + 1;
        }
        if (used != result.sockets.size() && !(names->empty() && result.sockets.empty()))
            return out.fail<service_environment>(errc::malformed, "read environment", "LISTEN_FDNAMES",
                                                 std::to_string(used) + " names for " + std::to_string(result.sockets.size()) +
                                                     " sockets");
    }
    return result;
}

inline service_environment take_service_environment(error_out out) {
    const auto variable = [](const char* name) {
        const char* const value = std::getenv(name);
        return value ? std::optional<std::string>(value) : std::nullopt;
    };
    auto result = parse_service_environment(variable, sys::getpid(), out);
    for (const char* const name : detail::service_variables) ::unsetenv(name);
    for (const passed_socket& each : result.sockets)
        if (sys::fcntl(each.fd, F_SETFD, FD_CLOEXEC) == -1)
            return out.fail<service_environment>(last_error(), "take descriptor " + std::to_string(each.fd), "LISTEN_FDS");
    return result;
}

} // namespace MATO_ABI
} // namespace mato
