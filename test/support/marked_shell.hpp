// SPDX-License-Identifier: MIT
/// @file marked_shell.hpp: a tab with a bash that marks its prompts and commands (OSC 133), and nothing else.
#pragma once

#include "mato_world.hpp"

#include <string>

namespace support {

/// The prompt is "marked$ ". It is shown when this returns.
[[nodiscard]] inline std::string open_marked_shell(const mato_world& world) {
    write_file(world.home() / "marks", R"(PS1='\[\e]133;A\a\]marked$ \[\e]133;B\a\]'
PS0='\e]133;C\a${PS1:$((ran=1,0)):0}'
PROMPT_COMMAND='code=$?; [ -z "$ran" ] || printf "\e]133;D;%s\a" $code; ran='
)");
    std::string id = world.must({"new", "-d", "--", "bash", "--noprofile", "--rcfile", "marks"});
    id.pop_back();
    world.must({"wait", id, "--text", "marked\\$ $"}); // until then it is a shell without marks
    return id;
}

} // namespace support
