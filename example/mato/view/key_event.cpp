// SPDX-License-Identifier: MIT
#include "key_event.hpp"

namespace mux {

namespace {

// kitty keyboard protocol, "Functional key definitions"
constexpr int caps_lock = 57358, num_lock = 57360, first_modifier = 57441, last_modifier = 57454;
constexpr int keypad_0 = 57399, keypad_9 = 57408, keypad_page_up = 57421, keypad_page_down = 57422;
constexpr std::string_view keypad_signs = "./*-+\r="; // the codes after keypad_9

/// The character of a shifted key in the US layout, for terminals that report neither character nor text.
int with_shift(int key) noexcept {
    constexpr std::string_view plain = "`1234567890-=[]\\;',./", shifted = "~!@#$%^&*()_+{}|:\"<>?";
    if (key >= 'a' && key <= 'z') return key - 'a' + 'A';
    if (key >= 0x80) return key;
    const auto at = plain.find(static_cast<char>(key));
    return at == std::string_view::npos ? key : shifted[at];
}

/// kitty keyboard protocol, "Legacy ctrl mapping of ASCII keys". -1: none.
int with_control(int c) noexcept {
    if (c >= 'a' && c <= 'z') return c - 'a' + 1;
    switch (c) {
    case ' ':
    case '2':
    case '@': return 0;
    case '3':
    case '[': return 27;
    case '4':
    case '\\': return 28;
    case '5':
    case ']': return 29;
    case '6':
    case '^':
    case '~': return 30;
    case '/':
    case '7':
    case '_': return 31;
    case '8':
    case '?': return 127;
    default: return -1;
    }
}

bool is_letter(int key) noexcept { return key >= 'a' && key <= 'z'; }

void set_modifiers(key_event& e, const parameter_fields& fields, std::size_t field) noexcept {
    const int m = fields.get(field, 0, 1), action = fields.get(field, 1, 1);
    e.modifiers = (m > 0 ? static_cast<unsigned>(m - 1) : 0u) & ~key_event::locks;
    e.what = action == 2 ? key_event::action::repeat : action == 3 ? key_event::action::release : key_event::action::press;
}

key_event unicode_key(const parameter_fields& fields) noexcept {
    key_event e;
    set_modifiers(e, fields, 1);
    e.key = fields.get(0, 0, 1);
    if (e.key == keypad_page_up || e.key == keypad_page_down) {
        e.key = tilde_keys + (e.key == keypad_page_up ? 5 : 6); // the same key everywhere in this code
        return e;
    }
    const int shifted = fields.get(0, 1, 0), base = fields.get(0, 2, 0), text = fields.get(2, 0, 0);
    const bool has_shift = (e.modifiers & key_event::shift) != 0;
    const auto meant = [](int key) { // a keypad key counts as its character
        if (key >= keypad_0 && key <= keypad_9) return key - keypad_0 + '0';
        const int sign = key - keypad_9 - 1;
        return sign >= 0 && sign < static_cast<int>(keypad_signs.size()) ? keypad_signs[static_cast<std::size_t>(sign)] : key;
    };
    if (text > 0 && fields.at[2][1] < 0) {
        e.character = text;
    } else if (e.key >= 0x80 && base > 0 && base < 0x80) {
        e.character =
            has_shift ? with_shift(base) : base; // another script's layout: use the key at the same place of a US keyboard
    } else if (has_shift) {
        e.character = shifted > 0 ? shifted : with_shift(meant(e.key));
    } else {
        e.character = meant(e.key);
    }
    return e;
}

} // namespace

bool key_event::is_modifier() const noexcept {
    return (key >= caps_lock && key <= num_lock) || (key >= first_modifier && key <= last_modifier);
}

std::optional<char> key_event::byte() const noexcept {
    if (character <= 0 || character > 0x7f) return std::nullopt;
    if ((modifiers & ~unsigned{shift}) == 0)
        return key >= tilde_keys ? std::nullopt : std::optional(static_cast<char>(character));
    if ((modifiers & ~unsigned{shift}) != control || key >= tilde_keys) return std::nullopt;
    if ((modifiers & shift) != 0 && is_letter(key)) return std::nullopt; // C-S-b and C-b are different keys
    const int c = with_control(is_letter(key) ? key : character);
    return c < 0 ? std::nullopt : std::optional(static_cast<char>(c));
}

key_event key_of_byte(char byte) noexcept {
    key_event e;
    const auto c = static_cast<unsigned char>(byte);
    if (c == keys::tab || c == keys::enter || c == keys::escape || c == keys::backspace) {
        e.key = e.character = c;
        return e;
    }
    if (c == 8) { // some terminals send it for Backspace
        e.key = e.character = keys::backspace;
        return e;
    }
    if (c < 0x20) {
        constexpr std::string_view last = "\\]^_"; // 0x1c to 0x1f
        e.modifiers = key_event::control;
        e.key = e.character = c == 0 ? ' ' : c <= 26 ? c - 1 + 'a' : last[c - 28u];
        return e;
    }
    e.character = c;
    e.key = c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
    if (e.key != e.character) e.modifiers = key_event::shift;
    return e;
}

std::optional<key_event> parse_key(const input_sequence& sequence) noexcept {
    if (sequence.leader != 0 || !sequence.intermediates.empty()) return std::nullopt;
    const char final = sequence.final;
    if (sequence.parameters == "[") { // the Linux console
        key_event e;
        e.key = letter_keys + '[' + final;
        return e;
    }
    const auto fields = parse_fields(sequence.parameters);
    if (!fields) return std::nullopt;
    if (final == 'u') return fields->at[0][0] < 0 ? std::nullopt : std::optional(unicode_key(*fields));
    key_event e;
    if (final == '~') {
        const int number = fields->get(0, 0, 0);
        if (number == 200 || number == 201) return std::nullopt; // paste
        if (number == 27 && fields->count >= 3) {                // modifyOtherKeys reports the character itself
            set_modifiers(e, *fields, 1);
            e.what = key_event::action::press;
            e.character = fields->get(2, 0, 0);
            e.key = e.character >= 'A' && e.character <= 'Z' ? e.character - 'A' + 'a' : e.character;
            return e;
        }
        set_modifiers(e, *fields, 1);
        e.key = tilde_keys + number;
        return e;
    }
    // Arrows, Home, End, F1 to F4, the keypad's centre, and back-tab; rxvt's shifted arrows.
    if (std::string_view("ABCDEFHPQRSZabcd").find(final) == std::string_view::npos) return std::nullopt;
    set_modifiers(e, *fields, 1);
    e.key = letter_keys + final;
    return e;
}

} // namespace mux
