// SPDX-License-Identifier: MIT
/// @file host_terminal.hpp: what is known of the terminal that shows this one, and is told to programs that ask.
/// Layer: vt core.  Test: test/mato/vt/21_host.vt.
/// Threads: values; a colour table is never changed once it is shared.   Blocks: never.
/// Source: xterm ctlseqs OSC 4, 10 to 12; Contour "Color Palette Update Notifications" (mode 2031, DSR 996).
///
/// Nothing here is made up: what the terminal has not said is not answered.
#pragma once

#include "colour.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace mux::vt {

/// A colour as terminals tell it.
struct wide_rgb {
    std::uint16_t red = 0, green = 0, blue = 0;
    friend bool operator==(const wide_rgb&, const wide_rgb&) = default;
};

/// "rgb:rrrr/gggg/bbbb", the form xterm answers in.
[[nodiscard]] std::string colour_specification(wide_rgb c);

enum class theme : std::uint8_t { dark = 1, light = 2 }; ///< the numbers of CSI ? 997 ; n n

struct host_colours {
    std::array<std::optional<wide_rgb>, palette::size> at{}; ///< by the palette's indices
    std::optional<vt::theme> reported{};                     ///< by the terminal itself

    /// As reported, else by how light the background is.
    [[nodiscard]] std::optional<vt::theme> theme() const noexcept;
    friend bool operator==(const host_colours&, const host_colours&) = default;
};

struct host_terminal {
    std::shared_ptr<const host_colours> colours{}; ///< null: nothing is known
    bool kitty_keyboard = true;                    ///< CSI ? u is answered
    bool clipboard = false;                        ///< OSC 52 is passed on: DA1 and XTGETTCAP say so
    bool is_awaited = false;                       ///< it has been asked: questions about it wait for what it says
};

} // namespace mux::vt
