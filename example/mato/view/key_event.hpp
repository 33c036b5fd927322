// SPDX-License-Identifier: MIT
/// @file key_event.hpp: a key that a terminal encoded as a control sequence.
/// Pure.  Test: test/mato/key_event_test.cpp.
/// Source: kitty keyboard protocol "An overview"; xterm ctlseqs "Alt and Meta Keys", XTMODKEYS and formatOtherKeys.
#pragma once

#include "input_sequence.hpp"

#include <cstdint>
#include <optional>

namespace mux {

struct key_event {
    enum class action : std::uint8_t { press = 1, repeat = 2, release = 3 };
    enum modifier : unsigned { shift = 1, alt = 2, control = 4, super = 8, hyper = 16, meta = 32 };
    static constexpr unsigned locks = 64 | 128; ///< caps lock and num lock: ignored

    int key = 0;            ///< the code of its unshifted character, or a number below for a key without one
    int character = 0;      ///< its character, with shift applied; 0: none
    unsigned modifiers = 0; ///< without locks
    action what = action::press;

    /// Shift, Control, a lock: pressed before another key.
    [[nodiscard]] bool is_modifier() const noexcept;
    /// Ctrl and this letter, with other modifiers too.
    [[nodiscard]] bool is_control(char letter) const noexcept { return (modifiers & control) != 0 && key == letter; }
    /// The byte that a terminal without these encodings sends, if it sends a single one: C-\ is 0x1c, Enter 0x0d.
    [[nodiscard]] std::optional<char> byte() const noexcept;
};

/// Numbers of the keys without a character, so that a release can be matched with its press.
inline constexpr int tilde_keys = 0x200000;  ///< plus the number before the '~'
inline constexpr int letter_keys = 0x300000; ///< plus the final letter

/// Keys whose numbers a screen of mato needs; terminals send some of them in several forms, see key_decoder.hpp.
namespace keys {
inline constexpr int tab = 9, enter = 13, escape = 27, backspace = 127;
inline constexpr int up = letter_keys + 'A', down = letter_keys + 'B', right = letter_keys + 'C', left = letter_keys + 'D',
                     home = letter_keys + 'H', end = letter_keys + 'F', back_tab = letter_keys + 'Z';
inline constexpr int insert = tilde_keys + 2, erase = tilde_keys + 3, page_up = tilde_keys + 5, page_down = tilde_keys + 6;
} // namespace keys

/// The event of a single byte below 0x80, as terminals without these encodings send it: 0x03 is C-c, 0x0d Enter.
[[nodiscard]] key_event key_of_byte(char byte) noexcept;

/// CSI … u, CSI 27;m;c ~, CSI n;m ~, CSI 1;m A.
/// @returns nothing if it is not a key: a report, an answer, the mouse, a paste
[[nodiscard]] std::optional<key_event> parse_key(const input_sequence& sequence) noexcept;

} // namespace mux
