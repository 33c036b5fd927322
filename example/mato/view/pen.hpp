// SPDX-License-Identifier: MIT
/// @file pen.hpp: the look the viewer's terminal writes in, and the shortest way to the next one.
/// Pure.  Test: test/mato/frame_test.cpp.
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
    /// URIs in one frame. A screen whose links change with every cell would name a URI of 2 KB for each of them; what is over
    /// this is drawn as text without a link. A listing of a full screen's files has a tenth of it.
    static constexpr std::size_t most_link_bytes = 256u << 10;
    void begin_frame() noexcept { link_bytes_left_ = most_link_bytes; }

    /// SGR, and OSC 8 when the link changes, so that what is written next looks like `wanted` as far as the terminal can.
    /// Colours of the palette that the program has changed become direct ones.
    void select(const vt::style& wanted, const vt::terminal& source, const terminal_features& features, std::string& out);
    /// The look the terminal's own erasing and scrolling leave behind.
    void select_plain(const vt::terminal& source, const terminal_features& features, std::string& out) {
        select({}, source, features, out);
    }
    /// The terminal was reset by SGR 0, which leaves a link open.
    void forget() noexcept {
        now_ = {};
        forget_link();
    }
    /// Numbers of links mean others now.
    void forget_link() noexcept { now_.link = linked_ ? no_known_link : link_none; }

private:
    static constexpr vt::link_id link_none = 0, no_known_link = 0xffff; // a terminal has 4096 links at most

    vt::style now_;
    std::size_t link_bytes_left_ = most_link_bytes;
    bool linked_ = false;
};

inline constexpr int underline_base = 50;
/// Appends the nearest of the terminal's colours as SGR parameters, each with its semicolon. `base`: 30 foreground, 40
/// background, `underline_base`. Nothing when the terminal has no colours.
void append_colour(std::string& out, vt::colour wanted, int base, colour_depth depth, const vt::terminal& source);

} // namespace mux
