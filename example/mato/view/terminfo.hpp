// SPDX-License-Identifier: MIT
/// @file terminfo.hpp: the facts of a terminal's terminfo entry that decide what it is sent.
/// Test: test/mato/features_test.cpp.
/// Threads: one at a time: the library has one current terminal.   Blocks: reads a small file.
/// Source: terminfo(5), user_caps(5), setupterm(3).
#pragma once

#include <optional>
#include <string>

namespace mux {

struct terminfo {
    int colours = 0;            ///< `colors`; 0: none
    bool direct_colour = false; ///< `RGB`, or tmux's `Tc`
    bool addresses = false;     ///< `cup` and `clear`
    bool scrolls = false;       ///< `csr` with `indn` and `rin`
    bool strings = false;       ///< a capability that uses an OSC of xterm: `XT`, `tsl`, `Ms`, `initc`

    bool operator==(const terminfo&) const = default;
};

/// Reads the entry `name` where TERMINFO, HOME and TERMINFO_DIRS say.
/// @returns nothing if there is no such entry, and in a build without the library
[[nodiscard]] std::optional<terminfo> read_terminfo(const std::string& name);

} // namespace mux
