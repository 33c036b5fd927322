// SPDX-License-Identifier: MIT
/// @file attach.hpp: shows a tab in this terminal until the attachment ends.
/// Threads: one.   Blocks: until then.
/// Test: test/mato/attach_process_test.cpp.
#pragma once

#include "protocol/ids.hpp"
#include "remote.hpp"
#include "user_terminal.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace mux {

/// How an attachment ended: the last line, and the exit code.
struct attach_result {
    std::string
        last_line; ///< "[detached]", "[exited N]", "[daemon stopped]", "[daemon lost]", "[terminal lost]", "[terminated]"
    int exit_code;
    after_detaching then{}; ///< once the terminal is given back
};

enum class drawn_by : std::uint8_t { client, daemon };

/// What the daemon's next process says: who draws the tab; or that its program has ended meanwhile.
struct attached_again {
    drawn_by drawing = drawn_by::client;
    vt::screen_size size{}; ///< of the terminal, as it was told
    std::optional<int> exit_code{};
};
/// Connects to the daemon's next process and attaches to that tab.
/// @throws wait_ended: `wait` gave up · command_failure: there is none, or it does not serve in time.
using attach_again = std::function<attached_again(remote& daemon, tab_id tab, const daemon_wait& wait)>;

/// @pre The daemon has answered `attached`. The terminal is restored before it returns, and in every other case.
/// `drawing`: if it is the daemon, it reads and draws on the terminal; this process only guards it and passes on sizes and
/// signals. `questions` are sent to the terminal first: they query its features.
/// When a process of the daemon dies whose tabs survive, the terminal stays as it is, and `again` is called. Meanwhile the last
/// row tells that, and after some seconds the user can give up.
[[nodiscard]] attach_result show_tab(remote& daemon, user_terminal& tty, const attachment_info& shown,
                                     const std::string& questions, const attach_again& again);

} // namespace mux
