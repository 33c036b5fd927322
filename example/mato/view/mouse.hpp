// SPDX-License-Identifier: MIT
/// @file mouse.hpp: a mouse event, parsed from the viewer's terminal and encoded for the program.
/// Pure.  Test: test/mato/mouse_test.cpp.
/// Source: xterm ctlseqs "Mouse Tracking" and "Extended coordinates".
#pragma once

#include "input_sequence.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace mux {

/// Modes 9, 1000, 1001, 1002, 1003. Highlight tracking is reported as buttons: the highlight itself is left to the viewer's
/// terminal.
enum class mouse_tracking : std::uint8_t { none, x10, buttons, highlight, drags, all };
/// No mode, 1005, 1015, 1006, 1016.
enum class mouse_encoding : std::uint8_t { plain, utf8, urxvt, sgr, sgr_pixels };

/// One report. Positions are from 1, in cells or pixels, depending on the mode.
struct mouse_report {
    static constexpr unsigned shift = 4, alt = 8, control = 16, modifiers = shift | alt | control;
    static constexpr unsigned motion = 32, wheel = 64, extra = 128;
    static constexpr unsigned no_button = 3; ///< of motion

    unsigned code = 0; ///< button, modifiers and kind, as in SGR
    int x = 1, y = 1;
    bool release = false;

    [[nodiscard]] bool is_motion() const noexcept { return (code & motion) != 0; }
    [[nodiscard]] bool is_wheel() const noexcept { return (code & (wheel | extra)) == wheel; }
    bool operator==(const mouse_report&) const = default;
};

/// The largest position, in cells or pixels; larger ones are reduced to it.
inline constexpr int largest_mouse_position = 65535;

/// Parses SGR reports only (1006 and 1016): CSI < code ; x ; y M, or m for a release. Some terminals report negative positions
/// left of or above them; these are kept.
[[nodiscard]] std::optional<mouse_report> parse_mouse(const input_sequence& sequence) noexcept;

/// True if the program's `tracking` mode includes this report.
[[nodiscard]] bool is_wanted(const mouse_report& report, mouse_tracking tracking) noexcept;

/// The report in the program's encoding; empty if its position does not fit into the encoding.
/// @pre is_wanted(report, tracking)
[[nodiscard]] std::string encode_mouse(mouse_report report, mouse_tracking tracking, mouse_encoding encoding);

} // namespace mux
