// SPDX-License-Identifier: MIT
/// @file commands.hpp: runs the commands of the command line.
/// Test: test/mato/ (real processes).
#pragma once

#include "client/cli.hpp"

namespace mux {

/// @returns the exit code. @throws command_failure.
int run_command(const invocation& what);

// Each command, with the contract of run_command.
int run_attach_or_new(const invocation& what);
int run_new(const invocation& what);
int run_attach(const invocation& what);
int run_detach(const invocation& what);
int run_switch(const invocation& what);
int run_buffer(const invocation& what);
int run_channel(const invocation& what);
int run_ls(const invocation& what);
int run_clients(const invocation& what);
int run_has(const invocation& what);
int run_send(const invocation& what);
int run_capture(const invocation& what);
int run_read(const invocation& what);
int run_run(const invocation& what);
int run_line(const invocation& what); ///< `run TAB`
int run_find(const invocation& what);
int run_record(const invocation& what);
int run_resize(const invocation& what);
int run_wait(const invocation& what);
int run_kill(const invocation& what);
int run_respawn(const invocation& what);
int run_undo(const invocation& what);
int run_state(const invocation& what);
int run_notice(const invocation& what);
int run_rename(const invocation& what);
int run_move(const invocation& what);
int run_events(const invocation& what);
int run_control(const invocation& what);
int run_status(const invocation& what);
int run_upgrade(const invocation& what);
int run_restart(const invocation& what);
int run_reload(const invocation& what);
int run_stop(const invocation& what);
int run_daemon(const invocation& what);
int run_log(const invocation& what);
int run_completion(const invocation& what);
int run_shell(const invocation& what); ///< prints the marks of a shell

} // namespace mux
