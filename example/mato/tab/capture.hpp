// SPDX-License-Identifier: MIT
/// @file capture.hpp: a tab's screen and history as text.
/// Pure.  Test: test/mato/viewer_process_test.cpp.
#pragma once

#include "protocol/protocol.hpp"
#include "view/features.hpp"
#include "vt/terminal.hpp"

namespace mux {

inline constexpr std::size_t capture_bytes = 256u << 10; ///< of text in one answer; may be exceeded by one row

/// Appends the row's text without trailing blanks, except those in its first `kept` columns.
void append_trimmed(const vt::row& row, int kept, std::string& out);

/// Appends the row's text with its styles, each after `change`, as sequences that a terminal with the `known` features shows.
/// The style is plain at its end.
void append_styled(const vt::row& row, const vt::terminal& screen, const terminal_features& known,
                   vt::style (*change)(const vt::style&), std::string& out);

/// Fills in all members but tab, idle_ms and running.
[[nodiscard]] captured capture_screen(const vt::terminal& screen, const capture_request& wanted);

} // namespace mux
