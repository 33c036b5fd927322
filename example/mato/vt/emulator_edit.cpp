// SPDX-License-Identifier: MIT
#include "emulator.hpp"
#include "no_canary.hpp"
#include "sgr.hpp"
#include "unicode.hpp"

#include <algorithm>

namespace mux::vt {

// The line of the row above, or of history, no longer continues in `row`.
void emulator::break_line_above(int row) {
    if (row > 0) {
        if (screen_->at(row - 1).wraps) screen_->touch(row - 1).wraps = false;
    } else if (!on_alternate()) {
        history_.end_line();
    }
}

// Up if `count` is positive. Cells are copied.
void emulator::scroll_between_margins(int top, int bottom, int count) {
    const rectangle area{top, left_, bottom, right_};
    spend(area);
    spend_rows(bottom - top);
    if (count > 0)
        screen_->scroll_up(area, count, cursor_.pen.blank());
    else
        screen_->scroll_down(area, -count, cursor_.pen.blank());
}

// Rows that leave [top, bottom) at its top: into the history, or nowhere.
inline void emulator::release_rows(int top, int bottom, int count) {
    if (bottom < rows() && screen_->at(bottom - 1).wraps) screen_->touch(bottom - 1).wraps = false;
    if (top == 0 && !on_alternate()) {
        for (int r = 0; r < count; ++r) history_.push(screen_->at(r));
        rows_scrolled_ += static_cast<std::uint64_t>(count);
    } else {
        break_line_above(top);
    }
}

void emulator::scroll_up(int top, int bottom, int count) {
    if (left_ > 0 || right_ < columns()) return scroll_between_margins(top, bottom, count);
    count = std::min(count, bottom - top);
    if (count > 1) spend_rows(count); // the bytes of the request pay for one row
    release_rows(top, bottom, count);
    screen_->scroll_up(top, bottom, count, cursor_.pen.blank());
    scrolls_.add(revision_, {top, bottom, count});
}

// ECMA-48 8.3.74 LF, and IND. It runs for each line of output, so what it calls can be inlined here.
MUX_VT_NO_CANARY void emulator::line_feed() {
    cursor_.pending_wrap = false;
    if (cursor_.at.row != bottom_ - 1) {
        if (cursor_.at.row < rows() - 1) ++cursor_.at.row;
        return;
    }
    if (cursor_.at.column < left_ || cursor_.at.column >= right_) return;
    if (left_ > 0 || right_ < columns()) return scroll_between_margins(top_, bottom_, 1);
    release_rows(top_, bottom_, 1);
    screen_->scroll_up_one(top_, bottom_, cursor_.pen.blank());
    scrolls_.add(revision_, {top_, bottom_, 1});
}

void emulator::scroll_down(int top, int bottom, int count) {
    if (left_ > 0 || right_ < columns()) return scroll_between_margins(top, bottom, -count);
    count = std::min(count, bottom - top);
    if (count > 1) spend_rows(count); // the bytes of the request pay for one row
    break_line_above(top);
    const int last = bottom - count - 1; // the text under it is gone
    if (last >= top && screen_->at(last).wraps) screen_->touch(last).wraps = false;
    screen_->scroll_down(top, bottom, count, cursor_.pen.blank());
    scrolls_.add(revision_, {top, bottom, -count});
}

void emulator::erase_area(const rectangle& area, bool selective) {
    if (area.empty()) return;
    if (selective)
        spend(area);
    else if (area.bottom - area.top > 1)
        spend_rows(area.bottom - area.top);
    if (area.left == 0) break_line_above(area.top);
    if (selective)
        screen_->erase_unprotected(area, cursor_.pen.blank());
    else
        screen_->erase(area, cursor_.pen.blank());
}

// ECMA-48 8.3.39 ED; VT220 manual, DECSED; xterm ctlseqs: 3 clears the history
void emulator::erase_display(int how, bool selective) {
    const auto [row, column] = cursor_.at;
    if (how == 3) {
        if (!selective) history_.clear();
        return;
    }
    if (how > 2) return;
    if (!selective && !on_alternate()) below_.clear();
    if (!selective) unmark_erased(how);
    selective = selective || guards_from_all_;
    if (how == 0) {
        erase_area({row, column, row + 1, columns()}, selective);
        erase_area({row + 1, 0, rows(), columns()}, selective);
    } else if (how == 1) {
        erase_area({0, 0, row, columns()}, selective);
        erase_area({row, 0, row + 1, column + 1}, selective);
    } else {
        erase_area({0, 0, rows(), columns()}, selective);
    }
    cursor_.pending_wrap = false;
}

// ECMA-48 8.3.41 EL; VT220 manual, DECSEL
void emulator::erase_line(int how, bool selective) {
    const auto [row, column] = cursor_.at;
    if (how > 2) return;
    selective = selective || guards_from_all_;
    erase_area({row, how == 0 ? column : 0, row + 1, how == 1 ? column + 1 : columns()}, selective);
    cursor_.pending_wrap = false;
}

// ECMA-48 8.3.38 ECH
void emulator::erase_characters(int count) {
    const auto [row, column] = cursor_.at;
    erase_area({row, column, row + 1, std::min(column + count, columns())}, guards_from_all_);
    cursor_.pending_wrap = false;
}

// ECMA-48 8.3.64 ICH; VT420 manual: only between the margins
void emulator::insert_characters(int count) {
    spend(std::max(0, right_ - cursor_.at.column));
    if (cursor_.at.column >= left_ && cursor_.at.column < right_)
        screen_->insert_cells(cursor_.at.row, cursor_.at.column, right_, count, cursor_.pen.blank());
    cursor_.pending_wrap = false;
}

// ECMA-48 8.3.26 DCH
void emulator::delete_characters(int count) {
    spend(std::max(0, right_ - cursor_.at.column));
    if (cursor_.at.column >= left_ && cursor_.at.column < right_)
        screen_->delete_cells(cursor_.at.row, cursor_.at.column, right_, count, cursor_.pen.blank());
    cursor_.pending_wrap = false;
}

// ECMA-48 8.3.67 IL; VT102 manual: the cursor goes to the left margin
void emulator::insert_lines(int count) {
    if (!inside_margins()) return;
    scroll_down(cursor_.at.row, bottom_, count);
    carriage_return();
}

// ECMA-48 8.3.32 DL. Deleted lines are lost: history contains lines that scrolled off, not removed ones.
void emulator::delete_lines(int count) {
    if (!inside_margins()) return;
    const int top = cursor_.at.row;
    carriage_return();
    if (left_ > 0 || right_ < columns()) return scroll_between_margins(top, bottom_, count);
    count = std::min(count, bottom_ - top);
    if (count > 1) spend_rows(count);
    break_line_above(top);
    if (bottom_ < rows() && screen_->at(bottom_ - 1).wraps) screen_->touch(bottom_ - 1).wraps = false;
    screen_->scroll_up(top, bottom_, count, cursor_.pen.blank());
    scrolls_.add(revision_, {top, bottom_, count});
}

// ECMA-48 8.3.121 SL and 8.3.135 SR, VT420 manual DECIC and DECDC: right if `count` is positive
void emulator::shift_columns(int column, int count) {
    if (cursor_.at.row < top_ || cursor_.at.row >= bottom_ || column < left_ || column >= right_) return;
    spend({top_, column, bottom_, right_});
    spend_rows(bottom_ - top_);
    for (int r = top_; r < bottom_; ++r) {
        if (count > 0)
            screen_->insert_cells(r, column, right_, count, cursor_.pen.blank());
        else
            screen_->delete_cells(r, column, right_, -count, cursor_.pen.blank());
    }
    cursor_.pending_wrap = false;
}

// VT420 manual, DECBI
void emulator::back_index() {
    if (cursor_.at.column == left_ && inside_margins()) return shift_columns(left_, 1);
    if (cursor_.at.column > 0) move_to(cursor_.at.row, cursor_.at.column - 1);
}

// VT420 manual, DECFI
void emulator::forward_index() {
    if (cursor_.at.column == right_ - 1 && inside_margins()) return shift_columns(left_, -1);
    if (cursor_.at.column < columns() - 1) move_to(cursor_.at.row, cursor_.at.column + 1);
}

// VT100 manual, DECALN: margins and origin mode are reset, the whole screen is E, the cursor at home; xterm resets the
// rendition too, but not DECSCA
void emulator::alignment_pattern() {
    reset_margins();
    modes_.set(mode::origin, false);
    apply_sgr({}, cursor_.pen);
    move_to(0, 0);
    erase_area({0, 0, rows(), columns()}, false);
    const rectangle whole{0, 0, rows(), columns()};
    spend(whole);
    screen_->fill(whole, 'E', 1, {});
}

// VT420 manual: Pt;Pl;Pb;Pr, 1-based and inclusive, from the origin of DECOM; bottom and right default to the last.
std::optional<rectangle> emulator::area(const parameters& p, std::size_t first) const noexcept {
    const rectangle r = corners(p, first);
    if (r.empty()) return std::nullopt;
    return r;
}

// The same two positions as the ends of a text: the second may be further left, in a lower row.
std::optional<rectangle> emulator::stretch(const parameters& p) const noexcept {
    const rectangle r = corners(p, 0);
    if (r.top >= r.bottom || r.left >= columns() || (r.bottom - r.top == 1 && r.empty())) return std::nullopt;
    return r;
}

rectangle emulator::corners(const parameters& p, std::size_t first) const noexcept {
    const bool origin = modes_.is_set(mode::origin);
    const int row_base = origin ? top_ : 0, column_base = origin ? left_ : 0;
    const int row_end = origin ? bottom_ : rows(), column_end = origin ? right_ : columns();
    return {row_base + p.at(first, 1) - 1, column_base + p.at(first + 1, 1) - 1,
            std::min(row_base + p.at(first + 2, row_end - row_base), row_end),
            std::min(column_base + p.at(first + 3, column_end - column_base), column_end)};
}

namespace {

using namespace attributes;

// VT420 manual, DECCARA and DECRARA: bold, underline, blink, inverse; 0 means all, xterm adds conceal.
void change_style(style& s, int number, bool reverse) noexcept {
    const auto apply = [&](std::uint16_t flag, bool on) {
        if (reverse)
            s.flags = static_cast<std::uint16_t>(s.flags ^ flag);
        else if (on)
            s.turn_on(flag);
        else
            s.turn_off(flag);
    };
    const auto line = [&](bool on) {
        const bool result = reverse ? s.underlined() == underline::none : on;
        s.set_underline(result ? underline::single : underline::none);
    };
    switch (number) {
    case 0:
        for (const std::uint16_t flag : {bold, blink, inverse}) apply(flag, false);
        return line(false);
    case 1: return apply(bold, true);
    case 4: return line(true);
    case 5: return apply(blink, true);
    case 7: return apply(inverse, true);
    case 8: return apply(conceal, true);
    default: break;
    }
    if (reverse) return;
    switch (number) {
    case 22: return apply(bold, false);
    case 24: return line(false);
    case 25: return apply(blink, false);
    case 27: return apply(inverse, false);
    case 28: return apply(conceal, false);
    default: return;
    }
}

} // namespace

void emulator::change_attributes(const parameters& p, bool reverse) {
    // VT420 manual, DECSACE: a stream of characters from the first position to the last, or a rectangle.
    const bool stream = !rectangular_attributes_;
    const auto target = stream ? stretch(p) : area(p, 0);
    if (!target) return;
    spend(std::int64_t{target->bottom - target->top} * columns());
    for (int r = target->top; r < target->bottom; ++r) {
        const int from = stream && r > target->top ? 0 : target->left;
        const int to = stream && r < target->bottom - 1 ? columns() : target->right;
        screen_->touch(r).restyle_each(from, to, [&](style s) {
            if (p.size() <= 4) change_style(s, 0, reverse);
            for (std::size_t i = 4; i < p.size(); ++i) change_style(s, p[i], reverse);
            return s;
        });
    }
}

// VT420 manual, DECCRA: Pts;Pls;Pbs;Prs;Pps;Ptd;Pld;Ppd; there is one page
void emulator::copy_area(const parameters& p) {
    const auto from = area(p, 0);
    if (!from) return;
    const bool origin = modes_.is_set(mode::origin);
    const position to{(origin ? top_ : 0) + p.at(5, 1) - 1, (origin ? left_ : 0) + p.at(6, 1) - 1};
    if (to.row >= rows() || to.column >= columns()) return;
    spend(*from);
    spend_rows(from->bottom - from->top);
    screen_->copy(*from, to);
}

// VT420 manual, DECFRA: Pch;Pt;Pl;Pb;Pr
void emulator::fill_area(const parameters& p) {
    const auto target = area(p, 1);
    const int code = p[0];
    const bool printable = (code >= 32 && code <= 126) || (code >= 160 && code <= 255);
    if (!target || !printable) return;
    spend(*target);
    screen_->fill(*target, static_cast<char32_t>(code), 1, cursor_.pen);
}

} // namespace mux::vt
