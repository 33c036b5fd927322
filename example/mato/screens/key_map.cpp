// SPDX-License-Identifier: MIT
#include "key_map.hpp"

#include <algorithm>

namespace mux {
namespace {

std::vector<std::string> words_of_key(std::string_view words) {
    std::vector<std::string> all;
    for (std::size_t from = 0; from < words.size();) {
        const std::size_t end = std::min(words.find(' ', from), words.size());
        all.emplace_back(words.substr(from, end - from));
        from = end + 1;
    }
    return all;
}

std::optional<key_stroke> stroke_named(std::string_view name) {
    if (name.size() != 1) return parse_key_name(name);
    key_stroke single;
    single.character = name[0];
    return name[0] > ' ' && name[0] < 0x7f ? std::optional(single) : std::nullopt;
}

bool has_key(const std::vector<std::string>& names, const key_stroke& pressed) {
    return std::any_of(names.begin(), names.end(), [&](const auto& name) { return stroke_named(name) == pressed; });
}

} // namespace

key_map::key_map(const key_changes& changes) {
    for (std::size_t i = 0; i < all_actions.size(); ++i) {
        const auto own = changes.find(std::string(all_actions[i].name));
        keys_[i] = own == changes.end() ? words_of_key(all_actions[i].keys) : own->second;
    }
    for (const auto& change : changes)
        for (std::size_t i = 0; i < all_actions.size(); ++i) {
            if (changes.contains(std::string(all_actions[i].name))) continue;
            std::erase_if(keys_[i], [&](const std::string& key) { return has_key(change.second, *stroke_named(key)); });
        }
}

std::string key_map::problem_of(std::string_view name, const std::vector<std::string>& keys, const key_changes& others) {
    const action_entry* const entry = entry_named(name);
    if (!entry) {
        std::string all;
        for (const action_entry& each : all_actions)
            if (!each.name.empty() && each.what != action::tab_by_number) all.append(all.empty() ? "" : ", ").append(each.name);
        return "there is no such action; the actions are " + all;
    }
    if (entry->what == action::tab_by_number)
        return "the keys 1 to 9 and 0 cannot be changed, because they are the tabs' numbers";
    for (const std::string& key : keys) {
        if (!stroke_named(key))
            return "'" + key +
                   "' is not the name of a key; write one character, or a name such as \"Space\", \"C-a\" or \"F5\"";
        for (const auto& [other, taken] : others)
            if (other != name && has_key(taken, *stroke_named(key)))
                return "the key '" + key + "' is given to '" + other + "' too";
        if (key.size() == 1 && key[0] >= '0' && key[0] <= '9') return "the key " + key + " goes to the tab with that number";
    }
    return {};
}

std::optional<pressed_action> key_map::find(const key_stroke& pressed) const {
    for (std::size_t i = 0; i < all_actions.size(); ++i) {
        if (!has_key(keys_[i], pressed)) continue;
        const int digit = pressed.character - '0';
        const action what = all_actions[i].what;
        return pressed_action{what, what == action::tab_by_number ? (digit == 0 ? 10 : digit) : 0};
    }
    return std::nullopt;
}

std::optional<pressed_action> key_map::action_of(const key_event& pressed) const {
    auto stroke = stroke_of(pressed);
    if (!stroke) return std::nullopt;
    if (const auto found = find(*stroke)) return found;
    if ((stroke->modifiers & key_stroke::control) == 0) return std::nullopt;
    stroke->modifiers &= ~unsigned{key_stroke::control};
    return find(*stroke);
}

const std::vector<std::string>& key_map::keys_of(action what) const {
    const auto at = std::find_if(all_actions.begin(), all_actions.end(), [&](const auto& each) { return each.what == what; });
    static const std::vector<std::string> none;
    return at == all_actions.end() ? none : keys_[static_cast<std::size_t>(at - all_actions.begin())];
}

} // namespace mux
