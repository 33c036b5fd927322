// SPDX-License-Identifier: MIT
/// @file command_line.hpp: the command prompt's language: the name of an action, and what that takes.
/// Pure.  Test: test/mato/command_line_test.cpp.
#pragma once

#include "actions.hpp"
#include "protocol/ids.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mux {

/// What a command can name.
struct command_names {
    struct tab {
        tab_id id = 0;
        std::string task, name;
    };
    std::vector<tab> tabs;
    std::vector<std::string> tasks;
};

struct parsed_command {
    std::optional<pressed_action> acts{}; ///< nothing: it is not valid
    std::string problem{};                ///< why; empty for an empty line, too
};

/// An action's name, then what it takes: of `tab` a number or a name, of those that rename, move or find a text, which may have
/// blanks. Without it they ask.
[[nodiscard]] parsed_command parse_command(std::string_view line, const command_names& known);

/// The lines that begin with `line` and go on with the name of an action, of a tab or of a task, in order.
[[nodiscard]] std::vector<std::string> completions_of(std::string_view line, const command_names& known);

} // namespace mux
