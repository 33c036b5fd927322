// SPDX-License-Identifier: MIT
/// @file escape.hpp: the byte that begins an escape sequence.
/// Pure.
#pragma once

namespace mux {

inline constexpr char escape = '\x1b';

} // namespace mux
