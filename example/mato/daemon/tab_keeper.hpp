// SPDX-License-Identifier: MIT
/// @file tab_keeper.hpp: begins and ends tabs and their programs, and tells whoever waits what became of them.
/// Threads: the io_context's.   Blocks: only for the start of a program (spawn.hpp).
/// Test: test/mato/respawn_process_test.cpp, test/mato/close_tab_process_test.cpp.
#pragma once

#include "views.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mux {

class tab_keeper {
public:
    /// `on_removed`: a tab is gone, and all have been told.
    tab_keeper(daemon_state& state, views& screens, std::function<void()> on_removed)
        : state_(state), views_(screens), on_removed_(std::move(on_removed)) {}

    /// A new tab in a task, made when missing. Null: `why` says which step failed.
    std::shared_ptr<tab> open(const new_tab& wanted, const std::string& task, mato::failure& why);
    /// The program once more, in the tab of one that has ended. What that one showed last is cleared, its history stays.
    void start_again(tab& ended, mato::failure& why);
    /// Ends the program and starts it again, then answers `who`. @pre it runs, and is neither closing nor being respawned
    void respawn(tab& running, asker who);
    /// Ends the programs, within `stop_grace`, and then removes the tabs; those whose program has ended at once.
    void close(const std::vector<std::shared_ptr<tab>>& tabs);
    /// After SIGCHLD: the tabs whose program has ended end, and orphans are reaped.
    void check_children();

private:
    [[nodiscard]] tab::handlers handlers_of(tab_id id);
    void on_output(tab_id id, bool flooding);
    void on_input_lost(input_queue::source from, std::size_t taken);
    void on_ended(tab_id id);
    void finish_respawn(tab_id id);
    void remove(tab_id id);
    void reap_orphans();
    void end_recordings(tab_id id);
    void answer_output(tab_id id);

    daemon_state& state_;
    views& views_;
    std::function<void()> on_removed_;
};

} // namespace mux
