// SPDX-License-Identifier: MIT
/// @file options.hpp: a terminal's size, limits and name.
/// Layer: vt core.  Test: test/mato/vt/terminal_test.cpp.
/// Threads: values.   Blocks: never.
#pragma once

#include "events.hpp"
#include "geometry.hpp"
#include "history.hpp"
#include "host_terminal.hpp"
#include "picture_store.hpp"

#include <chrono>
#include <string>

namespace mux::vt {

/// Time since any fixed moment; it must not decrease.
using moment = std::chrono::milliseconds;

struct terminal_limits {
    history_limits history{};
    event_limits events{};
    picture_limits pictures{};
    /// Bytes of answers that may wait. A query has at least three bytes and an answer less than a hundred, so this limits a
    /// program that never reads; queries beyond it stay unanswered.
    std::size_t answer_bytes = 16 * 1024;
    /// Bytes of a control string other than an image; a longer one is ignored. Enough for a long OSC 52.
    std::size_t string_bytes = 1u << 20;
    /// Bytes of one image; a longer one is dropped. kitty sends 4096 at a time, sixel and iTerm2 the whole image.
    std::size_t image_bytes = 8u << 20;
    /// How long a synchronised update may delay a viewer: the program may have died before its end.
    moment synchronised_update{1000};
};

struct terminal_options {
    screen_size size{};
    terminal_limits limits{};
    std::string name = "mato"; ///< XTVERSION's answer; printable ASCII
    std::string version = "0.1";
    int cell_width = 0; ///< pixels, for the window reports and for the cells of an image; 0: unknown
    int cell_height = 0;
    picture_protocols pictures{}; ///< none: images are events
    host_terminal host{};
};

} // namespace mux::vt
