// SPDX-License-Identifier: MIT
#include "text_reading.hpp"

#include "screens/terminal_text.hpp"
#include "tab/capture.hpp"

#include <algorithm>
#include <memory>

namespace mux {
namespace {

/// Where the text begins; the column is one of its line's text.
text_mark begin_of(const terminal_text& text, const text_mark& cursor, int rows, const read_request& wanted,
                   std::string& problem) {
    const std::uint64_t oldest = text.first_line(), end = text.end_line();
    const text_mark asked{wanted.line, wanted.column, 0};
    switch (wanted.from) {
    case text_begin::oldest: return {oldest, 0, 0};
    case text_begin::screen: return {text.screen_begin().line, 0, 0};
    case text_begin::cursor: return cursor;
    case text_begin::last: return {std::max(oldest, end - std::min(end, wanted.line)), 0, 0};
    case text_begin::place: break;
    case text_begin::mark:
        if (asked.line < oldest)
            problem =
                "the text at mark " + asked.text() + " is no longer kept: its oldest line is " + std::to_string(oldest + 1);
        else if (asked.line >= text.screen_begin().line + static_cast<std::uint64_t>(rows))
            problem = "there is no text at mark " + asked.text() + " yet: its last line is " + std::to_string(end);
        else if (asked.line >= end)
            return {text.screen_begin().line, 0, 0};
        break;
    }
    if (asked.line < oldest) return {oldest, 0, 0};
    return asked.line < end ? asked : text_mark{end - 1, 0, 0};
}

terminal_text text_of(const vt::terminal& screen) {
    return terminal_text(std::shared_ptr<const vt::terminal>(std::shared_ptr<void>(), &screen));
}

/// Columns of the cursor's line that the program has written before the cursor, blanks included.
int columns_before(const vt::terminal& screen, const text_position& cursor) {
    return cursor.column + (screen.cursor().pending_wrap ? 1 : 0);
}

text_mark cursor_of(const vt::terminal& screen, const terminal_text& text, const text_position& cursor, vt::row& cells) {
    text.read_line(cursor.line, cells);
    std::string before;
    cells.append_text(before, 0, std::min(columns_before(screen, cursor), cells.used()));
    return {cursor.line, before.size(), 0};
}

} // namespace

text_mark cursor_of(const vt::terminal& screen) {
    const terminal_text text = text_of(screen);
    vt::row cells;
    return cursor_of(screen, text, text.cursor(), cells);
}

text_mark end_of(const vt::terminal& screen) {
    const terminal_text text = text_of(screen);
    const text_position cursor = text.cursor();
    const std::uint64_t last = text.end_line() - 1;
    vt::row cells;
    text.read_line(last, cells);
    std::string line;
    append_trimmed(cells, last == cursor.line ? columns_before(screen, cursor) : 0, line);
    return {last, line.size(), 0};
}

std::optional<output_found> find_output(const vt::terminal& screen, std::uint32_t back) {
    const terminal_text text = text_of(screen);
    const auto marks = text.marks();
    const vt::prompt_mark *begin = nullptr, *end = nullptr;
    for (auto mark = marks.rbegin(); mark != marks.rend() && back > 0; ++mark) {
        if (mark->kind == vt::mark_kind::end || mark->kind == vt::mark_kind::prompt) end = &*mark;
        if (mark->kind != vt::mark_kind::output || !end) continue; // without an end it still runs
        begin = &*mark;
        if (--back > 0) end = nullptr;
    }
    if (back > 0 || !begin) return std::nullopt;
    vt::row cells;
    const auto bytes_before = [&](const vt::prompt_mark& mark) -> std::uint64_t {
        if (mark.line >= text.end_line()) return 0; // the screen's last rows are blank
        text.read_line(mark.line, cells);
        std::string before;
        cells.append_text(before, 0, std::min<int>(mark.column, cells.used()));
        return before.size();
    };
    output_found result;
    result.line = begin->line, result.column = bytes_before(*begin);
    result.end_line = end->line, result.end_column = bytes_before(*end);
    result.exit_code = end->kind == vt::mark_kind::end ? end->exit_code : vt::prompt_mark::unknown_code;
    return result;
}

std::string typed_at_prompt(const vt::terminal& screen) {
    const terminal_text text = text_of(screen);
    const auto marks = text.marks();
    const text_position cursor = text.cursor();
    std::string typed;
    if (marks.empty() || marks.back().kind != vt::mark_kind::input || marks.back().line > cursor.line) return typed;
    vt::row cells;
    text.read_line(marks.back().line, cells);
    const int end = marks.back().line == cursor.line ? columns_before(screen, cursor) : cells.used();
    if (marks.back().column < end) cells.append_text(typed, marks.back().column, std::min(end, cells.used()));
    return typed;
}

text_read text_from(const vt::terminal& screen, const read_request& wanted, std::string& problem) {
    const terminal_text text = text_of(screen);
    const text_position cursor = text.cursor();
    vt::row cells;
    const text_mark cursor_mark = cursor_of(screen, text, cursor, cells);
    const int kept = columns_before(screen, cursor);

    text_read result;
    result.revision = screen.revision();
    result.screen_line = text.screen_begin().line;
    result.cursor_line = cursor.line;
    result.cursor_column = cursor_mark.column;
    const text_mark begin = begin_of(text, cursor_mark, screen.size().rows, wanted, problem);
    if (!problem.empty()) return result;
    result.line = begin.line;
    result.column = begin.column;
    const std::uint64_t end = text.end_line();
    for (std::uint64_t line = begin.line; line < end; ++line) {
        if (result.text.size() >= read_bytes) {
            result.next = line;
            break;
        }
        text.read_line(line, cells);
        const std::size_t at = result.text.size();
        append_trimmed(cells, line == cursor.line ? kept : 0, result.text);
        if (line == begin.line) result.text.erase(at, std::min<std::uint64_t>(begin.column, result.text.size() - at));
        if (line + 1 < end) result.text += '\n';
    }
    return result;
}

} // namespace mux
