// SPDX-License-Identifier: MIT
/// @file shell.hpp: which shell, and what a tab is called after its program.
/// Test: test/mato/shell_test.cpp.
#pragma once

#include "environment.hpp"

#include <string>
#include <string_view>

namespace mux {

/// `configured`, else $SHELL, else the password file's, else /bin/sh.
[[nodiscard]] std::string login_shell(const std::string& configured, const environment& variables);

/// As login_shell, or where that one is not there or cannot be run, the next of them. `missing`: that one's path, else empty.
[[nodiscard]] std::string runnable_shell(const std::string& configured, const environment& variables, std::string& missing);

/// Whether a shell would do nothing with `word` but run it: the absolute path, in characters that are special to no shell, of a
/// file that the kernel runs by itself. A shell between the tab and such a program would only cost its start and its memory.
[[nodiscard]] bool needs_no_shell(const std::string& word);

[[nodiscard]] std::string base_name(std::string_view path);

/// The first word's last path component, made a valid tab name; "tab" when nothing of it is left.
[[nodiscard]] std::string tab_name_for(std::string_view command);

} // namespace mux
