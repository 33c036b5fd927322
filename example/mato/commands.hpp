// SPDX-License-Identifier: MIT
/// @file commands.hpp: each command of the command line, done.
/// Test: test/mato/ (real processes).
#pragma once

#include "cli.hpp"

namespace mux {

/// @returns the exit code. @throws command_failure.
int run_command(const invocation& what);

} // namespace mux
