// SPDX-License-Identifier: MIT
/// @file recorder.hpp: writes what a tab shows to a file, until its program ends or the user stops it.
/// Threads: one.   Blocks: until then.   Test: test/mato/record_process_test.cpp.
///
/// The file belongs to this process. If a disk or pipe is too slow, the daemon replaces the missed output by the current
/// screen. The gap is reported by a marker in the file, an error, and exit code 1. When the daemon's process dies or is
/// replaced, the recording goes on with the next one, from the first byte that is not in the file.
#pragma once

#include "line_file.hpp"
#include "remote.hpp"

#include <chrono>

namespace mux {

struct record_options {
    target which;
    bool exact = false;                    ///< end at the first gap
    std::chrono::milliseconds duration{0}; ///< 0: no limit
    bool quiet = false;
};

/// @returns 0: the recording is complete. @throws command_failure: why it is not.
int record_tab(const program_paths& paths, remote& daemon, line_file file, const record_options& wanted);

} // namespace mux
