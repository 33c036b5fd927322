// SPDX-License-Identifier: MIT
/// @file man_pages.hpp: the manual pages of the program and of its commands, made from the table of commands.
/// Pure.  Test: test/mato/man_pages_test.cpp.   Source: man(7).
#pragma once

#include "command_table.hpp"

#include <string>

namespace mux {

/// mato(1): all commands, the options before the command, and the exit codes.
[[nodiscard]] std::string man_page();
/// mato-COMMAND(1).
[[nodiscard]] std::string man_page_of(const command_entry& entry);

} // namespace mux
