// SPDX-License-Identifier: MIT
/// @file shell.cpp: `shell`: prints the script with which a shell marks its prompts and commands.
#include "commands.hpp"

#include "common.hpp"
#include "tab/shell_marks.hpp"

namespace mux {

int run_shell(const invocation& what) {
    const std::string name = what.operands.empty() ? variable("SHELL").value_or("") : what.operands[0];
    const std::string_view script = shell_marks(marking_shell_of(name));
    if (script.empty())
        throw command_failure{mato::exit_code::usage, "no marks are known for the shell '" + name + "'; use bash, zsh or fish"};
    print(std::string(script.substr(1))); // without the empty first line
    return 0;
}

} // namespace mux
