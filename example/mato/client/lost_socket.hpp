// SPDX-License-Identifier: MIT
/// @file lost_socket.hpp: asks a daemon that holds its lock but has lost its socket to create the socket again.
/// Threads: one.   Blocks: never.   Test: test/mato/last_moments_process_test.cpp.
///
/// A daemon without a socket is starting, stopping, or has lost the file to a cleaner of temporary files. The first two states
/// end by themselves, so SIGUSR1 is sent only after a while, and only to a process that does not die from it.
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

    /// To be called after each failed attempt to connect to the socket.
    /// @returns the process that holds the lock, 0 if its number is not in the file yet; nothing if no process holds it.
    std::optional<pid_t> look();
    /// The daemon `pid` was reached. @returns the message for the user; empty if the daemon was not asked for its socket.
    [[nodiscard]] std::string found(pid_t pid) const;
    /// The message when the lock is still held and the time is over.
    [[nodiscard]] std::string not_found(pid_t holder) const;

private:
    const mato::daemon_paths& paths_;
    pid_t holder_ = -1, asked_ = -1;
    mato::clock::time_point seen_at_{}; // when `holder_` was first seen without a socket
};

} // namespace mux
