// SPDX-License-Identifier: MIT
#include "office_panes.hpp"

#include "text_row.hpp"

#include <algorithm>

namespace mux {

std::optional<vt::position> draw_pane(std::vector<vt::row>& rows, const pane_area& area, const office_line& which,
                                      const office_source& source, pane_use use, const looks& look) {
    if (!which.tab || area.rows() < least_pane_rows || area.columns() < 1) return std::nullopt;
    const office_tab& tab = *which.tab;
    vt::row& head = rows[static_cast<std::size_t>(area.top)];
    int at = area.left;
    if (const auto sign = sign_of(tab.mark, look.unicode); use == pane_use::chosen && !sign.empty())
        at = put_text(head, at, area.right, sign, tab.mark == bar_mark::asks ? look.accent : look.plain, look.unicode) + 1;
    const vt::style& name = use == pane_use::typed ? look.accent : use == pane_use::chosen ? look.lifted : look.strong;
    const int end = put_text(head, at, area.right, which.task->name + "/" + tab.name, name, look.unicode);
    put_text(head, end + 4, area.right, tab.details, look.faint, look.unicode);
    put_text(rows[static_cast<std::size_t>(area.top) + 1], area.left, area.right, tab.note, look.accent, look.unicode);
    if (tab.is_closed()) return std::nullopt;

    const office_preview shown = source.preview(tab.id, area.rows() - 2);
    const int width = area.columns() - 1; // a column stays free at the right
    int first = 0;                        // column of the tab
    if (use == pane_use::typed && shown.cursor) first = std::max(0, shown.cursor->column - width + 1);
    for (std::size_t i = 0; i < shown.rows.size(); ++i) {
        const int r = area.top + 2 + static_cast<int>(i);
        if (r >= area.bottom || width < 1) break;
        rows[static_cast<std::size_t>(r)].paste(area.left, shown.rows[i].slice(first, first + width), width);
    }
    if (!shown.cursor) return std::nullopt;
    const vt::position cursor{area.top + 2 + shown.cursor->row, area.left + shown.cursor->column - first};
    const bool is_inside = cursor.row < area.bottom && cursor.column >= area.left && cursor.column < area.right;
    return is_inside ? std::optional(cursor) : std::nullopt;
}

pane_grid pane_grid::of(const pane_area& area, std::size_t tabs) {
    const int count = static_cast<int>(std::clamp<std::size_t>(tabs, 1, 1000));
    pane_grid grid;
    const int most_across = std::max(1, area.columns() / least_columns), most_down = std::max(1, area.rows() / least_rows);
    while (grid.across * grid.down < count && (grid.across < most_across || grid.down < most_down)) {
        // The wider a pane is compared with its height, the more are put side by side.
        const bool is_wide = area.columns() / (grid.across + 1) >= 2 * area.rows() / (grid.down + 1);
        if (grid.across < most_across && (is_wide || grid.down == most_down))
            ++grid.across;
        else
            ++grid.down;
    }
    return grid;
}

pane_area pane_grid::pane(const pane_area& area, int column, int row) const {
    return {area.top + area.rows() * row / down, area.top + area.rows() * (row + 1) / down,
            area.left + area.columns() * column / across, area.left + area.columns() * (column + 1) / across};
}

} // namespace mux
