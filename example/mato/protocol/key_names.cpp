// SPDX-License-Identifier: MIT
#include "key_names.hpp"

#include <algorithm>
#include <array>

namespace mux {
namespace {

struct named_key {
    std::string_view name;
    mux::key key;
};

/// Of several names of a key, the first is mato's.
constexpr std::array names{
    named_key{"Enter", key::enter},
    named_key{"Tab", key::tab},
    named_key{"BTab", key::back_tab},
    named_key{"Escape", key::escape},
    named_key{"Space", key::space},
    named_key{"BSpace", key::backspace},
    named_key{"Up", key::up},
    named_key{"Down", key::down},
    named_key{"Right", key::right},
    named_key{"Left", key::left},
    named_key{"Home", key::home},
    named_key{"End", key::end},
    named_key{"Insert", key::insert},
    named_key{"Delete", key::erase},
    named_key{"PageUp", key::page_up},
    named_key{"PageDown", key::page_down},
    named_key{"F1", key::f1},
    named_key{"F2", key::f2},
    named_key{"F3", key::f3},
    named_key{"F4", key::f4},
    named_key{"F5", key::f5},
    named_key{"F6", key::f6},
    named_key{"F7", key::f7},
    named_key{"F8", key::f8},
    named_key{"F9", key::f9},
    named_key{"F10", key::f10},
    named_key{"F11", key::f11},
    named_key{"F12", key::f12},
    // tmux(1) "KEY BINDINGS", where the names differ
    named_key{"IC", key::insert},
    named_key{"DC", key::erase},
    named_key{"PgUp", key::page_up},
    named_key{"PPage", key::page_up},
    named_key{"PgDn", key::page_down},
    named_key{"NPage", key::page_down},
    named_key{"KP0", key::keypad_0},
    named_key{"KP1", key::keypad_1},
    named_key{"KP2", key::keypad_2},
    named_key{"KP3", key::keypad_3},
    named_key{"KP4", key::keypad_4},
    named_key{"KP5", key::keypad_5},
    named_key{"KP6", key::keypad_6},
    named_key{"KP7", key::keypad_7},
    named_key{"KP8", key::keypad_8},
    named_key{"KP9", key::keypad_9},
    named_key{"KP.", key::keypad_period},
    named_key{"KP/", key::keypad_slash},
    named_key{"KP*", key::keypad_star},
    named_key{"KP-", key::keypad_minus},
    named_key{"KP+", key::keypad_plus},
    named_key{"KPEnter", key::keypad_enter},
};

/// Names of these keys in other programs.
struct other_name {
    std::string_view name, meant;
};
constexpr std::array other_names{
    other_name{"Esc", "Escape"},       other_name{"Return", "Enter"},       other_name{"Backspace", "BSpace"},
    other_name{"BackSpace", "BSpace"}, other_name{"Del", "Delete"},         other_name{"Ins", "Insert"},
    other_name{"BackTab", "BTab"},     other_name{"PgDown", "PageDown"},    other_name{"PageDn", "PageDown"},
    other_name{"Page_Up", "PageUp"},   other_name{"Page_Down", "PageDown"}, other_name{"Prior", "PageUp"},
    other_name{"UpArrow", "Up"},       other_name{"DownArrow", "Down"},     other_name{"LeftArrow", "Left"},
    other_name{"RightArrow", "Right"}, other_name{"ArrowUp", "Up"},         other_name{"ArrowDown", "Down"},
    other_name{"ArrowLeft", "Left"},   other_name{"ArrowRight", "Right"},   other_name{"Spacebar", "Space"},
    other_name{"KP_Enter", "KPEnter"},
};

constexpr std::array other_modifiers{
    other_name{"Ctrl", "C-"}, other_name{"Control", "C-"}, other_name{"Alt", "M-"},
    other_name{"Meta", "M-"}, other_name{"Shift", "S-"},
};

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
char upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
bool is_same(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}
/// "Pageup", but not "end" or "END", which are ordinary words.
bool is_mixed_case(std::string_view word) noexcept {
    return std::any_of(word.begin(), word.end(), [](char c) { return c != lower(c); }) &&
           std::any_of(word.begin(), word.end(), [](char c) { return c != upper(c); });
}

std::optional<mux::key> find_name(std::string_view name) noexcept {
    const auto at = std::find_if(names.begin(), names.end(), [&](const named_key& each) { return each.name == name; });
    return at == names.end() ? std::nullopt : std::optional(at->key);
}

/// The correct name for a wrong one; empty: no name is similar.
std::string_view meant_by(std::string_view name) noexcept {
    if (!is_mixed_case(name)) return {};
    for (const auto& each : other_names)
        if (is_same(each.name, name)) return each.meant;
    for (const auto& each : names)
        if (is_same(each.name, name)) return each.name;
    return {};
}

bool has_modifier(std::string_view word) noexcept {
    return word.size() > 2 && word[1] == '-' && std::string_view("CMS").find(word[0]) != std::string_view::npos;
}

} // namespace

std::optional<char> control_byte(char character) noexcept {
    if (character >= 'a' && character <= 'z') return static_cast<char>(character - 'a' + 1);
    if (character >= '@' && character <= '_') return static_cast<char>(character - '@');
    if (character == '?') return '\177';
    return std::nullopt;
}

std::optional<key_stroke> parse_key_name(std::string_view name) {
    key_stroke result;
    if (name.size() == 2 && name[0] == '^' && control_byte(name[1])) {
        result.character = lower(name[1]);
        result.modifiers = key_stroke::control;
        return result;
    }
    std::string_view base = name;
    while (has_modifier(base)) {
        const unsigned bit = base[0] == 'S' ? key_stroke::shift : base[0] == 'M' ? key_stroke::alt : key_stroke::control;
        if ((result.modifiers & bit) != 0) return std::nullopt;
        result.modifiers |= bit;
        base.remove_prefix(2);
    }
    if (const auto named = find_name(base)) {
        result.key = *named;
        return result;
    }
    const bool is_modified = (result.modifiers & (key_stroke::alt | key_stroke::control)) != 0;
    if (base.size() != 1 || base[0] <= ' ' || base[0] > '~' || !is_modified || (result.modifiers & key_stroke::shift) != 0)
        return std::nullopt;
    result.character = base[0];
    return result;
}

std::string_view name_of(key which) noexcept {
    const auto at = std::find_if(names.begin(), names.end(), [&](const named_key& each) { return each.key == which; });
    return at == names.end() ? std::string_view() : at->name;
}

std::string key_name_problem(std::string_view word) {
    if (parse_key_name(word)) return {};
    const auto meant = [](std::string_view name, std::string_view prefix = {}) {
        return std::string("did you mean ").append(prefix).append(name).append("?");
    };
    if (const auto name = meant_by(word); !name.empty()) return meant(name);
    for (const auto& each : other_modifiers) {
        const std::size_t size = each.name.size();
        if (word.size() < size + 2 || !is_same(word.substr(0, size), each.name) || (word[size] != '-' && word[size] != '+'))
            continue;
        const std::string_view base = word.substr(size + 1);
        const std::string_view known = meant_by(base);
        if (known.empty() && !parse_key_name(std::string(each.meant).append(base))) continue;
        return meant(known.empty() ? base : known, each.meant);
    }
    if (word.size() >= 2 && word[0] == 'F' && word.size() <= 3 &&
        std::all_of(word.begin() + 1, word.end(), [](char c) { return c >= '0' && c <= '9'; }))
        return "the function keys are F1 to F12";
    if (word.starts_with("KP") && word.size() > 2 && word.size() <= 8)
        return "the keypad's keys are KP0 to KP9, KP. KP/ KP* KP- KP+ and KPEnter";
    if (!has_modifier(word)) return {};
    std::string_view base = word;
    while (has_modifier(base)) base.remove_prefix(2);
    if (const auto name = meant_by(base); !name.empty()) return meant(name, word.substr(0, word.size() - base.size()));
    return "C-, M- and S- go before a key's name, C- and M- before one ASCII character, each once";
}

std::optional<char> parse_prefix(std::string_view name) {
    if (name.size() != 3 || !name.starts_with("C-") || name[2] == '?') return std::nullopt;
    return control_byte(name[2]);
}

} // namespace mux
