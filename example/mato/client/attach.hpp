// SPDX-License-Identifier: MIT
/// @file attach.hpp: shows a tab in this terminal until somebody or something ends it.
/// Threads: one.   Blocks: until then.
/// Test: test/mato/attach_process_test.cpp.
#pragma once

#include "remote.hpp"
#include "user_terminal.hpp"

#include <string>

namespace mux {

/// How an attachment ended: the last line, and the exit code.
struct attach_result {
    std::string
        last_line; ///< "[detached]", "[exited N]", "[daemon stopped]", "[daemon lost]", "[terminal lost]", "[terminated]"
    int exit_code;
};

/// The daemon has answered `attached`. The terminal is restored before it returns, and however it is left.
/// `direct`: the daemon reads and draws on the terminal; what is left to do here is to guard it, and to carry sizes and
/// signals.
/// `questions` are sent to the terminal first, so that it tells what it can do.
[[nodiscard]] attach_result show_tab(remote& daemon, user_terminal& tty, bool direct, const std::string& questions);

} // namespace mux
