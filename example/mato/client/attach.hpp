// SPDX-License-Identifier: MIT
/// @file attach.hpp: shows a tab in this terminal until the attachment ends.
/// Threads: one.   Blocks: until then.
/// Test: test/mato/attach_process_test.cpp.
#pragma once

#include "remote.hpp"
#include "user_terminal.hpp"

#include <cstdint>
#include <string>

namespace mux {

/// How an attachment ended: the last line, and the exit code.
struct attach_result {
    std::string
        last_line; ///< "[detached]", "[exited N]", "[daemon stopped]", "[daemon lost]", "[terminal lost]", "[terminated]"
    int exit_code;
};

enum class drawn_by : std::uint8_t { client, daemon };

/// @pre The daemon has answered `attached`. The terminal is restored before it returns, and in every other case.
/// `drawing`: if it is the daemon, it reads and draws on the terminal; this process only guards it and passes on sizes and
/// signals. `questions` are sent to the terminal first: they query its features.
[[nodiscard]] attach_result show_tab(remote& daemon, user_terminal& tty, drawn_by drawing, const std::string& questions);

} // namespace mux
