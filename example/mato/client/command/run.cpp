// SPDX-License-Identifier: MIT
/// @file run.cpp: `run`: a program in a new tab, its lines on standard output, its exit code.
#include "commands.hpp"

#include "common.hpp"
#include "following.hpp"
#include "waits.hpp"

#include <cstdio>
#include <string>

namespace mux {
namespace {

tab_id open_tab_for(const invocation& what, const program_paths& paths) {
    new_tab wanted = new_tab_of(what, paths);
    wanted.remains = {true}; // until its last line is read
    wanted.emulator = "vt";  // without one it has no lines
    return ask_until_started(what, paths, [&](remote& daemon) {
        wanted.view.size = {what.rows, what.columns};
        wanted.view.environment = daemon.environment_for_daemon();
        return daemon.ask<message::new_tab, message::tab_opened>(wanted, mato::deadline::in(start_patience)).id;
    });
}

void say(const invocation& what, const std::string& text) {
    if (!what.quiet) std::fprintf(stderr, "mato: %s\n", text.c_str());
}

} // namespace

int run_run(const invocation& what) {
    if (!what.operands.empty()) return run_line(what);
    if (what.program.empty())
        throw command_failure{mato::exit_code::usage, "usage: mato run [OPTION…] [TAB] -- CMD ARG…; see 'mato help run'"};
    const auto paths = paths_of(what);
    const auto until = deadline_of(what);
    const std::string id = std::to_string(open_tab_for(what, paths));
    following::progress done;
    int code = 0;
    try {
        code = ask_process(paths, {.needs_tabs = true}, [&](remote& daemon) {
            following lines({id, 0}, done, until, [](std::string_view text) { print(std::string(text)); });
            return run_to_completion(daemon, lines);
        });
    } catch (const command_failure& why) {
        if (why.exit_code != not_in_time) throw;
        say(what, "the time is over; the program goes on in tab " + id);
        return why.exit_code;
    }
    if (done.lost > 0) say(what, std::to_string(done.lost) + " lines were evicted from the history before they were read");
    if (done.is_removed) say(what, "tab " + id + " was closed before all of its lines were read");
    if (code == 0 && !what.remains)
        open_existing(paths).tell<message::kill>(kill_request{{id, 0}, {}});
    else if (!done.is_removed)
        say(what, "tab " + id + " stays: 'mato attach " + id + "' shows it, 'mato kill " + id + "' removes it");
    return code;
}

} // namespace mux
