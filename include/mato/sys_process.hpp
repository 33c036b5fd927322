// SPDX-License-Identifier: MIT
/// @file sys_process.hpp: system calls about programs, children, users, groups and limits; the shape of sys.hpp.
/// Layer: 1 (vocabulary).  Test: test/toolkit/sys_test.cpp, spawn_program_test.cpp; the faults: test/fault/.
/// Threads: as the system call.   Fork: as the system call.
#pragma once

#include "sys.hpp"

#include <grp.h>
#include <sys/resource.h>
#if MATO_HAS_SUBREAPER
#include <sys/prctl.h>
#endif

namespace mato {
inline namespace MATO_ABI {
namespace sys {

/// Whether orphans below this process become its children. See PR_SET_CHILD_SUBREAPER in prctl(2).
enum class orphans : unsigned char { to_init, to_this_process };

// ---- programs ----
/// Returns only after an error.
inline int execve(const char* path, char* const* arguments, char* const* variables) noexcept {
    return MATO_SYSTEM(execve)(path, arguments, variables);
}
inline int setpgid(pid_t pid, pid_t group) noexcept { return MATO_SYSTEM(setpgid)(pid, group); }
inline pid_t getppid() noexcept { return ::getppid(); }
/// execve(2) of an open file. Returns only after an error.
inline int fexecve(int program, char* const* arguments, char* const* variables) noexcept {
    return MATO_SYSTEM(fexecve)(program, arguments, variables);
}

// ---- limits ----
template <class Resource> int getrlimit(Resource resource, struct ::rlimit* out) noexcept {
    return MATO_SYSTEM(getrlimit)(resource, out);
}
template <class Resource> int setrlimit(Resource resource, const struct ::rlimit* limit) noexcept {
    return MATO_SYSTEM(setrlimit)(resource, limit);
}

// ---- users and groups ----
/// Returns the error itself.
template <class Group> int getgrnam_r(const char* name, Group* found, char* room, std::size_t size, Group** result) noexcept {
    return MATO_SYSTEM(getgrnam_r)(name, found, room, size, result);
}
inline uid_t getuid() noexcept { return ::getuid(); }
inline gid_t getgid() noexcept { return ::getgid(); }
inline gid_t getegid() noexcept { return ::getegid(); }
inline int getgroups(int size, gid_t* into) noexcept { return MATO_SYSTEM(getgroups)(size, into); }
inline int setgroups(std::size_t count, const gid_t* groups) noexcept { return MATO_SYSTEM(setgroups)(count, groups); }
inline int setgid(gid_t group) noexcept { return MATO_SYSTEM(setgid)(group); }
inline int setuid(uid_t user) noexcept { return MATO_SYSTEM(setuid)(user); }

// ---- children ----
/// The pid of a child that has ended, without reaping it; 0: none has ended; -1 with ECHILD: there are no children.
inline pid_t ended_child() noexcept {
    siginfo_t found{}; // si_pid stays 0 when no child has ended
    const int got = detail::retry([&] { return MATO_SYSTEM(waitid)(P_ALL, id_t{0}, &found, WEXITED | WNOHANG | WNOWAIT); });
    return got == -1 ? -1 : found.si_pid;
}
/// As waitpid(2) with WNOHANG, but a child that has ended is not reaped: its status can be asked for again.
inline pid_t look_at_child(pid_t child, int* status) noexcept {
    siginfo_t found{};
    const int got = detail::retry(
        [&] { return MATO_SYSTEM(waitid)(P_PID, static_cast<id_t>(child), &found, WEXITED | WNOHANG | WNOWAIT); });
    if (got == -1 || found.si_pid == 0) return got;
    *status = found.si_code == CLD_EXITED ? (found.si_status & 0xff) << 8 : found.si_status & 0x7f;
    return found.si_pid;
}
#if MATO_HAS_SUBREAPER
inline int set_subreaper(orphans where) noexcept {
    const unsigned long is_on = where == orphans::to_this_process ? 1 : 0;
    return MATO_SYSTEM(prctl)(PR_SET_CHILD_SUBREAPER, is_on, 0UL, 0UL, 0UL);
}
/// The signal that this process gets when the thread that forked it ends.
inline int set_death_signal(int signal) noexcept {
    return MATO_SYSTEM(prctl)(PR_SET_PDEATHSIG, static_cast<unsigned long>(signal), 0UL, 0UL, 0UL);
}
#else
inline int set_subreaper(orphans) noexcept { return errno = ENOSYS, -1; }
inline int set_death_signal(int) noexcept { return errno = ENOSYS, -1; }
#endif

} // namespace sys
} // namespace MATO_ABI
} // namespace mato
