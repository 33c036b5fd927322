// SPDX-License-Identifier: MIT
/// @file watching.hpp: commands that list, mark and watch tabs and clients.
/// Pure.  Test: test/mato/command_table_test.cpp.
#pragma once

#include "shared.hpp"

#include <array>

namespace mux::table_parts {

constexpr std::array ls_options{
    option{.word = "ended",
           .in = at_most,
           .text = "the last 1000 tabs that have ended, with their exit codes",
           .take = set_flag<&invocation::ended>},
    option{.letter = "w",
           .in = at_most,
           .text = "stay, and draw the list again after each change, until interrupted",
           .take = set_flag<&invocation::follow>},
    as_json,
};
constexpr std::array ls_examples{words("mato ls"), words("mato ls -w"), words("mato ls --json")};

constexpr std::array clients_examples{words("mato clients"), words("mato clients --json")};

constexpr std::array has_examples{words("mato has work/build"), words("mato has 3")};

constexpr std::array state_options{
    option{.word = "note", .value = "TEXT", .kind = text, .text = "shown with the state", .take = set_text<&invocation::note>}};
constexpr std::array state_operands{operand{"TAB", tab, optional}, operand{"working|blocked|done|clear", text}};
constexpr std::array state_examples{words("mato state blocked --note 'wants to run the tests'"), words("mato state 3 clear")};

constexpr std::array notice_options{option{.word = "tab",
                                           .value = "TAB",
                                           .kind = tab,
                                           .text = "from this tab, not from the one in which the command runs",
                                           .take = set_text<&invocation::tab>}};
constexpr std::array notice_operands{operand{"TEXT", text}};
constexpr std::array notice_examples{words("mato notice 'the build is done'"), words("mato notice --tab 3 failed")};

constexpr std::array events_options{
    option{.word = "since",
           .value = "NUMBER",
           .kind = number,
           .text = "begin with the numbers of the events after NUMBER that are missed, and with a restart that came after it",
           .take = set_since},
    as_json,
};
constexpr std::array events_examples{words("mato events"), words("mato events --json --since 42")};

constexpr std::array control_examples{words("mato control")};

constexpr std::array watching_commands{
    command_entry{.name = "ls",
                  .command = command::ls,
                  .aliases = short_l,
                  .text = "list tasks and tabs",
                  .options = ls_options,
                  .examples = ls_examples},
    command_entry{.name = "clients",
                  .command = command::clients,
                  .text = "list clients",
                  .options = only_json,
                  .examples = clients_examples},
    command_entry{.name = "has",
                  .command = command::has,
                  .text = "exit with 0 when the tab exists",
                  .operands = one_tab,
                  .examples = has_examples},
    command_entry{.name = "state",
                  .command = command::state,
                  .text = "say what a tab does; a blocked one needs you and is marked until it says something else",
                  .options = state_options,
                  .operands = state_operands,
                  .examples = state_examples},
    command_entry{.name = "notice",
                  .command = command::notice,
                  .text = "mark a tab, and notify the terminal that was used last",
                  .options = notice_options,
                  .operands = notice_operands,
                  .examples = notice_examples},
    command_entry{.name = "events",
                  .command = command::events,
                  .text = "print events, one per line, until interrupted",
                  .options = events_options,
                  .examples = events_examples},
    command_entry{.name = "control",
                  .command = command::control,
                  .text = "read commands from standard input, print answers and events as lines of JSON",
                  .examples = control_examples},
};

} // namespace mux::table_parts
