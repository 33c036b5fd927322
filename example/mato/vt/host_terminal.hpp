// SPDX-License-Identifier: MIT
/// @file host_terminal.hpp: known facts about the terminal that shows this one, for programs that query them.
/// Layer: vt core.  Test: test/mato/vt/21_host.vt.
/// Threads: values; a colour table is never changed once it is shared.   Blocks: never.
/// Source: xterm ctlseqs OSC 4, 10 to 12; Contour "Color Palette Update Notifications" (mode 2031, DSR 996).
///
/// Unknown values are not answered; nothing is made up.
#pragma once

#include "colour.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace mux::vt {

/// A colour in the form of a terminal's answer.
struct wide_rgb {
    std::uint16_t red = 0, green = 0, blue = 0;
    friend bool operator==(const wide_rgb&, const wide_rgb&) = default;
};

/// "rgb:rrrr/gggg/bbbb", the form of xterm's answers.
[[nodiscard]] std::string colour_specification(wide_rgb c);

enum class theme : std::uint8_t { dark = 1, light = 2 }; ///< the numbers of CSI ? 997 ; n n

struct host_colours {
    std::array<std::optional<wide_rgb>, palette::size> at{}; ///< by the palette's indices
    std::optional<vt::theme> reported{};                     ///< by the terminal itself

    /// As reported, or else by the lightness of the background.
    [[nodiscard]] std::optional<vt::theme> theme() const noexcept;
    friend bool operator==(const host_colours&, const host_colours&) = default;
};

struct host_terminal {
    std::shared_ptr<const host_colours> colours{}; ///< null: unknown
    bool kitty_keyboard = true;                    ///< CSI ? u is answered
    bool clipboard = false;                        ///< OSC 52 is passed on: DA1 and XTGETTCAP say so
    bool is_awaited = false;                       ///< its answers are expected: queries about it wait for them
};

} // namespace mux::vt
