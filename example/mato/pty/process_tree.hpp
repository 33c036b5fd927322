// SPDX-License-Identifier: MIT
/// @file process_tree.hpp: all that a tab's program has started and that still runs.
/// Test: test/mato/process_tree_test.cpp.   Blocks: never (reads proc(5)).
#pragma once

#include <mato/clock.hpp>

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mux {

/// A process that cannot be mistaken for a later one with its number.
struct process_id {
    pid_t pid = 0;
    std::uint64_t start_time = 0; ///< clock ticks since boot, proc(5) /proc/pid/stat field 22
    bool operator==(const process_id&) const = default;
};

/// The session `leader` leads, and every living descendant of its members, also those in sessions of their own; zombies left
/// out. What has been handed to init by a double fork is not found: it chose to outlive its terminal.
[[nodiscard]] std::vector<process_id> members_of_session(pid_t leader);

/// Those of `known` that still run, joined with what they have started meanwhile.
[[nodiscard]] std::vector<process_id> still_running(const std::vector<process_id>& known, pid_t leader);

/// One look at all processes for many questions: with thousands of them reading /proc takes a while.
/// Threads: one object, one thread.
class process_table {
public:
    /// Looks again, unless it has at `not_before` or later.
    void look(mato::clock::time_point not_before);
    /// As `still_running`, by the last look.
    [[nodiscard]] std::vector<process_id> members_of(pid_t leader, const std::vector<process_id>& known) const;
    /// The last look saw no process at all, not even this one: /proc is missing, or shows nothing.
    [[nodiscard]] bool is_blind() const noexcept { return all_.empty(); }
    /// What the last look took.
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

/// Sends to each, unless its number has passed to another process (by pidfd where there is one that may be used).
void signal_each(const std::vector<process_id>& processes, int signal);

/// The working directory; empty when it cannot be told.
[[nodiscard]] std::string working_directory(pid_t pid);

} // namespace mux
