// SPDX-License-Identifier: MIT
/// @file abi.hpp: the inline namespace, whose name depends on the version and on the feature switches.
/// Layer: 0 (platform).  Test: test/odr/.
///
/// Translation units that differ in either have different types instead of two definitions of one type. They can be part of one
/// program; passing an object from one to the other fails to link. `mato::v0_1_0_1111111111111111110` is the version, then the
/// switches of platform.hpp in the order below.
#pragma once

#if __cplusplus < 202002L
#error "mato: needs C++20, compile with -std=c++20"
#endif

#include "../version.hpp"
#include "platform.hpp"

#define MATO_ABI_JOIN_TOKENS(major, minor, patch, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s)                     \
    v##major##_##minor##_##patch##_##a##b##c##d##e##f##g##h##i##j##k##l##m##n##o##p##q##r##s
#define MATO_ABI_JOIN(...) MATO_ABI_JOIN_TOKENS(__VA_ARGS__)
#define MATO_ABI                                                                                                               \
    MATO_ABI_JOIN(MATO_VERSION_MAJOR, MATO_VERSION_MINOR, MATO_VERSION_PATCH, MATO_HAS_PIDFD, MATO_HAS_SIGNALFD,               \
                  MATO_HAS_ACCEPT4, MATO_HAS_PIPE2, MATO_HAS_FCHMOD_SOCKET, MATO_HAS_PEERCRED, MATO_HAS_PEERPIDFD,             \
                  MATO_HAS_ABSTRACT_NAMES, MATO_HAS_PROC, MATO_HAS_CLOSE_RANGE, MATO_HAS_OFD_LOCKS, MATO_HAS_SENDMMSG,         \
                  MATO_HAS_SINGLE_THREADED, MATO_HAS_MEMFD, MATO_HAS_SUBREAPER, MATO_HAS_PEERGROUPS, MATO_HAS_INOTIFY,         \
                  MATO_HAS_EXCEPTIONS, MATO_HAS_BOOST_ASIO)
