// SPDX-License-Identifier: MIT
/// @file features.hpp: what a viewer's terminal can do.
/// Pure.  Test: test/mato/features_test.cpp.
#pragma once

#include <cstdint>

namespace mux {

enum class colour_depth : std::uint8_t { none, sixteen, indexed, direct };

/// The defaults are safe on any terminal that knows ECMA-48; the rest is learnt from terminfo and from its own answers.
struct terminal_features {
    colour_depth colours = colour_depth::sixteen;
    bool utf8 = true;
    bool scrolls = true;         ///< DECSTBM with SU and SD
    bool strings = false;        ///< OSC and DCS: those it does not know it ignores
    bool synchronised = false;   ///< mode 2026
    bool kitty_keyboard = false; ///< progressive enhancement of keys
    bool kitty_images = false, sixel_images = false, iterm_images = false;

    void fields(auto& f) {
        f(colours, utf8, scrolls, strings, synchronised, kitty_keyboard, kitty_images, sixel_images, iterm_images);
    }
    bool operator==(const terminal_features&) const = default;
};

} // namespace mux
