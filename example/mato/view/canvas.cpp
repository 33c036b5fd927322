// SPDX-License-Identifier: MIT
#include "canvas.hpp"

#include "vt/utf8.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace mux {
namespace {

/// Cells that are cheaper to send again than to skip: "CSI n C" has at least four bytes.
constexpr int worth_a_jump = 5;

/// The style of each column, fast for access roughly from left to right.
class style_reader {
public:
    explicit style_reader(const vt::row& r) noexcept : runs_(r.runs()), used_(r.used()) {}
    const vt::style& at(int column) noexcept {
        if (runs_.empty() || column >= used_) return plain_;
        while (next_ > 1 && runs_[next_ - 1].start > static_cast<std::uint32_t>(column)) --next_;
        while (next_ < runs_.size() && runs_[next_].start <= static_cast<std::uint32_t>(column)) ++next_;
        return runs_[next_ - 1].style;
    }

private:
    std::span<const vt::style_run> runs_;
    std::size_t next_ = 1;
    int used_;
    vt::style plain_;
};

/// Columns from the left that are certainly equal, found without comparing each: most of a row when a key is echoed.
int same_columns(const vt::row& a, const vt::row& b) {
    auto end = static_cast<std::size_t>(std::min(a.used(), b.used()));
    const auto one = a.runs(), other = b.runs();
    if (const auto differs = std::mismatch(one.begin(), one.end(), other.begin(), other.end());
        differs.first != one.end() || differs.second != other.end()) {
        if (one.empty() != other.empty()) return 0; // a row without runs has the default style from its first column on
        if (differs.first != one.end()) end = std::min<std::size_t>(end, differs.first->start);
        if (differs.second != other.end()) end = std::min<std::size_t>(end, differs.second->start);
    }
    const vt::unit* const left = a.text().data();
    const vt::unit* const right = b.text().data();
    std::size_t same = 0;
    while (same < end && left[same] == right[same] && (left[same] & vt::units::cluster) == 0) ++same;
    return static_cast<int>(same);
}

bool same_text(const vt::row& a, const vt::row& b, int column) {
    const vt::unit left = a.at(column), right = b.at(column);
    if (((left | right) & vt::units::cluster) == 0) return left == right;
    if ((left & ~vt::units::code_mask) != (right & ~vt::units::code_mask)) return false;
    const auto from = a.cluster(left), to = b.cluster(right);
    return std::equal(from.begin(), from.end(), to.begin(), to.end());
}

/// A terminal without Unicode gets the nearest ASCII character.
char substitute(char32_t code) {
    if (code == 0x2500 || code == 0x2501 || code == 0x2550) return '-';
    if (code == 0x2502 || code == 0x2503 || code == 0x2551) return '|';
    if (code > 0x2500 && code < 0x2580) return '+';
    if (code >= 0x2580 && code < 0x25a0) return '#';
    return '?';
}

/// Terminals disagree on the width of these, so the cursor is addressed again after them.
bool is_width_doubtful(vt::unit u) noexcept {
    const auto code = u & vt::units::code_mask;
    return (u & vt::units::cluster) != 0 || (code >= 0x1f000 && code < 0x20000) ||
           (code >= 0x2300 && code < 0x2c00 && (u & vt::units::wide));
}

} // namespace

