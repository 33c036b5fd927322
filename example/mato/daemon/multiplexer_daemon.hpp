// SPDX-License-Identifier: MIT
/// @file multiplexer_daemon.hpp: the toolkit's daemon with the policies of this program.
/// Fork: with `daemon_options::survive` the daemon is two processes, see mato/keeper.hpp.
#pragma once

#include "protocol/policies.hpp"
#include "protocol/process_title.hpp"
#include "pty/spawn.hpp"

#include <mato/daemon.hpp>
#include <mato/keeper.hpp>

namespace mux {

inline constexpr rlim_t most_descriptors = 65'536; ///< enough for all tabs and clients; larger tables only cost memory

/// The process that holds the terminals. Its name is not mato's: `pkill mato` must not end it. It has as many descriptors as
/// its workers.
class terminal_keeper : public mato::keeper_process {
public:
    using keeper_process::keeper_process;
    void open(sigset_t signals, mato::error_out out) {
        set_process_title("ttykeeper");
        raise_descriptor_limit(most_descriptors);
        keeper_process::open(signals, out);
    }
};

struct surviving : mato::keeper {
    using process = terminal_keeper;
};
/// The keeper is a child of the client that starts it, which waits for no child but by its number.
struct daemon_policies : policies {
    using detach = mato::single_fork;
    using handover = surviving;
};

using multiplexer_daemon = mato::basic_daemon<daemon_policies>;

/// Whether a process that holds the terminals lives.
[[nodiscard]] inline bool has_keeper(multiplexer_daemon& daemon) noexcept { return daemon.kept().keeper() != 0; }
/// The process that stands for the daemon: in the lock, the pid file, and to its users.
[[nodiscard]] inline pid_t pid_of(multiplexer_daemon& daemon) noexcept {
    return has_keeper(daemon) ? daemon.kept().keeper() : mato::sys::getpid();
}

} // namespace mux
