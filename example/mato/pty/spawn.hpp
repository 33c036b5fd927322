// SPDX-License-Identifier: MIT
/// @file spawn.hpp: a program in a new terminal of its own, or the reason why not.
/// Test: test/mato/spawn_test.cpp; the faults: test/fault/fault_spawn_test.cpp.
/// Fork: the child runs async-signal-safe calls only, and every descriptor but its terminal is closed.
/// Blocks: until the program's exec has succeeded or failed (microseconds).
#pragma once

#include <mato/error.hpp>
#include <mato/unique_fd.hpp>

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mux {

struct terminal_size {
    std::uint16_t rows = 24, columns = 80;         ///< cells, each at least 1
    std::uint16_t cell_width = 0, cell_height = 0; ///< pixels; 0: not known
    bool operator==(const terminal_size&) const = default;
};

/// What a daemon changes for itself and its programs must not inherit.
struct process_limits {
    mode_t umask = 022;
    rlimit descriptors{}; ///< RLIMIT_NOFILE; all zero: as the caller has it
};

/// This process's, before it changes them.
[[nodiscard]] process_limits own_limits() noexcept;
/// Raises the soft limit on descriptors to the hard one, at most `most`: a tab and a client cost one each.
void raise_descriptor_limit(rlim_t most) noexcept;

struct spawn_request {
    std::string program;                  ///< a path, or a name looked up in the PATH of `environment`
    std::vector<std::string> argv;        ///< argv[0] first
    std::vector<std::string> environment; ///< "NAME=value"
    std::string directory;                ///< absolute
    process_limits limits{};              ///< of the user, not of the daemon
    terminal_size size;                   ///< what the program sees from its first instruction
};

struct spawned {
    mato::unique_fd terminal; ///< the master side, non-blocking, close-on-exec
    pid_t pid = 0;            ///< leads a session of its own; a child of the caller, who reaps it by this number
};

/// The step of a failure to enter `spawn_request::directory`.
inline constexpr std::string_view enter_directory = "enter directory";

/// @errors with step and path: no terminal to be had, no process, a directory that cannot be entered, a program that cannot be
/// run
///         (the child's errno, by a close-on-exec pipe). Nothing is left then: no process, no descriptor.
[[nodiscard]] spawned spawn(const spawn_request& request, mato::error_out out);

/// TIOCSWINSZ; the program gets SIGWINCH when it differs.
void resize(int terminal, terminal_size size, mato::error_out out);

} // namespace mux
