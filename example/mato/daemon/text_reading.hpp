// SPDX-License-Identifier: MIT
/// @file text_reading.hpp: a tab's lines from a place on, for programs that follow its output.
/// Pure.  Test: test/mato/text_reading_test.cpp, test/mato/read_process_test.cpp.
#pragma once

#include "protocol/protocol.hpp"
#include "protocol/text_mark.hpp"
#include "vt/terminal.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace mux {

inline constexpr std::size_t read_bytes = 256u << 10; ///< of text in one answer; may be exceeded by one line

/// Where the cursor is.
[[nodiscard]] text_mark cursor_of(const vt::terminal& screen);
/// Where the text ends.
[[nodiscard]] text_mark end_of(const vt::terminal& screen);

/// Fills in all members but tab, idle_ms, running and echoes. Blanks at the ends of lines are left out, except those before the
/// cursor. A mark that lies after the last line, but not after the screen's last row, is taken for one that was there before
/// the screen was cleared: then the text begins with the screen's first line. `problem`: why there is no text from that mark
/// on.
[[nodiscard]] text_read text_from(const vt::terminal& screen, const read_request& wanted, std::string& problem);

/// Where the output of the `back`th last command begins and ends that has ended, by its marks; nothing: there is none, or it is
/// no longer kept. Fills in all members but `tab`.
[[nodiscard]] std::optional<output_found> find_output(const vt::terminal& screen, std::uint32_t back);

/// What is typed at a shell's prompt, before the cursor, by the mark of its begin.
[[nodiscard]] std::string typed_at_prompt(const vt::terminal& screen);

} // namespace mux
