// SPDX-License-Identifier: MIT
/// @file key_names.hpp: names of keys such as "Enter", "C-c", "PgUp", mato's and tmux's, and suggestions for wrong names.
/// Pure.  Test: test/mato/key_names_test.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mux {

enum class key : std::uint8_t {
    character,
    enter,
    tab,
    back_tab,
    escape,
    space,
    backspace,
    up,
    down,
    right,
    left,
    home,
    end,
    insert,
    erase,
    page_up,
    page_down,
    f1,
    f2,
    f3,
    f4,
    f5,
    f6,
    f7,
    f8,
    f9,
    f10,
    f11,
    f12,
    keypad_0,
    keypad_1,
    keypad_2,
    keypad_3,
    keypad_4,
    keypad_5,
    keypad_6,
    keypad_7,
    keypad_8,
    keypad_9,
    keypad_period,
    keypad_slash,
    keypad_star,
    keypad_minus,
    keypad_plus,
    keypad_enter,
};

/// A key press. Its encoding depends on the program's modes: key_encoding.hpp.
struct key_stroke {
    enum modifier : unsigned { shift = 1, alt = 2, control = 4 };

    mux::key key = mux::key::character;
    char character = 0; ///< of key::character, with Shift applied: ASCII, printable
    unsigned modifiers = 0;

    friend bool operator==(const key_stroke&, const key_stroke&) = default;
};

/// Enter Tab BTab Escape Space BSpace Up Down Left Right Home End PageUp PageDown Insert Delete F1-F12; tmux's IC DC PgUp PPage
/// PgDn NPage, KP0-KP9 KP. KP/ KP* KP- KP+ KPEnter; S-, C- and M- before one of them, C- and M- before a character; ^x as C-x.
[[nodiscard]] std::optional<key_stroke> parse_key_name(std::string_view name);

/// The name of a key without modifiers: "Enter"; empty for key::character.
[[nodiscard]] std::string_view name_of(key which) noexcept;

/// The error for a word that resembles a key's name but is not one, such as "Esc", "Ctrl-c" or "F13"; empty: it is text.
[[nodiscard]] std::string key_name_problem(std::string_view word);

/// The control byte of a prefix key: "C-" and one of a-z @ [ \ ] ^ _
[[nodiscard]] std::optional<char> parse_prefix(std::string_view name);

/// The control byte of a key: ECMA-48 C0, its code with bits 6 and 7 cleared.
[[nodiscard]] std::optional<char> control_byte(char character) noexcept;

} // namespace mux
