// SPDX-License-Identifier: MIT
/// @file cli.hpp: the command line as a value.
/// Pure.  Test: test/mato/cli_test.cpp.
#pragma once

#include "paths.hpp"
#include "protocol/bodies/changes.hpp"
#include "protocol/bodies/views.hpp"
#include "protocol/text_mark.hpp"
#include "tmux_words.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mux {

/// A command that failed: what main prints ("mato: text") and exits with.
struct command_failure {
    int exit_code;
    std::string text; ///< empty: nothing is printed
};

enum class command {
    attach_or_new,
    new_tab,
    attach,
    detach,
    switch_view,
    buffer,
    channel,
    ls,
    clients,
    has,
    send,
    capture,
    read,
    run,
    find,
    record,
    resize,
    wait,
    kill,
    respawn,
    undo,
    state,
    notice,
    rename,
    move,
    events,
    control,
    status,
    upgrade,
    restart,
    reload,
    stop,
    daemon,
    log,
    completion,
    shell,
    help,
    version,
};

struct invocation {
    mux::command command = command::attach_or_new;
    path_options paths;
    bool no_start = false, quiet = false;
    bool json = false, detached = false, wait = false, readonly = false, ignore_size = false, relay = false, nest = false,
         all = false, literal = false, now = false, foreground = false, follow = false;
    std::string task, name, directory, emulator;
    std::string note; ///< `state --note`
    std::string tab;  ///< `notice --tab`; empty: the tab in which the command runs
    std::vector<std::string> environment;
    bool ansi = false, exit = false;               ///< `capture --ansi`, `wait --exit`
    bool join = false;                             ///< `capture -J`
    bool exact = false, force = false;             ///< `record`
    bool kill_first = false;                       ///< `respawn -k`
    bool check = false;                            ///< `upgrade --check`
    bool ended = false;                            ///< `ls --ended`
    bool man = false;                              ///< `help --man`
    bool attaches = false;                         ///< `new -A`
    bool others = false;                           ///< `kill --others`, `detach --others`
    std::uint64_t client = 0;                      ///< `detach -c`, `switch -c`; 0: not given
    after_detaching then{};                        ///< `detach -E -P`
    std::string replacement;                       ///< `upgrade --program`; empty: the program of this command
    std::uint32_t history = 0;                     ///< `capture -S`, rows
    std::uint64_t since = 0;                       ///< `events --since`; 0: not given
    std::optional<std::string> pattern;            ///< `wait --text`
    bool any_case = false;                         ///< `find -i`
    bool remains = false;                          ///< `new --keep`, `run --keep`
    std::optional<tab_change> change;              ///< `wait`: for such a one
    said_state awaited = said_state::none;         ///< `wait --state`
    bool any = false;                              ///< `wait --any`
    std::optional<text_mark> mark;                 ///< `wait --since`, `read --since`
    bool only_new = false, give_mark = false;      ///< `wait --new`, `send --mark`
    std::optional<std::uint32_t> last;             ///< `read --last`, lines
    std::optional<std::uint32_t> output;           ///< `read --output`: of which command, counted from the last one
    std::chrono::milliseconds idle{0}, timeout{0}; ///< `wait`; 0: not given
    std::chrono::milliseconds duration{0};         ///< `record --for`; 0: not given
    std::uint16_t columns = 0, rows = 0;           ///< 0: the terminal's, else 80x24
    std::vector<std::string> operands;             ///< TAB, NAME, TEXT…, see command_table.hpp
    std::vector<std::string> program;              ///< CMD ARG…
};

/// Commands of tmux are understood, see tmux_words.hpp. @throws command_failure, exit code 64, with what is wrong and where to
/// find help.
[[nodiscard]] invocation parse_command_line(const std::vector<std::string>& arguments, run_where where = run_where::outside);

} // namespace mux
