// SPDX-License-Identifier: MIT
/// @file mouse.hpp: what a mouse did, read as the viewer's terminal reports it and written as the program wants it.
/// Pure.  Test: test/mato/mouse_test.cpp.
/// Source: xterm ctlseqs "Mouse Tracking" and "Extended coordinates".
#pragma once

#include "control_sequence.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace mux {

/// Modes 9, 1000, 1001, 1002, 1003. Highlight tracking is reported as buttons: the text a program would have marked is the
/// viewer's terminal's own to mark.
enum class mouse_tracking : std::uint8_t { none, x10, buttons, highlight, drags, all };
/// No mode, 1005, 1015, 1006, 1016.
enum class mouse_encoding : std::uint8_t { plain, utf8, urxvt, sgr, sgr_pixels };

/// One report. Positions are from 1, in cells or pixels; what reports them knows which.
struct mouse_report {
    static constexpr unsigned shift = 4, alt = 8, control = 16, modifiers = shift | alt | control;
    static constexpr unsigned motion = 32, wheel = 64, extra = 128;
    static constexpr unsigned no_button = 3; ///< of motion

    unsigned code = 0; ///< button, modifiers and kind, as SGR has them
    int x = 1, y = 1;
    bool release = false;

    [[nodiscard]] bool is_motion() const noexcept { return (code & motion) != 0; }
    [[nodiscard]] bool is_wheel() const noexcept { return (code & (wheel | extra)) == wheel; }
    bool operator==(const mouse_report&) const = default;
};

/// The largest position, in cells or pixels, that is read; larger ones are this one.
inline constexpr int largest_mouse_position = 65535;

/// SGR reports alone (1006 and 1016): CSI < code ; x ; y M, or m for a release. A position left of or above the terminal is
/// negative in some, and is kept so.
[[nodiscard]] std::optional<mouse_report> parse_mouse(const control_sequence& sequence) noexcept;

/// True if a program that asked for `tracking` is told of this.
[[nodiscard]] bool is_wanted(const mouse_report& report, mouse_tracking tracking) noexcept;

/// A report as the program reads it; empty when the encoding has no room for its position.
/// @pre is_wanted(report, tracking)
[[nodiscard]] std::string encode_mouse(mouse_report report, mouse_tracking tracking, mouse_encoding encoding);

} // namespace mux
