// SPDX-License-Identifier: MIT
#include "actions.hpp"

#include "vt/utf8.hpp"

#include <algorithm>
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
    numbered_key{letter_keys + 'P', key::f1},
    numbered_key{letter_keys + 'Q', key::f2},
    numbered_key{letter_keys + 'R', key::f3},
    numbered_key{letter_keys + 'S', key::f4},
    numbered_key{tilde_keys + 11, key::f1},
    numbered_key{tilde_keys + 12, key::f2},
    numbered_key{tilde_keys + 13, key::f3},
    numbered_key{tilde_keys + 14, key::f4},
    numbered_key{tilde_keys + 15, key::f5},
    numbered_key{tilde_keys + 17, key::f6},
    numbered_key{tilde_keys + 18, key::f7},
    numbered_key{tilde_keys + 19, key::f8},
    numbered_key{tilde_keys + 20, key::f9},
    numbered_key{tilde_keys + 21, key::f10},
    numbered_key{tilde_keys + 23, key::f11},
    numbered_key{tilde_keys + 24, key::f12},
};

key key_of(const key_event& pressed) noexcept {
    for (const numbered_key& each : numbered_keys)
        if (each.number == pressed.key) return each.key;
    return key::character;
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

const action_entry* entry_named(std::string_view name) noexcept {
    const auto found =
        std::find_if(all_actions.begin(), all_actions.end(), [&](const auto& each) { return each.name == name; });
    return found == all_actions.end() ? nullptr : &*found;
}

} // namespace mux
