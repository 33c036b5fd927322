// SPDX-License-Identifier: MIT
/// @file features.hpp: the features of a viewer's terminal.
/// Pure.  Test: test/mato/features_test.cpp.
/// Source: terminfo(5); the documentation of the terminals named in features.cpp.
#pragma once

#include "answers.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mux {

struct terminfo;

enum class colour_depth : std::uint8_t { none, sixteen, indexed, direct };

/// The queries that the terminal does not print as text: none; control sequences; those and an application command (APC).
enum class inquiry : std::uint8_t { none, sequences, all };

/// The defaults are safe on any ECMA-48 terminal; terminfo and the terminal's own answers add to them.
struct terminal_features {
    colour_depth colours = colour_depth::sixteen;
    bool utf8 = true;
    bool addresses = true;       ///< CUP and ED: required to show anything
    bool scrolls = true;         ///< DECSTBM with SU and SD
    bool strings = false;        ///< OSC and DCS: unknown ones are ignored
    bool synchronised = false;   ///< mode 2026
    bool kitty_keyboard = false; ///< progressive enhancement of keys
    bool mouse_pixels = false;   ///< mode 1016: without it the mouse is reported in cells
    bool kitty_images = false, sixel_images = false, iterm_images = false;
    inquiry asks = inquiry::none;
    bool theme_reports = false; ///< mode 2031; only set by an answer, so no client sends it

    void fields(auto& f) {
        f(colours, utf8, addresses, scrolls, strings, synchronised, kitty_keyboard, mouse_pixels, kitty_images, sixel_images,
          iterm_images, asks);
    }
    bool operator==(const terminal_features&) const = default;
};

/// The client's environment variables that describe its terminal; empty: not set.
struct terminal_environment {
    std::string_view term{}, colorterm{}, term_program{}, lc_all{}, lc_ctype{}, lang{};
};

/// The features known before any query. Without terminfo the name decides, and an unknown name gets the features of any
/// terminal. Without a locale the terminal is assumed to use UTF-8.
[[nodiscard]] terminal_features features_of(const terminal_environment& environment,
                                            const std::optional<terminfo>& description);

/// The queries to the terminal: DECRQM 2026, 1016 and 2031, the kitty keyboard flags, XTVERSION, the size of a cell, its
/// colours, a kitty graphics query, and DA1 last, which every terminal answers. Empty if the terminal might print them. They
/// must be sent before the first frame.
[[nodiscard]] std::string questions(const terminal_features& features);

/// The queries for the colours, which may change, and DA1. Empty if the terminal might print them.
[[nodiscard]] std::string colour_questions(const terminal_features& features);

/// Adds what an answer reports. It removes nothing and does not add colours to a terminal without: environment and terminfo
/// take precedence there.
void refine(terminal_features& features, const terminal_answer& answer);

} // namespace mux
