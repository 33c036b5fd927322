// SPDX-License-Identifier: MIT
/// @file mirror.hpp: the modes, cursor, title and colours of a tab, repeated on the viewer's terminal.
/// Pure.  Test: test/mato/frame_test.cpp.
/// Source: xterm ctlseqs "DEC Private Mode Set", DECSCUSR, OSC 0, 7, 10-12; kitty keyboard protocol "Progressive enhancement".
///
/// The keyboard's modes are the program's own, so that keys need no translation. The mouse reports in one form, SGR, whatever
/// the program asked for: its reports are moved by the viewer's position and so are written anew anyway.
#pragma once

#include "features.hpp"
#include "vt/terminal.hpp"

#include <array>
#include <string>
#include <string_view>

namespace mux {

/// Every mode a program or `mirror` may have left switched on goes off; the look, the region and the keyboard are as after
/// reset. The cursor may move, and keeps its shape.
[[nodiscard]] std::string_view reset_sequence();
/// The part of it that neither moves the cursor nor changes what is drawn next: keyboard, mouse, reverse video, visibility.
[[nodiscard]] std::string_view reset_modes() noexcept;
/// DECSCUSR: 1 blinking block, 2 steady block, 3 and 4 underline, 5 and 6 bar; 0 what the terminal takes for the user's own.
[[nodiscard]] std::string select_cursor_style(int style);

class mirror {
public:
    struct wishes {
        bool wheel = false;    ///< report the wheel though the program wants no mouse
        bool readonly = false; ///< the keyboard's modes and the mouse stay as they are
    };
    /// Appends what makes the terminal's modes those of `source`, but for the cursor's visibility.
    void update(const vt::terminal& source, const terminal_features& features, const wishes& w, std::string& out);
    void show_cursor(bool visible, std::string& out);
    /// The terminal was reset by `reset_sequence`, which leaves title and colours alone.
    void forget() noexcept { shown_ = {}; }
    /// The terminal's cursor has been given another shape than the user's, at any time.
    [[nodiscard]] bool has_shaped_cursor() const noexcept { return has_shaped_cursor_; }
    /// What the terminal said that its cursor was before: xterm's 0 is a blinking block, whatever the user has chosen.
    void set_own_cursor_style(int style) noexcept { own_cursor_style_ = style; }
    [[nodiscard]] int own_cursor_style() const noexcept { return own_cursor_style_; }

private:
    void mode(int number, bool& shown, bool wanted, std::string& out);

    struct modes {
        bool application_cursor = false, application_keypad = false, bracketed_paste = false, focus = false, reverse = false;
        bool theme_reports = false;
        bool cursor_visible = true, cursor_blinks = false, pixels = false;
        int mouse = 0;        // 0, 1000, 1002, 1003
        int cursor_style = 0; // DECSCUSR's number: until the program asks, the user's own
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
