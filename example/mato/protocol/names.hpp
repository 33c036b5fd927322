// SPDX-License-Identifier: MIT
/// @file names.hpp: which names a task or a tab may have.
/// Pure.  Test: test/mato/workspace_test.cpp.
#pragma once

#include <string>
#include <string_view>

namespace mux {

/// Names are 1 to 64 bytes of UTF-8 text without control bytes or '/', not all digits, not "."; else the reason.
[[nodiscard]] std::string check_name(std::string_view name);

} // namespace mux
