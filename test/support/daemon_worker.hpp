// SPDX-License-Identifier: MIT
/// @file daemon_worker.hpp: the process that serves for a mato daemon with a keeper.
#pragma once

#include "catch.hpp"
#include "deadline.hpp"
#include "process_facts.hpp"

#include <csignal>

namespace support {

/// 0: there is none.
[[nodiscard]] inline pid_t worker_of(pid_t keeper) {
    for (const pid_t each : children_of(keeper))
        if (proc_file(each, "comm") == "mato: daemon\n" && is_running(each)) return each;
    return 0;
}

/// Kills it. @returns the pid of the next one
inline pid_t kill_worker(pid_t keeper, int signal = SIGKILL) {
    const pid_t victim = worker_of(keeper);
    REQUIRE(victim > 1);
    ::kill(victim, signal);
    pid_t next = 0;
    REQUIRE(wait_until([&] { return (next = worker_of(keeper)) != 0 && next != victim; }));
    return next;
}

} // namespace support
