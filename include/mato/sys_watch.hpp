// SPDX-License-Identifier: MIT
/// @file sys_watch.hpp: system calls that watch directories; the shape of sys.hpp.
/// Layer: 1 (vocabulary).  Test: test/toolkit/file_watch_test.cpp.
/// Threads: as the system call.   Fork: as the system call.
#pragma once

#include "sys.hpp"

#include <cstdint>

#if MATO_HAS_INOTIFY
#include <sys/inotify.h>
#endif

namespace mato {
inline namespace MATO_ABI {
namespace sys {

#if MATO_HAS_INOTIFY
/// A close-on-exec, non-blocking queue of events.
inline int inotify() noexcept { return MATO_SYSTEM(inotify_init1)(IN_CLOEXEC | IN_NONBLOCK); }
inline int inotify_add_watch(int queue, const char* path, std::uint32_t events) noexcept {
    return MATO_SYSTEM(inotify_add_watch)(queue, path, events);
}
inline int inotify_rm_watch(int queue, int watch) noexcept { return MATO_SYSTEM(inotify_rm_watch)(queue, watch); }
#endif

} // namespace sys
} // namespace MATO_ABI
} // namespace mato
