// SPDX-License-Identifier: MIT
/// @file sys.hpp: the system calls that most parts need, with one seam for injecting faults.
/// Layer: 1 (vocabulary).  Test: test/toolkit/sys_test.cpp; the faults: test/fault/.
/// Threads: as the system call.   Fork: as the system call.
///
/// Each function has the arguments and the result of its system call, with errno on -1. In addition:
///   EINTR   the call is repeated if that is correct (open, read, write, send, recv, accept, flock, fcntl, waitpid, fsync);
///           never close (the descriptor is closed already) and poll (the caller's deadline decides).
///   CLOEXEC every descriptor is created close-on-exec; without a flag for that it is set immediately afterwards.
///   SIGPIPE sends carry MSG_NOSIGNAL.
/// sys_memory.hpp and sys_process.hpp have the calls that only a few parts need. `MATO_SYSTEM(name)` must have the same
/// definition in every translation unit of a program.
#pragma once

#include "detail/abi.hpp"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#if MATO_HAS_SIGNALFD
#include <sys/signalfd.h>
#endif

#ifndef MATO_SYSTEM
#define MATO_SYSTEM(name) ::name // tests define it as a callable that can fail
#endif

namespace mato {
inline namespace MATO_ABI {
namespace sys {

/// Whether calls on a descriptor wait until they can be done. With `nonblocking` they fail with EAGAIN instead.
enum class waiting : unsigned char { blocking, nonblocking };

namespace detail {
template <class F> auto retry(F call) noexcept {
    for (;;) {
        const auto result = call();
        if (result != -1 || errno != EINTR) return result;
    }
}

inline int set_flags(int fd, bool is_nonblocking) noexcept {
    if (fd < 0) return fd;
    const bool ok = MATO_SYSTEM(fcntl)(fd, F_SETFD, FD_CLOEXEC) != -1 &&
                    (!is_nonblocking || MATO_SYSTEM(fcntl)(fd, F_SETFL, MATO_SYSTEM(fcntl)(fd, F_GETFL) | O_NONBLOCK) != -1);
    if (ok) return fd;
    const int why = errno;
    MATO_SYSTEM(close)(fd);
    errno = why;
    return -1;
}
} // namespace detail

// ---- files ----
inline int open(const char* path, int flags, mode_t mode = 0) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(open)(path, flags | O_CLOEXEC, mode); });
}
inline int close(int fd) noexcept { return MATO_SYSTEM(close)(fd); }
inline ssize_t read(int fd, void* data, std::size_t size) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(read)(fd, data, size); });
}
inline ssize_t write(int fd, const void* data, std::size_t size) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(write)(fd, data, size); });
}
inline ssize_t pread(int fd, void* data, std::size_t size, off_t at) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(pread)(fd, data, size, at); });
}
inline ssize_t pwrite(int fd, const void* data, std::size_t size, off_t at) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(pwrite)(fd, data, size, at); });
}
inline int ftruncate(int fd, off_t size) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(ftruncate)(fd, size); });
}
inline int fsync(int fd) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(fsync)(fd); });
}
inline int fstat(int fd, struct ::stat* out) noexcept { return MATO_SYSTEM(fstat)(fd, out); }
inline int lstat(const char* path, struct ::stat* out) noexcept { return MATO_SYSTEM(lstat)(path, out); }
inline int stat(const char* path, struct ::stat* out) noexcept { return MATO_SYSTEM(stat)(path, out); }
inline ssize_t readlink(const char* path, char* into, std::size_t size) noexcept {
    return MATO_SYSTEM(readlink)(path, into, size);
}
inline int unlink(const char* path) noexcept { return MATO_SYSTEM(unlink)(path); }
inline int rename(const char* from, const char* to) noexcept { return MATO_SYSTEM(rename)(from, to); }
inline int mkdir(const char* path, mode_t mode) noexcept { return MATO_SYSTEM(mkdir)(path, mode); }
inline int chmod(const char* path, mode_t mode) noexcept { return MATO_SYSTEM(chmod)(path, mode); }
inline int fchmod(int fd, mode_t mode) noexcept { return MATO_SYSTEM(fchmod)(fd, mode); }
/// Of the name itself, also if it is a symbolic link. -1 as a user or group: unchanged.
inline int lchown(const char* path, uid_t user, gid_t group) noexcept { return MATO_SYSTEM(lchown)(path, user, group); }
inline int chdir(const char* path) noexcept { return MATO_SYSTEM(chdir)(path); }
inline mode_t umask(mode_t mask) noexcept { return MATO_SYSTEM(umask)(mask); }
inline int flock(int fd, int operation) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(flock)(fd, operation); });
}
/// As open with O_CREAT. A new file gets mode 0600 exactly: with a umask such as 0277 its owner could not open it again.
inline int open_private(const char* path, int flags) noexcept {
    const int fd = open(path, flags | O_CREAT, 0600);
    struct ::stat found {};
    if (fd == -1 || sys::fstat(fd, &found) == -1 || !S_ISREG(found.st_mode) || (found.st_mode & 0600) == 0600) return fd;
    if (found.st_uid != ::geteuid() || sys::fchmod(fd, (found.st_mode & 0777) | 0600) == 0) return fd;
    const int why = errno;
    close(fd);
    errno = why;
    return -1;
}
template <class Arg> int fcntl(int fd, int command, Arg arg) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(fcntl)(fd, command, arg); });
}
template <class Arg> int ioctl(int fd, unsigned long request, Arg arg) noexcept { return MATO_SYSTEM(ioctl)(fd, request, arg); }
inline int dup2(int from, int to) noexcept { return MATO_SYSTEM(dup2)(from, to); }
inline int poll(struct pollfd* fds, nfds_t count, int timeout_ms) noexcept { return MATO_SYSTEM(poll)(fds, count, timeout_ms); }

