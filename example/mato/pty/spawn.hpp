// SPDX-License-Identifier: MIT
/// @file spawn.hpp: starts a program in a new terminal, or reports why it cannot.
/// Test: test/mato/spawn_test.cpp; failures: test/fault/fault_spawn_test.cpp.
/// Fork: the child makes async-signal-safe calls only, and closes every descriptor except its terminal.
/// Blocks: until the program's exec has succeeded or failed (microseconds).
#pragma once

#include "vt/geometry.hpp"

#include <mato/error.hpp>
#include <mato/unique_fd.hpp>

#include <sys/resource.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace mux {

struct terminal_size {
    vt::screen_size cells{}; ///< at least one
    vt::pixel_size cell{};   ///< of one cell
    bool operator==(const terminal_size&) const = default;
};

/// Limits that the daemon changes for itself and its programs must not inherit.
struct process_limits {
    mode_t umask = 022;
    rlimit descriptors{}; ///< RLIMIT_NOFILE; all zero: the caller's
};

/// The limits of this process before it changes them.
[[nodiscard]] process_limits own_limits() noexcept;
/// Raises the soft limit on descriptors to the hard limit, at most `most`: each tab and each client needs one.
void raise_descriptor_limit(rlim_t most) noexcept;

struct spawn_request {
    std::string program;                  ///< a path, or a name looked up in the PATH of `environment`
    std::vector<std::string> argv;        ///< argv[0] first
    std::vector<std::string> environment; ///< "NAME=value"
    std::string directory;                ///< absolute
    process_limits limits{};              ///< of the user, not of the daemon
    terminal_size size;                   ///< known to the program from its start
};

struct spawned {
    mato::unique_fd terminal; ///< the master side, non-blocking, close-on-exec
    pid_t pid = 0;            ///< leads its own session; a child of the caller, who must reap it
};

/// The step of a failure to enter `spawn_request::directory`.
inline constexpr std::string_view enter_directory = "enter directory";

/// @errors with step and path: no terminal, no process, a directory that cannot be entered, a program that cannot be run (the
/// child's errno, by a close-on-exec pipe). No process and no descriptor is left then.
[[nodiscard]] spawned spawn(const spawn_request& request, mato::error_out out);

/// TIOCGWINSZ. Empty: the terminal has no size.
[[nodiscard]] std::optional<terminal_size> size_of(int terminal) noexcept;
/// The terminal collects whole lines and does not echo them, as for a password. A line editor echoes by itself.
[[nodiscard]] bool hides_lines(int terminal) noexcept;
/// TIOCSWINSZ; the program gets SIGWINCH if the size differs.
void resize(int terminal, terminal_size size, mato::error_out out);

} // namespace mux
