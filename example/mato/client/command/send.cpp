// SPDX-License-Identifier: MIT
/// @file send.cpp: `send`: types keys and text into a program, or reports how much it read.
#include "commands.hpp"

#include "common.hpp"
#include "exchanges.hpp"

#include <mato/sys.hpp>

namespace mux {
namespace {

std::string standard_input() {
    std::string bytes;
    char buffer[65'536];
    for (ssize_t got; (got = mato::sys::read(0, buffer, sizeof buffer)) != 0;) {
        if (got < 0) throw command_failure{1, "cannot read standard input: " + mato::last_error().message()};
        bytes.append(buffer, static_cast<std::size_t>(got));
    }
    return bytes;
}

} // namespace

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
