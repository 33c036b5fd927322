// SPDX-License-Identifier: MIT
#include "find_prompt.hpp"

#include "actions.hpp"
#include "bottom_row.hpp"
#include "text_row.hpp"
#include "vt/utf8.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace mux {
namespace {

/// The end of `text` that fits into `columns`: what was typed last.
std::string_view tail_of(std::string_view text, int columns) {
    while (!text.empty() && text_columns(text) > columns) {
        text.remove_prefix(1);
        while (!text.empty() && (static_cast<unsigned char>(text[0]) & 0xc0) == 0x80) text.remove_prefix(1);
    }
    return text;
}

} // namespace

void find_prompt::begin(const text_source& text) {
    find_.begin(typed_, text);
    awaits_first_ = true;
}

bool find_prompt::work(const text_source& text) {
    find_.work(text);
    if (!awaits_first_ || find_.count() == 0) return false;
    awaits_first_ = false;
    target_ = find_.newest().position();
    return true;
}

find_prompt::result find_prompt::older(text_position at) {
    const text_hit* const hit = find_.older(at);
    if (!hit) return result::nothing;
    target_ = hit->position();
    return result::moved;
}

find_prompt::result find_prompt::newer(text_position at) {
    const text_hit* const hit = find_.newer(at);
    if (!hit) return result::nothing;
    target_ = hit->position();
    return result::moved;
}

find_prompt::result find_prompt::press(const key_event& key, const text_source& text, text_position at) {
    const std::string name = name_of(key);
    if (name == "Escape") return result::leaves;
    if (name == "Enter") return result::stays;
    if (name == "C-r" || name == "Up") return older(at);
    if (name == "C-s" || name == "Down") return newer(at);
    if (name == "C-u") {
        typed_.clear();
    } else if (name == "BSpace") {
        while (!typed_.empty() && (static_cast<unsigned char>(typed_.back()) & 0xc0) == 0x80) typed_.pop_back();
        if (!typed_.empty()) typed_.pop_back();
    } else {
        const bool is_text = key.character >= ' ' && key.character != keys::backspace && key.key < tilde_keys &&
                             (key.modifiers & ~unsigned{key_event::shift}) == 0;
        if (!is_text || typed_.size() + 4 > most_typed) return result::nothing;
        vt::append_utf8(typed_, static_cast<char32_t>(key.character));
    }
    begin(text);
    return result::nothing;
}

vt::row find_prompt::draw(int columns, text_position at, const looks& look, int& cursor) const {
    struct hint {
        std::string_view key, does;
    };
    static constexpr std::array hints{hint{"^R", "older"}, hint{"^S", "newer"}, hint{"Enter", "stay"}, hint{"Esc", "back"}};
    vt::row row = ground_row(columns, look);
    int end = put_text(row, columns > 2 ? 1 : 0, columns, columns > 12 ? "find  " : "", look.ground, look.unicode);
    end = put_text(row, end, columns, tail_of(typed_, std::max(1, columns / 2 - end)), look.strong_ground, look.unicode);
    cursor = std::min(end, columns - 1);
    const std::size_t number = find_.number_of(at);
    std::string state;
    if (!find_.problem().empty())
        state = find_.problem();
    else if (find_.count() > 0)
        state = std::to_string(number) + " of " + std::to_string(find_.count()) + (find_.is_partial() ? "+" : "");
    else if (!typed_.empty())
        state = find_.is_searching() ? "searching" : "not found";
    if (!state.empty()) end = put_text(row, end + 3, columns, state, look.ground, look.unicode);
    ++end;
    for (const hint& each : hints) {
        if (end + 2 + text_columns(each.key) + 1 + text_columns(each.does) > columns) break;
        end = put_text(row, end + 2, columns, each.key, look.accent, look.unicode);
        end = put_text(row, end + 1, columns, each.does, look.ground, look.unicode);
    }
    return row;
}

} // namespace mux
