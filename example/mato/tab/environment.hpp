// SPDX-License-Identifier: MIT
/// @file environment.hpp: the environment variables of a tab's program.
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

/// Copies the variables in `names` from `client` (items "NAME=value", or "NAME" if it is not set there), and no others.
void update(environment& base, const std::vector<std::string>& names, const std::vector<std::string>& client);

/// The variables of a tab: the daemon's, without those of its service manager, its multiplexer and the terminal in which it was
/// started; then MATO, MATO_TAB, TERM, COLORTERM, TERM_PROGRAM and TERM_PROGRAM_VERSION; then `extra`, which takes precedence.
[[nodiscard]] environment for_tab(environment base, std::string_view socket, int daemon_pid, tab_id tab,
                                  const std::vector<std::string>& extra);

} // namespace mux
