// SPDX-License-Identifier: MIT
/// @file features.hpp: what a viewer's terminal can do.
/// Pure.  Test: test/mato/features_test.cpp.
/// Source: terminfo(5); what the terminals named in features.cpp document of themselves.
#pragma once

#include "answers.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mux {

struct terminfo;

enum class colour_depth : std::uint8_t { none, sixteen, indexed, direct };

/// What may be asked without being shown as text: nothing; control sequences; those and an application command (APC).
enum class inquiry : std::uint8_t { none, sequences, all };

/// The defaults are safe on any terminal that knows ECMA-48; the rest is learnt from terminfo and from its own answers.
struct terminal_features {
    colour_depth colours = colour_depth::sixteen;
    bool utf8 = true;
    bool addresses = true;       ///< CUP and ED: without them nothing can be shown
    bool scrolls = true;         ///< DECSTBM with SU and SD
    bool strings = false;        ///< OSC and DCS: those it does not know it ignores
    bool synchronised = false;   ///< mode 2026
    bool kitty_keyboard = false; ///< progressive enhancement of keys
    bool mouse_pixels = false;   ///< mode 1016: without it the mouse is reported in cells
    bool kitty_images = false, sixel_images = false, iterm_images = false;
    inquiry asks = inquiry::none;
    bool theme_reports = false; ///< mode 2031; by its answer alone, so no client sends it

    void fields(auto& f) {
        f(colours, utf8, addresses, scrolls, strings, synchronised, kitty_keyboard, mouse_pixels, kitty_images, sixel_images,
          iterm_images, asks);
    }
    bool operator==(const terminal_features&) const = default;
};

/// The variables of the client that say something about its terminal; empty: not set.
struct terminal_environment {
    std::string_view term{}, colorterm{}, term_program{}, lc_all{}, lc_ctype{}, lang{};
};

/// What is known before the terminal was asked. Without terminfo the name alone decides, and a name that is not known gets
/// what any terminal can do. With no locale set the terminal is taken to be of UTF-8, as all that are made today.
[[nodiscard]] terminal_features features_of(const terminal_environment& environment,
                                            const std::optional<terminfo>& description);

/// The bytes that ask the terminal about itself: DECRQM 2026, 1016 and 2031, the kitty keyboard flags, XTVERSION, the size
/// of a cell, its colours, a kitty graphics query, and DA1 last, which every terminal answers. Empty for one that might show
/// them. Write them before the first frame.
[[nodiscard]] std::string questions(const terminal_features& features);

/// The part of it that asks for the colours, which may change, and DA1. Empty for a terminal that might show it.
[[nodiscard]] std::string colour_questions(const terminal_features& features);

/// What an answer adds. Nothing is taken away, and a terminal without colours stays so: environment and terminfo have reasons
/// of their own.
void refine(terminal_features& features, const terminal_answer& answer);

} // namespace mux
