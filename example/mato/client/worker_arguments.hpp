// SPDX-License-Identifier: MIT
/// @file worker_arguments.hpp: the command line with which a daemon starts the program of an upgrade.
/// Pure.  Test: test/mato/worker_arguments_test.cpp.
///
/// The format has a version, because the two programs may be of different versions. A program that does not know the command
/// exits with a usage error, and the upgrade is rolled back.
#pragma once

#include "paths.hpp"
#include "pty/spawn.hpp"

#include <mato/error.hpp>

#include <string>
#include <vector>

namespace mux {

/// What the next worker cannot learn from what is kept or from its environment.
struct worker_arguments {
    program_paths paths;
    process_limits limits{};       ///< of the process that started the daemon
    bool stays_when_empty = false; ///< `daemon --foreground`
    bool is_managed = false;       ///< a service manager has its log and its pid

    [[nodiscard]] std::vector<std::string> encode() const; ///< the first one is the program's name
    /// `words`: argv of main.
    /// @errors version_mismatch: not this command, or of a version that this program does not know · malformed.
    [[nodiscard]] static worker_arguments decode(const std::vector<std::string>& words, mato::error_out out);
};

} // namespace mux
