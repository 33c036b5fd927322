// SPDX-License-Identifier: MIT
/// @file help.hpp: help, usage and the manual's table of commands, made from the table of commands.
/// Pure.  Test: test/mato/command_table_test.cpp.
#pragma once

#include "command_table.hpp"

#include <string>
#include <vector>

namespace mux {

/// "wait (--exit | --idle DUR | --text REGEX) [--timeout DUR] TAB".
[[nodiscard]] std::string usage_of(const command_entry& entry);
/// The names of the alternatives of a command, joined by `last` before the last one: "-a or CLIENT".
[[nodiscard]] std::string alternatives_of(const command_entry& entry, const std::string& last);

/// All commands, and the options before the command.
[[nodiscard]] std::string help_text();
/// What a command does, its options, exit codes and examples.
[[nodiscard]] std::string help_of(const command_entry& entry);

/// The rows of the manual's table of commands: "| `usage` | text |".
[[nodiscard]] std::vector<std::string> manual_rows();

} // namespace mux
