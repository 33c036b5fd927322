// SPDX-License-Identifier: MIT
#include "past_restore.hpp"

#include "tab/shell.hpp"

#include <algorithm>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

namespace mux {
namespace {

constexpr std::size_t most_shown_command = 200; // bytes in the line below the text

/// In local time, to the minute.
std::string time_text(std::time_t when) {
    std::tm parts{};
    char text[32];
    if (!::localtime_r(&when, &parts)) return "an unknown day";
    return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts)};
}

/// What mato says below the text.
std::string last_line_of(const past_tab& each) {
    std::string command = each.birth.options.command.substr(0, most_shown_command);
    if (command.size() < each.birth.options.command.size()) command += "...";
    std::string line = "[mato: this is as it was on " + time_text(each.saved) + "; its program is gone: " + command +
                       "; Enter starts it again, d forgets this tab]";
    std::replace_if(
        line.begin(), line.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
    return line;
}

/// How the program was started, with what has changed since: the daemon, the session of the user, and the configuration.
tab_options options_of(daemon_state& state, const past_tab& each) {
    const settings& now = *state.configuration;
    tab_options options = each.birth.options;
    options.size.cells = options.size.cells.clamped();
    options.history_lines = now.history_lines;
    options.replay_bytes = now.raw_replay_bytes;
    options.input_bytes = now.paste_bytes;
    options.clipboard = now.clipboard;
    options.survive = has_keeper(state.host);
    options.program.size = options.size;
    options.program.limits = state.limits;
    std::vector<std::string> session;
    for (const std::string& name : now.update_environment) {
        const auto at = state.variables.find(name);
        session.push_back(at == state.variables.end() ? name : name + "=" + at->second);
    }
    environment variables = parse_environment(options.program.environment);
    update(variables, now.update_environment, session);
    const environment own = for_tab({}, state.host.options().paths.socket, pid_of(state.host), options.id, {});
    for (const char* const name : {"MATO", "MATO_TAB"}) variables[name] = own.at(name);
    options.program.environment = to_strings(variables);
    return options;
}

} // namespace

bool is_named(const spawn_request& program, const std::vector<std::string>& names) {
    std::string word = program.argv.front();
    if (program.argv.size() == 3 && program.argv[1] == "-c") {
        const std::string& line = program.argv[2];
        if (line.find_first_of("\n\r;&|<>()`$\\\"'*?[]{}!#~=") != std::string::npos) return false;
        const auto from = line.find_first_not_of(" \t");
        if (from == std::string::npos) return false;
        word = line.substr(from, line.find_first_of(" \t", from) - from);
    }
    if (word.starts_with('-')) word.erase(0, 1); // a login shell
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
        return name == word || (name.find('/') == std::string::npos && name == base_name(word));
    });
}

void show_past_tabs(daemon_state& state, tab_programs& programs, const past_saver& saver) {
    const settings& now = *state.configuration;
    if (now.restore == restore_when::off || state.host.generation().number > 1) return;
    const std::vector<past_tab> found = saver.load();
    std::uint64_t acts = state.tabs.last_act();
    for (const past_tab& each : found) acts = std::max({acts, each.place.used, each.place.touched});
    state.tabs.continue_acts(acts);
    for (const past_tab& each : found) {
        const auto shown = programs.show_past(each.place, options_of(state, each), each.text, last_line_of(each));
        if (now.restore != restore_when::run || !is_named(shown->options().program, now.restore_run)) continue;
        mato::failure why;
        programs.start_again(*shown, why);
        if (why)
            state.host.log().warning("the program of tab " + std::to_string(each.place.id) +
                                     " is not started again: " + why.message());
    }
    if (found.empty()) return;
    state.kept.save();
    state.host.log().info("showing " + std::to_string(found.size()) + (found.size() == 1 ? " saved tab" : " saved tabs") +
                          " as they were");
}

} // namespace mux
