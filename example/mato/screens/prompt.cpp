// SPDX-License-Identifier: MIT
#include "prompt.hpp"

#include "bottom_row.hpp"
#include "text_row.hpp"

#include <algorithm>

namespace mux {
namespace {

/// Writes `text` and then, where it fits, `keys` at the right. @returns the column after `text`
int put_with_keys(vt::row& row, std::string_view text, std::string_view keys, int columns, const looks& look) {
    const int room = text_columns(keys);
    if (text_columns(text) + room + 4 <= columns) put_text(row, columns - room - 1, columns, keys, look.ground, look.unicode);
    return put_text(row, columns > 2 ? 1 : 0, columns, text, look.strong_ground, look.unicode);
}

} // namespace

overlay text_prompt::draw(vt::screen_size size, const looks& look) {
    vt::row row = ground_row(size.columns, look);
    const int from = std::min(put_with_keys(row, label_, "", size.columns, look) + 2, std::max(0, size.columns - 2));
    const line_editor::drawing typed = typed_.draw(row, from, size.columns, look.ground, look.unicode);
    constexpr std::string_view keys = "Enter ok  Esc back";
    const int left = size.columns - text_columns(keys) - 1;
    if (left > typed.end + 2) put_text(row, left, size.columns, keys, look.ground, look.unicode);
    overlay result = as_bottom(std::move(row), size);
    result.cursor = vt::position{size.rows - 1, typed.cursor};
    return result;
}

screen_reply text_prompt::press(const key_event& key) {
    if (key.key == keys::escape || key.is_control('c') || key.is_control('g')) return {true};
    if (key.key == keys::enter) {
        if (typed_.empty()) return {};
        pressed_action done = then_;
        done.answer = typed_.text();
        return {true, std::move(done)};
    }
    typed_.press(key);
    return {};
}

overlay question::draw(vt::screen_size size, const looks& look) {
    vt::row row = ground_row(size.columns, look);
    const int end = put_with_keys(row, text_, "y yes  n no", size.columns, look);
    overlay result = as_bottom(std::move(row), size);
    result.cursor = vt::position{size.rows - 1, std::clamp(end + 1, 0, size.columns - 1)};
    return result;
}

screen_reply question::press(const key_event& key) {
    if (key.character != 'y' && key.character != 'Y' && key.key != keys::enter) return {true};
    pressed_action done = then_;
    done.answer = "yes";
    return {true, std::move(done)};
}

overlay choice_row::draw(vt::screen_size size, const looks& look) {
    vt::row row = ground_row(size.columns, look);
    int at = put_text(row, size.columns > 2 ? 1 : 0, size.columns, label_, look.strong_ground, look.unicode);
    for (const choice& each : choices_) {
        if (at + 4 + text_columns(each.text) > size.columns) break;
        at = put_text(row, at + 2, size.columns, std::string_view(&each.key, 1), look.accent, look.unicode);
        at = put_text(row, at + 1, size.columns, each.text, look.ground, look.unicode);
    }
    overlay result = as_bottom(std::move(row), size);
    result.cursor = vt::position{size.rows - 1, std::clamp(at, 0, size.columns - 1)};
    return result;
}

screen_reply choice_row::press(const key_event& key) {
    for (const choice& each : choices_)
        if (key.character == each.key) return {true, each.acts};
    return {true};
}

} // namespace mux
