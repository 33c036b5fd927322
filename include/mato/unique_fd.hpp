// SPDX-License-Identifier: MIT
/// @file unique_fd.hpp: owns a file descriptor and closes it.
/// Layer: 1 (vocabulary).  Test: test/toolkit/unique_fd_test.cpp.
/// Threads: distinct objects are independent.   Blocks: only where close(2) does.
/// Fork: each process has its own copy of the descriptor and closes it.
#pragma once

#include "sys.hpp"

#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// Owns one file descriptor and closes it in the destructor. Move-only; an empty object has -1.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork each process has its own copy of the descriptor and closes it.
/// @blocks only where close(2) does.
///
/// @code
/// mato::unique_fd input(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
/// char byte = 1;
/// if (!input || ::read(input.get(), &byte, 1) != 1) return;
/// mato::unique_fd kept = std::move(input); // `input` is empty now
/// std::printf("descriptor %d is closed at the end of the scope\n", kept.get());
/// @endcode
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

    /// Closes the descriptor and takes `fd`. close(2) is not repeated after EINTR: Linux has closed the descriptor, and another
    /// thread may already use its number.
    void reset(int fd = -1) noexcept {
        const int old = std::exchange(fd_, fd);
        if (old >= 0 && old != fd) sys::close(old);
    }

private:
    int fd_ = -1;
};

} // namespace MATO_ABI
} // namespace mato
