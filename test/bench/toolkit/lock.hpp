// SPDX-License-Identifier: MIT
/// @file lock.hpp: acquiring and releasing the lock, compared with code written by hand.
#pragma once

#include "common.hpp"

#include <string>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bench {

inline void lock_toolkit(State& state) {
    const auto path = scratch() / "toolkit.lock";
    for (auto _ : state) {
        mato::failure why;
        const auto lock = mato::instance_lock::acquire(path, why);
        if (why) give_up("lock");
    }
}

inline bool is_named(int fd, const char* path, struct ::stat& opened) {
    struct ::stat named {};
    return ::fstat(fd, &opened) == 0 && ::lstat(path, &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}
inline void write_pid(int fd, off_t size_before) {
    const std::string text = std::to_string(::getpid()) + "\n";
    const auto size = static_cast<off_t>(text.size());
    need(static_cast<int>(::pwrite(fd, text.data(), text.size(), 0)), "pwrite");
    if (size_before > size) need(::ftruncate(fd, size), "ftruncate");
}
inline int bare_lock(const char* path) {
    const int fd = need(::open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600), "open");
    need(::flock(fd, LOCK_EX | LOCK_NB), "flock");
    struct ::stat opened {};
    if (!is_named(fd, path, opened)) give_up("inode");
    write_pid(fd, opened.st_size);
    return fd;
}
inline void bare_release(int fd, const char* path) {
    struct ::stat opened {};
    if (is_named(fd, path, opened)) ::unlink(path);
    ::flock(fd, LOCK_UN);
    ::close(fd);
}
inline void lock_bare(State& state) {
    const std::string path = (scratch() / "bare.lock").native();
    for (auto _ : state) bare_release(bare_lock(path.c_str()), path.c_str());
}

} // namespace bench
