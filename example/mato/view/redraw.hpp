// SPDX-License-Identifier: MIT
/// @file redraw.hpp: a tab's screen as bytes that draw it on any terminal of its size, with the state to continue from.
/// Pure.  Test: test/mato/redraw_test.cpp.
///
/// The program's next bytes have the same meaning there: pen, margins, tab stops, character sets, modes and cursors are set
/// too. Not included: keyboard and mouse modes, the primary screen while the alternate one is shown, and which rows are
/// wrapped.
#pragma once

#include "features.hpp"
#include "vt/terminal.hpp"

#include <string>

namespace mux {

/// It is shorter without colours.
/// @pre screen.is_between_sequences()
[[nodiscard]] std::string redraw(const vt::terminal& screen, colour_depth colours = colour_depth::direct);

} // namespace mux
