// SPDX-License-Identifier: MIT
/// @file naming.hpp: renames and moves tabs and tasks, and tells those who follow events.
/// Threads: the io_context's.   Blocks: never.   Test: test/mato/naming_process_test.cpp.
#pragma once

#include "state.hpp"

#include <string>

namespace mux {

/// Each returns the reason why nothing was changed, or nothing. @pre the tab exists
[[nodiscard]] std::string rename_tab(daemon_state& state, tab_id id, const std::string& name);
[[nodiscard]] std::string rename_task(daemon_state& state, const std::string& from, const std::string& name);
/// To the end of the task, which is created if needed.
[[nodiscard]] std::string move_tab(daemon_state& state, tab_id id, const std::string& task);

} // namespace mux
