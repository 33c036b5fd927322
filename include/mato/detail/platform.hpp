// SPDX-License-Identifier: MIT
/// @file platform.hpp: the features of this operating system; the only `#if`s on it.
/// Layer: 0 (platform).
///
/// Each feature can be switched off before the first include (`-DMATO_HAS_PIDFD=0`), so that one machine can run every
/// fallback; the test toolkit/fallbacks_test switches all of them off. All translation units of a program must use the same
/// switches.
#pragma once

#if !defined(__unix__) && !defined(__APPLE__)
#error "mato: needs a Unix system"
#endif

#include <sys/types.h>

#if defined(__linux__)
#include <sys/syscall.h>
#ifndef MATO_HAS_SIGNALFD
#define MATO_HAS_SIGNALFD 1 // signalfd(2), Linux 2.6.22
#endif
#ifndef MATO_HAS_ACCEPT4
#define MATO_HAS_ACCEPT4 1 // accept4(2), SOCK_CLOEXEC, SOCK_NONBLOCK: sets close-on-exec atomically
#endif
#ifndef MATO_HAS_PIPE2
#define MATO_HAS_PIPE2 1 // pipe2(2), Linux 2.6.27
#endif
#ifndef MATO_HAS_SENDMMSG
#define MATO_HAS_SENDMMSG 1 // sendmmsg(2) that stops after a partially sent message, Linux 4.9
#endif
#ifndef MATO_HAS_FCHMOD_SOCKET
#define MATO_HAS_FCHMOD_SOCKET 1 // fchmod(2) before bind(2) decides the mode of the name
#endif
#ifndef MATO_HAS_PEERCRED
#define MATO_HAS_PEERCRED 1 // SO_PEERCRED, unix(7)
#endif
#ifndef MATO_HAS_PEERPIDFD
#define MATO_HAS_PEERPIDFD 1 // SO_PEERPIDFD, Linux 6.5; an older kernel answers ENOPROTOOPT
#endif
#ifndef MATO_HAS_PEERGROUPS
#define MATO_HAS_PEERGROUPS 1 // SO_PEERGROUPS, Linux 4.13
#endif
#ifndef MATO_HAS_ABSTRACT_NAMES
#define MATO_HAS_ABSTRACT_NAMES 1 // unix(7) "abstract": a name in the kernel, without a file
#endif
#ifndef MATO_HAS_PROC
#define MATO_HAS_PROC 1 // proc(5)
#endif
#if !defined(MATO_HAS_PIDFD) && defined(SYS_pidfd_open) && defined(SYS_pidfd_send_signal)
#define MATO_HAS_PIDFD 1 // pidfd_open(2), Linux 5.3
#endif
#if !defined(MATO_HAS_CLOSE_RANGE) && defined(SYS_close_range)
#define MATO_HAS_CLOSE_RANGE 1 // close_range(2), Linux 5.9
#endif
#ifndef MATO_HAS_OFD_LOCKS
#define MATO_HAS_OFD_LOCKS 1 // F_OFD_SETLK, fcntl(2), Linux 3.15
#endif
#ifndef MATO_HAS_MEMFD
#define MATO_HAS_MEMFD 1 // memfd_create(2) and seals, Linux 3.17, glibc 2.27
#endif
#ifndef MATO_HAS_SUBREAPER
#define MATO_HAS_SUBREAPER 1 // prctl(2) PR_SET_CHILD_SUBREAPER, Linux 3.4
#endif
#ifndef MATO_HAS_INOTIFY
#define MATO_HAS_INOTIFY 1 // inotify(7), Linux 2.6.27
#endif
#if !defined(MATO_HAS_SINGLE_THREADED) && __has_include(<sys/single_threaded.h>)
#define MATO_HAS_SINGLE_THREADED 1 // __libc_single_threaded, glibc 2.32
#endif
#endif

#if !defined(MATO_HAS_EXCEPTIONS) && defined(__cpp_exceptions)
#define MATO_HAS_EXCEPTIONS 1 // of the compiler; 0 with -fno-exceptions
#endif
#ifndef MATO_HAS_EXCEPTIONS
#define MATO_HAS_EXCEPTIONS 0
#endif
#ifndef MATO_HAS_BOOST_ASIO
#define MATO_HAS_BOOST_ASIO 0 // set it to 1 to use Boost.Asio instead of standalone asio
#endif

#ifndef MATO_HAS_SIGNALFD
#define MATO_HAS_SIGNALFD 0
#endif
#ifndef MATO_HAS_ACCEPT4
#define MATO_HAS_ACCEPT4 0
#endif
#ifndef MATO_HAS_PIPE2
#define MATO_HAS_PIPE2 0
#endif
#ifndef MATO_HAS_SENDMMSG
#define MATO_HAS_SENDMMSG 0
#endif
#ifndef MATO_HAS_FCHMOD_SOCKET
#define MATO_HAS_FCHMOD_SOCKET 0
#endif
#ifndef MATO_HAS_PEERCRED
#define MATO_HAS_PEERCRED 0
#endif
#ifndef MATO_HAS_PEERPIDFD
#define MATO_HAS_PEERPIDFD 0
#endif
#ifndef MATO_HAS_PEERGROUPS
#define MATO_HAS_PEERGROUPS 0
#endif
#ifndef MATO_HAS_ABSTRACT_NAMES
#define MATO_HAS_ABSTRACT_NAMES 0
#endif
#ifndef MATO_HAS_PROC
#define MATO_HAS_PROC 0
#endif
#ifndef MATO_HAS_PIDFD
#define MATO_HAS_PIDFD 0
#endif
#ifndef MATO_HAS_CLOSE_RANGE
#define MATO_HAS_CLOSE_RANGE 0
#endif
#ifndef MATO_HAS_OFD_LOCKS
#define MATO_HAS_OFD_LOCKS 0
#endif
#ifndef MATO_HAS_MEMFD
#define MATO_HAS_MEMFD 0
#endif
#ifndef MATO_HAS_INOTIFY
#define MATO_HAS_INOTIFY 0
#endif
#ifndef MATO_HAS_SINGLE_THREADED
#define MATO_HAS_SINGLE_THREADED 0
#endif
#ifndef MATO_HAS_SUBREAPER
#define MATO_HAS_SUBREAPER 0
#endif
