// SPDX-License-Identifier: MIT
/// @file wrap.hpp: splits a line into rows of a width.
/// Layer: vt core.  Test: test/mato/vt/40_history.vt and terminal_test.cpp.
/// Threads: pure functions.   Blocks: never.
#pragma once

#include "row.hpp"

#include <algorithm>

namespace mux::vt {

/// The end of the row that begins at column `from` of `line`. A wide character that would be split goes to the next row.
[[nodiscard]] inline int wrap_end(const row& line, int from, int columns) noexcept {
    const int end = std::min(from + columns, line.used());
    if (end == line.used() || line.at(end) != units::tail) return end;
    return columns == 1 ? end + 1 : end - 1; // on one column it is alone, its right half cut off
}

/// The row [from, end) of `line` on a screen of `columns`.
[[nodiscard]] inline row wrap_piece(const row& line, int from, int end, int columns) {
    row piece = columns == 1 && end - from == 2 ? line.left_half(from) : line.slice(from, end);
    piece.wraps = end < line.used();
    if (piece.wraps) piece.pad(std::min(end - from, columns)); // erased cells inside a line belong to it
    return piece;
}

/// Rows that a line needs; an empty one needs one.
[[nodiscard]] inline std::size_t wrapped_rows(const row& line, int columns) noexcept {
    std::size_t count = 0;
    int from = 0;
    do {
        from = wrap_end(line, from, columns);
        ++count;
    } while (from < line.used());
    return count;
}

} // namespace mux::vt
