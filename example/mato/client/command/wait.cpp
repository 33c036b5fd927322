// SPDX-License-Identifier: MIT
/// @file wait.cpp: `wait`: waits until a program has ended, is silent, or shows a text.
#include "commands.hpp"

#include "common.hpp"
#include "exchanges.hpp"
#include "protocol/ended_tabs.hpp"

namespace mux {

namespace {

/// The end of the last tab may have stopped the daemon too, which leaves a file.
std::optional<int> code_left_behind(const invocation& what, const program_paths& paths, const target& which) {
    if (!what.exit) return std::nullopt;
    const auto ended = ended_tabs::load(ended_tabs::path_next_to(paths.daemon.socket));
    const ended_tab* const gone = ended.find(which.name, which.current);
    return gone ? std::optional(gone->exit_code) : std::nullopt;
}

} // namespace

int run_wait(const invocation& what) {
    const auto paths = paths_of(what);
    const target which{what.operands[0], current_tab(paths)};
    for (;;) try {
            remote daemon = open_existing(paths);
            try {
                const auto waiting = wait_exchange(what, which);
                return run_to_completion(daemon, *waiting);
            } catch (const daemon_gone&) {
                if (!daemon.survives()) throw; // otherwise the next process is asked
            }
        } catch (const no_daemon&) {
            if (const auto code = code_left_behind(what, paths, which)) return *code;
            throw;
        } catch (const daemon_gone&) {
            if (const auto code = code_left_behind(what, paths, which)) return *code;
            throw;
        }
}

} // namespace mux
