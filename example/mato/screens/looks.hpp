// SPDX-License-Identifier: MIT
/// @file looks.hpp: the styles of mato's own rows, made from the terminal's own colours.
/// Pure.  Test: test/mato/screens_test.cpp.
#pragma once

#include "vt/host_terminal.hpp"
#include "vt/style.hpp"

namespace mux {

/// Styles readable on black and on white, in 24-bit colours, in 16 and in none.
struct looks {
    vt::style plain;         ///< text on a screen
    vt::style strong;        ///< a key, a heading
    vt::style faint;         ///< less important
    vt::style ground;        ///< a bar: 12 % of the terminal's foreground mixed into its background, or reversed
    vt::style strong_ground; ///< a heading in a bar
    vt::style lifted;        ///< the part of a bar that is shown; 24 %, or bold and reversed
    vt::style accent;        ///< the mark of something that needs the user
    bool unicode = true;
};

/// @param colours the terminal's answers; null, or without background: unknown · @param many it has more than 16 colours ·
/// @param unicode it shows UTF-8
[[nodiscard]] looks looks_of(const vt::host_colours* colours, bool many, bool unicode);

} // namespace mux
