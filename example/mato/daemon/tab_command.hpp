// SPDX-License-Identifier: MIT
/// @file tab_command.hpp: what a new tab runs, and what it is called after it.
/// Pure, but that a path is looked up to know whether it needs a shell.   Test: test/mato/tab_command_test.cpp.
#pragma once

#include "protocol/protocol.hpp"
#include "pty/spawn.hpp"

#include <string>

namespace mux {

inline constexpr std::size_t most_shown_bytes = 256; ///< of a command line in listings: thousands of tabs fit in one answer

struct tab_command {
    spawn_request program; ///< without environment and limits
    std::string shown;     ///< to users, at most `most_shown_bytes`
    std::string name;      ///< of the tab
};

/// No words: a login shell. One word: a line for the shell, unless a shell would do nothing but run it. Several: the program
/// and its arguments, as they are. A terminal without a size has the default one.
[[nodiscard]] tab_command command_of(const new_tab& wanted, const std::string& shell);

} // namespace mux
