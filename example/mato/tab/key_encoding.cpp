// SPDX-License-Identifier: MIT
#include "key_encoding.hpp"

#include "vt/terminal.hpp"

#include <string_view>

namespace mux {
namespace {

constexpr int disambiguate = 1, all_as_escape_codes = 8; // kitty keyboard protocol, "Progressive enhancement"

/// xterm's and kitty's: 1 + shift 1 + alt 2 + control 4.
std::string parameter_of(unsigned modifiers) { return std::to_string(modifiers + 1); }

/// CSI letter or CSI 1 ; modifiers letter.
std::string by_letter(char letter, unsigned modifiers, bool ss3) {
    if (modifiers == 0) return std::string(ss3 ? "\033O" : "\033[") + letter;
    return "\033[1;" + parameter_of(modifiers) + letter;
}
/// CSI number final or CSI number ; modifiers final.
std::string by_number(int number, unsigned modifiers, char final) {
    std::string bytes("\033[");
    bytes += std::to_string(number);
    if (modifiers != 0) bytes.append(";").append(parameter_of(modifiers));
    return bytes + final;
}

char cursor_letter(key which) noexcept {
    switch (which) {
    case key::up: return 'A';
    case key::down: return 'B';
    case key::right: return 'C';
    case key::left: return 'D';
    case key::home: return 'H';
    case key::end: return 'F';
    default: return 0;
    }
}

int tilde_number(key which) noexcept {
    switch (which) {
    case key::insert: return 2;
    case key::erase: return 3;
    case key::page_up: return 5;
    case key::page_down: return 6;
    case key::f5: return 15;
    case key::f6: return 17;
    case key::f7: return 18;
    case key::f8: return 19;
    case key::f9: return 20;
    case key::f10: return 21;
    case key::f11: return 23;
    case key::f12: return 24;
    default: return 0;
    }
}

/// The keypad's keys in the order of `key`: their text, their SS3 letter, their number in kitty's protocol.
constexpr std::string_view keypad_text = "0123456789./*-+\r", keypad_letters = "pqrstuvwxynojmkM";
constexpr int kitty_keypad[] = {57399, 57400, 57401, 57402, 57403, 57404, 57405, 57406,
                                57407, 57408, 57409, 57410, 57411, 57412, 57413, 57414};

std::string keypad(key which, unsigned modifiers, const keyboard_modes& modes) {
    const auto place = static_cast<std::size_t>(which) - static_cast<std::size_t>(key::keypad_0);
    const bool types_text = which != key::keypad_enter;
    if (modes.kitty_flags & all_as_escape_codes || (modes.kitty_flags != 0 && (modifiers != 0 || !types_text)))
        return by_number(kitty_keypad[place], modifiers, 'u');
    if (modes.kitty_flags == 0 && modes.application_keypad && modifiers == 0)
        return std::string("\033O") + keypad_letters[place];
    std::string bytes(modifiers & key_stroke::alt ? "\033" : "");
    bytes += keypad_text[place];
    if (!types_text && modes.newline && modes.kitty_flags == 0) bytes += '\n';
    return bytes;
}

/// The code that protocols with numbers use for a key that has a character.
int code_of(const key_stroke& pressed) noexcept {
    switch (pressed.key) {
    case key::enter: return '\r';
    case key::tab:
    case key::back_tab: return '\t';
    case key::escape: return '\033';
    case key::space: return ' ';
    case key::backspace: return '\177';
    default: return pressed.character;
    }
}

std::string kitty(const key_stroke& pressed, const keyboard_modes& modes) {
    unsigned modifiers = pressed.modifiers;
    int code = code_of(pressed);
    if (pressed.key == key::back_tab) modifiers |= key_stroke::shift;
    if (code >= 'A' && code <= 'Z')
        code += 'a' - 'A', modifiers |= key_stroke::shift; // a key is identified by its unshifted character
    const bool always = (modes.kitty_flags & all_as_escape_codes) != 0;
    const bool is_kept = pressed.key == key::enter || pressed.key == key::tab || pressed.key == key::backspace;
    if (!always && modifiers == 0 && is_kept) return std::string(1, static_cast<char>(code)); // keeps a shell usable
    if (!always && (modifiers & ~unsigned{key_stroke::shift}) == 0 && pressed.key == key::space) return " ";
    return by_number(code, modifiers, 'u');
}

/// XTMODKEYS: whether a key is reported by number although it has bytes without modifyOtherKeys.
bool is_other_key(const key_stroke& pressed, const keyboard_modes& modes, bool has_bytes) noexcept {
    if (modes.other_keys == 0 || pressed.modifiers == 0 || pressed.key == key::back_tab) return false;
    if (pressed.key == key::tab && pressed.modifiers == key_stroke::shift) return false; // it is BTab
    if (modes.other_keys >= 2) return !(pressed.key == key::space && pressed.modifiers == key_stroke::shift);
    // Level 1 does not change well-known keys: control bytes, and Alt as ESC. The keys below would lose their modifier.
    const bool loses = pressed.key == key::enter || pressed.key == key::tab || pressed.key == key::escape;
    return !has_bytes || (loses && (pressed.modifiers & ~unsigned{key_stroke::alt}) != 0);
}

std::string legacy(const key_stroke& pressed, const keyboard_modes& modes) {
    const bool alt = pressed.modifiers & key_stroke::alt, control = pressed.modifiers & key_stroke::control,
               shift = pressed.modifiers & key_stroke::shift;
    const std::string escape(alt ? "\033" : "");
    switch (pressed.key) {
    case key::enter: return escape + (modes.newline ? "\r\n" : "\r");
    case key::tab: return escape + (shift ? "\033[Z" : "\t");
    case key::back_tab: return escape + "\033[Z";
    case key::escape: return escape + "\033";
    case key::space: return escape + (control && !shift ? '\0' : ' ');
    case key::backspace: return escape + (control != modes.backarrow_is_bs ? '\b' : '\177');
    default: break;
    }
    if (!control) return escape + pressed.character;
    const auto byte = control_byte(pressed.character);
    return byte ? escape + *byte : std::string();
}

} // namespace

keyboard_modes keyboard_modes::of(const mux::vt::terminal* tab) noexcept {
    using mux::vt::mode;
    if (!tab) return {};
    return {tab->is_set(mode::application_cursor), tab->is_set(mode::application_keypad),
            tab->is_set(mode::backarrow),          tab->is_set(mode::newline),
            tab->kitty_keyboard_flags(),           tab->modify_other_keys()};
}

std::string encode_key(const key_stroke& pressed, const keyboard_modes& modes) {
    const bool is_kitty = (modes.kitty_flags & (disambiguate | all_as_escape_codes)) != 0;
    const unsigned modifiers = pressed.modifiers;
    if (const char letter = cursor_letter(pressed.key))
        return by_letter(letter, modifiers, modes.application_cursor && !is_kitty);
    if (pressed.key >= key::f1 && pressed.key <= key::f4) {
        if (is_kitty && pressed.key == key::f3) return by_number(13, modifiers, '~'); // CSI R is a cursor position report
        return by_letter(static_cast<char>('P' + (static_cast<int>(pressed.key) - static_cast<int>(key::f1))), modifiers,
                         !is_kitty);
    }
    if (const int number = tilde_number(pressed.key)) return by_number(number, modifiers, '~');
    keyboard_modes own = modes;
    if (!is_kitty) own.kitty_flags = 0; // the other flags report more about keys that are encoded anyway
    if (pressed.key >= key::keypad_0) return keypad(pressed.key, modifiers, own);
    if (is_kitty) return kitty(pressed, own);
    const std::string bytes = legacy(pressed, own);
    if (!is_other_key(pressed, own, !bytes.empty())) return bytes;
    return "\033[27;" + parameter_of(modifiers) + ";" + std::to_string(code_of(pressed)) + "~";
}

} // namespace mux
