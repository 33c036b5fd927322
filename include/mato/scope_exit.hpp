// SPDX-License-Identifier: MIT
/// @file scope_exit.hpp: what a half-done step undoes.
/// Layer: 1 (vocabulary).  Test: test/toolkit/unique_fd_test.cpp.
#pragma once

#include "detail/abi.hpp"

#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// Runs `F` when the scope is left, unless dismissed. `F` must not throw.
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
