// SPDX-License-Identifier: MIT
/// @file command_keys.hpp: the keys after the prefix: switch tabs, open a tab, detach.
/// Threads: the io_context's.   Blocks: as tab_programs.   Test: test/mato/viewers_process_test.cpp.
#pragma once

#include "tab_programs.hpp"

namespace mux {

class command_keys {
public:
    command_keys(daemon_state& state, views& screens, tab_programs& tabs) noexcept
        : state_(state), views_(screens), tabs_(tabs) {}

    /// d: detach; C-z: suspend; c: new tab; n, p: next and previous tab; 1 to 9, 0: the tab at that place in the task. Any
    /// other key, or one that has no effect, rings the bell. @pre attached
    void press(client& from, char key);

private:
    void open_beside(client& from, const std::string& task);

    daemon_state& state_;
    views& views_;
    tab_programs& tabs_;
};

} // namespace mux
