// SPDX-License-Identifier: MIT
/// @file next_process.hpp: asks the daemon, and its next process if the one that was asked dies.
/// Threads: one.   Blocks: as long as `ask` does, and for the patience without a process that answers.
/// Test: test/mato/survive_clients_process_test.cpp.
///
/// A client that lost its connection without a reason connects to the same socket. The keeper holds it, so the client waits in
/// the backlog until the next process serves. That one may die too: then the client pauses and connects again.
#pragma once

#include "remote.hpp"

#include <algorithm>
#include <utility>

namespace mux {

/// For the daemon's next process, unless the one before has said how long its clients wait: see remote::patience.
inline constexpr mato::milliseconds reconnect_patience{10'000};

/// How often and how long is asked.
struct asking {
    mato::milliseconds patience = reconnect_patience; ///< without a process that serves
    int most = 1000;                                  ///< a request that kills each process must not do so for ever
    bool needs_tabs = false;                          ///< only a daemon whose tabs survive is asked again
    daemon_wait wait{};                               ///< as in remote::open
};

/// Requests that only ask: again at most twice.
inline constexpr int most_asks_of_query = 3;

/// Connects and calls `ask(remote&)`; both again, after a pause, if the daemon's process ends before `ask` returns.
/// @throws no_daemon: none is running · daemon_gone: the last one has died · wait_ended · as remote::open and `ask`.
template <class Ask> auto ask_process(const program_paths& paths, const asking& how, Ask ask) {
    constexpr mato::milliseconds first_pause{20};     // a process usually serves within that time
    constexpr mato::milliseconds longest_pause{1000}; // a keeper that rests starts one process in a second
    auto until = mato::deadline::in(how.patience);
    mato::milliseconds pause = first_pause;
    for (int asked = 1;; ++asked) {
        remote daemon = remote::open(paths, start::never, until, {}, how.wait);
        const auto connected = mato::clock::now();
        try {
            return ask(daemon);
        } catch (const wait_ended&) {
            throw;
        } catch (const command_failure&) {
            if (!daemon.is_ending() || (how.needs_tabs && !daemon.survives())) throw;
            if (mato::clock::now() >= connected + how.patience) { // it served: its end is the first of a series
                until = mato::deadline::in(how.patience);
                pause = first_pause;
                asked = 1;
            }
            if (until.passed() || asked >= how.most) throw;
        }
        pause_for(std::exchange(pause, std::min(2 * pause, longest_pause)), how.wait);
    }
}

} // namespace mux
