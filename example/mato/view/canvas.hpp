// SPDX-License-Identifier: MIT
/// @file canvas.hpp: draws on a viewer's terminal: knows its cursor, and sends the bytes that change it.
/// Pure.  Test: test/mato/frame_test.cpp.
/// Source: ECMA-48 8.3 CUP, CUF, CHA, EL, SU, SD; DECSTBM in the VT100 manual.
///
/// Drawing relies on autowrap only in join(): a line that wraps in the tab must be one line for the terminal too, or text that
/// a user copies there contains line ends. Otherwise a cursor after the last column is unknown, and addressed.
#pragma once

#include "pen.hpp"
#include "vt/geometry.hpp"
#include "vt/row.hpp"

#include <string>
#include <vector>

namespace mux {

class canvas {
public:
    /// @pre `out` outlives the use of the canvas; bytes are appended to it.
    /// `shown` are the terminal's rows. The flag of a row that wraps says that its text continues in the next row there.
    void begin(std::string& out, const vt::terminal& source, const terminal_features& features, int columns,
               std::vector<vt::row>& shown) noexcept {
        out_ = &out, source_ = &source, features_ = &features, columns_ = columns, shown_ = &shown, hangs_ = false;
        pen_.begin_frame();
    }

    void move_to(int row, int column);
    /// Moves the cursor, and makes the terminal's row the first `columns` of `now`, which must not be longer. Unchanged cells
    /// are not sent.
    void draw_row(int row, const vt::row& now);
    /// True if the terminal would wrap by itself from `above`, its current or next contents, to the beginning of `below`.
    [[nodiscard]] bool can_join(const vt::row& above, const vt::row& below) const;
    /// Writes the beginning of `now` so that the terminal wraps into it from the row above. @pre `row` > 0 and can_join()
    void join(int row, const vt::row& now);
    /// The terminal's row no longer continues in the next: it is cleared, which terminals take as the end of the line.
    void end_line(int row);
    /// Moves the whole rows [top, bottom) up by `lines`, down if negative.
    void scroll(int top, int bottom, int lines, int rows);
    /// Clears everything; the cursor is then at the top left.
    void clear();
    void append(std::string_view bytes) { *out_ += bytes, hangs_ = false; }
    /// Draws the cells [from, to) although they are unchanged.
    void repaint(int row, const vt::row& now, int from, int to);
    /// The cursor was moved by other output.
    void forget_position() noexcept { row_ = column_ = -1, hangs_ = false; }
    /// The cursor was moved, or the style changed, by other output.
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
    bool hangs_ = false;         // the last column of row_ was written last: the next character wraps
    pen pen_;
};

} // namespace mux
