// SPDX-License-Identifier: MIT
/// @file short_text.hpp: text of unknown origin as one line that may be shown: escaped, and cut where it is too long.
/// Pure.  Test: test/mato/short_text_test.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mux {

/// `text` with control characters, bidirectional overrides and invalid bytes as \xNN (mato/printable.hpp), in at most `most`
/// bytes; a text that was cut ends with "…". @pre most >= 3
[[nodiscard]] std::string short_text(std::string_view text, std::size_t most);

} // namespace mux
