// SPDX-License-Identifier: MIT
/// @file wait.cpp: `wait`: until a program has ended, is silent, or shows a text.
#include "command/commands.hpp"

#include "command/common.hpp"
#include "command/exchanges.hpp"

namespace mux {

int run_wait(const invocation& what) {
    const auto paths = paths_of(what);
    remote daemon = open_existing(paths);
    const auto waiting = wait_exchange(what, {what.operands[0], current_tab(paths)});
    return carry_out(daemon, *waiting);
}

} // namespace mux
