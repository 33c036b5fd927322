// SPDX-License-Identifier: MIT
/// @file wait.cpp: `wait`: waits until something has happened in tabs.
#include "commands.hpp"

#include "common.hpp"
#include "protocol/ended_tabs.hpp"
#include "waits.hpp"

#include <algorithm>

namespace mux {

namespace {

/// The end of the last tab may have stopped the daemon too, which leaves a file.
std::optional<int> code_left_behind(const invocation& what, const program_paths& paths, const wait_progress& done) {
    if (!what.exit) return std::nullopt;
    const auto ended = ended_tabs::load(ended_tabs::path_next_to(paths.daemon.socket));
    std::optional<int> code;
    for (std::size_t i = 0; i < what.operands.size(); ++i) {
        const bool is_done = i < done.results.size() && done.results[i];
        const ended_tab* const gone = is_done ? nullptr : ended.find(what.operands[i], current_tab(paths));
        if (gone && what.any) return gone->exit_code;
        if (!gone && !is_done && !what.any) return std::nullopt;
        const int its = is_done ? done.results[i]->exit_code : gone ? gone->exit_code : 0;
        if (!what.any && code.value_or(0) == 0) code = its;
    }
    return code;
}

/// What was found; in text, with the tab's number before it if there are several.
void print_result(const invocation& what, const std::string& tab, const exchange::result& how) {
    if (what.json) return print(how.value.text + "\n");
    const std::string prefix = what.operands.size() > 1 ? tab + (how.text.empty() ? "" : " ") : std::string();
    if (!prefix.empty() || !how.text.empty()) print(prefix + how.text + "\n");
}

} // namespace

int run_wait(const invocation& what) {
    const auto paths = paths_of(what);
    const auto until = deadline_of(what);
    wait_progress done;
    const auto left_behind = [&](command_failure& why, int exit_code) {
        if (const auto code = code_left_behind(what, paths, done)) return *code;
        why.exit_code = exit_code;
        throw;
    };
    try {
        return ask_process(paths, {.needs_tabs = true}, [&](remote& daemon) {
            const auto report = [&what](const std::string& tab, const exchange::result& how) { print_result(what, tab, how); };
            waiting tabs(what, current_tab(paths), until, report, &done);
            return run_to_completion(daemon, tabs);
        });
    } catch (no_daemon& why) {
        return left_behind(why, mato::exit_code::unavailable);
    } catch (daemon_gone& why) {
        return left_behind(why, 1);
    }
}

} // namespace mux