/// Both ends close-on-exec; `flags` may hold O_NONBLOCK.
inline int pipe(int (&ends)[2], int flags = 0) noexcept {
#if MATO_HAS_PIPE2
    return MATO_SYSTEM(pipe2)(ends, flags | O_CLOEXEC);
#else
    if (MATO_SYSTEM(pipe)(ends) == -1) return -1;
    if (detail::set_flags(ends[0], flags & O_NONBLOCK) == -1) {
        MATO_SYSTEM(close)(ends[1]);
        return -1;
    }
    if (detail::set_flags(ends[1], flags & O_NONBLOCK) == -1) {
        MATO_SYSTEM(close)(ends[0]);
        return -1;
    }
    return 0;
#endif
}

/// Closes every descriptor from `first` up. Async-signal-safe: may be called between fork and exec.
inline void close_from(int first) noexcept {
#if MATO_HAS_CLOSE_RANGE
    if (MATO_SYSTEM(syscall)(SYS_close_range, static_cast<unsigned>(first), ~0U, 0U) == 0) return;
#endif
    const long limit = MATO_SYSTEM(sysconf)(_SC_OPEN_MAX);
    const int last = limit > 0 && limit < 1'048'576 ? static_cast<int>(limit) : 65'536; // no limit: assume the usual one
    for (int fd = first; fd < last; ++fd) MATO_SYSTEM(close)(fd);
}

// ---- sockets ----
/// A close-on-exec Unix stream socket.
inline int unix_socket(waiting mode) noexcept {
    const bool is_nonblocking = mode == waiting::nonblocking;
#if MATO_HAS_ACCEPT4
    return MATO_SYSTEM(socket)(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (is_nonblocking ? SOCK_NONBLOCK : 0), 0);
#else
    return detail::set_flags(MATO_SYSTEM(socket)(AF_UNIX, SOCK_STREAM, 0), is_nonblocking);
#endif
}
/// A close-on-exec, blocking Unix datagram socket.
inline int unix_datagram_socket() noexcept {
#if MATO_HAS_ACCEPT4
    return MATO_SYSTEM(socket)(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
#else
    return detail::set_flags(MATO_SYSTEM(socket)(AF_UNIX, SOCK_DGRAM, 0), false);
#endif
}
#if MATO_HAS_ACCEPT4
/// Two connected close-on-exec sockets whose messages come whole.
inline int packet_socket_pair(int (&ends)[2]) noexcept {
    return MATO_SYSTEM(socketpair)(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
}
#else
inline int packet_socket_pair(int (&)[2]) noexcept { return errno = ENOSYS, -1; }
#endif
inline int bind(int fd, const struct sockaddr* address, socklen_t size) noexcept {
    return MATO_SYSTEM(bind)(fd, address, size);
}
inline int listen(int fd, int backlog) noexcept { return MATO_SYSTEM(listen)(fd, backlog); }
/// Not repeated: after EINTR the connection attempt continues (connect(2)).
inline int connect(int fd, const struct sockaddr* address, socklen_t size) noexcept {
    return MATO_SYSTEM(connect)(fd, address, size);
}
/// The accepted socket is close-on-exec and non-blocking.
inline int accept(int fd) noexcept {
#if MATO_HAS_ACCEPT4
    return detail::retry([&] { return MATO_SYSTEM(accept4)(fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK); });
#else
    return detail::set_flags(detail::retry([&] { return MATO_SYSTEM(accept)(fd, nullptr, nullptr); }), true);
#endif
}
inline ssize_t send(int fd, const void* data, std::size_t size, int flags = 0) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(send)(fd, data, size, flags | MSG_NOSIGNAL); });
}
inline ssize_t recv(int fd, void* data, std::size_t size, int flags = 0) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(recv)(fd, data, size, flags); });
}
inline ssize_t sendmsg(int fd, const struct msghdr* message, int flags = 0) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(sendmsg)(fd, message, flags | MSG_NOSIGNAL); });
}
/// Received descriptors are close-on-exec.
inline ssize_t recvmsg(int fd, struct msghdr* message, int flags = 0) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(recvmsg)(fd, message, flags | MSG_CMSG_CLOEXEC); });
}
#if MATO_HAS_SENDMMSG
/// On a stream socket the messages are joined. It stops at the first message that the kernel does not accept completely.
inline int sendmmsg(int fd, struct mmsghdr* messages, unsigned count, int flags = 0) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(sendmmsg)(fd, messages, count, flags | MSG_NOSIGNAL); });
}
#endif
inline ssize_t sendto(int fd, const void* data, std::size_t size, int flags, const struct sockaddr* to,
                      socklen_t to_size) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(sendto)(fd, data, size, flags | MSG_NOSIGNAL, to, to_size); });
}
inline int getsockopt(int fd, int level, int option, void* value, socklen_t* size) noexcept {
    return MATO_SYSTEM(getsockopt)(fd, level, option, value, size);
}
inline int setsockopt(int fd, int level, int option, const void* value, socklen_t size) noexcept {
    return MATO_SYSTEM(setsockopt)(fd, level, option, value, size);
}
inline int getsockname(int fd, struct sockaddr* address, socklen_t* size) noexcept {
    return MATO_SYSTEM(getsockname)(fd, address, size);
}

