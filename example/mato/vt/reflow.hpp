// SPDX-License-Identifier: MIT
/// @file reflow.hpp: changes the size of the primary screen and wraps its lines again.
/// Layer: vt core.  Test: test/mato/vt/40_history.vt and terminal_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.
///
/// Nothing is lost: rows pushed off the top go to history, rows that the cursor's line pushes off the bottom are kept below the
/// screen until the next resize, and history comes back as far as the screen was full before.
#pragma once

#include "history.hpp"
#include "screen.hpp"

#include <span>

namespace mux::vt {

struct reflow_cursor {
    position at;
    bool pending_wrap = false; ///< the cursor is after the last column
};

/// Rows kept below a screen. More than a large screen wrapped narrow; beyond it the lowest are dropped.
inline constexpr std::size_t max_rows_below = 4096;

/// Moves `cursors` with their text. The first stays visible; the others are kept on the screen, in its first or last row if
/// their text leaves it. @pre there is at least one, and each is on the screen
void reflow(screen& s, history& h, std::vector<row>& below, screen_size size, std::span<reflow_cursor> cursors);

} // namespace mux::vt
