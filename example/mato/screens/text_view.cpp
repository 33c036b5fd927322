// SPDX-License-Identifier: MIT
#include "text_view.hpp"

#include "vt/wrap.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace mux {
namespace {

/// The columns at which the rows of a line begin.
std::vector<int> row_begins(const vt::row& line, int columns) {
    std::vector<int> all{0};
    for (int end = vt::wrap_end(line, 0, columns); end < line.used(); end = vt::wrap_end(line, end, columns))
        all.push_back(end);
    return all;
}

/// The index of the row that holds the column.
std::size_t row_at(const std::vector<int>& begins, int column) {
    return static_cast<std::size_t>(std::upper_bound(begins.begin() + 1, begins.end(), column) - begins.begin()) - 1;
}

} // namespace

text_view::text_view(const text_source& text, vt::screen_size size) : text_(text), size_(size), top_(text.screen_begin()) {
    resize(size);
}

void text_view::resize(vt::screen_size size) {
    size_ = {std::max(size.rows, 1), std::max(size.columns, 1)};
    top_ = row_of(nearest(top_));
}

std::uint64_t text_view::follow_text() {
    const std::uint64_t first = text_.first_line();
    const std::uint64_t lost = first > top_.line ? first - top_.line : 0;
    if (lost > 0) top_ = {first, 0};
    top_ = row_of(nearest(top_));
    return lost;
}

text_position text_view::nearest(text_position at) const {
    if (at.line < text_.first_line()) return {text_.first_line(), 0};
    if (at.line >= text_.end_line()) at = {text_.end_line() - 1, at.column};
    vt::row line;
    text_.read_line(at.line, line);
    at.column = std::clamp(at.column, 0, std::max(0, line.used() - 1));
    if (at.column > 0 && line.at(at.column) == vt::units::tail) --at.column;
    return at;
}

text_position text_view::row_of(text_position at) const {
    vt::row line;
    text_.read_line(at.line, line);
    const auto begins = row_begins(line, size_.columns);
    return {at.line, begins[row_at(begins, at.column)]};
}

text_position text_view::moved(text_position row, int rows) const {
    vt::row line;
    text_.read_line(row.line, line);
    auto begins = row_begins(line, size_.columns);
    auto here = row_at(begins, row.column);
    for (; rows > 0; --rows) {
        if (here + 1 < begins.size()) {
            ++here;
        } else if (row.line + 1 < text_.end_line()) {
            text_.read_line(++row.line, line);
            begins = row_begins(line, size_.columns), here = 0;
        } else {
            break;
        }
    }
    for (; rows < 0; ++rows) {
        if (here > 0) {
            --here;
        } else if (row.line > text_.first_line()) {
            text_.read_line(--row.line, line);
            begins = row_begins(line, size_.columns), here = begins.size() - 1;
        } else {
            break;
        }
    }
    return {row.line, begins[here]};
}

/// The screen at the top, or the text's end at the bottom, whichever is lower.
text_position text_view::lowest_top() const {
    const text_position last = row_of(nearest({text_.end_line() - 1, std::numeric_limits<int>::max()}));
    return std::max(row_of(nearest(text_.screen_begin())), moved(last, 1 - size_.rows));
}

void text_view::scroll(int rows) {
    const text_position wanted = moved(top_, rows);
    top_ = rows > 0 ? std::max(top_, std::min(wanted, lowest_top())) : wanted;
}

void text_view::show(text_position at) {
    const text_position row = row_of(nearest(at));
    if (row < top_) {
        top_ = row;
    } else if (row > moved(top_, size_.rows - 1)) {
        top_ = moved(row, 1 - size_.rows);
    }
}

void text_view::show_with_context(text_position at) {
    const text_position row = row_of(nearest(at));
    if (row >= top_ && row <= moved(top_, size_.rows - 1)) return;
    top_ = std::min(moved(row, -(size_.rows / 2)), std::max(top_, lowest_top()));
    show(at);
}

text_position text_view::below(text_position at, int rows, int x) const {
    const text_position row = moved(row_of(nearest(at)), rows);
    vt::row line;
    text_.read_line(row.line, line);
    const int end = vt::wrap_end(line, row.column, size_.columns);
    return nearest({row.line, std::clamp(row.column + x, row.column, std::max(row.column, end - 1))});
}

int text_view::x_of(text_position at) const { return at.column - row_of(at).column; }

void text_view::each_row(const std::function<void(int, std::uint64_t, int, vt::row&&)>& visit) const {
    vt::row line;
    text_position at = top_;
    text_.read_line(at.line, line);
    for (int r = 0; r < size_.rows; ++r) {
        const int end = vt::wrap_end(line, at.column, size_.columns);
        vt::row piece = vt::wrap_piece(line, at.column, end, size_.columns);
        piece.wraps = false;
        visit(r, at.line, at.column, std::move(piece));
        if (end < line.used()) {
            at.column = end;
        } else if (at.line + 1 < text_.end_line()) {
            text_.read_line(++at.line, line);
            at.column = 0;
        } else {
            return;
        }
    }
}

} // namespace mux
