// SPDX-License-Identifier: MIT
/// @file sequence_boundary.hpp: where output can be split without splitting an escape sequence or a character.
/// Pure.  Test: test/mato/sequence_boundary_test.cpp.
/// Source: ECMA-48 5.3 to 5.6; Unicode 15, table 3-7.
#pragma once

#include <cstddef>
#include <string_view>

namespace mux {

/// Bytes of `output` before an incomplete escape sequence, string or character at its end; all bytes if there is none.
/// @pre output begins between sequences
[[nodiscard]] std::size_t sequence_boundary(std::string_view output) noexcept;

} // namespace mux
