// SPDX-License-Identifier: MIT
/// @file office_panes.hpp: the parts of the Office that show a tab: its name, its note, the end of its screen.
/// Pure.  Test: test/mato/office_test.cpp.
#pragma once

#include "looks.hpp"
#include "office_state.hpp"
#include "vt/geometry.hpp"

#include <optional>
#include <vector>

namespace mux {

/// Rows [top, bottom) and columns [left, right) of the terminal.
struct pane_area {
    int top = 0, bottom = 0, left = 0, right = 0;

    [[nodiscard]] int rows() const noexcept { return bottom - top; }
    [[nodiscard]] int columns() const noexcept { return right - left; }
};

inline constexpr int least_pane_rows = 3; ///< of one that shows something

enum class pane_use : std::uint8_t {
    shown,
    chosen, ///< its name is lifted
    typed   ///< what is typed goes there: its cursor is always shown
};

/// @returns where the tab's cursor is on the terminal, if it is shown
std::optional<vt::position> draw_pane(std::vector<vt::row>& rows, const pane_area& area, const office_line& which,
                                      const office_source& source, pane_use use, const looks& look);

/// Panes side by side and one below the other, as many as fit.
struct pane_grid {
    static constexpr int least_columns = 38, least_rows = 8; ///< of a pane

    int across = 1, down = 1;

    /// For so many tabs in an area.
    [[nodiscard]] static pane_grid of(const pane_area& area, std::size_t tabs);
    [[nodiscard]] pane_area pane(const pane_area& area, int column, int row) const;
};

} // namespace mux
