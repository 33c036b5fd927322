// SPDX-License-Identifier: MIT
#include "terminal_text.hpp"

#include <algorithm>

namespace mux {

bool terminal_text::joins() const {
    return terminal_->is_history_open() && terminal_->history_lines() > 0 && !terminal_->is_set(vt::mode::alternate_screen);
}

std::uint64_t terminal_text::screen_line() const { return first_line() + terminal_->history_lines() - (joins() ? 1 : 0); }

std::uint64_t terminal_text::first_line() const { return terminal_->first_history_line(); }

std::uint64_t terminal_text::end_line() const {
    int last = terminal_->size().rows - 1;
    const int cursor_row = terminal_->cursor().at.row;
    while (last > cursor_row && terminal_->row_at(last).used() == 0) --last;
    std::uint64_t line = screen_line();
    for (int r = 0; r < last; ++r) line += terminal_->row_at(r).wraps ? 0 : 1;
    return line + 1;
}

text_position terminal_text::screen_begin() const {
    text_position at{screen_line(), 0};
    if (!joins()) return at;
    vt::row open;
    terminal_->read_history_line(terminal_->history_lines() - 1, open);
    at.column = open.used();
    return at;
}

text_position terminal_text::cursor() const {
    const vt::position on_screen = terminal_->cursor().at;
    text_position at = screen_begin();
    for (int r = 0; r < on_screen.row; ++r) {
        const vt::row& above = terminal_->row_at(r);
        if (above.wraps)
            at.column += above.used();
        else
            ++at.line, at.column = 0;
    }
    at.column += on_screen.column;
    return at;
}

void terminal_text::read_line(std::uint64_t line, vt::row& out) const {
    out.clear();
    std::uint64_t at = screen_line();
    if (line < at || (line == at && joins())) terminal_->read_history_line(static_cast<std::size_t>(line - first_line()), out);
    const int rows = line < at ? 0 : terminal_->size().rows;
    for (int r = 0; r < rows && at <= line; ++r) {
        const vt::row& here = terminal_->row_at(r);
        if (at == line) out.append_piece(here);
        if (!here.wraps) ++at;
    }
    out.wraps = false;
}

/// Those of the primary screen's rows do not belong to the alternate screen, which has their numbers while it is shown.
std::span<const vt::prompt_mark> terminal_text::marks() const {
    const auto all = terminal_->prompt_marks();
    if (!terminal_->is_set(vt::mode::alternate_screen)) return all;
    const auto end = std::partition_point(all.begin(), all.end(),
                                          [first = screen_line()](const vt::prompt_mark& m) { return m.line < first; });
    return {all.begin(), end};
}

} // namespace mux
