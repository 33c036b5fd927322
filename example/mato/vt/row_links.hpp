// SPDX-License-Identifier: MIT
/// @file row_links.hpp: the links of a row.
/// Layer: vt core.  Test: test/mato/vt/storage_test.cpp.
#pragma once

#include "link_set.hpp"
#include "row.hpp"

namespace mux::vt {

/// A number that a table of links can give; 0 means no link, and a line that was read may have any number.
[[nodiscard]] constexpr bool is_link(link_id number) noexcept { return number != 0 && number <= most_links; }

/// Calls `see` with the link of each run of the row that has one.
template <class See> void for_each_link(const row& r, See see) {
    for (const style_run& run : r.runs())
        if (is_link(run.style.link)) see(run.style.link);
}

} // namespace mux::vt
