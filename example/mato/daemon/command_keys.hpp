// SPDX-License-Identifier: MIT
/// @file command_keys.hpp: carries out the actions of keys after the prefix: other tabs, new tabs, leaving.
/// Threads: the io_context's.   Blocks: as tab_programs.   Test: test/mato/viewers_process_test.cpp.
#pragma once

#include "screens/actions.hpp"
#include "tab_programs.hpp"

namespace mux {

class command_keys {
public:
    command_keys(daemon_state& state, views& screens, tab_programs& tabs) noexcept
        : state_(state), views_(screens), tabs_(tabs) {}

    /// An action that is not possible is told in the viewer's last row. @pre attached
    void act(client& from, const pressed_action& what);

private:
    void go_to_tab(client& from, const pressed_action& what);
    void go_to_task(client& from, int steps);
    void go_back(client& from);
    void detach_others(client& from);
    void toggle_readonly(client& from);
    void go_to_needy(client& from);
    void paste(client& from);
    void open(client& from, const std::string& task);
    /// The tab that the action is about; null: it is gone.
    [[nodiscard]] tab_entry* subject_of(const client& from, const pressed_action& what);
    void rename(client& from, const pressed_action& what);
    void move(client& from, const pressed_action& what);
    void close(client& from, const pressed_action& what);
    void undo_close(client& from, const pressed_action& what);
    void run_again(client& from, const pressed_action& what);
    /// Tells the viewer, and returns false, if it is read-only.
    [[nodiscard]] bool may_change(client& from);

    daemon_state& state_;
    views& views_;
    tab_programs& tabs_;
};

} // namespace mux
