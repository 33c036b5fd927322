// SPDX-License-Identifier: MIT
/// @file text.hpp: commands that type into tabs and read their text.
/// Pure.  Test: test/mato/command_table_test.cpp.
#pragma once

#include "shared.hpp"

#include <array>

namespace mux::table_parts {

constexpr std::array send_options{
    option{.letter = "l", .text = "type TEXT as it is, not as names of keys", .take = set_flag<&invocation::literal>},
    option{.word = "mark",
           .text = "print the mark of the cursor's place before it is typed",
           .take = set_flag<&invocation::give_mark>}};
constexpr std::array send_operands{operand{"TAB", tab}, operand{"TEXT", keys, any}};
constexpr std::array send_examples{words("mato send 3 'make test' Enter"), words("mato send 3 C-c"),
                                   words("mato send --mark 3 make Enter")};

constexpr std::array wait_options{
    option{.word = "exit", .in = one_of, .text = "wait until its program ends", .take = set_flag<&invocation::exit>},
    option{.word = "idle",
           .value = "DUR",
           .kind = duration,
           .in = one_of,
           .text = "wait until it has written nothing for this time",
           .take = set_duration<&invocation::idle>},
    option{.word = "text",
           .value = "REGEX",
           .kind = pattern,
           .in = one_of,
           .text = "wait until its text matches (RE2), on the screen or in the history; print the mark after it, and the line",
           .take = set_pattern},
    option{.word = "prompt",
           .in = one_of,
           .text = "wait until its shell shows a prompt (OSC 133)",
           .take = set_change<tab_change::prompt>},
    option{.word = "command",
           .in = one_of,
           .text = "wait until the next command of its shell has ended (OSC 133); print its exit code",
           .take = set_change<tab_change::command>},
    option{.word = "active",
           .in = one_of,
           .text = "wait until its program writes something",
           .take = set_change<tab_change::active>},
    option{.word = "bell", .in = one_of, .text = "wait until its bell rings", .take = set_change<tab_change::bell>},
    option{
        .word = "notice", .in = one_of, .text = "wait until it has a notice; print it", .take = set_change<tab_change::notice>},
    option{.word = "state",
           .value = "STATE",
           .kind = text,
           .in = one_of,
           .text = "wait until it is in this state, as 'mato state' sets it; print it and its note",
           .take = set_awaited_state},
    option{.word = "any", .text = "wait for the first one of the tabs", .take = set_flag<&invocation::any>},
    option{.word = "new",
           .text = "with --text: only text after the cursor's place when the command begins",
           .take = set_flag<&invocation::only_new>},
    option{.word = "since", .value = "MARK", .kind = text, .text = "with --text: only text after this mark", .take = set_mark},
    as_json,
    option{.word = "timeout",
           .value = "DUR",
           .kind = duration,
           .text = "fail after this time",
           .take = set_duration<&invocation::timeout>},
};
constexpr std::array wait_operands{operand{"TAB", tab, any}};
constexpr std::array wait_exits{exit_meaning{programs_code, "with --exit; 128 + N if signal N ended it"},
                                exit_meaning{65,
                                             "not possible for this tab: it has no emulator, no text at this mark, or its shell"
                                             " sends no marks"},
                                exit_meaning{124, "the time of --timeout has passed"}};
constexpr std::array wait_examples{words("mato wait 3 --exit"), words("mato wait 3 --text 'tests passed' --timeout 60s"),
                                   words("mato wait 3 --text '^exit [0-9]+' --since 57.0@3"),
                                   words("mato wait 3 4 --command --any")};

constexpr std::array read_options{
    option{.word = "since",
           .value = "MARK",
           .kind = text,
           .in = at_most,
           .text = "print the lines from this mark on",
           .take = set_mark},
    option{.word = "last",
           .value = "LINES",
           .kind = number,
           .in = at_most,
           .text = "print so many lines from the end",
           .take = set_last},
    option{.word = "all", .in = at_most, .text = "print all lines that are kept", .take = set_flag<&invocation::all>},
    option{.word = "output",
           .value = "N",
           .kind = number,
           .in = at_most,
           .value_is_optional = true,
           .text = "print what the last command of its shell has written, or the Nth last one (OSC 133)",
           .take = set_output},
    option{.word = "follow",
           .text = "go on with each line as it ends, until interrupted or the program has ended",
           .take = set_flag<&invocation::follow>},
    as_json,
};
constexpr std::array read_exits{
    exit_meaning{65, "not possible for this tab: it has no emulator, no text at this mark, or no such output"}};
constexpr std::array read_examples{words("mato read 3 --last 20"), words("mato read 3 --output 2"),
                                   words("mato read work/build --since 57.0@3")};

constexpr exit_meaning no_emulator{65, "not possible for this tab: it has no emulator"};
constexpr std::array capture_options{
    option{.letter = "S",
           .value = "LINES",
           .kind = number,
           .text = "print so many lines of history above the screen",
           .take = set_history},
    option{.letter = "J", .text = "print a wrapped line as one line", .take = set_flag<&invocation::join>},
    option{.word = "ansi", .text = "keep colours and other attributes, as SGR sequences", .take = set_flag<&invocation::ansi>},
    as_json,
};
constexpr std::array capture_exits{no_emulator};
constexpr std::array capture_examples{words("mato capture 3"), words("mato capture -S 1000 -J work/build")};

constexpr std::array find_options{
    option{.letter = "i", .text = "match letters of any case", .take = set_flag<&invocation::any_case>},
    option{.letter = "t",
           .value = "TASK",
           .kind = task,
           .text = "search the tabs of this task only",
           .take = set_text<&invocation::task>},
    as_json,
};
constexpr std::array find_operands{operand{"REGEX", pattern}};
constexpr std::array find_exits{exit_meaning{1, "no line matches, or there is no such task"}};
constexpr std::array find_examples{words("mato find 'error: '"), words("mato find -i -t work --json warning")};

constexpr std::array record_options{
    option{.word = "for",
           .value = "DUR",
           .kind = duration,
           .text = "end after this time",
           .take = set_duration<&invocation::duration>},
    option{.word = "exact", .text = "end where output would be missing in the file", .take = set_flag<&invocation::exact>},
    option{.word = "force", .text = "replace FILE if it exists", .take = set_flag<&invocation::force>},
};
constexpr std::array record_operands{operand{"TAB", tab}, operand{"FILE", file}};
constexpr std::array record_examples{words("mato record 3 session.cast"), words("mato record --for 10s 3 -")};

constexpr std::array buffer_options{as_json};
constexpr std::array buffer_operands{operand{"set|get|ls|rm|paste", text}, operand{"NAME", name, optional},
                                     operand{"TEXT|TAB", tab, optional}}; // checked by the command
constexpr std::array buffer_examples{words("mato buffer set query 'select 1'"), words("mato buffer get copied"),
                                     words("mato buffer paste query 3")};
constexpr std::array channel_options{option{.word = "timeout",
                                            .value = "DUR",
                                            .kind = duration,
                                            .text = "fail after this time",
                                            .take = set_duration<&invocation::timeout>}};
constexpr std::array channel_operands{operand{"wait|signal", text}, operand{"NAME", name}};
constexpr std::array channel_exits{exit_meaning{124, "the time of --timeout has passed"}};
constexpr std::array channel_examples{words("mato channel wait built"), words("mato channel signal built")};

constexpr std::array text_commands{
    command_entry{.name = "send",
                  .command = command::send,
                  .aliases = short_s,
                  .text = "type keys, or with -l text, into a tab; '-' is standard input",
                  .options = send_options,
                  .operands = send_operands,
                  .examples = send_examples},
    command_entry{.name = "wait",
                  .command = command::wait,
                  .text = "wait until something has happened in each tab, or with --any in one of them",
                  .options = wait_options,
                  .operands = wait_operands,
                  .exits = wait_exits,
                  .examples = wait_examples},
    command_entry{.name = "read",
                  .command = command::read,
                  .text = "print the lines of a tab's screen as its program wrote them, not wrapped",
                  .options = read_options,
                  .operands = one_tab,
                  .exits = read_exits,
                  .examples = read_examples},
    command_entry{.name = "capture",
                  .command = command::capture,
                  .text = "print a tab's screen",
                  .options = capture_options,
                  .operands = one_tab,
                  .exits = capture_exits,
                  .examples = capture_examples},
    command_entry{.name = "find",
                  .command = command::find,
                  .text = "print the lines of all tabs in which REGEX matches, each after its mark",
                  .options = find_options,
                  .operands = find_operands,
                  .exits = find_exits,
                  .examples = find_examples},
    command_entry{.name = "record",
                  .command = command::record,
                  .text = "record a tab to FILE ('-': standard output) as asciicast v2, until its program ends or C-c",
                  .options = record_options,
                  .operands = record_operands,
                  .examples = record_examples},
    command_entry{
        .name = "buffer",
        .command = command::buffer,
        .text = "keep named texts: set one ('-' or no TEXT: standard input), print it, list, remove, or paste it into TAB",
        .options = buffer_options,
        .operands = buffer_operands,
        .examples = buffer_examples},
    command_entry{.name = "channel",
                  .command = command::channel,
                  .text = "wait for a signal of another script, or send it; a signal that comes first is kept",
                  .options = channel_options,
                  .operands = channel_operands,
                  .exits = channel_exits,
                  .examples = channel_examples},
};

} // namespace mux::table_parts
