// SPDX-License-Identifier: MIT
#include "common.hpp"

#include "protocol/key_names.hpp"

#include <mato/policies.hpp>
#include <mato/printable.hpp>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace mux {

std::optional<std::string> variable(const char* name) {
    const char* const value = std::getenv(name);
    return value ? std::optional<std::string>(value) : std::nullopt;
}

program_paths paths_of(const invocation& what) {
    mato::failure why;
    auto paths = resolve_paths(what.paths, variable, why);
    if (why) throw command_failure{mato::exit_code::usage, why.message()};
    if (!what.paths.config.empty() &&
        !std::filesystem::exists(paths.config)) // the default file may be missing, a file that was named may not
        throw command_failure{mato::exit_code::bad_config,
                              "the configuration file " + paths.config.native() + " does not exist"};
    return paths;
}

tab_id current_tab(const program_paths& paths) {
    const auto enclosing = parse_enclosing_tab(variable("MATO").value_or(""));
    return enclosing && enclosing->socket == paths.daemon.socket ? enclosing->tab : 0;
}

namespace {

remote open(const program_paths& paths, start mode, mato::deadline until, int none,
            const std::function<void()>& meanwhile = {}) {
    try {
        return remote::open(paths, mode, until, meanwhile);
    } catch (no_daemon& why) {
        why.exit_code = none;
        throw;
    }
}

} // namespace

remote open_existing(const program_paths& paths, int none) {
    return open(paths, start::never, mato::deadline::in(answer_patience), none);
}

remote open_or_start(const invocation& what, const program_paths& paths, const std::function<void()>& meanwhile) {
    return open(paths, what.no_start ? start::never : start::if_needed, mato::deadline::in(start_patience),
                mato::exit_code::unavailable, meanwhile);
}

new_tab new_tab_of(const invocation& what, const program_paths& paths) {
    new_tab wanted;
    wanted.task = what.task;
    wanted.name = what.name;
    wanted.emulator = what.emulator;
    wanted.current = current_tab(paths);
    wanted.argv = what.program;
    wanted.environment = what.environment;
    wanted.remains = {what.remains};
    wanted.may_fall_back = what.directory.empty(); // a directory that was named must exist
    std::error_code why;
    auto here = std::filesystem::current_path(why);
    if (why && !what.directory.empty() && what.directory[0] != '/')
        throw command_failure{1, "cannot resolve -c " + what.directory + ": the working directory is unknown (" +
                                     why.message() + "); give an absolute path"};
    if (why) here = variable("PWD").value_or("/"); // it no longer exists; the daemon uses another and says so
    if (!here.is_absolute()) here = "/";
    wanted.cwd = (here / what.directory).lexically_normal().native();
    return wanted;
}

namespace {

constexpr const char* own_tab = "."; // the tab in which the command runs

} // namespace

state_request state_of(const invocation& what, const program_paths& paths) {
    const std::string& word = what.operands.back();
    const auto state = parse_said_state(word);
    if (!state)
        throw command_failure{mato::exit_code::usage,
                              "'" + mato::printable(word) + "' is not a state of a tab; give working, blocked, done or clear"};
    return {{what.operands.size() > 1 ? what.operands[0] : own_tab, current_tab(paths)}, *state, what.note};
}

notice_request notice_of(const invocation& what, const program_paths& paths) {
    return {{what.tab.empty() ? own_tab : what.tab, current_tab(paths)}, what.operands[0]};
}

typing keys_of(const invocation& what) {
    typing all;
    for (auto word = what.operands.begin() + 1; word != what.operands.end(); ++word) {
        if (!what.literal && parse_key_name(*word)) {
            all.keys.push_back({all.bytes.size(), *word});
            continue;
        }
        if (const std::string problem = what.literal ? std::string() : key_name_problem(*word); !problem.empty())
            throw command_failure{mato::exit_code::usage,
                                  "'" + *word + "' is not a key: " + problem + " (use send -l to type it as text)"};
        all.bytes += *word;
    }
    return all;
}

void print(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return;
    // The reader of a pipe has closed it, as `head` does: no message, and the code that a shell shows for it.
    if (errno == EPIPE) throw command_failure{128 + SIGPIPE, {}};
    throw command_failure{1, "cannot write to standard output: " + mato::last_error().message()};
}

} // namespace mux
