// SPDX-License-Identifier: MIT
#include "find_prompt.hpp"

#include "actions.hpp"
#include "bottom_row.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace mux {
void find_prompt::begin(const text_source& text) {
    find_.begin(typed_.text(), text);
    awaits_first_ = true;
}

void find_prompt::begin_with(std::string_view typed, const text_source& text) {
    typed_.set(typed);
    begin(text);
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
    static constexpr std::array hints{key_hint{"^R", "older"}, key_hint{"^S", "newer"}, key_hint{"^A", "all tabs"},
                                      key_hint{"Enter", "stay"}, key_hint{"Esc", "back"}};
    const std::size_t number = find_.number_of(at);
    std::string state;
    if (!find_.problem().empty())
        state = find_.problem();
    else if (find_.count() > 0)
        state = std::to_string(number) + " of " + std::to_string(find_.count()) + (find_.is_partial() ? "+" : "");
    else if (!typed_.empty())
        state = find_.is_searching() ? "searching" : "not found";
    return typed_row("find ", typed_, state, hints, columns, look, cursor);
}

} // namespace mux
