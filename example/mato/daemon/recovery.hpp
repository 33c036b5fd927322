// SPDX-License-Identifier: MIT
/// @file recovery.hpp: takes back the tabs of the daemon's process that died or was replaced.
/// Threads: the io_context's.   Blocks: while what the tabs have written since their last checkpoint is interpreted again.
/// Test: test/mato/survive_kill_process_test.cpp.
#pragma once

#include "tab_programs.hpp"

namespace mux {

/// Opens what the keeper holds, before any client is served. In a first process there is nothing.
void take_back_tabs(daemon_state& state, tab_programs& programs);

/// In the program of an upgrade, before it has taken over: whether it can take back all tabs. Changes nothing.
/// @throws mato::error as tab_counter. @errors version_mismatch: a format that this program does not know · malformed · any of
/// mmap(2).
void try_to_take_back(multiplexer_daemon& host, mato::error_out out);

} // namespace mux
