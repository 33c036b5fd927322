// SPDX-License-Identifier: MIT
/// @file canvas.hpp: a viewer's terminal as something to draw on: where its cursor is, and the bytes that change it.
/// Pure.  Test: test/mato/frame_test.cpp.
/// Source: ECMA-48 8.3 CUP, CUF, CHA, EL, SU, SD; DECSTBM in the VT100 manual.
///
/// Drawing relies on autowrap in one place alone, join(): a line that wraps in the tab has to be one line for the terminal
/// too, or what a user copies there has line ends in it. Else a cursor after the last column is unknown, and addressed.
#pragma once

#include "pen.hpp"
#include "vt/geometry.hpp"
#include "vt/row.hpp"

#include <string>
#include <vector>

namespace mux {

class canvas {
public:
    /// Bytes are appended here; `out` must outlive the canvas's use.
    /// `shown` are the terminal's rows. The flag of one that wraps says that its text goes on in the next one there.
    void begin(std::string& out, const vt::terminal& source, const terminal_features& features, int columns,
               std::vector<vt::row>& shown) noexcept {
        out_ = &out, source_ = &source, features_ = &features, columns_ = columns, shown_ = &shown, hangs_ = false;
        pen_.begin_frame();
    }

    void move_to(int row, int column);
    /// Moves, and makes the terminal's row the first `columns` of `now`, which must not be longer. Unchanged cells are not
    /// sent.
    void draw_row(int row, const vt::row& now);
    /// True if the terminal would wrap by itself from `above`, which it shows or will, to the beginning of `below`.
    [[nodiscard]] bool can_join(const vt::row& above, const vt::row& below) const;
    /// Writes the beginning of `now` so that the terminal wraps into it from the row above. @pre `row` > 0 and can_join()
    void join(int row, const vt::row& now);
    /// The terminal's row is no longer one line with the next: it is cleared, which terminals take for the end of the line.
    void end_line(int row);
    /// Moves the whole rows [top, bottom) up by `lines`, down if negative.
    void scroll(int top, int bottom, int lines, int rows);
    /// Clears everything; the cursor is then at the top left.
    void clear();
    void append(std::string_view bytes) { *out_ += bytes, hangs_ = false; }
    /// Draws the cells [from, to) though they are unchanged.
    void repaint(int row, const vt::row& now, int from, int to);
    /// Somebody else moved the cursor.
    void forget_position() noexcept { row_ = column_ = -1, hangs_ = false; }
    /// Somebody else moved the cursor or changed the look.
    void forget() noexcept { forget_position(), pen_.forget(); }

private:
    void draw_cells(const vt::row& now, int from, int to);
    void append_text(const vt::row& now, vt::unit unit);
    void number(int value);

    std::string* out_ = nullptr;
    const vt::terminal* source_ = nullptr;
    const terminal_features* features_ = nullptr;
    int columns_ = 80;
    std::vector<vt::row>* shown_ = nullptr;
    int row_ = -1, column_ = -1; // -1: unknown
    bool hangs_ = false;         // the last column of row_ was written last: what comes next wraps
    pen pen_;
};

} // namespace mux
