// SPDX-License-Identifier: MIT
/// @file ids.hpp: the numbers by which client and daemon identify a tab.
#pragma once

#include <cstdint>

namespace mux {

using tab_id = std::uint64_t; ///< from 1, 0 means none; not reused while the state directory exists

} // namespace mux
