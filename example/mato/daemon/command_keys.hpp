// SPDX-License-Identifier: MIT
/// @file command_keys.hpp: the keys after the prefix that move between tabs, open one, and leave.
/// Threads: the io_context's.   Blocks: as tab_keeper.   Test: test/mato/viewers_process_test.cpp.
#pragma once

#include "tab_keeper.hpp"

namespace mux {

class command_keys {
public:
    command_keys(daemon_state& state, views& screens, tab_keeper& tabs) noexcept
        : state_(state), views_(screens), tabs_(tabs) {}

    /// d: detach; C-z: suspend; c: a new tab; n, p: the next and the one before; 1 to 9, 0: by place in the task. A key that
    /// means nothing, or cannot be obeyed, rings. @pre attached
    void press(client& from, char key);

private:
    void open_beside(client& from, const std::string& task);

    daemon_state& state_;
    views& views_;
    tab_keeper& tabs_;
};

} // namespace mux
