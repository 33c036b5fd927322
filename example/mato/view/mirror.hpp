// SPDX-License-Identifier: MIT
/// @file mirror.hpp: sets the modes, cursor, title and colours of a tab on the viewer's terminal.
/// Pure.  Test: test/mato/frame_test.cpp.
/// Source: xterm ctlseqs "DEC Private Mode Set", DECSCUSR, OSC 0, 7, 10-12; kitty keyboard protocol "Progressive enhancement".
///
/// The keyboard modes are the program's, so that keys need no translation. The mouse always reports in SGR: reports are shifted
/// by the viewer's position and encoded again anyway.
#pragma once

#include "features.hpp"
#include "vt/terminal.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace mux {

/// Resets every mode that a program or `mirror` may have set; style, scrolling region and keyboard are as after a reset. The
/// cursor may move, and keeps its shape.
[[nodiscard]] std::string_view reset_sequence();
/// The part of it that neither moves the cursor nor changes later drawing: keyboard, mouse, reverse video, visibility.
[[nodiscard]] std::string_view reset_modes() noexcept;
/// DECSCUSR: 1 blinking block, 2 steady block, 3 and 4 underline, 5 and 6 bar; 0 the terminal's default.
[[nodiscard]] std::string select_cursor_style(int style);

/// What the terminal reports of the mouse although the program does not use it: nothing; buttons, among which is the wheel; and
/// drags.
enum class own_mouse : std::uint8_t { none, wheel, drags };

class mirror {
public:
    struct wishes {
        own_mouse mouse = own_mouse::none;
        bool readonly = false;       ///< keyboard modes and mouse stay unchanged
        std::string_view title = {}; ///< while the program has set none
    };
    /// Appends what sets the terminal's modes to those of `source`, except the cursor's visibility.
    void update(const vt::terminal& source, const terminal_features& features, const wishes& w, std::string& out);
    void show_cursor(bool visible, std::string& out);
    /// The terminal was reset by `reset_sequence`, which does not change title and colours.
    void forget() noexcept { shown_ = {}; }
    /// The terminal's cursor has had another shape than the user's.
    [[nodiscard]] bool has_shaped_cursor() const noexcept { return has_shaped_cursor_; }
    /// The cursor's original style as the terminal reported it: xterm's 0 is a blinking block, whatever the user has
    /// configured.
    void set_own_cursor_style(int style) noexcept { own_cursor_style_ = style; }
    [[nodiscard]] int own_cursor_style() const noexcept { return own_cursor_style_; }

private:
    void mode(int number, bool& shown, bool wanted, std::string& out);

    struct modes {
        bool application_cursor = false, application_keypad = false, bracketed_paste = false, focus = false, reverse = false;
        bool theme_reports = false;
        bool cursor_visible = true, cursor_blinks = false, pixels = false;
        int mouse = 0;        // 0, 1000, 1002, 1003
        int cursor_style = 0; // DECSCUSR's number; the user's until the program sets one
        int other_keys = 0, kitty_flags = 0;
    };
    modes shown_;
    bool has_shaped_cursor_ = false;
    int own_cursor_style_ = 0;
    std::string title_;
    std::array<bool, 3> coloured_{};
    std::array<vt::rgb, 3> colours_{};
};

} // namespace mux
