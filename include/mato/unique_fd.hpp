// SPDX-License-Identifier: MIT
/// @file unique_fd.hpp: one owner for one descriptor.
/// Layer: 1 (vocabulary).  Test: test/toolkit/unique_fd_test.cpp.
/// Threads: distinct objects are independent.   Blocks: only as close(2) does.
/// Fork: both processes own their copy of the descriptor; each closes its own.
#pragma once

#include "sys.hpp"

#include <utility>

namespace mato {
inline namespace MATO_ABI {

class unique_fd {
public:
    unique_fd() noexcept = default;
    explicit unique_fd(int fd) noexcept : fd_(fd) {}
    unique_fd(unique_fd&& other) noexcept : fd_(other.release()) {}
    unique_fd& operator=(unique_fd&& other) noexcept {
        reset(other.release());
        return *this;
    }
    ~unique_fd() { reset(); }

    [[nodiscard]] int get() const noexcept { return fd_; } ///< -1 when empty
    [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

    /// Never retried: after EINTR Linux has closed the number and another thread may own it (close(2), "Notes").
    void reset(int fd = -1) noexcept {
        const int old = std::exchange(fd_, fd);
        if (old >= 0 && old != fd) sys::close(old);
    }

private:
    int fd_ = -1;
};

} // namespace MATO_ABI
} // namespace mato
