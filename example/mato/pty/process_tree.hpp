// SPDX-License-Identifier: MIT
/// @file process_tree.hpp: the running processes that a tab's program has started.
/// Test: test/mato/process_tree_test.cpp.   Blocks: never (reads proc(5)).
#pragma once

#include <mato/clock.hpp>

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mux {

/// A process, distinguished from a later one with the same number.
struct process_id {
    pid_t pid = 0;
    std::uint64_t start_time = 0; ///< clock ticks since boot, proc(5) /proc/pid/stat field 22
    bool operator==(const process_id&) const = default;
};

/// The members of the session that `leader` leads, and all their descendants, also in other sessions; without zombies. A
/// process that was handed to init by a double fork is not found: it chose to outlive its terminal.
[[nodiscard]] std::vector<process_id> members_of_session(pid_t leader);

/// Those of `known` that are still running, and their new descendants.
[[nodiscard]] std::vector<process_id> still_running(const std::vector<process_id>& known, pid_t leader);

/// One scan of all processes for many queries: with thousands of processes, reading /proc takes a while.
/// Threads: one object, one thread.
class process_table {
public:
    /// Scans, unless the last scan was at `not_before` or later.
    void look(mato::clock::time_point not_before);
    /// As `still_running`, from the last scan.
    [[nodiscard]] std::vector<process_id> members_of(pid_t leader, const std::vector<process_id>& known) const;
    /// The last scan found no process, not even this one: /proc is missing or empty.
    [[nodiscard]] bool is_blind() const noexcept { return all_.empty(); }
    /// The duration of the last scan.
    [[nodiscard]] mato::clock::duration cost() const noexcept { return cost_; }

    struct process {
        process_id id;
        pid_t parent = 0, session = 0;
        char state = '?';
    };

private:
    std::vector<process> all_;
    mato::clock::time_point looked_ = mato::clock::time_point::min();
    mato::clock::duration cost_{};
};

/// Signals each process unless its number was reused (with a pidfd where that is possible).
void signal_each(const std::vector<process_id>& processes, int signal);

/// The working directory; empty if it is unknown.
[[nodiscard]] std::string working_directory(pid_t pid);

} // namespace mux
