// SPDX-License-Identifier: MIT
/// @file recorder.hpp: writes what a tab shows to a file, until it ends or somebody says so.
/// Threads: one.   Blocks: until then.   Test: test/mato/record_process_test.cpp.
///
/// The file is this process's affair: a disk or pipe that is slow makes it fall behind, and the daemon then sends it the
/// screen as it is instead of what it missed. What is missing is a marker in the file, an error, and exit code 1.
#pragma once

#include "line_file.hpp"
#include "remote.hpp"

#include <chrono>

namespace mux {

struct record_options {
    target which;
    bool exact = false;                    ///< end rather than miss something
    std::chrono::milliseconds duration{0}; ///< 0: no end of its own
    bool quiet = false;
};

/// @returns 0: all that the tab showed is there. @throws command_failure: why it is not.
int record_tab(remote& daemon, line_file file, const record_options& wanted);

} // namespace mux
