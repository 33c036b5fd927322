// SPDX-License-Identifier: MIT
/// @file spawn.hpp: starts a program with clean signals, descriptors and limits, or reports why it cannot.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/spawn_program_test.cpp; failures:
/// test/fault/fault_spawn_program_test.cpp. Threads: safe; the new process is a child of the whole process.   Fork: it is one;
/// the child only executes. Blocks: until exec has succeeded or failed (usually less than a millisecond). Source: execve(2),
/// setpgid(2), close_range(2), prctl(2) PR_SET_PDEATHSIG.
///
/// A daemon blocks signals, has the umask 077, sockets, locks, and perhaps a raised limit of descriptors. A program that it
/// starts must inherit none of that: SIGTERM would not end it, and a copied listener would keep a dead daemon's socket alive.
#pragma once

#include "detach.hpp"
#include "error.hpp"
#include "signals.hpp"
#include "sys.hpp"
#include "sys_process.hpp"
#include "unique_fd.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

extern char** environ; // NOLINT(readability-redundant-declaration): unistd.h declares it only with _GNU_SOURCE

namespace mato {
inline namespace MATO_ABI {

/// A descriptor of this process that the child gets, and its number there.
///
/// Part of `spawn_options`.
///
/// @threads a value.
/// @blocks never.
struct passed_descriptor {
    int from; ///< stays open here
    int to;   ///< 0 to 2: standard input, output, error
};

/// A limit of the child, set in the child by setrlimit(2).
///
/// Part of `spawn_options`.
///
/// @threads a value.
/// @blocks never.
struct process_limit {
    int resource; ///< RLIMIT_…
    rlim_t soft, hard;
};

/// What to start, and what it inherits. Only `program` must be set.
///
/// @threads a value.
/// @blocks never.
struct spawn_options {
    std::string program;                  ///< a path, or a name that is looked up in PATH of the child's environment
    std::vector<std::string> arguments{}; ///< after the program's name
    std::optional<std::vector<std::string>> environment{}; ///< "NAME=value"; not set: as this process
    std::string directory{};                               ///< working directory; empty: as this process
    std::vector<passed_descriptor> descriptors{};          ///< all others are closed; 0 to 2 not named here are /dev/null
    std::vector<process_limit> limits{};                   ///< others: as this process
    rlim_t most_descriptors = 1024; ///< soft RLIMIT_NOFILE, at most the hard one: more breaks programs that use select(2)
    mode_t umask = 022;             ///< a daemon's own is 077
    bool own_group = true; ///< it leads a process group, which signals can be sent to; false: it is in this process's group
    int signal_at_parents_death = 0; ///< Linux: sent to it when the thread that started it ends; 0: none
};

/// A started program. The caller waits for it, for example with `child`.
///
/// @threads a value.
/// @blocks never.
struct spawned {
    pid_t pid = 0;
    unique_fd process{}; ///< a pidfd, readable when it has ended; empty where there is none (MATO_HAS_PIDFD, Linux 5.3)
};

/// Starts a program. All its signals have their default disposition and none is blocked.
/// @errors with the step and the program: any of execve(2), fork(2), chdir(2), setrlimit(2), dup2(2) in the child · EBADF with
/// the
///         descriptor. Then there is no process.
[[nodiscard]] inline spawned spawn(const spawn_options& options, error_out out);

// ---- implementation ----

namespace detail {

/// All that the child needs, prepared before the fork: it may call only async-signal-safe functions.
class spawn_plan {
public:
    explicit spawn_plan(const spawn_options& options);
    /// In the child. Reports an error through `report`, a write end of a pipe. Does not return.
    [[noreturn]] void become_program(int report) noexcept;

    struct report_message {
        int step, error, detail;
    };
    enum step { descriptor, null, limit, group, directory, orphan, exec };
    [[nodiscard]] failure describe(const report_message& what) const;

private:
    [[noreturn]] static void fails(int report, step where, int which = 0) noexcept {
        const report_message message{where, errno, which};
        static_cast<void>(sys::write(report, &message, sizeof message));
        ::_exit(127);
    }
    int place_descriptors(int report) noexcept;
    void limit_descriptors(int report) const noexcept;
    [[nodiscard]] std::string_view variable(std::string_view name) const noexcept;

    const spawn_options& options_;
    std::vector<std::string> paths_; // to try in this order
    std::vector<char*> arguments_, variables_;
    std::vector<int> moved_, keep_;
    pid_t parent_ = sys::getpid();
    int first_free_ = 3; // above every number that the child gets
};

inline spawn_plan::spawn_plan(const spawn_options& options) : options_(options) {
    const auto pointer = [](const std::string& text) { return const_cast<char*>(text.c_str()); }; // execve(2) changes nothing
    arguments_.push_back(pointer(options.program));
    for (const auto& each : options.arguments) arguments_.push_back(pointer(each));
    arguments_.push_back(nullptr);
    if (options.environment) {
        for (const auto& each : *options.environment) variables_.push_back(pointer(each));
    } else {
        for (char** each = environ; each != nullptr && *each != nullptr; ++each) variables_.push_back(*each);
    }
    variables_.push_back(nullptr);
    if (options.program.find('/') != std::string::npos) {
        paths_.push_back(options.program);
    } else {
        std::string_view path = variable("PATH");
        if (path.empty()) path = "/usr/local/bin:/usr/bin:/bin";
        for (;;) {
            const auto end = path.find(':');
            const auto folder = path.substr(0, end); // an empty one would be the working directory: never a default
            if (!folder.empty()) paths_.push_back(std::string(folder).append("/").append(options.program));
            if (end == std::string_view::npos) break;
            path.remove_prefix(end + 1);
        }
    }
    for (const auto& each : options.descriptors) {
        first_free_ = each.to >= first_free_ ? each.to + 1 : first_free_;
        keep_.push_back(each.to);
    }
    moved_.resize(options.descriptors.size(), -1);
    keep_.push_back(-1); // the report's number, known in the child
}

inline std::string_view spawn_plan::variable(std::string_view name) const noexcept {
    for (const char* const each : variables_) {
        const std::string_view text = each == nullptr ? std::string_view() : each;
        if (text.starts_with(name) && text.substr(name.size()).starts_with('=')) return text.substr(name.size() + 1);
    }
    return {};
}

/// First moves all of them above the numbers that the child gets, so that none overwrites another. @returns the report's
/// number.
inline int spawn_plan::place_descriptors(int report) noexcept {
    const int moved_report = sys::fcntl(report, F_DUPFD_CLOEXEC, first_free_);
    if (moved_report == -1) fails(report, descriptor, first_free_ - 1); // above the limit of descriptors
    for (std::size_t i = 0; i < moved_.size(); ++i) {
        moved_[i] = sys::fcntl(options_.descriptors[i].from, F_DUPFD_CLOEXEC, first_free_);
        if (moved_[i] == -1) fails(moved_report, descriptor, options_.descriptors[i].from);
    }
    const int nothing = sys::open("/dev/null", O_RDWR);
    if (nothing == -1) fails(moved_report, null);
    for (int standard = 0; standard < 3; ++standard)
        if (sys::dup2(nothing, standard) == -1) fails(moved_report, null);
    for (std::size_t i = 0; i < moved_.size(); ++i)
        if (sys::dup2(moved_[i], options_.descriptors[i].to) == -1)
            fails(moved_report, descriptor, options_.descriptors[i].from);
    keep_.back() = moved_report;
    close_all_but(keep_);
    for (int standard = 0; standard < 3; ++standard) sys::fcntl(standard, F_SETFD, 0); // `nothing` may have been one of them
    return moved_report;
}

inline void spawn_plan::limit_descriptors(int report) const noexcept {
    struct ::rlimit now {};
    if (sys::getrlimit(RLIMIT_NOFILE, &now) == -1) fails(report, limit, RLIMIT_NOFILE);
    if (now.rlim_cur <= options_.most_descriptors) return;
    now.rlim_cur = options_.most_descriptors;
    if (sys::setrlimit(RLIMIT_NOFILE, &now) == -1) fails(report, limit, RLIMIT_NOFILE);
}

inline void spawn_plan::become_program(int report) noexcept {
    if (options_.own_group && sys::setpgid(0, 0) == -1) fails(report, group);
    report = place_descriptors(report);
    limit_descriptors(report);
    for (const auto& each : options_.limits) {
        struct ::rlimit wanted {};
        wanted.rlim_cur = each.soft;
        wanted.rlim_max = each.hard;
        if (sys::setrlimit(each.resource, &wanted) == -1) fails(report, limit, each.resource);
    }
    if (!options_.directory.empty() && sys::chdir(options_.directory.c_str()) == -1) fails(report, directory);
    sys::umask(options_.umask);
    if (options_.signal_at_parents_death != 0) {
        if (sys::set_death_signal(options_.signal_at_parents_death) == -1) fails(report, orphan);
        if (sys::getppid() != parent_) ::_exit(127); // it ended in between, and reads no report
    }
    reset_signals();
    int why = ENOENT; // the reason for a file that is there counts more than that others are not
    for (const std::string& path : paths_) {
        sys::execve(path.c_str(), arguments_.data(), variables_.data());
        if (errno != ENOENT && errno != ENOTDIR) why = errno;
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) break;
    }
    errno = why;
    fails(report, exec);
}

inline failure spawn_plan::describe(const report_message& what) const {
    const std::error_code code(what.error, std::system_category());
    const std::string number = std::to_string(what.detail);
    switch (what.step) {
    case descriptor: return {code, "pass descriptor " + number + " to", options_.program, {}};
    case null: return {code, "open /dev/null for", options_.program, {}};
    case limit: return {code, "set limit " + number + " of", options_.program, {}};
    case group: return {code, "make a process group for", options_.program, {}};
    case directory: return {code, "enter directory", options_.directory, {}};
    case orphan: return {code, "set the death signal of", options_.program, {}};
    default: break;
    }
    std::string text;
    if (what.error == ENOENT && options_.program.find('/') == std::string::npos)
        text = "it is in no directory of PATH; give its path";
    return {code, "execute", options_.program, std::move(text)};
}

} // namespace detail

inline spawned spawn(const spawn_options& options, error_out out) {
    for (const auto& each : options.descriptors)
        if (each.to < 0 || sys::fcntl(each.from, F_GETFD, 0) == -1)
            return out.fail<spawned>({EBADF, std::system_category()}, "pass descriptor " + std::to_string(each.from) + " to",
                                     options.program);
    detail::spawn_plan plan(options);
    int ends[2];
    if (sys::pipe(ends) == -1) return out.fail<spawned>(last_error(), "open a pipe for", options.program);
    const unique_fd report(ends[0]);
    unique_fd report_write(ends[1]);
    spawned result;
    {
        const blocked_signals quiet; // a handler of this process must not run in the child
        result.pid = sys::fork();
        if (result.pid == 0) plan.become_program(report_write.get());
        if (result.pid == -1) return out.fail<spawned>(last_error(), "fork for", options.program);
    }
    report_write.reset(); // otherwise this copy would keep the pipe open
    detail::spawn_plan::report_message problem{};
    const ssize_t got = sys::read(report.get(), &problem, sizeof problem);
    if (got == 0) { // a successful exec has closed the pipe
        result.process = unique_fd(sys::pidfd_open(result.pid));
        return result;
    }
    const auto read_error = last_error();
    if (got < 0) sys::kill(result.pid, SIGKILL);
    sys::waitpid(result.pid, nullptr, 0);
    if (got < 0) return out.fail<spawned>(read_error, "start", options.program);
    return out.fail<spawned>(plan.describe(problem));
}

} // namespace MATO_ABI
} // namespace mato
