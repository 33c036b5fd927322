// SPDX-License-Identifier: MIT
#include "line_editor.hpp"

#include "text_row.hpp"

#include "vt/utf8.hpp"

#include <mato/printable.hpp>

#include <algorithm>

namespace mux {
namespace {

std::string encoded(std::u32string_view text) {
    std::string all;
    for (const char32_t each : text) vt::append_utf8(all, each);
    return all;
}

bool is_printable(const key_event& key) {
    const bool is_plain = (key.modifiers & ~unsigned{key_event::shift}) == 0 && key.key < tilde_keys;
    const bool is_surrogate = key.character >= 0xd800 && key.character <= 0xdfff;
    return is_plain && key.character >= ' ' && key.character != keys::backspace && key.character <= 0x10ffff && !is_surrogate;
}

} // namespace

line_editor::line_editor(std::size_t most, std::string_view text) : most_(most) { set(text); }

void line_editor::set(std::string_view text) {
    text_.clear();
    while (!text.empty() && text_.size() < most_) {
        const mato::text_character next = mato::first_character(text);
        text_ += next.code;
        text.remove_prefix(next.size);
    }
    at_ = text_.size();
}

std::string line_editor::text() const { return encoded(text_); }

std::string line_editor::before_cursor() const { return encoded(std::u32string_view(text_).substr(0, at_)); }

line_editor::result line_editor::press(const key_event& key) {
    const auto is = [&](int number, char letter) { return key.key == number || key.is_control(letter); };
    if (is(keys::left, 'b')) return at_ -= at_ > 0, result::moved;
    if (is(keys::right, 'f')) return at_ += at_ < text_.size(), result::moved;
    if (is(keys::home, 'a')) return at_ = 0, result::moved;
    if (is(keys::end, 'e')) return at_ = text_.size(), result::moved;
    if (is(keys::backspace, 'h')) {
        if (at_ > 0) text_.erase(--at_, 1);
    } else if (is(keys::erase, 'd')) {
        if (at_ < text_.size()) text_.erase(at_, 1);
    } else if (key.is_control('u')) {
        text_.erase(0, at_), at_ = 0;
    } else if (key.is_control('k')) {
        text_.erase(at_);
    } else if (key.is_control('w')) {
        std::size_t from = at_;
        while (from > 0 && text_[from - 1] == U' ') --from;
        while (from > 0 && text_[from - 1] != U' ') --from;
        text_.erase(from, at_ - from), at_ = from;
    } else if (is_printable(key) && text_.size() < most_) {
        text_.insert(at_++, 1, static_cast<char32_t>(key.character));
    } else {
        return result::unused;
    }
    return result::changed;
}

line_editor::drawing line_editor::draw(vt::row& row, int from, int limit, const vt::style& look, bool unicode) const {
    const int room = std::max(1, limit - from - 1);
    const auto columns_of = [](std::u32string_view part) { return text_columns(encoded(part)); };
    const std::u32string_view all = text_;
    std::size_t first = at_;
    int before = 0; // columns, of what is shown before the cursor
    while (first > 0) {
        const int width = columns_of(all.substr(first - 1, 1));
        if (before + width >= room) break;
        before += width;
        --first;
    }
    const int end = put_text(row, from, limit, encoded(all.substr(first)), look, unicode);
    return {end, std::clamp(from + before, 0, std::max(0, limit - 1))};
}

} // namespace mux
