// SPDX-License-Identifier: MIT
#include "prompt.hpp"

#include "bottom_row.hpp"
#include "text_row.hpp"

#include "vt/utf8.hpp"

#include <mato/printable.hpp>

#include <algorithm>

namespace mux {
namespace {

bool is_control(const key_event& key, char letter) { return (key.modifiers & key_event::control) != 0 && key.key == letter; }

std::string encoded(std::u32string_view text) {
    std::string all;
    for (const char32_t each : text) vt::append_utf8(all, each);
    return all;
}

int columns_of(std::u32string_view text) { return text_columns(encoded(text)); }

/// Writes `text` and then, where it fits, `keys` at the right. @returns the column after `text`
int put_with_keys(vt::row& row, std::string_view text, std::string_view keys, int columns, const looks& look) {
    const int room = text_columns(keys);
    if (text_columns(text) + room + 4 <= columns) put_text(row, columns - room - 1, columns, keys, look.ground, look.unicode);
    return put_text(row, columns > 2 ? 1 : 0, columns, text, look.strong_ground, look.unicode);
}

} // namespace

text_prompt::text_prompt(std::string label, std::string_view text, pressed_action then)
    : label_(std::move(label)), then_(std::move(then)) {
    while (!text.empty() && text_.size() < most_characters) {
        const mato::text_character next = mato::first_character(text);
        text_ += next.code;
        text.remove_prefix(next.size);
    }
    at_ = text_.size();
}

std::string text_prompt::text() const { return encoded(text_); }

overlay text_prompt::draw(vt::screen_size size, const looks& look) {
    vt::row row = ground_row(size.columns, look);
    const int from = std::min(put_with_keys(row, label_, "", size.columns, look) + 2, std::max(0, size.columns - 2));
    // If the text is too long, its part before the cursor is shown.
    const int room = std::max(1, size.columns - from - 1);
    std::size_t first = 0;
    while (first < at_ && columns_of(std::u32string_view(text_).substr(first, at_ - first)) >= room) ++first;
    const std::u32string_view shown = std::u32string_view(text_).substr(first);
    const int end = put_text(row, from, size.columns, encoded(shown), look.ground, look.unicode);
    constexpr std::string_view keys = "Enter ok  Esc back";
    const int left = size.columns - text_columns(keys) - 1;
    if (left > end + 2) put_text(row, left, size.columns, keys, look.ground, look.unicode);
    overlay result = as_bottom(std::move(row), size);
    const int column = from + columns_of(shown.substr(0, at_ - first));
    result.cursor = vt::position{size.rows - 1, std::clamp(column, 0, size.columns - 1)};
    return result;
}

void text_prompt::edit(const key_event& key) {
    const auto is = [&](int number, char letter) { return key.key == number || is_control(key, letter); };
    if (is(keys::left, 'b')) {
        at_ -= at_ > 0;
    } else if (is(keys::right, 'f')) {
        at_ += at_ < text_.size();
    } else if (is(keys::home, 'a')) {
        at_ = 0;
    } else if (is(keys::end, 'e')) {
        at_ = text_.size();
    } else if (is(keys::backspace, 'h')) {
        if (at_ > 0) text_.erase(--at_, 1);
    } else if (is(keys::erase, 'd')) {
        if (at_ < text_.size()) text_.erase(at_, 1);
    } else if (is_control(key, 'u')) {
        text_.erase(0, at_), at_ = 0;
    } else if (is_control(key, 'k')) {
        text_.erase(at_);
    } else if (is_control(key, 'w')) {
        std::size_t from = at_;
        while (from > 0 && text_[from - 1] == U' ') --from;
        while (from > 0 && text_[from - 1] != U' ') --from;
        text_.erase(from, at_ - from), at_ = from;
    } else if (key.character >= ' ' && key.character != keys::backspace && (key.modifiers & ~unsigned{key_event::shift}) == 0 &&
               text_.size() < most_characters) {
        text_.insert(at_++, 1, static_cast<char32_t>(key.character));
    }
}

screen_reply text_prompt::press(const key_event& key) {
    if (key.key == keys::escape || is_control(key, 'c') || is_control(key, 'g')) return {true};
    if (key.key == keys::enter) {
        if (text_.empty()) return {};
        pressed_action done = then_;
        done.answer = text();
        return {true, std::move(done)};
    }
    edit(key);
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
