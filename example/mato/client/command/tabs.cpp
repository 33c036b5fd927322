// SPDX-License-Identifier: MIT
/// @file tabs.cpp: queries and changes of tabs: `ls`, `has`, `state`, `notice`, `rename`, `move`, `respawn`, `undo`, `resize`,
/// `kill`.
#include "commands.hpp"

#include "client/listings.hpp"
#include "common.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace mux {

int run_has(const invocation& what) {
    const auto paths = paths_of(what);
    ask_running_daemon(paths, [&](remote& daemon) {
        daemon.tell<message::find_tab>(target{what.operands[0], current_tab(paths)}, soon());
    });
    return 0;
}

int run_state(const invocation& what) {
    const auto paths = paths_of(what);
    const state_request wanted = state_of(what, paths);
    open_existing(paths).tell<message::set_state>(wanted, soon());
    return 0;
}

int run_notice(const invocation& what) {
    const auto paths = paths_of(what);
    open_existing(paths).tell<message::post_notice>(notice_of(what, paths), soon());
    return 0;
}

int run_rename(const invocation& what) {
    const auto paths = paths_of(what);
    open_existing(paths).tell<message::rename>(rename_request{{what.operands[0], current_tab(paths)}, what.operands[1]},
                                               soon());
    return 0;
}

int run_move(const invocation& what) {
    const auto paths = paths_of(what);
    open_existing(paths).tell<message::move_tab>(move_request{{what.operands[0], current_tab(paths)}, what.operands[1]},
                                                 soon());
    return 0;
}

/// With -k it takes until the program has ended.
int run_respawn(const invocation& what) {
    const auto paths = paths_of(what);
    open_existing(paths).tell<message::respawn>(respawn_request{{what.operands[0], current_tab(paths)}, what.kill_first});
    return 0;
}

int run_undo(const invocation& what) {
    const auto paths = paths_of(what);
    const std::string name = what.operands.empty() ? std::string() : what.operands[0];
    const auto again = open_existing(paths).ask<message::undo_close>(target{name, current_tab(paths)}, soon());
    if (!what.quiet) print(std::to_string(again.id) + "\n");
    return 0;
}

int run_resize(const invocation& what) {
    const auto paths = paths_of(what);
    open_existing(paths).tell<message::resize_tab>(
        resize_request{{what.operands[0], current_tab(paths)}, {what.rows, what.columns}}, soon());
    return 0;
}

std::vector<kill_request> kills_of(const invocation& what, const program_paths& paths) {
    std::vector<kill_request> all;
    const auto add = [&](const std::string& name) -> kill_request& {
        kill_request& added = all.emplace_back();
        added.which.name = name;
        added.which.current = current_tab(paths);
        return added;
    };
    if (what.others) {
        if (current_tab(paths) == 0)
            throw command_failure{mato::exit_code::usage, "kill --others works inside a tab; elsewhere name the tabs"};
        add(".").others.value = true;
    } else if (what.operands.empty()) {
        add({}).task = what.task;
    }
    for (const std::string& name : what.operands) add(name);
    return all;
}

/// Each tab is killed that can be; the others are reported.
int run_kill(const invocation& what) {
    const auto paths = paths_of(what);
    const auto wanted = kills_of(what, paths);
    remote daemon = open_existing(paths);
    if (wanted.size() == 1) {
        daemon.tell<message::kill>(wanted[0]);
        return 0;
    }
    std::set<std::uint32_t> open;
    for (const kill_request& each : wanted) open.insert(daemon.post<message::kill>(each));
    std::string problems;
    while (!open.empty()) {
        const auto answer = daemon.next(remote::patient());
        if (!answer || open.erase(answer->id) == 0 || answer->type != message::error) continue;
        const auto why = read_as<message::error>(*answer).value_or(refusal{1, "a tab was not killed, for an unknown reason"});
        problems += (problems.empty() ? "" : "\n") + why.text;
    }
    if (problems.empty()) return 0;
    throw command_failure{1, problems};
}

} // namespace mux
