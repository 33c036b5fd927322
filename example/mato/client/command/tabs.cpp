// SPDX-License-Identifier: MIT
/// @file tabs.cpp: queries and changes of tabs: `ls`, `has`, `state`, `notice`, `rename`, `move`, `respawn`, `undo`, `resize`,
/// `kill`.
#include "commands.hpp"

#include "client/listings.hpp"
#include "common.hpp"

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

int run_kill(const invocation& what) {
    const auto paths = paths_of(what);
    const std::string name = what.operands.empty() ? std::string() : what.operands[0];
    open_existing(paths).tell<message::kill>(kill_request{{name, current_tab(paths)}, what.task});
    return 0;
}

} // namespace mux
