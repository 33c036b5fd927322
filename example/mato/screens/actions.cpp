// SPDX-License-Identifier: MIT
#include "actions.hpp"

#include "vt/utf8.hpp"

#include <utility>

namespace mux {
namespace {

/// The key of a number without a character of its own; Enter, Tab, Escape, Space and BSpace count as keys, too.
struct numbered_key {
    int number;
    mux::key key;
};

constexpr std::array numbered_keys{
    numbered_key{keys::enter, key::enter},
    numbered_key{keys::tab, key::tab},
    numbered_key{keys::back_tab, key::back_tab},
    numbered_key{keys::escape, key::escape},
    numbered_key{' ', key::space},
    numbered_key{keys::backspace, key::backspace},
    numbered_key{keys::up, key::up},
    numbered_key{keys::down, key::down},
    numbered_key{keys::right, key::right},
    numbered_key{keys::left, key::left},
    numbered_key{keys::home, key::home},
    numbered_key{keys::end, key::end},
    numbered_key{keys::insert, key::insert},
    numbered_key{keys::erase, key::erase},
    numbered_key{keys::page_up, key::page_up},
    numbered_key{keys::page_down, key::page_down},
};

key key_of(const key_event& pressed) noexcept {
    for (const numbered_key& each : numbered_keys)
        if (each.number == pressed.key) return each.key;
    return key::character;
}

/// The parts of `words`, which are separated by single spaces.
template <class Take> bool any_word(std::string_view words, Take take) {
    while (!words.empty()) {
        const auto end = std::min(words.find(' '), words.size());
        if (take(words.substr(0, end))) return true;
        words.remove_prefix(std::min(end + 1, words.size()));
    }
    return false;
}

std::optional<key_stroke> named(std::string_view name) {
    if (name.size() != 1) return parse_key_name(name);
    key_stroke single;
    single.character = name[0];
    return single;
}

std::optional<pressed_action> find(const key_stroke& pressed) {
    for (const action_entry& each : all_actions) {
        const bool found = any_word(each.keys, [&](std::string_view name) { return named(name) == pressed; });
        if (!found) continue;
        const int digit = pressed.character - '0';
        return pressed_action{each.what, each.what == action::tab_by_number ? (digit == 0 ? 10 : digit) : 0};
    }
    return std::nullopt;
}

} // namespace

std::optional<key_stroke> stroke_of(const key_event& pressed) {
    key_stroke stroke;
    if ((pressed.modifiers & ~unsigned{key_event::shift | key_event::alt | key_event::control}) != 0) return std::nullopt;
    if ((pressed.modifiers & key_event::alt) != 0) stroke.modifiers |= key_stroke::alt;
    if ((pressed.modifiers & key_event::control) != 0) stroke.modifiers |= key_stroke::control;
    if (const key special = key_of(pressed); special != key::character) {
        stroke.key = special;
        if ((pressed.modifiers & key_event::shift) != 0) stroke.modifiers |= key_stroke::shift;
        return stroke;
    }
    if (pressed.character <= ' ' || pressed.character >= 0x7f) return std::nullopt;
    stroke.character = static_cast<char>(pressed.character);
    return stroke;
}

std::optional<pressed_action> action_of(const key_event& pressed) {
    auto stroke = stroke_of(pressed);
    if (!stroke) return std::nullopt;
    if (const auto found = find(*stroke)) return found;
    if ((stroke->modifiers & key_stroke::control) == 0) return std::nullopt;
    stroke->modifiers &= ~unsigned{key_stroke::control};
    return find(*stroke);
}

std::string name_of(const key_event& pressed) {
    std::string name;
    if ((pressed.modifiers & key_event::control) != 0) name += "C-";
    if ((pressed.modifiers & key_event::alt) != 0) name += "M-";
    if (const key special = key_of(pressed); special != key::character)
        return name.append((pressed.modifiers & key_event::shift) != 0 ? "S-" : "").append(name_of(special));
    if (pressed.character > ' ' && pressed.character != keys::backspace)
        vt::append_utf8(name, static_cast<char32_t>(pressed.character));
    else
        name.clear();
    return name;
}

} // namespace mux
