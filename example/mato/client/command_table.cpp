// SPDX-License-Identifier: MIT
#include "command_table.hpp"

#include "option_values.hpp"

#include <algorithm>
#include <array>

namespace mux {
namespace {

using enum value_kind;
using words = std::string_view;
constexpr auto one_of = choice::exactly_one, at_most = choice::at_most_one;
constexpr auto optional = operand::count::optional, any = operand::count::at_least_one;

// ---- options that several commands have ----

constexpr option as_json{.word = "json", .text = "print JSON", .take = set_flag<&invocation::json>};
constexpr option relayed{.word = "relay",
                         .text = "pass the output through this client; the daemon does not open the terminal",
                         .take = set_flag<&invocation::relay>};
constexpr option nested{.word = "nest",
                        .text = "inside a tab: show the tab in the current tab instead of switching to it",
                        .take = set_flag<&invocation::nest>};
constexpr std::array only_json{as_json};
constexpr std::array one_tab{operand{"TAB", tab}};

// ---- the options before the command ----

constexpr std::array before_command{
    option{.letter = "S",
           .word = "socket",
           .value = "PATH",
           .kind = file,
           .text = "the daemon's socket; lock, pid file and log are in the same directory",
           .take = set_path<&path_options::socket>},
    option{.letter = "L",
           .word = "label",
           .value = "NAME",
           .kind = name,
           .text = "use another daemon, whose files are in a directory of that name",
           .take = set_path<&path_options::label>},
    option{.letter = "f",
           .word = "config",
           .value = "FILE",
           .kind = file,
           .text = "the configuration for a daemon that this command starts",
           .take = set_path<&path_options::config>},
    option{.letter = "N", .word = "no-start", .text = "never start a daemon", .take = set_flag<&invocation::no_start>},
    option{.letter = "q", .word = "quiet", .text = "print errors only", .take = set_flag<&invocation::quiet>},
    option{.letter = "h", .word = "help", .text = "print this text", .take = set_command<command::help>},
    option{.letter = "V", .word = "version", .text = "print the version", .take = set_command<command::version>},
};

constexpr std::array common{
    exit_meaning{0, "done"},
    exit_meaning{1, "failed: no such tab, task or client; the connection to the daemon was lost"},
    exit_meaning{3, "client and daemon have different protocol versions"},
    exit_meaning{64, "bad usage"},
    exit_meaning{69, "no daemon is running, or it could not be started"},
    exit_meaning{75, "the daemon was still stopping, or not serving its socket, when the time to wait was over"},
    exit_meaning{77, "not permitted: wrong owner, unsafe directory, refused peer"},
    exit_meaning{78, "bad configuration"},
};

// ---- each command ----

constexpr option kept{.word = "keep",
                      .text = "the tab stays after its program's end, whatever remain_on_exit says",
                      .take = set_flag<&invocation::remains>};
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

constexpr std::array detach_options{
    option{.letter = "a", .in = at_most, .text = "all clients", .take = set_flag<&invocation::all>}};
constexpr std::array detach_operands{operand{"CLIENT", client, optional, at_most}};
constexpr std::array detach_examples{words("mato detach"), words("mato detach -a")};

constexpr std::array ls_examples{words("mato ls"), words("mato ls --json")};
constexpr std::array clients_examples{words("mato clients"), words("mato clients --json")};
constexpr std::array has_examples{words("mato has work/build"), words("mato has 3")};

constexpr std::array send_options{
    option{.letter = "l", .text = "type TEXT as it is, not as names of keys", .take = set_flag<&invocation::literal>},
    option{.word = "mark",
           .text = "print the mark of the cursor's place before it is typed",
           .take = set_flag<&invocation::give_mark>}};
constexpr std::array send_operands{operand{"TAB", tab}, operand{"TEXT", keys, any}};
constexpr std::array send_examples{words("mato send 3 'make test' Enter"), words("mato send 3 C-c"),
                                   words("mato send --mark 3 make Enter")};

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
constexpr std::array capture_exits{no_emulator};
constexpr std::array capture_examples{words("mato capture 3"), words("mato capture -S 1000 -J work/build")};

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

constexpr std::array resize_operands{operand{"TAB", tab},
                                     operand{"COLSxROWS|auto", size, operand::count::one, choice::none, set_size}};
constexpr std::array resize_examples{words("mato resize 3 80x24"), words("mato resize 3 auto")};

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

constexpr std::array kill_options{
    option{.letter = "t", .value = "TASK", .kind = task, .in = one_of, .text = "all tabs of this task", .take = set_task}};
constexpr std::array kill_operands{operand{"TAB", tab, optional, one_of}};
constexpr std::array kill_examples{words("mato kill 3"), words("mato kill -t work")};

constexpr std::array respawn_options{
    option{.letter = "k", .text = "end the program first if it runs", .take = set_flag<&invocation::kill_first>}};
constexpr std::array respawn_examples{words("mato respawn 3"), words("mato respawn -k work/build")};

constexpr std::array undo_examples{words("mato undo"), words("mato undo work/build")};
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

constexpr std::array rename_operands{operand{"TARGET", tab}, operand{"NAME", name}};
constexpr std::array rename_examples{words("mato rename 3 logs"), words("mato rename work 'other work'")};
constexpr std::array move_operands{operand{"TAB", tab}, operand{"TASK", task}};
constexpr std::array move_examples{words("mato move 3 work"), words("mato move . 'new task'")};

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

constexpr std::array status_exits{exit_meaning{1, "no daemon is running"},
                                  exit_meaning{2, "the daemon runs, but does not answer within a second"}};
constexpr std::array status_examples{words("mato status"), words("mato status --json")};
constexpr std::array reload_examples{words("mato reload")};
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
constexpr std::array help_operands{operand{"COMMAND", value_kind::command, optional, choice::none, check_command}};
constexpr std::array help_examples{words("mato help"), words("mato help wait")};

constexpr std::array status_aliases{words("--status")}, reload_aliases{words("--reload")}, stop_aliases{words("--kill")},
    daemon_aliases{words("--daemon")};

constexpr std::array table{
    command_entry{.name = "new",
                  .command = command::new_tab,
                  .text = "open a tab and attach to it; inside a tab, switch this terminal to it",
                  .options = new_options,
                  .operands = new_operands,
                  .exits = new_exits,
                  .examples = new_examples},
    command_entry{.name = "attach",
                  .command = command::attach,
                  .text = "show a tab in this terminal; inside a tab, switch this terminal to it",
                  .options = attach_options,
                  .operands = maybe_tab,
                  .examples = attach_examples},
    command_entry{.name = "detach",
                  .command = command::detach,
                  .text = "detach the client of this tab, all clients, or one",
                  .options = detach_options,
                  .operands = detach_operands,
                  .examples = detach_examples},
    command_entry{
        .name = "ls", .command = command::ls, .text = "list tasks and tabs", .options = only_json, .examples = ls_examples},
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
    command_entry{.name = "send",
                  .command = command::send,
                  .text = "type keys, or with -l text, into a tab; '-' is standard input",
                  .options = send_options,
                  .operands = send_operands,
                  .examples = send_examples},
    command_entry{.name = "capture",
                  .command = command::capture,
                  .text = "print a tab's screen",
                  .options = capture_options,
                  .operands = one_tab,
                  .exits = capture_exits,
                  .examples = capture_examples},
    command_entry{.name = "read",
                  .command = command::read,
                  .text = "print the lines of a tab's screen as its program wrote them, not wrapped",
                  .options = read_options,
                  .operands = one_tab,
                  .exits = read_exits,
                  .examples = read_examples},
    command_entry{.name = "run",
                  .command = command::run,
                  .text = "run a program in a new tab and print the lines that it writes; if it fails, the tab stays. With "
                          "TAB: type a line at "
                          "the prompt of that tab's shell and print its output",
                  .options = run_options,
                  .operands = run_operands,
                  .exits = run_exits,
                  .examples = run_examples},
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
    command_entry{.name = "resize",
                  .command = command::resize,
                  .text = "set a tab's size; auto: follow the size of its viewers again",
                  .operands = resize_operands,
                  .examples = resize_examples},
    command_entry{.name = "wait",
                  .command = command::wait,
                  .text = "wait until something has happened in each tab, or with --any in one of them",
                  .options = wait_options,
                  .operands = wait_operands,
                  .exits = wait_exits,
                  .examples = wait_examples},
    command_entry{.name = "kill",
                  .command = command::kill,
                  .text = "end the programs of a tab or task and remove it",
                  .options = kill_options,
                  .operands = kill_operands,
                  .examples = kill_examples},
    command_entry{.name = "respawn",
                  .command = command::respawn,
                  .text = "start a tab's program again as it was started",
                  .options = respawn_options,
                  .operands = one_tab,
                  .examples = respawn_examples},
    command_entry{.name = "undo",
                  .command = command::undo,
                  .text = "bring back the tab closed last, or TAB, with its history; its program is started again",
                  .operands = maybe_tab,
                  .examples = undo_examples},
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
    command_entry{.name = "rename",
                  .command = command::rename,
                  .text = "rename a tab or a task",
                  .operands = rename_operands,
                  .examples = rename_examples},
    command_entry{.name = "move",
                  .command = command::move,
                  .text = "move a tab to another task, which is created if needed",
                  .operands = move_operands,
                  .examples = move_examples},
    command_entry{.name = "events",
                  .command = command::events,
                  .text = "print events, one per line, until interrupted",
                  .options = events_options,
                  .examples = events_examples},
    command_entry{.name = "control",
                  .command = command::control,
                  .text = "read commands from standard input, print answers and events as lines of JSON",
                  .examples = control_examples},
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
    command_entry{.name = "help",
                  .command = command::help,
                  .text = "list the commands, or explain one",
                  .operands = help_operands,
                  .examples = help_examples},
};

} // namespace

std::span<const command_entry> command_table() noexcept { return table; }
std::span<const option> global_options() noexcept { return before_command; }
std::span<const exit_meaning> common_exits() noexcept { return common; }

bool command_entry::is(std::string_view word) const noexcept {
    return word == name || std::find(aliases.begin(), aliases.end(), word) != aliases.end();
}

const command_entry* find_command(std::string_view word) noexcept {
    const auto at = std::find_if(table.begin(), table.end(), [word](const command_entry& each) { return each.is(word); });
    return at == table.end() ? nullptr : &*at;
}

const option* find_option(std::span<const option> options, std::string_view written) noexcept {
    const auto at = std::find_if(options.begin(), options.end(), [written](const option& each) {
        return written == (each.word.empty() ? each.letter : each.word);
    });
    return at == options.end() ? nullptr : &*at;
}

} // namespace mux
