// SPDX-License-Identifier: MIT
/// @file sgr.hpp: applies SGR to a style, and writes a style as SGR.
/// Layer: vt core.  Test: test/mato/vt/05_sgr.vt.
/// Threads: pure functions.   Blocks: never.
/// Source: ECMA-48 8.3.117; ISO 8613-6 13.1.8 (38:2:…); xterm ctlseqs "Character Attributes".
#pragma once

#include "parameters.hpp"
#include "style.hpp"

#include <string>

namespace mux::vt {

/// Applies every number from `first` on; unknown ones have no effect. Protection and the link stay unchanged.
void apply_sgr(const parameters& numbers, style& pen, std::size_t first = 0) noexcept;

/// Applies one number; an unknown one has no effect.
/// @pre stands_alone(n)
void apply_sgr_number(int n, style& pen) noexcept;

/// True if `n` needs no other numbers: 4 may have a sub-parameter, and the rest are colours.
[[nodiscard]] constexpr bool stands_alone(int n) noexcept { return n != 4 && n != 38 && n != 48 && n != 58; }

/// The numbers that set `s` from the default: "0;1;38:5:12". For DECRQSS and for viewers.
[[nodiscard]] std::string sgr_numbers(const style& s);

} // namespace mux::vt
