// SPDX-License-Identifier: MIT
/// @file link_set.hpp: a set of the numbers of links.
/// Layer: vt core.
#pragma once

#include <bitset>
#include <cstddef>

namespace mux::vt {

/// Links at a time.
inline constexpr std::size_t most_links = 4096;

/// By link_id, 1 to most_links.
using link_set = std::bitset<most_links + 1>;

} // namespace mux::vt
