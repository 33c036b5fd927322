// SPDX-License-Identifier: MIT
/// @file overlay.hpp: rows of mato's own that one viewer's terminal shows over its tab.
/// Pure.  Test: test/mato/frame_overlay_test.cpp.
#pragma once

#include "vt/geometry.hpp"
#include "vt/row.hpp"

#include <optional>
#include <vector>

namespace mux {

/// A whole screen, or some rows of it: a bar, a message. Rows of the terminal are 0-based.
struct overlay {
    enum class rest : std::uint8_t {
        blank, ///< rows without an overlay are empty
        tab    ///< they show the tab
    };

    std::vector<vt::row> rows;
    int top = 0; ///< the terminal's row of the first one; rows beyond the terminal's end are not shown
    rest around = rest::blank;
    std::optional<vt::position> cursor; ///< on the terminal; without one: hidden, or the tab's cursor if it is not covered

    [[nodiscard]] bool covers(int row) const noexcept {
        return around == rest::blank || (row >= top && row < top + static_cast<int>(rows.size()));
    }
    /// The overlay's row there; null: blank. @pre covers(row)
    [[nodiscard]] const vt::row* row_at(int row) const noexcept {
        const int at = row - top;
        return at >= 0 && at < static_cast<int>(rows.size()) ? &rows[static_cast<std::size_t>(at)] : nullptr;
    }
};

} // namespace mux
