// SPDX-License-Identifier: MIT
/// @file tab_command.hpp: the command of a new tab, and the tab's default name.
/// Pure, except that a path is looked up to decide whether it needs a shell.   Test: test/mato/tab_command_test.cpp.
#pragma once

#include "protocol/protocol.hpp"
#include "pty/spawn.hpp"

#include <string>

namespace mux {

inline constexpr std::size_t most_shown_bytes = 256; ///< of a command line in listings: thousands of tabs fit into one answer

struct tab_command {
    spawn_request program; ///< without environment and limits
    std::string shown;     ///< for users, at most `most_shown_bytes`
    std::string name;      ///< of the tab
};

/// No words: a login shell. One word: a line for the shell, unless the shell would only run it. Several words: a program and
/// its arguments. A terminal without a size gets the default size.
[[nodiscard]] tab_command command_of(const new_tab& wanted, const std::string& shell);

} // namespace mux
