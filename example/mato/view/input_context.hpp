// SPDX-License-Identifier: MIT
/// @file input_context.hpp: the state that decides how the bytes of a viewer's terminal are read.
/// Pure.  Test: test/mato/input_reader_test.cpp.
#pragma once

#include "mouse.hpp"

#include <cstdint>

namespace mux::vt {
class terminal;
}

namespace mux {

/// The state while bytes are read. It is read again at each event: a change made by a sink applies from the next byte.
struct input_context {
    char prefix = '\x1c';
    bool readonly = false;      ///< nothing is passed to the program; commands and scrolling work
    bool scrolled = false;      ///< the viewer shows history
    bool captured = false;      ///< a screen of mato has keyboard and mouse: keys are its own, also if `readonly`
    bool selects = false;       ///< buttons and drags are for mato while the program does not use the mouse
    bool theme_reports = false; ///< the terminal reports its theme (2031); these reports are not passed to the program
    int own_row = 0;            ///< the terminal's row from which on rows are not the tab's, from 1; 0: all are
    unsigned questions = 0;     ///< queries whose last answer (DA1) has not arrived: while there are any, answers are for mato

    mouse_tracking mouse = mouse_tracking::none;
    mouse_encoding encoding = mouse_encoding::plain;
    bool focus = false;              ///< 1004
    bool bracketed_paste = false;    ///< 2004
    bool alternate_screen = false;   ///< it is shown
    bool alternate_scroll = false;   ///< 1007
    bool application_cursor = false; ///< DECCKM
    std::uint8_t kitty_flags = 0;

    int top = 0, left = 0;                       ///< row and column of the tab in the viewer's top left cell, from 0
    int rows = 24, columns = 80;                 ///< of the tab
    bool pixels = false;                         ///< the viewer's terminal reports the mouse in pixels (1016)
    int cell_width = 0, cell_height = 0;         ///< of the viewer's cells, in pixels; 0: unknown
    int tab_cell_width = 0, tab_cell_height = 0; ///< of the tab's cells, as reported to its program; a default if unknown

    /// Copies the modes of the program in `tab`, and the tab's size.
    void follow(const mux::vt::terminal& tab) noexcept;
};

} // namespace mux
