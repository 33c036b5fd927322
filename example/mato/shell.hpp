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

[[nodiscard]] std::string base_name(std::string_view path);

/// The first word's last path component, made a valid tab name; "tab" when nothing of it is left.
[[nodiscard]] std::string tab_name_for(std::string_view command);

} // namespace mux
