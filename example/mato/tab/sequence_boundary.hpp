// SPDX-License-Identifier: MIT
/// @file sequence_boundary.hpp: where a program's output may be cut without cutting what a terminal reads as one.
/// Pure.  Test: test/mato/sequence_boundary_test.cpp.
/// Source: ECMA-48 5.3 to 5.6; Unicode 15, table 3-7.
#pragma once

#include <cstddef>
#include <string_view>

namespace mux {

/// Bytes of `output` before the escape sequence, string or character that its end cuts; all of them when it cuts none.
/// @pre output begins between sequences
[[nodiscard]] std::size_t sequence_boundary(std::string_view output) noexcept;

} // namespace mux
