// SPDX-License-Identifier: MIT
/// @file kept_workers.hpp: a keeper in a forked child, whose workers run a lambda of the test's.
#pragma once

#include "child_process.hpp"
#include "deadline.hpp"
#include "process_facts.hpp"

#include <mato/keeper.hpp>

#include <csignal>
#include <string>
#include <unistd.h>
#include <utility>

namespace support {

using event_kind = mato::kept::event::kind;

/// Workers start again at once, however often they die.
inline constexpr mato::restart_limits at_once{mato::unlimited, std::chrono::seconds(60), std::chrono::milliseconds(0)};

/// Of a worker in which something does not hold.
inline constexpr int first_failure = 50;

/// Runs `worker(kept&)` in each worker; its result is the worker's exit code. @returns the keeper's process.
template <class Worker> [[nodiscard]] child_process keeper_of(Worker worker, mato::restart_limits limits = at_once) {
    return child_process([worker = std::move(worker), limits] {
        struct {
            void on_serving() {}
            void on_stopped() {}
            void on_trouble(const std::string&) {}
        } events;
        mato::keeper_process keeper(limits);
        mato::failure why;
        keeper.open(mato::make_signal_set({SIGTERM, SIGHUP, SIGUSR1}), why);
        if (why) return 100;
        if (auto side = keeper.run(events)) {
            const int code = worker(*side);
            if (code == 0 || code >= first_failure) side->say_serving(); // else another worker would follow
            ::_exit(code);
        }
        return keeper.code();
    });
}

[[noreturn]] inline void die_of(int signal) {
    ::kill(::getpid(), signal);
    for (;;) ::pause();
}

/// The next event of the keeper's that is of this kind.
[[nodiscard]] inline std::optional<mato::kept::event> await_event(mato::kept& side, mato::kept::event::kind what) {
    for (;;) {
        while (auto event = side.next())
            if (event->what == what) return event;
        if (!await_readable(side.native_handle())) return std::nullopt;
    }
}

} // namespace support
