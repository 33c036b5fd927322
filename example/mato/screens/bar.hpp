// SPDX-License-Identifier: MIT
/// @file bar.hpp: the bar: the task, its tabs, what happened in others; one row, and what a click on it means.
/// Pure.  Test: test/mato/bar_test.cpp.
#pragma once

#include "actions.hpp"
#include "looks.hpp"
#include "protocol/ids.hpp"
#include "vt/row.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mux {

/// What a user should know of a tab that is not shown; the last that holds. `done`: a long command ended well, or its program
/// says that it is done; the prompt after that is output, too.
enum class bar_mark : std::uint8_t { none, wrote, done, failed, asks };

/// Of a mark: one column; empty for none.
[[nodiscard]] std::string_view sign_of(bar_mark mark, bool unicode) noexcept;
/// Its name in listings; empty for none.
[[nodiscard]] std::string_view name_of(bar_mark mark) noexcept;

struct bar_tab {
    tab_id id = 0;
    std::string name;
    bar_mark mark = bar_mark::none;

    bool operator==(const bar_tab&) const = default;
};

/// Another task with something to say.
struct bar_task {
    tab_id first = 0; ///< where a click goes
    std::string name;
    int asks = 0, failed = 0, wrote = 0, done = 0; ///< tabs

    bool operator==(const bar_task&) const = default;
};

struct bar_state {
    std::string task;
    std::vector<bar_tab> tabs;
    std::size_t shown = 0; ///< index of the tab that this viewer shows
    std::vector<bar_task> others;
    std::string note; ///< "read only", "200x60"; empty: nothing
    std::string prefix;

    bool operator==(const bar_state&) const = default;
};

/// A click on the columns [from, to).
struct hit_area {
    int from = 0, to = 0;
    pressed_action acts{};
};

struct bar_drawing {
    vt::row row;
    std::vector<hit_area> areas;

    /// What a click on a 0-based column does; null: nothing.
    [[nodiscard]] const hit_area* at(int column) const noexcept;
};

/// Never wider than `columns`: names are cut, then left out, then the tabs farthest from the shown one.
[[nodiscard]] bar_drawing draw_bar(const bar_state& state, int columns, const looks& look);

} // namespace mux
