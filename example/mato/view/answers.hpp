// SPDX-License-Identifier: MIT
/// @file answers.hpp: the answers of a viewer's terminal to queries about its features.
/// Pure.  Test: test/mato/features_test.cpp.
/// Source: xterm ctlseqs DA1, DECRPM, DECRPSS, XTVERSION, XTWINOPS, OSC 4, 10 to 12; mode 2031; kitty's keyboard and graphics
/// protocols.
#pragma once

#include "vt/host_terminal.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mux {

/// DA1, CSI ? 62 ; 4 ; 22 c. It is the last answer: a query before it that was not answered is not supported.
struct device_attributes {
    static constexpr std::size_t limit = 32; ///< attributes kept; terminals have at most twenty
    std::vector<int> attributes;
    bool operator==(const device_attributes&) const = default;
};

/// DECRPM of a private mode: 0 unknown, 1 set, 2 reset, 3 permanently set, 4 permanently reset.
struct mode_state {
    int mode = 0, state = 0;
    bool operator==(const mode_state&) const = default;
};

/// CSI ? flags u: the terminal supports the kitty keyboard protocol.
struct keyboard_flags {
    int flags = 0;
    bool operator==(const keyboard_flags&) const = default;
};

/// XTVERSION: "foot(1.16.2)".
struct terminal_version {
    std::string text;
    bool operator==(const terminal_version&) const = default;
};

/// The graphics protocol's answer to the query in features.cpp: OK, or the error.
struct graphics_reply {
    bool known = false;
    bool operator==(const graphics_reply&) const = default;
};

/// OSC 4, or 10 to 12. `index` is that of the palette: 256 the text, 257 the background, 258 the cursor.
struct colour_reply {
    std::uint16_t index = 0;
    mux::vt::wide_rgb colour;
    bool operator==(const colour_reply&) const = default;
};

/// CSI ? 997 ; 1 or 2 n: reported at each change while mode 2031 is set.
struct theme_report {
    mux::vt::theme now = mux::vt::theme::dark;
    bool operator==(const theme_report&) const = default;
};

/// XTWINOPS 16, CSI 6 ; height ; width t: pixels of a cell.
struct cell_report {
    int width = 0, height = 0;
    bool operator==(const cell_report&) const = default;
};

/// DECRPSS of DECSCUSR, DCS 1 $ r style SP q: 1 to 6 as DECSCUSR takes them.
struct cursor_style_report {
    int style = 0;
    bool operator==(const cursor_style_report&) const = default;
};

using terminal_answer = std::variant<device_attributes, mode_state, keyboard_flags, terminal_version, graphics_reply,
                                     colour_reply, cell_report, cursor_style_report, theme_report>;

/// The longest answer that is recognised, in bytes. XTVERSION's text is the longest: under 100 in all terminals seen.
inline constexpr std::size_t longest_answer = 256;

/// Parses one whole sequence, from its ESC to its end.
/// @returns nothing if it is none of the answers above
[[nodiscard]] std::optional<terminal_answer> parse_answer(std::string_view sequence);

} // namespace mux
