// SPDX-License-Identifier: MIT
#include "bottom_row.hpp"

#include "text_row.hpp"

#include <algorithm>
#include <utility>

namespace mux {

vt::row ground_row(int columns, const looks& look) {
    vt::row row;
    for (int c = 0; c < columns; ++c) row.put(c, U' ', 1, look.ground, columns);
    return row;
}

overlay as_bottom(vt::row row, vt::screen_size size) {
    overlay result;
    result.rows.push_back(std::move(row));
    result.top = size.rows - 1;
    result.around = overlay::rest::tab;
    return result;
}

overlay hint_row(std::string_view prefix, const key_map& keys, vt::screen_size size, const looks& look) {
    vt::row row = ground_row(size.columns, look);
    int at = put_text(row, 1, size.columns, prefix, look.accent, look.unicode);
    for (const action_entry& each : all_actions) {
        if (each.hint.empty() || keys.keys_of(each.what).empty()) continue;
        const std::string_view key = keys.keys_of(each.what).front();
        if (at + 2 + text_columns(key) + 1 + text_columns(each.hint) > size.columns) break;
        at = put_text(row, at + 2, size.columns, key, look.accent, look.unicode);
        at = put_text(row, at + 1, size.columns, each.hint, look.ground, look.unicode);
    }
    return as_bottom(std::move(row), size);
}

int columns_of(const key_hint& hint) { return text_columns(hint.key) + 1 + text_columns(hint.does); }

int put_hint(vt::row& row, int at, int limit, const key_hint& hint, const looks& look) {
    const int end = put_text(row, at, limit, hint.key, look.accent, look.unicode);
    return put_text(row, end + 1, limit, hint.does, look.ground, look.unicode);
}

vt::row typed_row(std::string_view label, const line_editor& typed, std::string_view state, std::span<const key_hint> hints,
                  int columns, const looks& look, int& cursor) {
    vt::row row = ground_row(columns, look);
    int from = columns > 2 ? 1 : 0;
    if (columns > 12) from = put_text(row, from, columns, label, look.ground, look.unicode) + 1;
    const int limit = std::min(columns, std::max(from + 2, columns / 2));
    const line_editor::drawing drawn = typed.draw(row, from, limit, look.strong_ground, look.unicode);
    cursor = drawn.cursor;
    int end = drawn.end;
    if (!state.empty()) end = put_text(row, end + 3, columns, state, look.ground, look.unicode);
    ++end;
    for (const key_hint& each : hints) {
        if (end + 2 + columns_of(each) > columns) break;
        end = put_hint(row, end + 2, columns, each, look);
    }
    return row;
}

overlay message_row(std::string_view text, vt::screen_size size, const looks& look) {
    vt::row row = ground_row(size.columns, look);
    put_text(row, size.columns > 2 ? 1 : 0, size.columns, text, look.ground, look.unicode);
    return as_bottom(std::move(row), size);
}

} // namespace mux
