// SPDX-License-Identifier: MIT
/// @file send.cpp: `send`: types keys and text into a program, or reports how much it read.
#include "commands.hpp"

#include "common.hpp"
#include "exchanges.hpp"
#include "standard_input.hpp"

namespace mux {
int run_send(const invocation& what) {
    const auto paths = paths_of(what);
    const bool is_from_input = what.operands.size() == 2 && what.operands[1] == "-";
    sending text({what.operands[0], current_tab(paths)}, is_from_input ? typing{standard_input(), {}} : keys_of(what),
                 what.give_mark ? mark_before::yes : mark_before::no);
    remote daemon = open_existing(paths);
    try {
        const int code = run_to_completion(daemon, text);
        if (text.mark()) print(text.mark()->text() + "\n");
        return code;
    } catch (const daemon_gone&) {
        if (!daemon.survives()) throw;
        throw command_failure{1, text.interrupted()};
    }
}

} // namespace mux
