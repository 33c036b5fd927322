// SPDX-License-Identifier: MIT
/// @file key_encoding.hpp: the bytes of a key in the keyboard modes of a program.
/// Pure.  Test: test/mato/key_encoding_test.cpp.
/// Source: xterm ctlseqs "PC-Style Function Keys", "VT220-Style Function Keys", XTMODKEYS; kitty keyboard protocol.
#pragma once

#include "protocol/key_names.hpp"

#include <string>

namespace mux::vt {
class terminal;
}

namespace mux {

struct keyboard_modes {
    bool application_cursor = false; ///< DECCKM
    bool application_keypad = false; ///< DECKPAM, DECNKM
    bool backarrow_is_bs = false;    ///< DECBKM
    bool newline = false;            ///< LNM: Enter sends CR LF
    int kitty_flags = 0;             ///< not 0: other_keys is ignored
    int other_keys = 0;              ///< modifyOtherKeys: 1 or 2

    /// The modes that the tab's program has set. Null: the modes after a reset.
    [[nodiscard]] static keyboard_modes of(const mux::vt::terminal* tab) noexcept;
};

/// One key press. Empty: the key has no encoding in these modes, such as C-1 without modifyOtherKeys.
[[nodiscard]] std::string encode_key(const key_stroke& pressed, const keyboard_modes& modes);

} // namespace mux
