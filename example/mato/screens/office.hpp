// SPDX-License-Identifier: MIT
/// @file office.hpp: the Office: all tasks and tabs in a list, found by typing, with a preview of the chosen one.
/// Pure.  Test: test/mato/office_test.cpp.
#pragma once

#include "bar.hpp"
#include "line_editor.hpp"
#include "screen.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mux {

struct office_tab {
    tab_id id = 0;
    std::size_t number = 0; ///< in its task, from 1
    std::string name;
    std::string state;   ///< "asks", "ended with 4", a title, a directory
    std::string details; ///< of the preview: size, directory, viewers
    std::string words;   ///< found by typing, in addition to the names: title, directory, command
    std::string note;    ///< what it says of its state; empty: nothing
    bar_mark mark = bar_mark::none;
    std::int64_t asks_ms = 0; ///< for how long it asks
};
struct office_task {
    std::string name;
    std::vector<office_tab> tabs;
};
struct office_state {
    std::vector<office_task> tasks;
};

/// What the Office needs to know; each is asked when it is drawn.
struct office_source {
    std::function<office_state()> state;
    /// The last rows of a tab's screen, at most `rows` of them, up to the row of its cursor or its last text.
    std::function<std::vector<vt::row>(tab_id, int rows)> preview;
};

class office_screen final : public screen {
public:
    static constexpr std::size_t most_typed = 64; ///< characters

    /// @param here the tab that the viewer shows: chosen first, unless another one asks; then the one that has asked longest
    office_screen(office_source source, tab_id here);

    [[nodiscard]] overlay draw(vt::screen_size size, const looks& look) override;
    /// Letters find; arrows choose; Enter goes; what changes something has Ctrl; Escape clears what was typed, then goes back.
    screen_reply press(const key_event& key) override;
    [[nodiscard]] bool is_live() const noexcept override { return true; }

private:
    /// A line of the list: a task's name, or a tab.
    struct line {
        const office_task* task = nullptr;
        const office_tab* tab = nullptr; ///< null: the task's name
    };

    [[nodiscard]] std::vector<line> lines() const;
    [[nodiscard]] bool is_found(const office_task& task, const office_tab& tab) const;
    void choose(int steps);
    void draw_list(std::vector<vt::row>& rows, int first, int last, int columns, const looks& look);
    void draw_preview(std::vector<vt::row>& rows, int first, int last, int left, int columns, const looks& look) const;
    [[nodiscard]] const office_tab* chosen() const;

    office_source source_;
    office_state state_;
    tab_id chosen_ = 0;
    line_editor typed_{most_typed};
    int top_ = 0;  // lines scrolled away
    int page_ = 1; // lines that are shown
};

} // namespace mux