void canvas::number(int value) {
    char digits[12];
    out_->append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void canvas::move_to(int row, int column) {
    if (row == row_ && column == column_) return;
    hangs_ = false;
    // tmux takes a line feed in a row that wraps as the end of its line.
    const bool wraps = row_ >= 0 && row_ < static_cast<int>(shown_->size()) && (*shown_)[static_cast<std::size_t>(row_)].wraps;
    if (row == row_ && column_ >= 0 && column > column_) {
        *out_ += "\033[";
        if (column - column_ > 1) number(column - column_);
        *out_ += 'C';
    } else if (row == row_ && column == 0) {
        *out_ += '\r';
    } else if (row == row_ && column_ >= 0 && column_ - column <= 3) {
        out_->append(static_cast<std::size_t>(column_ - column), '\b');
    } else if (row == row_) {
        *out_ += "\033[";
        number(column + 1);
        *out_ += 'G';
    } else if (row_ >= 0 && row == row_ + 1 && column == 0 && !wraps) {
        *out_ += "\r\n";
    } else {
        *out_ += "\033[";
        if (row > 0 || column > 0) number(row + 1);
        if (column > 0) {
            *out_ += ';';
            number(column + 1);
        }
        *out_ += 'H';
    }
    row_ = row, column_ = column;
}

void canvas::append_text(const vt::row& now, vt::unit unit) {
    if (unit == vt::units::blank) {
        *out_ += ' ';
    } else if (unit < 0x80) {
        *out_ += static_cast<char>(unit);
    } else if (!features_->utf8) {
        const char32_t code = (unit & vt::units::cluster) != 0 ? now.cluster(unit)[0] : unit & vt::units::code_mask;
        *out_ += substitute(code);
        if ((unit & vt::units::wide) != 0) *out_ += ' ';
    } else if ((unit & vt::units::cluster) == 0) {
        vt::append_utf8(*out_, unit & vt::units::code_mask);
    } else {
        for (const char32_t code : now.cluster(unit)) vt::append_utf8(*out_, code);
    }
}

/// Writes the cells [from, to) at the cursor.
void canvas::draw_cells(const vt::row& now, int from, int to) {
    style_reader styles(now);
    hangs_ = false;
    for (int c = from; c < to; ++c) {
        const vt::unit u = now.at(c);
        if (u == vt::units::tail) continue;
        const vt::style& look = styles.at(c);
        if (u == vt::units::blank && look.underline_colour.is_direct())
            pen_.select(look.blank(), *source_, *features_, *out_); // a picture's mark is not a colour
        else
            pen_.select(look, *source_, *features_, *out_);
        const int width = (u & vt::units::wide) != 0 ? 2 : 1;
        append_text(now, c + width > columns_ ? vt::units::blank : u); // half a character cannot be shown
        column_ = c + width;
        if (column_ >= columns_) {
            column_ = -1;
            hangs_ = !is_width_doubtful(u);
        } else if (features_->utf8 && is_width_doubtful(u)) {
            const int here = column_;
            column_ = -1;
            move_to(row_, here);
        }
    }
}

bool canvas::can_join(const vt::row& above, const vt::row& below) const {
    if (!features_->strings || columns_ < 2 || above.used() < columns_ - 1 || below.used() == 0) return false;
    const int last = columns_ - 1;
    const vt::unit end = above.at(last), begin = below.at(0);
    const bool is_wide = (begin & vt::units::wide) != 0;
    if (is_wide && end == vt::units::blank) // it did not fit
        return features_->utf8 && !is_width_doubtful(begin) && above.style_at(last) == vt::style{};
    return above.used() == columns_ && !is_width_doubtful(above.at(end == vt::units::tail ? last - 1 : last));
}

void canvas::join(int row, const vt::row& now) {
    vt::row& above = (*shown_)[static_cast<std::size_t>(row) - 1];
    vt::row& shown = (*shown_)[static_cast<std::size_t>(row)];
    const int last = columns_ - 1;
    if ((now.at(0) & vt::units::wide) != 0 && above.at(last) == vt::units::blank) {
        move_to(row - 1, last);
    } else if (!hangs_ || row_ != row - 1) {
        const int from = above.at(last) == vt::units::tail ? last - 1 : last;
        move_to(row - 1, from);
        draw_cells(above, from, columns_);
    }
    above.wraps = true;
    row_ = row, column_ = 0;
    int end = 1; // including the rest of a wide character that was there
    while (end < columns_ && (now.at(end) == vt::units::tail || shown.at(end) == vt::units::tail)) ++end;
    draw_cells(now, 0, end);
    shown.paste(0, now.slice(0, end), end);
}

void canvas::end_line(int row) {
    vt::row& shown = (*shown_)[static_cast<std::size_t>(row)];
    move_to(row, 0);
    pen_.select_plain(*source_, *features_, *out_);
    *out_ += "\033[K";
    shown.clear();
    // Some terminals end the line above here too; join() joins it again.
    if (row > 0) (*shown_)[static_cast<std::size_t>(row) - 1].wraps = false;
}

void canvas::repaint(int row, const vt::row& now, int from, int to) {
    move_to(row, from);
    draw_cells(now, from, to);
}

void canvas::draw_row(int row, const vt::row& now) {
    vt::row& shown = (*shown_)[static_cast<std::size_t>(row)];
    const int end = std::max(now.used(), shown.used());
    style_reader new_styles(now), old_styles(shown);
    const auto differs = [&](int c) { return !same_text(now, shown, c) || new_styles.at(c) != old_styles.at(c); };
    bool changed = false;
    for (int c = same_columns(now, shown); c < end;) {
        if (!differs(c)) {
            ++c;
            continue;
        }
        changed = true;
        int from = c, last = c;
        while (from > 0 && now.at(from) == vt::units::tail) --from;
        for (++c; c < end && c - last <= worth_a_jump; ++c)
            if (differs(c)) last = c;
        int to = last + 1;
        c = to;
        const int text_end = now.used();
        const bool erases = to >= end && to > text_end + 2; // a few spaces are shorter than EL
        if (erases) to = text_end;
        if (to < text_end && now.at(to) == vt::units::tail) ++to;
        if (from < to) {
            move_to(row, from);
            draw_cells(now, from, to);
        }
        if (!erases) continue;
        const int blank_from = std::max(from, text_end);
        move_to(row, blank_from);
        pen_.select_plain(*source_, *features_, *out_);
        *out_ += "\033[K";
    }
    if (!changed) return;
    const bool wraps = shown.wraps;
    shown = now;
    shown.wraps = wraps;
}

void canvas::scroll(int top, int bottom, int lines, int rows) {
    pen_.select_plain(*source_, *features_, *out_); // new rows get the background of the pen
    hangs_ = false;
    const bool whole = top == 0 && bottom == rows;
    if (!whole) {
        *out_ += "\033[";
        number(top + 1);
        *out_ += ';';
        number(bottom);
        *out_ += 'r';
    }
    *out_ += "\033[";
    if (std::abs(lines) > 1) number(std::abs(lines));
    *out_ += lines > 0 ? 'S' : 'T';
    if (!whole) {
        *out_ += "\033[r";
        row_ = column_ = -1;
    }
}

void canvas::clear() {
    pen_.select_plain(*source_, *features_, *out_);
    *out_ += "\033[H\033[2J";
    row_ = column_ = 0;
    hangs_ = false;
}

} // namespace mux
