// SPDX-License-Identifier: MIT
/// @file lost_socket.hpp: a daemon that holds its lock and has no socket: it is asked to make the socket again.
/// Threads: one.   Blocks: never.   Test: test/mato/last_moments_process_test.cpp.
///
/// A daemon without a socket starts, stops, or has lost the file to a cleaner of temporary files. The first two pass by
/// themselves, so SIGUSR1 is sent only after a while, and only to a process that does not end by it.
#pragma once

#include <mato/clock.hpp>
#include <mato/policies.hpp>

#include <optional>
#include <string>

#include <sys/types.h>

namespace mux {

class lost_socket {
public:
    /// @pre `paths` outlives it.
    explicit lost_socket(const mato::daemon_paths& paths) noexcept : paths_(paths) {}

    /// To be called when the socket could not be connected to, again and again.
    /// @returns the process that holds the lock, 0 when it has not said its number yet; nothing when no process holds it.
    std::optional<pid_t> look();
    /// The daemon `pid` was reached: what the user is to be told; empty when it was not asked for its socket.
    [[nodiscard]] std::string found(pid_t pid) const;
    /// The lock is still held, and there is no more time to wait.
    [[nodiscard]] std::string not_found(pid_t holder) const;

private:
    const mato::daemon_paths& paths_;
    pid_t holder_ = -1, asked_ = -1;
    mato::clock::time_point seen_at_{}; // since when `holder_` has been the one without a socket
};

} // namespace mux
