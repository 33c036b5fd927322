// SPDX-License-Identifier: MIT
/// @file sys_memory.hpp: system calls about mapped memory and files in memory; the shape of sys.hpp.
/// Layer: 1 (vocabulary).  Test: test/toolkit/sys_test.cpp, memory_file_test.cpp; the faults: test/fault/.
/// Threads: as the system call.   Fork: as the system call.
#pragma once

#include "sys.hpp"

#include <sys/mman.h>
#if MATO_HAS_MEMFD
#include <sys/vfs.h>
#endif

namespace mato {
inline namespace MATO_ABI {
namespace sys {

/// Returns MAP_FAILED on error.
inline void* mmap(void* at, std::size_t size, int protection, int flags, int fd, off_t from) noexcept {
    return MATO_SYSTEM(mmap)(at, size, protection, flags, fd, from);
}
inline int munmap(void* at, std::size_t size) noexcept { return MATO_SYSTEM(munmap)(at, size); }
inline int madvise(void* at, std::size_t size, int advice) noexcept { return MATO_SYSTEM(madvise)(at, size, advice); }
#if MATO_HAS_MEMFD
/// A file without a name in a directory: close-on-exec, sealable, and never executable if the kernel supports that (Linux 6.3);
/// hardened systems refuse executable ones. `name` is only shown in proc(5).
inline int memfd_create(const char* name) noexcept {
    constexpr unsigned never_executable = 8; // MFD_NOEXEC_SEAL; older headers lack it
    const int fd = MATO_SYSTEM(memfd_create)(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | never_executable);
    if (fd != -1 || errno != EINVAL) return fd;
    return MATO_SYSTEM(memfd_create)(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}
inline int fstatfs(int fd, struct ::statfs* out) noexcept { return MATO_SYSTEM(fstatfs)(fd, out); }
#endif

} // namespace sys
} // namespace MATO_ABI
} // namespace mato
