// SPDX-License-Identifier: MIT
/// @file pen.hpp: the current style of the viewer's terminal, and the shortest sequence to another one.
/// Pure.  Test: test/mato/frame_look_test.cpp.
/// Source: ECMA-48 8.3.117 SGR; xterm ctlseqs "Character Attributes"; OSC 8.
#pragma once

#include "features.hpp"
#include "vt/style.hpp"
#include "vt/terminal.hpp"

#include <cstddef>
#include <string>

namespace mux {

class pen {
public:
    /// URIs in one frame. A screen whose link changes with every cell would need a URI of 2 KB for each; links beyond the limit
    /// are drawn as plain text. A full screen of file names has a tenth of it.
    static constexpr std::size_t most_link_bytes = 256u << 10;
    void begin_frame() noexcept { link_bytes_left_ = most_link_bytes; }

    /// Appends SGR, and OSC 8 when the link changes, so that the next text looks like `wanted` as far as the terminal supports
    /// it.
    /// Colours of the palette that the program has changed become direct ones.
    void select(const vt::style& wanted, const vt::terminal& source, const terminal_features& features, std::string& out);
    /// The style that the terminal's own erasing and scrolling leave.
    void select_plain(const vt::terminal& source, const terminal_features& features, std::string& out) {
        select({}, source, features, out);
    }
    /// The terminal was reset by SGR 0, which does not close a link.
    void forget() noexcept {
        now_ = {};
        forget_link();
    }
    /// The numbers of links now mean other links.
    void forget_link() noexcept { now_.link = linked_ ? no_known_link : link_none; }

private:
    static constexpr vt::link_id link_none = 0, no_known_link = 0xffff; // a terminal has at most 4096 links

    vt::style now_;
    std::size_t link_bytes_left_ = most_link_bytes;
    bool linked_ = false;
};

inline constexpr int underline_base = 50;
/// Appends the terminal's nearest colour as SGR parameters, each with its semicolon. `base`: 30 foreground, 40 background,
/// `underline_base`. Appends nothing if the terminal has no colours.
void append_colour(std::string& out, vt::colour wanted, int base, colour_depth depth, const vt::terminal& source);

} // namespace mux
