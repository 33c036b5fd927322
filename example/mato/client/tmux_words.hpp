// SPDX-License-Identifier: MIT
/// @file tmux_words.hpp: tmux's command lines as mato's own, for scripts and fingers that know tmux.
/// Pure.  Test: test/mato/tmux_words_test.cpp.   Source: tmux(1), COMMANDS.
///
/// tmux's session is a task here, its window a tab, and a tab is one program: it has no panes. `SESSION:WINDOW` becomes
/// `TASK/TAB`; numbers of tabs begin with 1. Names that mato itself has (`kill`, `send`, `ls`) keep their meaning here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mux {

enum class run_where : std::uint8_t { outside, inside }; ///< of a tab

/// `words`: a command with its arguments, without mato's options before it. @returns empty if it is no command of tmux
/// @throws command_failure, exit code 64: the command or an option has no counterpart; the text says what to use instead
[[nodiscard]] std::optional<std::vector<std::string>> from_tmux(const std::vector<std::string>& words, run_where where);

} // namespace mux
