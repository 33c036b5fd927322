// SPDX-License-Identifier: MIT
/// @file wait.cpp: `wait`: waits until a program has ended, is silent, or shows a text.
#include "commands.hpp"

#include "common.hpp"
#include "exchanges.hpp"
#include "protocol/ended_tabs.hpp"
#include "watching.hpp"

#include <mato/printable.hpp>

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
    const auto left_behind = [&](command_failure& why, int exit_code) {
        if (const auto code = code_left_behind(what, paths, which)) return *code;
        why.exit_code = exit_code;
        throw;
    };
    try {
        return ask_process(paths, {.needs_tabs = true}, [&](remote& daemon) {
            const auto waiting = wait_exchange(what, which);
            const int code = run_to_completion(daemon, *waiting);
            if (const auto* const text = dynamic_cast<const watching*>(waiting.get()); text && text->found())
                print(what.json ? as_json(*text->found()).text + "\n"
                                : text->found()->end.text() + " " + mato::printable(text->found()->line) + "\n");
            return code;
        });
    } catch (no_daemon& why) {
        return left_behind(why, mato::exit_code::unavailable);
    } catch (daemon_gone& why) {
        return left_behind(why, 1);
    }
}

} // namespace mux
