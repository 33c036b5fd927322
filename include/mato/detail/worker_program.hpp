// SPDX-License-Identifier: MIT
/// @file worker_program.hpp: starts a program as the next worker of a keeper, and what that program takes from its environment.
/// Layer: 3 (mechanism; no asio).  Test: test/process/upgrade_process_test.cpp.
/// Threads: the keeper has one.   Fork: `start` forks; the child only executes.   Blocks: never.
/// Source: fexecve(3), environ(7).
///
/// MATO_WORKER is "PID:KEEPER:LINK:REPORT:COMMIT:LOCK": the pid of the process that it is for, the keeper's, and descriptors,
/// -1 where there is none. A child that inherits the variable has another pid, so it does not take them. MATO_KEEPER is
/// "PID:STATE:CHECK", for a program that is executed in the keeper's place (keeper_renewal.hpp).
#pragma once

#include "../readiness.hpp"
#include "../sys_process.hpp"
#include "../upgrade.hpp"
#include "keeper_link.hpp"

#include <charconv>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

extern char** environ; // NOLINT(readability-redundant-declaration): unistd.h declares it only with _GNU_SOURCE

namespace mato {
inline namespace MATO_ABI {

/// What a keeper passed to this process, and nothing in a process that no keeper started. Removes the variable from the
/// environment and sets close-on-exec on the descriptors. Call it first in main, for `daemon_options::worker`.
/// @errors malformed: the variable is not what a keeper writes · EBADF: a descriptor of it is not open.
[[nodiscard]] inline worker_environment take_worker_environment(error_out out);

/// Tells the process that requested the upgrade why this program does not take over. Exit afterwards.
inline void refuse_to_take_over(const worker_environment& from, const failure& why) {
    const std::string text = readiness_pipe::encode(why);
    static_cast<void>(sys::write(from.report, text.data(), text.size()));
}

namespace detail {

struct worker_program {
    pid_t pid = 0;
    keeper_link link{};
    unique_fd report{};

    static constexpr const char* variable = "MATO_WORKER";
    static constexpr const char* keeper_variable = "MATO_KEEPER";

    /// Forks and executes `program`. An error of the execution comes through `report`. @errors any of socketpair(2), fork(2).
    [[nodiscard]] static worker_program start(int program, const upgrade_start& how, int commit, int lock, error_out out);
    /// The arguments of this process. @errors any of open(2), read(2).
    [[nodiscard]] static std::vector<std::string> own_arguments(error_out out);
    /// Whether this process may run it: @errors EACCES with the reason.
    static void check(int program, error_out out);
};

// ---- implementation ----

inline std::vector<std::string> worker_program::own_arguments(error_out out) {
    static constexpr const char* path = "/proc/self/cmdline";
    const unique_fd file(sys::open(path, O_RDONLY));
    if (!file) return out.set(last_error(), "open", path), std::vector<std::string>();
    std::string text;
    char room[4096];
    for (ssize_t got = 1; got > 0;) {
        got = sys::read(file.get(), room, sizeof room);
        if (got == -1) return out.set(last_error(), "read", path), std::vector<std::string>();
        text.append(room, static_cast<std::size_t>(got));
    }
    std::vector<std::string> arguments;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('\0', at);
        arguments.push_back(text.substr(at, end - at));
        at = end == std::string::npos ? text.size() : end + 1;
    }
    return arguments;
}

inline void worker_program::check(int program, error_out out) {
    struct ::stat about {};
    if (sys::fstat(program, &about) == -1) return out.set(last_error(), "upgrade");
    const char* why = nullptr;
    if (!S_ISREG(about.st_mode))
        why = "the new program is not a regular file";
    else if ((about.st_mode & 0111) == 0)
        why = "the new program is not executable; chmod +x";
    else if (about.st_uid != 0 && about.st_uid != sys::geteuid())
        why = "the new program belongs to another user; it must belong to root or to this user";
    else if ((about.st_mode & 0002) != 0)
        why = "every user may write to the new program; chmod o-w";
    if (why != nullptr) out.set({EACCES, std::system_category()}, "upgrade", {}, why);
}

inline worker_program worker_program::start(int program, const upgrade_start& how, int commit, int lock, error_out out) {
    worker_program made;
    auto [ours, theirs] = keeper_link::pair(out);
    if (out.failed()) return made;
    auto report = readiness_pipe::open(out);
    if (out.failed()) return made;
    const pid_t keeper = sys::getpid();
    made.pid = sys::fork();
    if (made.pid == -1) return made.pid = 0, out.set(last_error(), "fork"), std::move(made);
    if (made.pid != 0) {
        made.link = std::move(ours);
        made.report = unique_fd(sys::fcntl(report.starter_fd(), F_DUPFD_CLOEXEC, 3));
        return made;
    }
    const auto fails = [&](const char* step) {
        const std::string text = readiness_pipe::encode({last_error(), step, {}, {}});
        static_cast<void>(sys::write(report.daemon_fd(), text.data(), text.size()));
        ::_exit(127);
    };
    std::string passed = std::string(variable) + "=" + std::to_string(sys::getpid()) + ":" + std::to_string(keeper);
    for (const int fd : {theirs.native_handle(), report.daemon_fd(), commit, lock}) {
        if (fd >= 0 && sys::fcntl(fd, F_SETFD, 0) == -1) fails("pass descriptors to the new program");
        passed += ":" + std::to_string(fd);
    }
    std::vector<std::string> variables;
    for (char** each = environ; each != nullptr && *each != nullptr; ++each) variables.emplace_back(*each);
    variables.insert(variables.end(), how.variables.begin(), how.variables.end());
    variables.push_back(std::move(passed));
    std::vector<std::string> arguments = how.arguments;
    const auto pointers = [](std::vector<std::string>& from) {
        std::vector<char*> to;
        for (std::string& each : from) to.push_back(each.data());
        to.push_back(nullptr);
        return to;
    };
    auto argv = pointers(arguments), envp = pointers(variables);
    sys::default_dispositions();
    sigset_t none;
    sigemptyset(&none);
    sys::signal_mask(SIG_SETMASK, &none, nullptr);
    sys::fexecve(program, argv.data(), envp.data());
    fails("execute the new program");
    return made;
}

} // namespace detail

namespace detail {

/// "NUMBER:NUMBER:…" from a variable, which is removed. @returns whether it is there. @errors malformed.
template <std::size_t Count> bool take_numbers(const char* variable, int (&numbers)[Count], error_out out) {
    const char* const value = std::getenv(variable);
    if (value == nullptr) return false;
    const std::string text = value;
    ::unsetenv(variable);
    const char* at = text.data();
    const char* const end = at + text.size();
    bool is_right = true;
    for (int& each : numbers) {
        if (&each != numbers) is_right = is_right && at != end && *at++ == ':';
        const auto [rest, why] = std::from_chars(at, end, each);
        is_right = is_right && why == std::errc() && each >= -1;
        at = rest;
    }
    if (is_right && at == end && numbers[0] > 0) return true;
    return out.fail<bool>(errc::malformed, "read environment", variable, "'" + text + "' is not what a keeper writes");
}

} // namespace detail

inline worker_environment take_worker_environment(error_out out) {
    const auto take = [&](const char* variable, int fd) {
        if (fd < 0 || sys::fcntl(fd, F_SETFD, FD_CLOEXEC) != -1) return true;
        return out.fail<bool>(last_error(), "take descriptor " + std::to_string(fd), variable);
    };
    const auto refuse = [&](const char* variable) {
        return out.fail<worker_environment>(errc::malformed, "read environment", variable, "it is not what a keeper writes");
    };
    const char* variable = detail::worker_program::keeper_variable;
    int of_keeper[3];
    if (detail::take_numbers(variable, of_keeper, out)) {
        const auto [pid, state, check] = of_keeper;
        if (state < 0 || check < 0 || check > 1) return refuse(variable);
        if (pid != sys::getpid()) return {}; // it is for an ancestor
        if (!take(variable, state)) return {};
        worker_environment found;
        found.keeper = pid, found.state = state, found.is_check = check == 1;
        return found;
    }
    if (out.failed()) return {};
    variable = detail::worker_program::variable;
    int numbers[6];
    if (!detail::take_numbers(variable, numbers, out)) return {};
    if (numbers[1] <= 0 || numbers[2] < 0 || numbers[3] < 0) return refuse(variable);
    if (numbers[0] != sys::getpid()) return {}; // it is for an ancestor
    for (int i = 2; i < 6; ++i)
        if (!take(variable, numbers[i])) return {};
    worker_environment found;
    found.link = numbers[2], found.report = numbers[3], found.commit = numbers[4], found.lock = numbers[5];
    found.keeper = numbers[1];
    return found;
}

} // namespace MATO_ABI
} // namespace mato
