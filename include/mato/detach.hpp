// SPDX-License-Identifier: MIT
/// @file detach.hpp: leaving the terminal, the session and the starter behind.
/// Layer: 2 (policy).  Test: test/toolkit/detach_test.cpp.
/// Threads: call it while the process has one thread; with more, fork copies locks nobody can release.
/// Fork: that is its deed. Nothing of asio, no log, no signal source may exist before it.
/// Blocks: double_fork, until its short-lived middle process has ended.
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

enum class detach_role {
    starter, ///< the process that asked; it goes on
    daemon,  ///< the process that serves
};

struct detach_options {
    /// Descriptors the daemon keeps besides 0-2 (lock, readiness); every other is closed. A number below
    /// `most_retired_descriptors` that was open stays taken by a descriptor that is neither read nor written, so that what an
    /// object of the starter's still writes fails with EBADF, and never gets into a file of the daemon's.
    std::span<const int> keep{};
};

/// The kernel gives the lowest free number, so a starter with fewer descriptors than this finds none of its numbers reused; a
/// quarter of the usual limit of a process (1024).
inline constexpr int most_retired_descriptors = 256;

/// `forks` says whether a starter remains. After an error in the starter no daemon exists; an error in the daemon is for
/// its readiness channel.
template <class D> concept detach_policy = requires(const detach_options& options, error_out out) {
    { D::forks } -> std::convertible_to<bool>;
    { D::detach(options, out) } -> std::same_as<detach_role>;
};

/// Opens /dev/null on each of 0, 1, 2 that is closed, so that no socket ever becomes somebody's "stderr".
/// First thing in main. @errors any of open(2).
inline void reserve_standard_descriptors(error_out out);

/// Stays: under a supervisor, in a container, in a debugger.
struct foreground {
    static constexpr bool forks = false;
    static detach_role detach(const detach_options&, error_out) { return detach_role::daemon; }
};

/// Two forks and a session between them: no controlling terminal now, and none to be had by opening one later.
///
/// In the daemon: cwd "/", umask 077, /dev/null open read-write on 0-2 (read-only would make every write to 1 and 2 fail),
/// every other descriptor closed but `keep`, default dispositions, and all signals BLOCKED, so that none is lost before the
/// signal source is open: then give the mask of before back, as basic_daemon does. Resolve relative paths before. @errors
/// not_single_threaded (a thread made by clone(2) itself may go unseen) · EAGAIN, ENOMEM of fork(2).
struct double_fork {
    static constexpr bool forks = true;
    static detach_role detach(const detach_options& options, error_out out);
};

static_assert(detach_policy<foreground> && detach_policy<double_fork>);

// ---- implementation ----

namespace detail {

/// 0 where it cannot be told.
inline unsigned thread_count() {
#if MATO_HAS_SINGLE_THREADED
    if (__libc_single_threaded) return 1; // false is "perhaps not": the C library may not notice that a thread has ended
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
        sys::fcntl(null, F_SETFD, 0); // it was free and is its own copy, which dup2 leaves close-on-exec
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

/// As above, and the numbers that were open stay taken. Async-signal-safe.
inline void retire_all_but(std::span<const int> keep) noexcept {
    pollfd asked[most_retired_descriptors]; // one question for all: POLLNVAL says that it is not open
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
        if (!is_kept) sys::fcntl(nothing, F_DUPFD_CLOEXEC, fd); // free, so it is this number
    }
    if (nothing >= 0 && !is_retired) sys::close(nothing);
}

} // namespace detail

inline void reserve_standard_descriptors(error_out out) {
    for (int fd = 0; fd < 3; ++fd) {
        if (sys::fcntl(fd, F_GETFD, 0) != -1) continue;  // EBADF is its one error; a path to look up costs ten times as much
        const int null = sys::open("/dev/null", O_RDWR); // takes the lowest free number
        if (null == -1) return out.set(last_error(), "open", "/dev/null");
        if (null > 2)
            sys::close(null);
        else
            sys::fcntl(null, F_SETFD, 0); // 0-2 are inherited by convention
    }
}

inline detach_role double_fork::detach(const detach_options& options, error_out out) {
    if (const unsigned threads = detail::thread_count(); threads > 1) {
        out.set(errc::not_single_threaded, "detach", {}, "the process has " + std::to_string(threads) + " threads");
        return detach_role::starter;
    }
    sigset_t all, before;
    sigfillset(&all);
    if (sys::signal_mask(SIG_SETMASK, &all, &before) == -1) return out.set(last_error(), "block signals"), detach_role::starter;
    const pid_t middle = sys::fork();
    if (middle != 0) {
        const auto fork_error = last_error();
        int status = 0;
        const pid_t ended = middle > 0 ? sys::waitpid(middle, &status, 0) : -1;
        sys::signal_mask(SIG_SETMASK, &before, nullptr);
        if (middle == -1) out.set(fork_error, "fork");
        // ECHILD: the host program ignores SIGCHLD, so the status is gone; the readiness channel tells the rest.
        else if (ended == middle && status != 0)
            out.set({WEXITSTATUS(status) ? WEXITSTATUS(status) : ECHILD, std::system_category()}, "fork the daemon");
        return detach_role::starter;
    }
    // From here on nothing may return to the caller's main but the daemon, and no destructor of the starter's may run.
    if (sys::setsid() == -1) ::_exit(errno);
    const pid_t daemon = sys::fork();
    if (daemon != 0) ::_exit(daemon == -1 ? errno : 0);
    if (sys::chdir("/") == -1 || !detail::point_standard_descriptors_at_null()) out.set(last_error(), "detach", "/");
    sys::umask(077);
    sys::default_dispositions();
    detail::retire_all_but(options.keep);
    return detach_role::daemon;
}

} // namespace MATO_ABI
} // namespace mato
