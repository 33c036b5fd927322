// SPDX-License-Identifier: MIT
/// @file past_restore.hpp: shows the tabs that an earlier daemon has saved, after the machine was lost.
/// Threads: the io_context's.   Blocks: while the saved files are read and their text is interpreted.
/// Test: test/mato/restore_process_test.cpp.
#pragma once

#include "past_saver.hpp"
#include "tab_programs.hpp"

namespace mux {

/// Opens them without their programs, if the configuration asks for it; with `run`, starts the programs that it names. In the
/// daemon's first process, before any client is served; in a later one nothing, because the tabs are there.
void show_past_tabs(daemon_state& state, tab_programs& programs, const past_saver& saver);

/// Whether `run` of the configuration names the program that this starts. A line for a shell counts as its first word, unless
/// it has characters that mean something to the shell: it may start other programs.
[[nodiscard]] bool is_named(const spawn_request& program, const std::vector<std::string>& names);

} // namespace mux
