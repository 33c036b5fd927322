// SPDX-License-Identifier: MIT
/// @file own_features.hpp: what the terminal in which this command runs supports, as far as its environment says.
/// Threads: one.   Blocks: the first call, for the terminal's terminfo entry.
#pragma once

#include "view/features.hpp"

namespace mux {

/// Before any query; read once.
[[nodiscard]] const terminal_features& own_features();

} // namespace mux
