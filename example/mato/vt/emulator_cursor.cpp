// SPDX-License-Identifier: MIT
#include "emulator.hpp"

#include <algorithm>

namespace mux::vt {

// The cursor in the coordinates of address().
position emulator::addressed() const noexcept {
    const bool origin = modes_.is_set(mode::origin);
    return {cursor_.at.row - (origin ? top_ : 0), cursor_.at.column - (origin ? left_ : 0)};
}

void emulator::address_by(int rows, int columns) noexcept {
    const position at = addressed();
    address(at.row + rows, at.column + columns);
}

// ECMA-48 8.3.22 CUU; DEC STD 070: stops at the top margin if it began below it.
void emulator::move_up(int count) noexcept {
    const int stop = cursor_.at.row >= top_ ? top_ : 0;
    move_to(std::max(cursor_.at.row - count, stop), cursor_.at.column);
}

// ECMA-48 8.3.19 CUD
void emulator::move_down(int count) noexcept {
    const int stop = cursor_.at.row < bottom_ ? bottom_ : rows();
    move_to(std::min(cursor_.at.row + count, stop - 1), cursor_.at.column);
}

// ECMA-48 8.3.18 CUB; xterm ctlseqs: modes 7 and 45, or 7 and 1045, together let it go back over wrapped lines.
void emulator::move_left(int count) noexcept {
    const bool far = modes_.is_set(mode::reverse_wrap_far);
    const bool reverse = (far || modes_.is_set(mode::reverse_wrap)) && modes_.is_set(mode::autowrap);
    if (!reverse) {
        const int stop = cursor_.at.column >= left_ ? left_ : 0;
        return move_to(cursor_.at.row, std::max(cursor_.at.column - count, stop));
    }
    if (cursor_.pending_wrap) { // the cursor is after the last column
        cursor_.pending_wrap = false;
        --count;
    }
    count = std::min(count, rows() * columns());
    while (count > 0) {
        const int stop = cursor_.at.column >= left_ ? left_ : 0;
        const int step = std::min(count, cursor_.at.column - stop);
        cursor_.at.column -= step;
        count -= step;
        if (count == 0) break;
        // xterm: only onto a line that wrapped into this one, and never past the top margin; mode 1045 goes onto any line,
        // and from the top margin to the bottom one.
        const bool at_top = cursor_.at.row == 0 || cursor_.at.row == top_;
        if (!far && (at_top || !screen_->at(cursor_.at.row - 1).wraps)) break;
        cursor_.at.row = at_top ? bottom_ - 1 : cursor_.at.row - 1;
        cursor_.at.column = right_ - 1;
        --count;
    }
}

// ECMA-48 8.3.20 CUF
void emulator::move_right(int count) noexcept {
    const int stop = cursor_.at.column < right_ ? right_ : columns();
    move_to(cursor_.at.row, std::min(cursor_.at.column + count, stop - 1));
}

bool emulator::inside_margins() const noexcept {
    return cursor_.at.row >= top_ && cursor_.at.row < bottom_ && cursor_.at.column >= left_ && cursor_.at.column < right_;
}

// ECMA-48 8.3.86 NEL
void emulator::next_line() {
    line_feed();
    carriage_return();
}

// ECMA-48 8.3.104 RI
void emulator::reverse_index() {
    cursor_.pending_wrap = false;
    if (cursor_.at.row == top_) {
        if (cursor_.at.column >= left_ && cursor_.at.column < right_) scroll_down(top_, bottom_, 1);
    } else if (cursor_.at.row > 0) {
        --cursor_.at.row;
    }
}

// ECMA-48 8.3.5 BS
void emulator::backspace() noexcept { move_left(1); }

// ECMA-48 8.3.60 HT, 8.3.10 CHT. Stops at the right margin; keeps a pending wrap, as xterm does.
void emulator::tab_forward(int count) noexcept {
    const int stop = (cursor_.at.column < right_ ? right_ : columns()) - 1, from = cursor_.at.column;
    for (int column = from; count > 0 && column < stop; --count) {
        do ++column;
        while (column < stop && !tabs_[static_cast<std::size_t>(column)]);
        cursor_.at.column = column;
        cursor_.pending_wrap = false;
    }
    spend(cursor_.at.column - from);
}

// ECMA-48 8.3.7 CBT
void emulator::tab_back(int count) noexcept {
    const int stop = modes_.is_set(mode::origin) ? left_ : 0, from = cursor_.at.column;
    for (int column = from; count > 0 && column > stop; --count) {
        do --column;
        while (column > stop && !tabs_[static_cast<std::size_t>(column)]);
        cursor_.at.column = column;
    }
    spend(from - cursor_.at.column);
    cursor_.pending_wrap = false;
}

void emulator::reset_tabs() noexcept {
    tabs_.reset();
    for (int c = 0; c < columns(); c += default_tab) tabs_[static_cast<std::size_t>(c)] = true;
}

// VT220 manual, DECSC
void emulator::save_cursor() noexcept {
    auto& slot = saved_[on_alternate() ? 1 : 0];
    slot = cursor_;
    slot->origin = modes_.is_set(mode::origin);
}

// VT220 manual, DECRC: without a saved cursor, home and all defaults.
void emulator::restore_cursor() noexcept {
    const cursor_state saved = saved_[on_alternate() ? 1 : 0].value_or(cursor_state{});
    cursor_ = saved;
    cursor_.origin = false;
    modes_.set(mode::origin, saved.origin);
    cursor_.at = {std::min(saved.at.row, rows() - 1), std::min(saved.at.column, columns() - 1)};
    update_text_path();
}

// VT100 manual, DECSTBM; 0-based, half open. At least two lines.
void emulator::set_top_bottom(int top, int bottom) noexcept {
    bottom = std::min(bottom, rows());
    if (bottom - top < 2 && !(top == 0 && bottom == rows())) return;
    top_ = top;
    bottom_ = bottom;
    address(0, 0);
}

// VT420 manual, DECSLRM; at least two columns.
void emulator::set_left_right(int left, int right) noexcept {
    right = std::min(right, columns());
    if (right - left < 2 && !(left == 0 && right == columns())) return;
    left_ = left;
    right_ = right;
    address(0, 0);
}

void emulator::reset_margins() noexcept {
    top_ = left_ = 0;
    bottom_ = rows();
    right_ = columns();
}

// VT520 manual, DECSCUSR; xterm ctlseqs adds the bar. 0 is the user's own cursor, as in VTE, kitty and foot.
void emulator::set_cursor_shape(int number) noexcept {
    if (number > 6) return;
    constexpr cursor_shape shapes[] = {cursor_shape::block, cursor_shape::underline, cursor_shape::bar};
    shape_ = number == 0 ? cursor_shape::own : shapes[(number - 1) / 2];
    modes_.set(mode::cursor_blinks, number % 2 == 1);
}

} // namespace mux::vt
