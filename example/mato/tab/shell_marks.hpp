// SPDX-License-Identifier: MIT
/// @file shell_marks.hpp: has bash, zsh and fish mark their prompts and commands (OSC 133) and tell their directory (OSC 7).
/// Blocks: `load_shell_marks`, for a small file of zsh.   Test: test/mato/shell_marks_process_test.cpp.
/// Source: Final Term's semantic prompts, as documented by iTerm2 and kitty: A prompt, B input, C output, D;CODE end.
///
/// A user can load the script in the shell's own start file. A tab's shell gets it without that: bash by PROMPT_COMMAND, which
/// it runs before its first prompt, so after all start files; zsh by a directory ZDOTDIR whose .zshenv restores the user's;
/// fish by its option -C. No file of the user is changed.
#pragma once

#include "pty/spawn.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace mux {

enum class marking_shell : std::uint8_t { none, bash, zsh, fish };

/// By the last component of a path or a name.
[[nodiscard]] marking_shell marking_shell_of(std::string_view program) noexcept;

/// The script that the shell evaluates. It does nothing in a shell that marks its prompts already, or is not interactive.
[[nodiscard]] std::string_view shell_marks(marking_shell shell) noexcept;

/// It is a shell without arguments that can mark its prompts.
[[nodiscard]] bool loads_shell_marks(const spawn_request& program) noexcept;

/// Has a shell without arguments load its marks; leaves any other program as it is.
/// @param directory for zsh's file; created if needed. If that fails, the shell has no marks.
void load_shell_marks(spawn_request& program, const std::string& directory);

} // namespace mux
