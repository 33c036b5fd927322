// SPDX-License-Identifier: MIT
/// @file likely_name.hpp: the name that a mistyped word was probably meant to be.
/// Pure.  Test: test/mato/likely_name_test.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace mux {

/// Of the known names the first one that begins with `word`, else the one with the fewest mistakes, at most two. Longer names
/// than 64 bytes are not compared. @returns empty: none is likely
[[nodiscard]] std::string likely_name(std::string_view word, std::span<const std::string> known);

} // namespace mux
