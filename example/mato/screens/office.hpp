// SPDX-License-Identifier: MIT
/// @file office.hpp: the Office: all tasks and tabs in a list, found by typing, with previews; the keyboard can be a tab's.
/// Pure.  Test: test/mato/office_test.cpp, test/mato/office_process_test.cpp.
#pragma once

#include "line_editor.hpp"
#include "office_panes.hpp"
#include "office_state.hpp"
#include "screen.hpp"

#include <cstddef>
#include <vector>

namespace mux {

class office_screen final : public screen {
public:
    static constexpr std::size_t most_typed = 64; ///< characters

    /// @param here the tab that the viewer shows: chosen first, unless another one asks; then the one that has asked longest
    office_screen(office_source source, tab_id here);
    office_screen(const office_screen&) = delete; // its lines point into its state
    office_screen& operator=(const office_screen&) = delete;

    /// A list; from 64 columns on with a preview, from 120 on with two; or a grid of previews.
    [[nodiscard]] overlay draw(vt::screen_size size, const looks& look) override;
    /// Letters find; arrows choose; Enter goes; Tab gives the keyboard to the chosen tab; what changes something has Ctrl;
    /// Escape clears what was typed, then goes back.
    screen_reply press(const key_event& key) override;
    /// Tab and Escape after the prefix take the keyboard back.
    [[nodiscard]] bool press_after_prefix(const key_event& key) override;
    screen_reply wheel(int rows) override;
    /// A click chooses a tab, a double click goes there.
    screen_reply pointer(const pointer_event& event) override;
    [[nodiscard]] bool is_live() const noexcept override { return true; }
    [[nodiscard]] tab_id types_to() const noexcept override { return typed_to_; }

private:
    struct clicked {
        pane_area area;
        tab_id tab = 0;
    };

    void refresh();
    void find();
    void choose(int steps);
    [[nodiscard]] const office_line* chosen() const;
    [[nodiscard]] std::vector<const office_line*> tabs() const;
    [[nodiscard]] screen_reply go() const;
    [[nodiscard]] screen_reply type(const key_event& key);
    [[nodiscard]] screen_reply give_keyboard();
    void note(std::optional<vt::position> cursor, overlay& in) const;
    void draw_list(std::vector<vt::row>& rows, const pane_area& area, const looks& look);
    void draw_previews(overlay& in, const pane_area& area, const looks& look) const;
    void draw_grid(overlay& in, const pane_area& area, const looks& look);
    [[nodiscard]] vt::row title_row(int columns, const looks& look) const;
    [[nodiscard]] vt::row last_row(int columns, const looks& look) const;

    office_source source_;
    office_state state_;
    std::vector<office_line> lines_; // of state_
    office_order order_ = office_order::by_task;
    line_editor typed_{most_typed};
    tab_id chosen_ = 0;
    tab_id typed_to_ = 0;        // it has the keyboard; 0: none
    bool wants_grid_ = false;    // and it is drawn if there is room:
    bool has_grid_ = false;      // at the last drawing
    bool has_preview_ = false;   // the same
    int across_ = 1;             // of the grid
    int top_ = 0;                // lines scrolled away, or rows of the grid
    int page_ = 1;               // lines that are shown
    std::vector<clicked> areas_; // what was drawn where
};

} // namespace mux
