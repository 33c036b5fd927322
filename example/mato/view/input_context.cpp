// SPDX-License-Identifier: MIT
#include "input_context.hpp"

#include "vt/terminal.hpp"

namespace mux {

void input_context::follow(const mux::vt::terminal& tab) noexcept {
    using mux::vt::mode;
    mouse = tab.is_set(mode::mouse_x10)         ? mouse_tracking::x10
            : tab.is_set(mode::mouse_buttons)   ? mouse_tracking::buttons
            : tab.is_set(mode::mouse_highlight) ? mouse_tracking::highlight
            : tab.is_set(mode::mouse_drags)     ? mouse_tracking::drags
            : tab.is_set(mode::mouse_all)       ? mouse_tracking::all
                                                : mouse_tracking::none;
    encoding = tab.is_set(mode::mouse_utf8)         ? mouse_encoding::utf8
               : tab.is_set(mode::mouse_urxvt)      ? mouse_encoding::urxvt
               : tab.is_set(mode::mouse_sgr)        ? mouse_encoding::sgr
               : tab.is_set(mode::mouse_sgr_pixels) ? mouse_encoding::sgr_pixels
                                                    : mouse_encoding::plain;
    focus = tab.is_set(mode::focus);
    bracketed_paste = tab.is_set(mode::bracketed_paste);
    alternate_screen = tab.is_set(mode::alternate_screen);
    alternate_scroll = tab.is_set(mode::alternate_scroll);
    application_cursor = tab.is_set(mode::application_cursor);
    kitty_flags = static_cast<std::uint8_t>(tab.kitty_keyboard_flags());
    rows = tab.size().rows;
    columns = tab.size().columns;
    tab_cell_width = tab.cell_size().width;
    tab_cell_height = tab.cell_size().height;
}

} // namespace mux
