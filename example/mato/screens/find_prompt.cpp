// SPDX-License-Identifier: MIT
#include "find_prompt.hpp"

#include "actions.hpp"
#include "bottom_row.hpp"
#include "text_row.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace mux {
void find_prompt::begin(const text_source& text) {
    find_.begin(typed_.text(), text);
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
    if (typed_.press(key) != line_editor::result::changed) return result::nothing;
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
    const line_editor::drawing typed =
        typed_.draw(row, end, std::min(columns, std::max(end + 2, columns / 2)), look.strong_ground, look.unicode);
    end = typed.end;
    cursor = typed.cursor;
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
