// SPDX-License-Identifier: MIT
#include "text_prompts.hpp"

#include <algorithm>

namespace mux {
namespace {

using vt::mark_kind;
using vt::prompt_mark;

text_position place(const prompt_mark& mark) noexcept { return {mark.line, mark.column}; }

/// From a command's output mark to its end, which is not included.
std::optional<text_selection> selected(text_position from, text_position end) {
    if (from >= end) return std::nullopt;
    if (from.column == 0 && end.column == 0) return text_selection{selection_kind::lines, from, {end.line - 1, 0}};
    if (end.column == 0) return text_selection{selection_kind::characters, from, {end.line - 1, vt::prompt_marks::most_column}};
    return text_selection{selection_kind::characters, from, {end.line, end.column - 1}};
}

} // namespace

std::optional<text_position> prompt_before(const text_source& text, text_position at) {
    const auto all = text.marks();
    for (auto mark = all.rbegin(); mark != all.rend(); ++mark)
        if (mark->kind == mark_kind::prompt && mark->line < at.line) return place(*mark);
    return std::nullopt;
}

std::optional<text_position> prompt_after(const text_source& text, text_position at) {
    const auto all = text.marks();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const prompt_mark& m) { return m.kind == mark_kind::prompt && m.line > at.line; });
    return found == all.end() ? std::nullopt : std::optional(place(*found));
}

std::optional<text_selection> output_at(const text_source& text, text_position at) {
    const auto all = text.marks();
    for (std::size_t i = all.size(); i > 0; --i) {
        if (all[i - 1].kind != mark_kind::output) continue;
        std::size_t begin = i - 1; // of the command: its prompt, if that is known
        while (begin > 0 && all[begin].kind != mark_kind::prompt && all[begin - 1].kind != mark_kind::end) --begin;
        if (place(all[begin]) > at) continue;
        const auto after = std::find_if(all.begin() + static_cast<std::ptrdiff_t>(i), all.end(), [](const prompt_mark& m) {
            return m.kind == mark_kind::end || m.kind == mark_kind::prompt;
        });
        const text_position end = after == all.end() ? text.cursor() : place(*after);
        if (const auto found = selected(place(all[i - 1]), end)) return found;
    }
    return std::nullopt;
}

} // namespace mux
