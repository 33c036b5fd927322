// SPDX-License-Identifier: MIT
/// @file screen.hpp: a screen of mato's own over a tab: state in, rows out; keys in, actions out.
/// Pure: screens know neither descriptors nor asio; time is a parameter.  Test: test/mato/screens_test.cpp.
#pragma once

#include "actions.hpp"
#include "looks.hpp"
#include "protocol/ids.hpp"
#include "view/overlay.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace mux {

/// What happens after a key.
struct screen_reply {
    bool closes = false;                     ///< back to the tab
    std::optional<pressed_action> acts = {}; ///< done after that
    std::optional<std::string> copies = {};  ///< text for the clipboard and for mato's own buffer
    std::string says = {};                   ///< a message; empty: none
};

/// A button of the mouse on a cell of the terminal. Rows and columns are 0-based.
struct pointer_event {
    enum class kind : std::uint8_t { press, drag, release };
    kind what = kind::press;
    int row = 0, column = 0;
    int clicks = 1; ///< of a press: 2 and 3 are the later ones of a double and a triple click
    bool has_alt = false;
};

class screen {
public:
    virtual ~screen() = default;
    /// The rows for a terminal of this size; `look` is this terminal's.
    [[nodiscard]] virtual overlay draw(vt::screen_size size, const looks& look) = 0;
    /// A key without the prefix.
    virtual screen_reply press(const key_event& key) = 0;
    /// The wheel, by rows: positive towards the end.
    virtual screen_reply wheel(int /*rows*/) { return {}; }
    /// The left button.
    virtual screen_reply pointer(const pointer_event& /*event*/) { return {}; }
    /// It wants work() to be called, which does a bounded part of what is to do, and to be drawn then.
    [[nodiscard]] virtual bool has_work() const { return false; }
    virtual void work() {}
    /// It shows what changes by itself, and is drawn again from time to time.
    [[nodiscard]] virtual bool is_live() const noexcept { return false; }
    /// The tab that gets the keys, and is shown as it changes; 0: none, the keys are the screen's.
    [[nodiscard]] virtual tab_id types_to() const noexcept { return 0; }
    /// A key after the prefix. @returns true if it is the screen's; else it does what it does everywhere
    [[nodiscard]] virtual bool press_after_prefix(const key_event& /*key*/) { return false; }
};

} // namespace mux
