// SPDX-License-Identifier: MIT
/// @file standard_input.hpp: all of standard input.
#pragma once

#include <string>

namespace mux {

/// @blocks until its end. @throws command_failure: it cannot be read.
[[nodiscard]] std::string standard_input();

} // namespace mux
