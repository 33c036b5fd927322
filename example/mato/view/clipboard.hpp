// SPDX-License-Identifier: MIT
/// @file clipboard.hpp: the sequence that puts text into a terminal's clipboard.
/// Pure.  Test: test/mato/look_back_test.cpp.
/// Source: xterm ctlseqs, OSC 52; RFC 4648 section 4.
#pragma once

#include <string>
#include <string_view>

namespace mux {

[[nodiscard]] std::string set_clipboard(std::string_view text);

} // namespace mux
