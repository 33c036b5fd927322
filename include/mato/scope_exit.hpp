// SPDX-License-Identifier: MIT
/// @file scope_exit.hpp: runs a function when a scope is left.
/// Layer: 1 (vocabulary).  Test: test/toolkit/unique_fd_test.cpp.
#pragma once

#include "detail/abi.hpp"

#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// Runs `F` in its destructor, unless dismissed. `F` must not throw.
///
/// @threads one object, one thread.
/// @blocks as `F`.
///
/// @code
/// std::FILE* const file = std::fopen(name.c_str(), "w");
/// mato::scope_exit undo([&] { std::remove(name.c_str()); });
/// const bool is_complete = file && std::fputs("first half", file) > 0 && std::fputs("second half", file) > 0;
/// if (file) std::fclose(file);
/// if (is_complete) undo.dismiss(); // otherwise the incomplete file is removed
/// @endcode
template <class F> class scope_exit {
public:
    explicit scope_exit(F undo) : undo_(std::move(undo)) {}
    scope_exit(const scope_exit&) = delete;
    scope_exit& operator=(const scope_exit&) = delete;
    ~scope_exit() {
        if (armed_) undo_();
    }
    void dismiss() noexcept { armed_ = false; }

private:
    F undo_;
    bool armed_ = true;
};

} // namespace MATO_ABI
} // namespace mato
