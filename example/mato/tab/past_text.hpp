// SPDX-License-Identifier: MIT
/// @file past_text.hpp: what a terminal shows, dimmed, as output that another terminal shows again.
/// Pure.  Test: test/mato/past_text_test.cpp.
///
/// It has text, line ends and styles, and no other sequences: neither modes nor links, images or titles. So every version of
/// the emulator shows it alike, and a damaged one changes nothing but the text.
#pragma once

#include "vt/terminal.hpp"

#include <cstddef>
#include <string>

namespace mux {

/// The newest `lines` of history, and the screen down to its last text or the cursor. If they have more than `most` bytes, the
/// newest of them, from the beginning of a line on; of a longer line, nothing. The text ends at the end of a line.
[[nodiscard]] std::string past_text(const vt::terminal& shown, std::size_t lines, std::size_t most);

} // namespace mux
