// SPDX-License-Identifier: MIT
/// @file upgrade.hpp: how the next worker is started from another program, and whether it took over.
/// Layer: 1 (vocabulary).  Test: test/process/upgrade_process_test.cpp.
/// Threads: values.   Blocks: never.
#pragma once

#include "error.hpp"

#include <string>
#include <sys/types.h>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

/// The result of an upgrade or a check, for the process that requested it. It converts to true if the new program has taken
/// over or, after a check, could have.
struct upgrade_outcome {
    failure why{}; ///< why not; this process continues to serve
    [[nodiscard]] explicit operator bool() const noexcept { return !why; }
};

/// What an upgrade is for. A check goes through the same steps, up to the last one.
enum class upgrade_purpose {
    replace, ///< the new program takes over
    check,   ///< the new program is ended where it would take over, and this process continues
};

/// How a keeper starts the program of an upgrade. By default as this process was started.
struct upgrade_start {
    std::vector<std::string> arguments{}; ///< the first is the name; empty: those of this process, from proc(5)
    std::vector<std::string> variables{}; ///< "NAME=value", added to the environment of this process
};

/// What a keeper passes to a program that it starts: the result of take_worker_environment (keeper.hpp). It converts to true in
/// a process that was started by a keeper.
struct worker_environment {
    int link = -1, report = -1, commit = -1, lock = -1; ///< descriptors
    pid_t keeper = 0;
    int state = -1;        ///< a descriptor, in a program that is executed in the keeper's place
    bool is_check = false; ///< it only says whether it could go on, and exits
    [[nodiscard]] explicit operator bool() const noexcept { return keeper != 0; }
};

} // namespace MATO_ABI
} // namespace mato