// ---- processes and signals ----
inline pid_t fork() noexcept { return MATO_SYSTEM(fork)(); }
/// vfork(2): does not copy this process, and waits until the child has called exec or _exit. `child` must call one of them, may
/// call only async-signal-safe functions, and must change no memory except its own variables. It is a separate noinline
/// function so that no value in a register of the caller is live across the call.
template <class Child> [[gnu::noinline]] pid_t vfork(Child child) noexcept {
    const pid_t pid = MATO_SYSTEM(vfork)();
    if (pid == 0) child();
    return pid;
}
inline char* getcwd(char* into, std::size_t size) noexcept { return MATO_SYSTEM(getcwd)(into, size); }
inline pid_t setsid() noexcept { return MATO_SYSTEM(setsid)(); }
inline pid_t getpid() noexcept { return ::getpid(); }
inline uid_t geteuid() noexcept { return ::geteuid(); }
inline int kill(pid_t pid, int signal) noexcept { return MATO_SYSTEM(kill)(pid, signal); }
inline pid_t waitpid(pid_t pid, int* status, int options) noexcept {
    return detail::retry([&] { return MATO_SYSTEM(waitpid)(pid, status, options); });
}
/// pthread_sigmask(3), with the error in errno: sigprocmask is unspecified in programs with threads.
inline int signal_mask(int how, const sigset_t* set, sigset_t* old) noexcept {
    const int why = MATO_SYSTEM(pthread_sigmask)(how, set, old);
    if (why == 0) return 0;
    errno = why;
    return -1;
}
inline int signal_action(int signal, const struct ::sigaction* now, struct ::sigaction* old) noexcept {
    return MATO_SYSTEM(sigaction)(signal, now, old);
}
/// Resets all dispositions: handlers survive fork, and SIG_IGN survives exec too. Async-signal-safe.
inline void default_dispositions() noexcept {
    struct ::sigaction plain {};
    plain.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal)
        signal_action(signal, &plain, nullptr); // fails for SIGKILL and SIGSTOP; ignored
}
#if MATO_HAS_SIGNALFD
inline int signalfd(const sigset_t* set) noexcept { return MATO_SYSTEM(signalfd)(-1, set, SFD_CLOEXEC | SFD_NONBLOCK); }
#endif

/// A descriptor of the process itself, so that a reused pid cannot be signalled by mistake. -1 with ENOSYS without support.
inline int pidfd_open(pid_t pid) noexcept {
#if MATO_HAS_PIDFD
    return static_cast<int>(MATO_SYSTEM(syscall)(SYS_pidfd_open, pid, 0U));
#else
    static_cast<void>(pid);
    errno = ENOSYS;
    return -1;
#endif
}
inline int pidfd_send_signal(int pidfd, int signal) noexcept {
#if MATO_HAS_PIDFD
    return static_cast<int>(MATO_SYSTEM(syscall)(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0U));
#else
    static_cast<void>(pidfd), static_cast<void>(signal);
    errno = ENOSYS;
    return -1;
#endif
}

/// Sleeps for the whole span in milliseconds, also when signals arrive. Returns immediately if negative.
inline void sleep_ms(long span) noexcept {
    if (span <= 0) return;
    struct timespec left {
        span / 1000, span % 1000 * 1'000'000
    };
    while (MATO_SYSTEM(nanosleep)(&left, &left) == -1 && errno == EINTR) {
    }
}

} // namespace sys
} // namespace MATO_ABI
} // namespace mato
