// SPDX-License-Identifier: MIT
/// @file tab_texts.hpp: the texts of all tabs, for a search that a viewer's user makes.
/// Threads: the io_context's.   Blocks: never.   Test: test/mato/find_all_process_test.cpp.
#pragma once

#include "screens/tabs_find.hpp"
#include "state.hpp"

namespace mux {

/// @pre `state` outlives it
[[nodiscard]] tabs_source texts_of(daemon_state& state);

} // namespace mux
