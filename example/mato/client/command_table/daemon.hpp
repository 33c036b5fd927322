// SPDX-License-Identifier: MIT
/// @file daemon.hpp: commands about the daemon, and the program's help.
/// Pure.  Test: test/mato/command_table_test.cpp.
#pragma once

#include "shared.hpp"

#include <array>

namespace mux::table_parts {

constexpr std::array status_exits{exit_meaning{1, "no daemon is running"},
                                  exit_meaning{2, "the daemon runs, but does not answer within a second"}};
constexpr std::array status_examples{words("mato status"), words("mato status --json")};
constexpr std::array status_aliases{words("--status")}, reload_aliases{words("--reload")}, stop_aliases{words("--kill")},
    daemon_aliases{words("--daemon")};

constexpr std::array upgrade_options{
    option{.word = "check",
           .text = "change nothing: say whether the program could take over, and which clients would be lost",
           .take = set_flag<&invocation::check>},
    option{.word = "program",
           .value = "FILE",
           .kind = file,
           .text = "the new program, instead of the one that runs this command",
           .take = set_text<&invocation::replacement>},
};
constexpr std::array upgrade_exits{exit_meaning{2, "the daemon does not answer"}};
constexpr std::array upgrade_examples{words("mato upgrade --check"), words("mato upgrade --program ./mato")};

constexpr std::array restart_options{option{.word = "now",
                                            .text = "kill the daemon's process if it does not answer; programs go on",
                                            .take = set_flag<&invocation::now>}};
constexpr std::array restart_examples{words("mato restart"), words("mato restart --now")};

constexpr std::array reload_examples{words("mato reload")};

constexpr std::array stop_options{
    option{.word = "now", .text = "end the programs at once, by SIGKILL", .take = set_flag<&invocation::now>}};
constexpr std::array stop_examples{words("mato stop"), words("mato stop --now")};

constexpr std::array daemon_options{
    option{.word = "foreground", .text = "stay in the foreground", .take = set_flag<&invocation::foreground>}};
constexpr std::array daemon_exits{exit_meaning{75, "the daemon is already running"}};
constexpr std::array daemon_examples{words("mato daemon"), words("mato daemon --foreground")};

constexpr std::array log_options{
    option{.letter = "f", .text = "print new lines as they come, until interrupted", .take = set_flag<&invocation::follow>}};
constexpr std::array log_examples{words("mato log"), words("mato log -f")};

constexpr std::array completion_operands{operand{"bash|zsh|fish|words", text, operand::count::at_least_one}};
constexpr std::array completion_examples{words("mato completion bash"), words("mato completion words -- attach wo")};

constexpr std::array shell_operands{operand{"bash|zsh|fish", text, optional}};
constexpr std::array shell_examples{words("mato shell bash"), words("mato shell")};
constexpr std::array help_options{
    option{.word = "man", .text = "print it as a manual page, for man(1)", .take = set_flag<&invocation::man>}};
constexpr std::array help_operands{operand{"COMMAND", value_kind::command, optional, choice::none, check_command}};
constexpr std::array help_examples{words("mato help"), words("mato help wait"), words("mato help --man wait")};

constexpr std::array daemon_commands{
    command_entry{.name = "status",
                  .command = command::status,
                  .aliases = status_aliases,
                  .text = "show the daemon's state",
                  .options = only_json,
                  .exits = status_exits,
                  .examples = status_examples},
    command_entry{.name = "upgrade",
                  .command = command::upgrade,
                  .text = "replace the daemon's program by this one while every tab and client goes on",
                  .options = upgrade_options,
                  .exits = upgrade_exits,
                  .examples = upgrade_examples},
    command_entry{.name = "restart",
                  .command = command::restart,
                  .text = "start the daemon's program again while every tab and client goes on",
                  .options = restart_options,
                  .exits = upgrade_exits,
                  .examples = restart_examples},
    command_entry{.name = "reload",
                  .command = command::reload,
                  .aliases = reload_aliases,
                  .text = "read the configuration again",
                  .examples = reload_examples},
    command_entry{.name = "stop",
                  .command = command::stop,
                  .aliases = stop_aliases,
                  .text = "stop the daemon and every tab",
                  .options = stop_options,
                  .examples = stop_examples},
    command_entry{.name = "daemon",
                  .command = command::daemon,
                  .aliases = daemon_aliases,
                  .text = "start the daemon without opening a tab",
                  .options = daemon_options,
                  .exits = daemon_exits,
                  .examples = daemon_examples},
    command_entry{.name = "log",
                  .command = command::log,
                  .text = "print the daemon's log",
                  .options = log_options,
                  .examples = log_examples},
    command_entry{.name = "completion",
                  .command = command::completion,
                  .text = "print a script that completes commands in a shell, or the words that may follow others",
                  .operands = completion_operands,
                  .examples = completion_examples},
    command_entry{.name = "shell",
                  .command = command::shell,
                  .text =
                      "print the script with which a shell outside of mato, or of another user, marks its prompts and commands",
                  .operands = shell_operands,
                  .examples = shell_examples},
    command_entry{.name = "help",
                  .command = command::help,
                  .text = "list the commands, or explain one",
                  .options = help_options,
                  .operands = help_operands,
                  .examples = help_examples},
};

} // namespace mux::table_parts
