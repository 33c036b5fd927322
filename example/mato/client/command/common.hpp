// SPDX-License-Identifier: MIT
/// @file common.hpp: what every command needs: paths, the daemon, how long to wait for it, standard output.
/// Threads: one.   Blocks: at most for the patience named.   Errors: command_failure.
#pragma once

#include "client/cli.hpp"
#include "client/listings.hpp"
#include "client/next_process.hpp"
#include "client/remote.hpp"
#include "exchanges.hpp"
#include "protocol/ids.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mux {

inline constexpr std::chrono::seconds start_patience{20}; ///< a daemon that another client starts on a busy machine
inline constexpr std::chrono::seconds answer_patience{5}; ///< any request that does not wait for a program
inline constexpr std::chrono::seconds status_patience{1}; ///< the contract of `status`

[[nodiscard]] std::optional<std::string> variable(const char* name);
[[nodiscard]] program_paths paths_of(const invocation& what);
[[nodiscard]] inline output_format format_of(const invocation& what) noexcept {
    return what.json ? output_format::json : output_format::text;
}
/// The tab in which this command runs, if it belongs to the same daemon; else 0.
[[nodiscard]] tab_id current_tab(const program_paths& paths);

/// @throws as remote::open; `none`: the exit code when no daemon runs.
[[nodiscard]] remote open_existing(const program_paths& paths, int none = mato::exit_code::unavailable);
/// For requests that change nothing: calls `ask(remote&)`, and again if the daemon ends before it has answered. The answer is
/// then that of the next daemon, or that none is running. @throws as ask_process; `none`: the exit code when no daemon runs.
template <class Ask> auto ask_running_daemon(const program_paths& paths, Ask ask, int none = 1) {
    try {
        return ask_process(paths, {.patience = answer_patience, .most = most_asks_of_query}, std::move(ask));
    } catch (no_daemon& why) {
        why.exit_code = none;
        throw;
    }
}
/// `meanwhile`: as remote::open.
[[nodiscard]] remote open_or_start(const invocation& what, const program_paths& paths,
                                   const std::function<void()>& meanwhile = {});
/// Requests a tab, and again from the next daemon if the first one stops before it has opened the tab.
template <class Request> auto ask_until_started(const invocation& what, const program_paths& paths, Request request,
                                                const std::function<void()>& meanwhile = {}) {
    const auto until = mato::deadline::in(start_patience);
    for (;;) {
        remote daemon = open_or_start(what, paths, meanwhile);
        try {
            return request(daemon);
        } catch (const command_failure&) {
            if (what.no_start || !daemon.has_stopped_before_opening() || until.passed()) throw;
        }
    }
}
[[nodiscard]] inline mato::deadline soon() { return mato::deadline::in(answer_patience); }

/// The request of `new`, without the terminal that is to show the tab.
[[nodiscard]] new_tab new_tab_of(const invocation& what, const program_paths& paths);
/// The clients that `detach` names. @throws command_failure, exit code 64: --others outside of a tab.
[[nodiscard]] detach_request detach_of(const invocation& what, const program_paths& paths);
[[nodiscard]] switch_request switch_of(const invocation& what, const program_paths& paths);
/// The requests of `kill`: one for each operand.
[[nodiscard]] std::vector<kill_request> kills_of(const invocation& what, const program_paths& paths);
/// The request of `state`. @throws command_failure, exit code 64: its last operand is no state.
[[nodiscard]] state_request state_of(const invocation& what, const program_paths& paths);
[[nodiscard]] notice_request notice_of(const invocation& what, const program_paths& paths);
/// The input of `send`: key names are keys, other words are text; with -l all words are text.
/// @throws command_failure, exit code 64: a word resembles a key's name but is not one.
[[nodiscard]] typing keys_of(const invocation& what);

/// Writes to standard output and flushes it.
void print(const std::string& text);

} // namespace mux
