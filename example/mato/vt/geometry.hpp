// SPDX-License-Identifier: MIT
/// @file geometry.hpp: sizes and positions on a terminal's screen.
/// Layer: vt core.  Test: test/mato/vt/04_edit.vt.
/// Threads: values.   Blocks: never.
#pragma once

#include <algorithm>

namespace mux::vt {

/// Cells. With these limits the largest screen has about 8 MiB, and a column fits into the 16 bits of a run.
inline constexpr int max_rows = 1024;
inline constexpr int max_columns = 2048;

/// @units cells
struct screen_size {
    int rows = 24;
    int columns = 80;

    friend bool operator==(const screen_size&, const screen_size&) = default;

    /// The nearest size that an emulator supports; at least one cell.
    [[nodiscard]] screen_size clamped() const noexcept {
        return {std::clamp(rows, 1, max_rows), std::clamp(columns, 1, max_columns)};
    }
};

/// @units pixels; 0: unknown
struct pixel_size {
    int width = 0;
    int height = 0;

    [[nodiscard]] bool is_known() const noexcept { return width > 0 && height > 0; }
    friend bool operator==(const pixel_size&, const pixel_size&) = default;
};

/// @units cells, 0-based from the top left.
struct position {
    int row = 0;
    int column = 0;

    friend bool operator==(const position&, const position&) = default;
};

/// Half open on both axes: the rows [top, bottom) and the columns [left, right). 0-based.
struct rectangle {
    int top = 0;
    int left = 0;
    int bottom = 0;
    int right = 0;

    [[nodiscard]] bool empty() const noexcept { return top >= bottom || left >= right; }
    friend bool operator==(const rectangle&, const rectangle&) = default;
};

} // namespace mux::vt
