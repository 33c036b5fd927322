// SPDX-License-Identifier: MIT
/// @file ids.hpp: the numbers by which client and daemon identify a tab.
#pragma once

#include <cstdint>
#include <string>

namespace mux {

using tab_id = std::uint64_t; ///< from 1, 0 means none; not reused while the state directory exists

/// As messages to people name it.
[[nodiscard]] inline std::string named(tab_id id) { return std::string("tab ").append(std::to_string(id)); }

} // namespace mux
