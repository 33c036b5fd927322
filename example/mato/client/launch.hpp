// SPDX-License-Identifier: MIT
/// @file launch.hpp: starts the daemon, in the background or in this process.
/// Threads: only this one may run.   Blocks: until the daemon serves, or has ended.   Fork: `launch_daemon` forks the daemon.
/// Test: test/mato/start_race_process_test.cpp, test/mato/managed_process_test.cpp.
#pragma once

#include "worker_arguments.hpp"

#include <mato/daemon.hpp>

#include <functional>
#include <string>
#include <vector>

namespace mux {

/// Starts the daemon in the background and waits until it serves or has failed; `meanwhile`, if any, runs before that wait.
[[nodiscard]] mato::start_outcome launch_daemon(const program_paths& paths, const std::function<void()>& meanwhile = {});
/// Serves in this process. @returns an exit code. @throws command_failure.
int serve_in_foreground(const program_paths& paths);

/// Serves as the next worker of the daemon whose keeper started this process for an upgrade. @returns an exit code.
int serve_next(const worker_arguments& how, const mato::worker_environment& from, mato::error_out out);

/// environ(7) as strings.
[[nodiscard]] std::vector<std::string> own_environment();

} // namespace mux
