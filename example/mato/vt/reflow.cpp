// SPDX-License-Identifier: MIT
#include "reflow.hpp"

#include "wrap.hpp"

#include <algorithm>
#include <optional>

namespace mux::vt {

namespace {

struct place {
    std::size_t line = 0;
    int column = 0;
};

struct joined {
    std::vector<row> lines;
    std::vector<place> cursors;
};

// Converts rows to lines, and each cursor's row to a column of its line. Rows below the last one count as lines.
joined join(std::vector<row>& rows, std::optional<row> beginning, std::span<const reflow_cursor> cursors) {
    joined out;
    out.cursors.resize(cursors.size());
    bool continues = beginning.has_value();
    if (continues) out.lines.push_back(std::move(*beginning));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        row& r = rows[i];
        const bool wraps = r.wraps;
        const int before = continues ? out.lines.back().used() : 0;
        for (std::size_t c = 0; c < cursors.size(); ++c)
            if (i == static_cast<std::size_t>(cursors[c].at.row))
                out.cursors[c] = {out.lines.size() - (continues ? 1 : 0),
                                  before + cursors[c].at.column + (cursors[c].pending_wrap ? 1 : 0)};
        if (!continues) out.lines.emplace_back();
        out.lines.back().append_piece(r);
        continues = wraps;
    }
    for (std::size_t c = 0; c < cursors.size(); ++c)
        if (const auto at = static_cast<std::size_t>(cursors[c].at.row); at >= rows.size())
            out.cursors[c] = {out.lines.size() + (at - rows.size()), cursors[c].at.column};
    return out;
}

struct wrapped {
    std::vector<row> rows;
    std::vector<reflow_cursor> cursors;
};

void wrap_line(const row& line, int columns, std::vector<row>& out) {
    int from = 0;
    do {
        const int end = wrap_end(line, from, columns);
        out.push_back(wrap_piece(line, from, end, columns));
        from = end;
    } while (from < line.used());
}

reflow_cursor find_cursor(const row& line, int column, int columns, std::size_t first_row) {
    int from = 0;
    auto at = static_cast<int>(first_row);
    for (int end = wrap_end(line, from, columns); end < line.used() && column >= end; end = wrap_end(line, from, columns)) {
        from = end;
        ++at;
    }
    const int offset = column - from;
    if (offset >= columns) return {{at, columns - 1}, offset == columns && column == line.used()};
    return {{at, offset}, false};
}

wrapped wrap(const joined& j, int columns) {
    wrapped out;
    out.cursors.resize(j.cursors.size());
    for (std::size_t i = 0; i < j.lines.size(); ++i) {
        for (std::size_t c = 0; c < j.cursors.size(); ++c)
            if (i == j.cursors[c].line) out.cursors[c] = find_cursor(j.lines[i], j.cursors[c].column, columns, out.rows.size());
        wrap_line(j.lines[i], columns, out.rows);
    }
    for (std::size_t c = 0; c < j.cursors.size(); ++c)
        if (const place& p = j.cursors[c]; p.line >= j.lines.size())
            out.cursors[c].at = {static_cast<int>(out.rows.size() + (p.line - j.lines.size())),
                                 std::min(p.column, columns - 1)};
    return out;
}

// Takes lines back from history until there are `wanted` rows.
void pull(history& h, wrapped& w, std::size_t wanted, int columns) {
    std::vector<std::vector<row>> pulled;
    std::size_t count = w.rows.size();
    while (count < wanted && h.size() > 0) {
        pulled.emplace_back();
        wrap_line(h.pop(), columns, pulled.back());
        count += pulled.back().size();
    }
    std::vector<row> all;
    all.reserve(count);
    for (auto it = pulled.rbegin(); it != pulled.rend(); ++it) std::move(it->begin(), it->end(), std::back_inserter(all));
    for (reflow_cursor& c : w.cursors) c.at.row += static_cast<int>(all.size());
    std::move(w.rows.begin(), w.rows.end(), std::back_inserter(all));
    w.rows = std::move(all);
}

} // namespace

void reflow(screen& s, history& h, std::vector<row>& below, screen_size size, std::span<reflow_cursor> cursors) {
    const auto old_rows = static_cast<std::size_t>(s.size().rows);
    std::vector<row> rows = s.release();
    std::move(below.begin(), below.end(), std::back_inserter(rows));
    below.clear();
    const auto needed = static_cast<std::size_t>(cursors[0].at.row) + 1;
    while (rows.size() > needed && rows.back().used() == 0 && !rows[rows.size() - 2].wraps) rows.pop_back();
    rows.back().wraps = false;
    const std::size_t empty_below = old_rows > rows.size() ? old_rows - rows.size() : 0;

    std::optional<row> beginning;
    if (h.is_open()) beginning = h.pop();
    wrapped w = wrap(join(rows, std::move(beginning), cursors), size.columns);

    const auto height = static_cast<std::size_t>(size.rows);
    if (w.rows.size() + empty_below < height) pull(h, w, height - empty_below, size.columns);
    std::size_t top = w.rows.size() > height ? w.rows.size() - height : 0;
    top = std::min(top, static_cast<std::size_t>(w.cursors[0].at.row)); // the cursor stays visible
    for (std::size_t i = 0; i < top; ++i) h.push(w.rows[i]);
    const std::size_t bottom = std::min(w.rows.size(), top + height);
    const std::size_t kept = std::min(w.rows.size(), bottom + max_rows_below);
    below.assign(std::make_move_iterator(w.rows.begin() + static_cast<std::ptrdiff_t>(bottom)),
                 std::make_move_iterator(w.rows.begin() + static_cast<std::ptrdiff_t>(kept)));
    w.rows.resize(bottom);
    s.assign(size, {std::make_move_iterator(w.rows.begin() + static_cast<std::ptrdiff_t>(top)),
                    std::make_move_iterator(w.rows.end())});
    for (std::size_t c = 0; c < cursors.size(); ++c) {
        cursors[c] = w.cursors[c];
        cursors[c].at.row = std::clamp(w.cursors[c].at.row - static_cast<int>(top), 0, size.rows - 1);
    }
}

} // namespace mux::vt
