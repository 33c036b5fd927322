// SPDX-License-Identifier: MIT
#include "text_selection.hpp"

#include <algorithm>
#include <limits>

namespace mux {
namespace {

constexpr int whole = std::numeric_limits<int>::max();

/// The column after the character in `column`.
int after(const text_source& text, text_position at) {
    if (at.line < text.first_line() || at.line >= text.end_line()) return at.column + 1;
    vt::row line;
    text.read_line(at.line, line);
    return line.at(at.column + 1) == vt::units::tail ? at.column + 2 : at.column + 1;
}

} // namespace

std::optional<column_range> text_selection::columns_of(std::uint64_t line, const text_source& text) const {
    if (line < first_line() || line > last_line()) return std::nullopt;
    if (kind == selection_kind::lines) return column_range{0, whole};
    if (kind == selection_kind::block)
        return column_range{std::min(anchor.column, end.column), std::max(after(text, anchor), after(text, end))};
    const text_position from = std::min(anchor, end), to = std::max(anchor, end);
    return column_range{line == from.line ? from.column : 0, line == to.line ? after(text, to) : whole};
}

std::optional<std::string> text_selection::text_of(const text_source& text, std::size_t most) const {
    std::string all;
    vt::row row;
    const std::uint64_t first = std::max(first_line(), text.first_line());
    const std::uint64_t last = std::min(last_line(), text.end_line() - 1);
    for (std::uint64_t line = first; line <= last; ++line) {
        const auto range = columns_of(line, text);
        if (!range) continue;
        text.read_line(line, row);
        const std::size_t begin = all.size();
        if (range->from < row.used()) row.append_text(all, range->from, std::min(range->to, row.used()));
        if (range->to >= row.used() || kind == selection_kind::block)
            while (all.size() > begin && all.back() == ' ') all.pop_back();
        if (line != last || kind == selection_kind::lines) all += '\n';
        if (all.size() > most) return std::nullopt;
    }
    return all;
}

} // namespace mux
