// SPDX-License-Identifier: MIT
/// @file detach.hpp: separates the daemon from the terminal, the session and the process that started it.
/// Layer: 2 (policy).  Test: test/toolkit/detach_test.cpp.
/// Threads: call it while the process has one thread; with more, the child gets copies of locked mutexes that stay locked.
/// Fork: it forks. No asio object, log or signal source may exist before it.
/// Blocks: double_fork, until its short-lived intermediate process has ended.
/// Source: daemon(7) "SysV Daemons", setsid(2), fork(2), credentials(7).
#pragma once

#include "error.hpp"
#include "sys.hpp"

#include <concepts>
#include <span>
#include <string>
#if MATO_HAS_SINGLE_THREADED
#include <sys/single_threaded.h>
#endif

namespace mato {
inline namespace MATO_ABI {

/// The result of `detach`. It tells in which process the call returned.
enum class detach_role {
    starter, ///< the process that called; it continues
    daemon,  ///< the new process, which serves
};

/// The options of `detach`. `basic_daemon` sets them from `daemon_options`.
struct detach_options {
    /// Descriptors that the daemon keeps in addition to 0-2 (lock, readiness); all others are closed. A number below
    /// `most_retired_descriptors` that was open is then occupied by a descriptor that cannot be read or written: if an object
    /// copied from the starter still writes to its old number, it gets EBADF, and nothing is written into a file of the daemon.
    std::span<const int> keep{};
};

/// The kernel assigns the lowest free number, so no number of a starter with fewer descriptors than this is reused. It is a
/// quarter of the usual limit of a process (1024).
inline constexpr int most_retired_descriptors = 256;

/// `forks` tells whether the starter continues as a process of its own. After an error in the starter there is no daemon. An
/// error in the daemon is to be reported through its readiness channel.
template <class D> concept detach_policy = requires(const detach_options& options, error_out out) {
    { D::forks } -> std::convertible_to<bool>;
    { D::detach(options, out) } -> std::same_as<detach_role>;
};

/// Opens /dev/null on each of 0, 1, 2 that is closed, so that a socket never gets the number of stdin, stdout or stderr.
/// Call it first in main. @errors any of open(2).
inline void reserve_standard_descriptors(error_out out);

/// Does not detach. For a supervisor, a container or a debugger.
///
/// `detach` returns immediately in the same process.
///
/// @threads safe.
/// @blocks never.
struct foreground {
    static constexpr bool forks = false;
    static detach_role detach(const detach_options&, error_out) { return detach_role::daemon; }
};

/// Forks twice, with setsid(2) between: the daemon has no controlling terminal and cannot get one by opening a terminal.
///
/// In the daemon: the working directory is "/", the umask 077, 0-2 are /dev/null (read-write, because with read-only every
/// write to 1 and 2 would fail), all other descriptors except `keep` are closed, signal dispositions are the defaults, and all
/// signals are BLOCKED, so that none is lost before the signal source is open. Open the source, then restore the mask, as
/// basic_daemon does. Resolve relative paths before the call.
/// @errors not_single_threaded (a thread created directly with clone(2) may not be noticed) · EAGAIN, ENOMEM of fork(2).
///
/// @threads refused while other threads run.
/// @fork it forks twice; no asio object, log or signal source may exist.
/// @blocks until the intermediate process has ended.
///
/// @code
/// auto pipe = mato::readiness_pipe::open(why);
/// const int keep[] = {pipe.starter_fd(), pipe.daemon_fd()};
/// if (mato::double_fork::detach({keep}, why) == mato::detach_role::starter) {
///     pipe.become_starter();
///     if (!why) pipe.wait(mato::deadline::in(std::chrono::seconds(10)), why);
///     return why ? 1 : 0; // the daemon's result
/// }
/// pipe.become_daemon();
/// @endcode
struct double_fork {
    static constexpr bool forks = true;
    static detach_role detach(const detach_options& options, error_out out);
};

/// Forks once: as double_fork, but the daemon is a child of the starter and leads its session. With a keeper this saves a fork:
/// the keeper leads the session and opens no terminal, and its workers do not lead it. Without a keeper it does not compile,
/// and a daemon that is started with `daemon_options::survive = false` forks twice.
///
/// A starter that continues for long gets the daemon as its child: it sees SIGCHLD when the daemon ends, and has a zombie until
/// it waits. Suits starters that end, such as the commands of a client.
/// @errors as double_fork.
///
/// @threads refused while other threads run.
/// @fork it forks once; no asio object, log or signal source may exist.
/// @blocks never.
struct single_fork {
    static constexpr bool forks = true;
    static constexpr bool leads_session = true; ///< the process that returns as the daemon
    static detach_role detach(const detach_options& options, error_out out);
};

static_assert(detach_policy<foreground> && detach_policy<double_fork> && detach_policy<single_fork>);

// ---- implementation ----

namespace detail {

/// 0: not known.
inline unsigned thread_count() {
#if MATO_HAS_SINGLE_THREADED
    if (__libc_single_threaded) return 1; // false is not certain: the C library may not notice that a thread has ended
#endif
#if MATO_HAS_PROC
    struct ::stat tasks {};
    if (sys::lstat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 2) return static_cast<unsigned>(tasks.st_nlink) - 2;
#endif
    return 0;
}

inline bool point_standard_descriptors_at_null() noexcept {
    const int null = sys::open("/dev/null", O_RDWR);
    if (null == -1) return false;
    for (int fd = 0; fd < 3; ++fd)
        if (sys::dup2(null, fd) == -1) return false; // dup2 clears close-on-exec on the copy
    if (null > 2)
        sys::close(null);
    else
        sys::fcntl(null, F_SETFD, 0); // 0-2 was free and `null` has its number: dup2 onto itself keeps close-on-exec
    return true;
}

/// Async-signal-safe. `keep` need not be sorted.
inline void close_all_but(std::span<const int> keep) noexcept {
    int first = 3;
    for (;;) {
        int next = -1; // the lowest kept descriptor not yet passed
        for (const int fd : keep)
            if (fd >= first && (next == -1 || fd < next)) next = fd;
        if (next == -1) break;
        for (int fd = first; fd < next; ++fd) sys::close(fd);
        first = next + 1;
    }
    sys::close_from(first);
}

/// As above, and occupies the numbers that were open. Async-signal-safe.
inline void retire_all_but(std::span<const int> keep) noexcept {
    pollfd asked[most_retired_descriptors]; // one call for all of them: POLLNVAL means not open
    int count = most_retired_descriptors;
    for (int fd = 0; fd < count; ++fd) asked[fd] = {fd, 0, 0};
    while (count > 0 && sys::poll(asked, static_cast<nfds_t>(count), 0) == -1 && errno == EINVAL) count /= 2; // RLIMIT_NOFILE
    close_all_but(keep);
    const int nothing = sys::open("/", O_RDONLY | O_DIRECTORY);
    bool is_retired = false;
    for (int fd = 3; nothing >= 0 && fd < count; ++fd) {
        if (asked[fd].revents & POLLNVAL) continue;
        if (fd == nothing) is_retired = true;
        bool is_kept = fd == nothing;
        for (const int each : keep) is_kept = is_kept || each == fd;
        if (!is_kept) sys::fcntl(nothing, F_DUPFD_CLOEXEC, fd); // `fd` is free, so the copy gets this number
    }
    if (nothing >= 0 && !is_retired) sys::close(nothing);
}

} // namespace detail

inline void reserve_standard_descriptors(error_out out) {
    for (int fd = 0; fd < 3; ++fd) {
        if (sys::fcntl(fd, F_GETFD, 0) != -1) continue;  // EBADF is its only error; ten times cheaper than open(2)
        const int null = sys::open("/dev/null", O_RDWR); // takes the lowest free number
        if (null == -1) return out.set(last_error(), "open", "/dev/null");
        if (null > 2)
            sys::close(null);
        else
            sys::fcntl(null, F_SETFD, 0); // 0-2 are inherited by convention
    }
}

namespace detail {
/// What the daemon does after its last fork.
inline void settle_in_background(const detach_options& options, error_out out) {
    if (sys::chdir("/") == -1 || !point_standard_descriptors_at_null()) out.set(last_error(), "detach", "/");
    sys::umask(077);
    sys::default_dispositions();
    retire_all_but(options.keep);
}

/// Before the first fork: one thread, all signals blocked. @returns false with an error.
inline bool prepare_to_detach(sigset_t& before, error_out out) {
    if (const unsigned threads = detail::thread_count(); threads > 1) {
        out.set(errc::not_single_threaded, "detach", {},
                "the process has " + std::to_string(threads) + " threads; detach before the first thread is started");
        return false;
    }
    sigset_t all;
    sigfillset(&all);
    if (sys::signal_mask(SIG_SETMASK, &all, &before) == -1) out.set(last_error(), "block signals");
    return !out.failed();
}
} // namespace detail

inline detach_role single_fork::detach(const detach_options& options, error_out out) {
    sigset_t before;
    if (!detail::prepare_to_detach(before, out)) return detach_role::starter;
    const pid_t daemon = sys::fork();
    if (daemon != 0) {
        if (daemon == -1) out.set(last_error(), "fork");
        sys::signal_mask(SIG_SETMASK, &before, nullptr);
        return detach_role::starter;
    }
    if (sys::setsid() == -1) out.set(last_error(), "detach");
    detail::settle_in_background(options, out);
    return detach_role::daemon;
}

inline detach_role double_fork::detach(const detach_options& options, error_out out) {
    sigset_t before;
    if (!detail::prepare_to_detach(before, out)) return detach_role::starter;
    const pid_t middle = sys::fork();
    if (middle != 0) {
        const auto fork_error = last_error();
        int status = 0;
        const pid_t ended = middle > 0 ? sys::waitpid(middle, &status, 0) : -1;
        sys::signal_mask(SIG_SETMASK, &before, nullptr);
        if (middle == -1) out.set(fork_error, "fork");
        // ECHILD: the program ignores SIGCHLD, so there is no status; the readiness channel reports the result.
        else if (ended == middle && status != 0)
            out.set({WEXITSTATUS(status) ? WEXITSTATUS(status) : ECHILD, std::system_category()}, "fork the daemon");
        return detach_role::starter;
    }
    // From here on only the daemon may return to the caller, and no destructor of the starter's objects may run.
    if (sys::setsid() == -1) ::_exit(errno);
    const pid_t daemon = sys::fork();
    if (daemon != 0) ::_exit(daemon == -1 ? errno : 0);
    detail::settle_in_background(options, out);
    return detach_role::daemon;
}

} // namespace MATO_ABI
} // namespace mato
