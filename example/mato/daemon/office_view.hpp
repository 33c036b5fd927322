// SPDX-License-Identifier: MIT
/// @file office_view.hpp: what the Office of one client shows: the tabs, their states, and the end of a tab's screen.
/// Threads: the io_context's.   Blocks: never.   Test: test/mato/office_process_test.cpp.
#pragma once

#include "bars.hpp"
#include "screens/office.hpp"

#include <cstdint>
#include <string>

namespace mux {

/// @pre the client has a screen, and `state` and `marks` outlive it
[[nodiscard]] office_source office_of(daemon_state& state, const bars& marks, std::uint64_t client);

/// The state of a tab in a few words: it asks, it has ended, it works, its title, its directory, how long it is quiet.
[[nodiscard]] std::string state_text(const tab_entry& which, const std::string& directory, mato::clock::time_point now);
/// The end of a screen, at most `rows` rows of it. Without links and pictures: their numbers are those of their own tab.
[[nodiscard]] office_preview end_of_screen(const vt::terminal& screen, int rows);

} // namespace mux
