// SPDX-License-Identifier: MIT
/// @file environment.hpp: the variables a tab's program starts with.
/// Pure.  Test: test/mato/environment_test.cpp.
#pragma once

#include "protocol/ids.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mux {

/// Name to value.
using environment = std::map<std::string, std::string, std::less<>>;

/// From "NAME=value" items, as in environ(7). Items without '=' or name are left out.
[[nodiscard]] environment parse_environment(const std::vector<std::string>& items);
[[nodiscard]] std::vector<std::string> to_strings(const environment& variables);

/// Takes over from `client` (items "NAME=value", or "NAME" for "unset there") the variables called `names`, no others.
void update(environment& base, const std::vector<std::string>& names, const std::vector<std::string>& client);

/// What a tab gets: the daemon's variables without those of its service manager, of its multiplexer and of the terminal it was
/// started in; then MATO, MATO_TAB, TERM, COLORTERM, TERM_PROGRAM and TERM_PROGRAM_VERSION; then `extra`, which wins.
[[nodiscard]] environment for_tab(environment base, std::string_view socket, int daemon_pid, tab_id tab,
                                  const std::vector<std::string>& extra);

} // namespace mux
