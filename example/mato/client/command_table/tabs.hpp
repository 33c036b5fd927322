// SPDX-License-Identifier: MIT
/// @file tabs.hpp: commands that open, show, change and close tabs.
/// Pure.  Test: test/mato/command_table_test.cpp.
#pragma once

#include "shared.hpp"

#include <array>

namespace mux::table_parts {

constexpr option kept{.word = "keep",
                      .text = "the tab stays after its program's end, whatever remain_on_exit says",
                      .take = set_flag<&invocation::remains>};
constexpr option relayed{.word = "relay",
                         .text = "pass the output through this client; the daemon does not open the terminal",
                         .take = set_flag<&invocation::relay>};
constexpr option nested{.word = "nest",
                        .text = "inside a tab: show the tab in the current tab instead of switching to it",
                        .take = set_flag<&invocation::nest>};
constexpr option in_task{.letter = "t",
                         .value = "TASK",
                         .kind = task,
                         .text = "the task to which the tab belongs; it is created if needed",
                         .take = set_text<&invocation::task>};
constexpr option with_name{
    .letter = "n", .value = "NAME", .kind = name, .text = "the tab's name", .take = set_text<&invocation::name>};
constexpr option in_directory{.letter = "c",
                              .value = "DIR",
                              .kind = directory,
                              .text = "the program's working directory, which must exist",
                              .take = set_text<&invocation::directory>};
constexpr option with_variable{.letter = "e",
                               .value = "NAME=VALUE",
                               .kind = variable,
                               .repeats = true,
                               .text = "set a variable of the program's environment",
                               .take = add_variable};
constexpr option with_columns{
    .letter = "x", .value = "COLS", .kind = cells, .text = "columns, 1 to 10000", .take = set_cells<&invocation::columns>};
constexpr option with_rows{
    .letter = "y", .value = "ROWS", .kind = cells, .text = "rows, 1 to 10000", .take = set_cells<&invocation::rows>};
constexpr std::array new_options{
    option{
        .letter = "d", .in = at_most, .text = "do not attach; print the tab's number", .take = set_flag<&invocation::detached>},
    option{.letter = "W",
           .in = at_most,
           .text = "do not attach; wait for the program and exit with its code",
           .take = set_flag<&invocation::wait>},
    option{.letter = "A",
           .in = at_most,
           .text = "attach to the tab of this name, or of this task, if there is one",
           .take = set_flag<&invocation::attaches>},
    in_task,
    with_name,
    in_directory,
    with_variable,
    with_columns,
    with_rows,
    kept,
    option{.word = "emulator",
           .value = "NAME",
           .kind = emulator,
           .text = "vt, or raw for none, instead of the configured one",
           .take = set_text<&invocation::emulator>},
    relayed,
    nested,
};
constexpr std::array new_operands{operand{"CMD ARG…", program, optional}};
constexpr std::array new_exits{exit_meaning{programs_code, "with -W; 128 + N if signal N ended it"}};
constexpr std::array new_examples{words("mato new"), words("mato new -d -t work -n build -- make -j4")};

constexpr std::array attach_options{
    option{.letter = "r", .text = "read-only: what is typed is discarded", .take = set_flag<&invocation::readonly>},
    option{.letter = "d", .text = "detach the tab's other clients", .take = set_flag<&invocation::detached>},
    option{.word = "ignore-size",
           .text = "this terminal's size does not count for the tab's size",
           .take = set_flag<&invocation::ignore_size>},
    relayed,
    nested,
};
constexpr std::array maybe_tab{operand{"TAB", tab, optional}};
constexpr std::array attach_examples{words("mato attach work/build"), words("mato attach -r 3")};

constexpr option of_client{
    .letter = "c", .value = "CLIENT", .kind = client, .in = at_most, .text = "the client with this number", .take = set_client};
constexpr std::array detach_options{
    option{.letter = "a", .in = at_most, .text = "all clients", .take = set_flag<&invocation::all>},
    option{.word = "others",
           .in = at_most,
           .text = "all clients but the one that shows the tab in which the command runs",
           .take = set_flag<&invocation::others>},
    option{.letter = "t",
           .value = "TASK",
           .kind = task,
           .in = at_most,
           .text = "the clients that show a tab of this task",
           .take = set_task},
    of_client,
    option{.letter = "E",
           .value = "CMD",
           .kind = text,
           .text = "have the detached client run this command in its place, by its shell",
           .take = set_command_instead},
    option{.letter = "P",
           .text = "have the detached client send SIGHUP to its parent, which closes most terminals",
           .take = set_hang_up}};
constexpr std::array detach_operands{operand{"TAB", tab, optional, at_most}};
constexpr std::array detach_examples{words("mato detach"), words("mato detach -a"), words("mato detach 3 -E 'exec bash'")};

constexpr std::array run_options{
    in_task,
    with_name,
    in_directory,
    with_variable,
    with_columns,
    with_rows,
    option{.word = "keep", .text = "keep the tab also if the program succeeds", .take = set_flag<&invocation::remains>},
    option{.word = "timeout",
           .value = "DUR",
           .kind = duration,
           .text = "return after this time; the program goes on in its tab",
           .take = set_duration<&invocation::timeout>},
};
constexpr std::array run_operands{operand{"TAB", tab, optional},
                                  operand{"CMD ARG…", program, optional}}; // checked by the command
constexpr std::array run_exits{exit_meaning{programs_code, "128 + N if signal N ended it"},
                               exit_meaning{65, "with TAB: its shell sends no marks, or not the exit code"},
                               exit_meaning{124, "the time of --timeout has passed"}};
constexpr std::array run_examples{words("mato run -- make test"), words("mato run -t ci --timeout 10m -- ./build.sh"),
                                  words("mato run 3 -- 'git status -s'")};

constexpr std::array respawn_options{
    option{.letter = "k", .text = "end the program first if it runs", .take = set_flag<&invocation::kill_first>}};
constexpr std::array respawn_examples{words("mato respawn 3"), words("mato respawn -k work/build")};

constexpr std::array resize_operands{operand{"TAB", tab},
                                     operand{"COLSxROWS|auto", size, operand::count::one, choice::none, set_size}};
constexpr std::array resize_examples{words("mato resize 3 80x24"), words("mato resize 3 auto")};

constexpr std::array move_operands{operand{"TAB", tab}, operand{"TASK", task}};
constexpr std::array move_examples{words("mato move 3 work"), words("mato move . 'new task'")};

constexpr std::array rename_operands{operand{"TARGET", tab}, operand{"NAME", name}};
constexpr std::array rename_examples{words("mato rename 3 logs"), words("mato rename work 'other work'")};

constexpr std::array kill_options{
    option{.word = "others",
           .in = one_of,
           .text = "all tabs but the one in which the command runs",
           .take = set_flag<&invocation::others>},
    option{.letter = "t", .value = "TASK", .kind = task, .in = one_of, .text = "all tabs of this task", .take = set_task}};
constexpr std::array kill_operands{operand{"TAB", tab, operand::count::any_number, one_of}};
constexpr std::array kill_examples{words("mato kill 3 work/build"), words("mato kill -t work")};

constexpr std::array undo_examples{words("mato undo"), words("mato undo work/build")};

constexpr option which_client{.letter = "c",
                              .value = "CLIENT",
                              .kind = client,
                              .text = "the terminal of this client, not the one that shows the tab in which the command runs",
                              .take = set_client};
constexpr std::array switch_options{which_client};
constexpr std::array switch_operands{operand{"TAB|TASK|-", tab}};
constexpr std::array switch_examples{words("mato switch work/build"), words("mato switch -c 4 -")};

constexpr std::array tab_commands{
    command_entry{.name = "new",
                  .command = command::new_tab,
                  .aliases = short_n,
                  .text = "open a tab and attach to it; inside a tab, switch this terminal to it",
                  .options = new_options,
                  .operands = new_operands,
                  .exits = new_exits,
                  .examples = new_examples},
    command_entry{.name = "attach",
                  .command = command::attach,
                  .aliases = short_a,
                  .text = "show a tab in this terminal; inside a tab, switch this terminal to it",
                  .options = attach_options,
                  .operands = maybe_tab,
                  .examples = attach_examples},
    command_entry{.name = "detach",
                  .command = command::detach,
                  .text = "detach the client of this tab, or others",
                  .options = detach_options,
                  .operands = detach_operands,
                  .examples = detach_examples},
    command_entry{.name = "switch",
                  .command = command::switch_view,
                  .text = "show a tab, or the tab of a task that was used last, in an attached terminal; -: the tab before",
                  .options = switch_options,
                  .operands = switch_operands,
                  .examples = switch_examples},
    command_entry{.name = "run",
                  .command = command::run,
                  .text = "run a program in a new tab and print the lines that it writes; if it fails, the tab stays. With "
                          "TAB: type a line at "
                          "the prompt of that tab's shell and print its output",
                  .options = run_options,
                  .operands = run_operands,
                  .exits = run_exits,
                  .examples = run_examples},
    command_entry{.name = "respawn",
                  .command = command::respawn,
                  .text = "start a tab's program again as it was started",
                  .options = respawn_options,
                  .operands = one_tab,
                  .examples = respawn_examples},
    command_entry{.name = "resize",
                  .command = command::resize,
                  .text = "set a tab's size; auto: follow the size of its viewers again",
                  .operands = resize_operands,
                  .examples = resize_examples},
    command_entry{.name = "move",
                  .command = command::move,
                  .text = "move a tab to another task, which is created if needed",
                  .operands = move_operands,
                  .examples = move_examples},
    command_entry{.name = "rename",
                  .command = command::rename,
                  .text = "rename a tab or a task",
                  .operands = rename_operands,
                  .examples = rename_examples},
    command_entry{.name = "kill",
                  .command = command::kill,
                  .aliases = short_k,
                  .text = "end the programs of tabs and remove them",
                  .options = kill_options,
                  .operands = kill_operands,
                  .examples = kill_examples},
    command_entry{.name = "undo",
                  .command = command::undo,
                  .text = "bring back the tab closed last, or TAB, with its history; its program is started again",
                  .operands = maybe_tab,
                  .examples = undo_examples},
};

} // namespace mux::table_parts
