// SPDX-License-Identifier: MIT
/// @file canvas.hpp: a viewer's terminal as something to draw on: where its cursor is, and the bytes that change it.
/// Pure.  Test: test/mato/frame_test.cpp.
/// Source: ECMA-48 8.3 CUP, CUF, CHA, EL, SU, SD; DECSTBM in the VT100 manual.
///
/// Drawing never relies on autowrap: a cursor after the last column is unknown and addressed anew.
#pragma once

#include "pen.hpp"
#include "vt/row.hpp"
#include "vt/units.hpp"

#include <string>

namespace mux {

class canvas {
public:
    /// Bytes are appended here; `out` must outlive the canvas's use.
    void begin(std::string& out, const vt::terminal& source, const terminal_features& features, int columns) noexcept {
        out_ = &out, source_ = &source, features_ = &features, columns_ = columns;
        pen_.begin_frame();
    }

    void move_to(int row, int column);
    /// Moves, and makes `shown` the first `columns` of `now`, which must not be longer. Unchanged cells are not sent.
    void draw_row(int row, const vt::row& now, vt::row& shown);
    /// Moves the whole rows [top, bottom) up by `lines`, down if negative.
    void scroll(int top, int bottom, int lines, int rows);
    /// Clears everything; the cursor is then at the top left.
    void clear();
    void append(std::string_view bytes) { *out_ += bytes; }
    /// Draws the cells [from, to) though they are unchanged.
    void repaint(int row, const vt::row& now, int from, int to);
    /// Somebody else moved the cursor.
    void forget_position() noexcept { row_ = column_ = -1; }
    /// Somebody else moved the cursor or changed the look.
    void forget() noexcept { row_ = column_ = -1, pen_.forget(); }

private:
    void draw_cells(const vt::row& now, int from, int to);
    void append_text(const vt::row& now, vt::unit unit);
    void number(int value);

    std::string* out_ = nullptr;
    const vt::terminal* source_ = nullptr;
    const terminal_features* features_ = nullptr;
    int columns_ = 80;
    int row_ = -1, column_ = -1; // -1: unknown
    pen pen_;
};

} // namespace mux
