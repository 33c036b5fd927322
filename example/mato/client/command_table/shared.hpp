// SPDX-License-Identifier: MIT
/// @file shared.hpp: options, operands and exit codes that several groups of commands have.
/// Pure.  Test: test/mato/command_table_test.cpp.
#pragma once

#include "../option_values.hpp"

#include <array>
#include <string_view>

/// The parts of `command_table`, each a group of commands. Only command_table.cpp includes them.
namespace mux::table_parts {

using enum value_kind;
using words = std::string_view;
constexpr auto one_of = choice::exactly_one, at_most = choice::at_most_one;
constexpr auto optional = operand::count::optional, any = operand::count::at_least_one;

constexpr option as_json{.word = "json", .text = "print JSON", .take = set_flag<&invocation::json>};
constexpr std::array only_json{as_json};
constexpr std::array short_a{words("a")}, short_k{words("k")}, short_l{words("l")}, short_n{words("n")}, short_s{words("s")};
constexpr std::array one_tab{operand{"TAB", tab}};

} // namespace mux::table_parts
