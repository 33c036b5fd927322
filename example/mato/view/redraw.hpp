// SPDX-License-Identifier: MIT
/// @file redraw.hpp: a tab's screen as bytes that make any terminal of its size show it, and go on as the tab does.
/// Pure.  Test: test/mato/redraw_test.cpp.
///
/// What the program writes next means the same there: its pen, margins, tab stops, character sets, modes and cursors are part
/// of it. The keyboard's and the mouse's modes are not, nor the primary screen behind an alternate one, nor which rows go on in
/// the next.
#pragma once

#include "features.hpp"
#include "vt/terminal.hpp"

#include <string>

namespace mux {

/// Without colours it is shorter.
/// @pre screen.is_between_sequences()
[[nodiscard]] std::string redraw(const vt::terminal& screen, colour_depth colours = colour_depth::direct);

} // namespace mux
