// SPDX-License-Identifier: MIT
/// @file names.hpp: the rules for names of tasks and tabs.
/// Pure.  Test: test/mato/workspace_test.cpp.
#pragma once

#include <string>
#include <string_view>

namespace mux {

/// A name is 1 to 64 bytes of UTF-8 text without control characters or '/', not all digits, not ".". @returns empty, or the
/// reason.
[[nodiscard]] std::string check_name(std::string_view name);

} // namespace mux
