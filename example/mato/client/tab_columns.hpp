// SPDX-License-Identifier: MIT
/// @file tab_columns.hpp: what `ls` prints to a terminal: tasks and tabs in columns that fit its width.
/// Pure.  Test: test/mato/listings_test.cpp.
#pragma once

#include "protocol/ids.hpp"
#include "protocol/protocol.hpp"

#include <string>

namespace mux {

/// The terminal that shows a table.
struct table_look {
    int columns = 80;    ///< of the terminal
    bool unicode = true; ///< it shows UTF-8
    tab_id current = 0;  ///< the tab that this terminal is, marked with '*'; 0: none
};

/// A line for each task and tab. Columns are as wide as their longest text; names, states and commands are cut so that no line
/// is wider than the terminal.
[[nodiscard]] std::string tabs_in_columns(const tab_list& list, const table_look& look);

} // namespace mux
