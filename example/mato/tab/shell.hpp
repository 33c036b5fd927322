// SPDX-License-Identifier: MIT
/// @file shell.hpp: the shell for tabs, and a tab's default name.
/// Test: test/mato/shell_test.cpp.
#pragma once

#include "environment.hpp"

#include <string>
#include <string_view>

namespace mux {

/// `configured`, or else $SHELL, the password file's, /bin/sh.
[[nodiscard]] std::string login_shell(const std::string& configured, const environment& variables);

/// As login_shell; if that shell is missing or cannot be run, the next one, and `missing` is the first one's path.
[[nodiscard]] std::string runnable_shell(const std::string& configured, const environment& variables, std::string& missing);

/// Whether a shell would only run `word`: it is the absolute path of a file that the kernel can run, without characters that
/// are special in a shell. A shell between tab and program would only cost its start and its memory.
[[nodiscard]] bool needs_no_shell(const std::string& word);

/// Whether this command line, as users see it, is an interactive shell: by its name, without arguments.
[[nodiscard]] bool is_shell(std::string_view command) noexcept;

[[nodiscard]] std::string base_name(std::string_view path);

/// The last path component of the first word, made a valid tab name; "tab" if nothing is left.
[[nodiscard]] std::string tab_name_for(std::string_view command);

} // namespace mux
