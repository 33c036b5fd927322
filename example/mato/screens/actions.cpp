// SPDX-License-Identifier: MIT
#include "actions.hpp"

#include "vt/utf8.hpp"

#include <utility>

namespace mux {
namespace {

struct special_key {
    int number;
    mux::key key;
    std::string_view name;
};

constexpr std::array special_keys{
    special_key{keys::enter, key::enter, "Enter"},
    special_key{keys::tab, key::tab, "Tab"},
    special_key{keys::back_tab, key::back_tab, "BTab"},
    special_key{keys::escape, key::escape, "Escape"},
    special_key{' ', key::space, "Space"},
    special_key{keys::backspace, key::backspace, "BSpace"},
    special_key{keys::up, key::up, "Up"},
    special_key{keys::down, key::down, "Down"},
    special_key{keys::right, key::right, "Right"},
    special_key{keys::left, key::left, "Left"},
    special_key{keys::home, key::home, "Home"},
    special_key{keys::end, key::end, "End"},
    special_key{keys::insert, key::insert, "Insert"},
    special_key{keys::erase, key::erase, "Delete"},
    special_key{keys::page_up, key::page_up, "PageUp"},
    special_key{keys::page_down, key::page_down, "PageDown"},
};

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
    for (const special_key& each : special_keys)
        if (each.number == pressed.key) {
            stroke.key = each.key;
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
    for (const special_key& each : special_keys)
        if (each.number == pressed.key)
            return name.append((pressed.modifiers & key_event::shift) != 0 ? "S-" : "").append(each.name);
    if (pressed.character > ' ' && pressed.character != keys::backspace)
        vt::append_utf8(name, static_cast<char32_t>(pressed.character));
    else
        name.clear();
    return name;
}

} // namespace mux
