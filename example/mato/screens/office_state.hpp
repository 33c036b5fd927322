// SPDX-License-Identifier: MIT
/// @file office_state.hpp: what the Office knows of tabs, and which of them its list has, in which order.
/// Pure.  Test: test/mato/office_test.cpp.
#pragma once

#include "bar.hpp"
#include "view/key_event.hpp"
#include "vt/geometry.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mux {

struct office_tab {
    tab_id id = 0;
    std::size_t number = 0; ///< in its task, from 1; 0: it is closed, and can be brought back
    std::string name;
    std::string state;   ///< "asks", "ended with 4", a title, a directory
    std::string details; ///< of the preview: size, directory, viewers
    std::string words;   ///< found by typing, in addition to the names: title, directory, command
    std::string note;    ///< what it says of its state; empty: nothing
    bar_mark mark = bar_mark::none;
    std::int64_t asks_ms = 0; ///< for how long it asks

    [[nodiscard]] bool is_closed() const noexcept { return number == 0; }
};
struct office_task {
    std::string name;
    std::vector<office_tab> tabs;
};
struct office_state {
    std::vector<office_task> tasks;
    std::vector<office_task> closed; ///< tasks of the tabs that can be brought back, the one closed last first; one tab in each
};

/// The last rows of a tab's screen, down to the row of its cursor or its last text.
struct office_preview {
    std::vector<vt::row> rows;
    std::optional<vt::position> cursor; ///< in these rows; nothing: it is hidden, or above them
};

/// What the Office needs to know; each is asked when it is drawn.
struct office_source {
    std::function<office_state()> state;
    std::function<office_preview(tab_id, int most_rows)> preview;
    /// A key for the program of a tab. @returns why it was not passed on; empty: it was
    std::function<std::string(tab_id, const key_event&)> type;
    std::string prefix; ///< the key that stays mato's, as users write it
};

enum class office_order : std::uint8_t { by_task, by_state };

/// A line of the list: a heading, or a tab.
struct office_line {
    std::string_view heading;
    const office_task* task = nullptr;
    const office_tab* tab = nullptr; ///< null: the heading
};

/// The tabs in which `typed` is found, regardless of the case of ASCII letters, in their order, each group with its heading;
/// closed ones at the end. Valid as long as `state` is not changed.
[[nodiscard]] std::vector<office_line> lines_of(const office_state& state, std::string_view typed, office_order order);

} // namespace mux
