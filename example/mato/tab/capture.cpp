// SPDX-License-Identifier: MIT
#include "capture.hpp"

#include "view/pen.hpp"
#include "vt/row.hpp"

#include <algorithm>

namespace mux {
namespace {

/// The row without trailing blanks, except those in its first `kept` columns; with styles if `ansi`.
void append_row(const vt::row& r, const vt::terminal& screen, bool ansi, int kept, std::string& out) {
    if (!ansi) return append_trimmed(r, kept, out);
    terminal_features all;
    all.colours = colour_depth::direct;
    all.strings = true;
    append_styled(
        r, screen, all, [](const vt::style& own) { return own; }, out);
}

} // namespace

void append_styled(const vt::row& row, const vt::terminal& screen, const terminal_features& known,
                   vt::style (*change)(const vt::style&), std::string& out) {
    pen look;
    const auto runs = row.runs();
    for (std::size_t i = 0; i < std::max<std::size_t>(runs.size(), 1); ++i) {
        const int from = runs.empty() ? 0 : static_cast<int>(runs[i].start);
        const int to = i + 1 < runs.size() ? static_cast<int>(runs[i + 1].start) : row.used();
        const vt::style own = runs.empty() ? vt::style() : runs[i].style;
        const bool marked = !runs.empty() && vt::mark_at(row, from, own).number != 0; // an image mark, not a colour
        look.select(change(marked ? own.blank() : own), screen, known, out);
        row.append_text(out, from, to);
    }
    look.select_plain(screen, known, out);
}

void append_trimmed(const vt::row& row, int kept, std::string& out) {
    kept = std::min(kept, row.used());
    row.append_text(out, 0, kept);
    const std::size_t least = out.size();
    row.append_text(out, kept, row.used());
    while (out.size() > least && out.back() == ' ') out.pop_back();
}

captured capture_screen(const vt::terminal& screen, const capture_request& wanted) {
    captured result;
    const vt::screen_size size = screen.size();
    const vt::cursor_view cursor = screen.cursor();
    const std::size_t kept = screen.history_rows();
    const std::size_t above = std::min<std::size_t>(wanted.history_rows, kept);
    result.revision = screen.revision();
    result.size = size;
    result.cursor_row = static_cast<std::uint16_t>(cursor.at.row);
    result.cursor_column = static_cast<std::uint16_t>(cursor.at.column);
    result.cursor_visible = cursor.visible;
    result.alternate_screen = screen.is_set(vt::mode::alternate_screen);
    result.title = screen.title();
    result.history_rows = static_cast<std::uint32_t>(above);
    const std::size_t all = above + static_cast<std::size_t>(size.rows);
    std::size_t at = wanted.from;
    // The newest line of history goes on in the screen's first row.
    const bool is_open = screen.is_history_open() && !result.alternate_screen;
    const auto append = [&](const vt::row& r, int blanks) {
        const bool wraps = r.wraps || (is_open && at + 1 == above);
        append_row(r, screen, wanted.ansi, wraps ? r.used() : blanks, result.text);
        if (!(wanted.join && wraps)) result.text += '\n';
        ++at;
        return result.text.size() < capture_bytes;
    };
    if (at < above) screen.read_history_rows(kept - above + at, [&](const vt::row& r) { return append(r, 0) && at < above; });
    while (at < all && result.text.size() < capture_bytes) {
        const int row = static_cast<int>(at - above);
        const bool shows_cursor = wanted.blanks_to_cursor && row == cursor.at.row;
        append(screen.row_at(row), shows_cursor ? cursor.at.column + cursor.pending_wrap : 0);
    }
    result.next = at < all ? at : 0;
    return result;
}

} // namespace mux
