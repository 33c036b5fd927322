// SPDX-License-Identifier: MIT
#include "tab_command.hpp"

#include "tab/shell.hpp"

namespace mux {

tab_command command_of(const new_tab& wanted, const std::string& shell) {
    tab_command result;
    spawn_request& program = result.program;
    if (wanted.argv.empty()) {
        program.program = shell;
        program.argv = {std::string("-").append(base_name(shell))};
        result.shown = base_name(shell);
    } else if (wanted.argv.size() == 1 && !needs_no_shell(wanted.argv[0])) {
        program.program = shell;
        program.argv = {base_name(shell), "-c", wanted.argv[0]};
        result.shown = wanted.argv[0];
    } else {
        program.program = wanted.argv[0];
        program.argv = wanted.argv;
        for (const std::string& word : wanted.argv) result.shown.append(result.shown.empty() ? "" : " ").append(word);
    }
    if (result.shown.size() > most_shown_bytes) result.shown.resize(most_shown_bytes);
    program.directory = wanted.cwd;
    if (wanted.view.size.rows > 0 && wanted.view.size.columns > 0) program.size.cells = wanted.view.size;
    result.name = !wanted.name.empty() ? wanted.name : tab_name_for(wanted.argv.empty() ? shell : wanted.argv[0]);
    return result;
}

} // namespace mux
