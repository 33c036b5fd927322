// SPDX-License-Identifier: MIT
/// @file option_values.hpp: stores the values of options and operands in an invocation, or says what is wrong with them.
/// Pure.  Test: test/mato/cli_test.cpp.
#pragma once

#include "command_table.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace mux {

/// @throws command_failure with exit code 64, and where to find help.
[[noreturn]] void usage_error(const std::string& what);

template <tab_change What> void set_change(invocation& to, const option&, const std::string&) { to.change = What; }
template <bool invocation::*Member> void set_flag(invocation& to, const option&, const std::string&) { to.*Member = true; }
template <std::string invocation::*Member> void set_text(invocation& to, const option&, const std::string& value) {
    to.*Member = value;
}
template <std::string path_options::*Member> void set_path(invocation& to, const option& which, const std::string& value);
template <command Which> void set_command(invocation& to, const option&, const std::string&) { to.command = Which; }
template <std::uint16_t invocation::*Member> void set_cells(invocation& to, const option& which, const std::string& value);
template <std::chrono::milliseconds invocation::*Member>
void set_duration(invocation& to, const option& which, const std::string& value);

void set_task(invocation& to, const option& which, const std::string& value); ///< refuses an empty name
void set_history(invocation& to, const option& which, const std::string& value);
void set_since(invocation& to, const option& which, const std::string& value);
void set_last(invocation& to, const option& which, const std::string& value);
void set_client(invocation& to, const option& which, const std::string& value);
void set_command_instead(invocation& to, const option& which, const std::string& value);
void set_hang_up(invocation& to, const option& which, const std::string& value);
void set_output(invocation& to, const option& which, const std::string& value);
void set_mark(invocation& to, const option& which, const std::string& value);
void set_awaited_state(invocation& to, const option& which, const std::string& value);
void set_pattern(invocation& to, const option& which, const std::string& value);
void add_variable(invocation& to, const option& which, const std::string& value);
void set_size(invocation& to, const std::string& value);
void check_command(invocation& to, const std::string& value);

// ---- implementation ----

[[nodiscard]] std::string value_of(const option& which, const std::string& value); ///< refuses an empty value
[[nodiscard]] std::uint16_t cells_of(const option& which, const std::string& value);
[[nodiscard]] std::chrono::milliseconds duration_of(const option& which, const std::string& value);

template <std::string path_options::*Member> void set_path(invocation& to, const option& which, const std::string& value) {
    to.paths.*Member = value_of(which, value);
}
template <std::uint16_t invocation::*Member> void set_cells(invocation& to, const option& which, const std::string& value) {
    to.*Member = cells_of(which, value);
}
template <std::chrono::milliseconds invocation::*Member>
void set_duration(invocation& to, const option& which, const std::string& value) {
    to.*Member = duration_of(which, value);
}

} // namespace mux
