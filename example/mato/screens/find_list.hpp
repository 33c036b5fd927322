// SPDX-License-Identifier: MIT
/// @file find_list.hpp: the hits in all tabs for what a user types, as a list; Enter goes to the line of one.
/// Pure.  Test: test/mato/find_list_test.cpp, test/mato/find_all_process_test.cpp.
#pragma once

#include "find_prompt.hpp"
#include "line_editor.hpp"
#include "screen.hpp"
#include "tabs_find.hpp"

#include <cstddef>
#include <string_view>

namespace mux {

class find_list final : public screen {
public:
    /// Begins to search for `typed`.
    find_list(tabs_source source, std::string_view typed);

    [[nodiscard]] overlay draw(vt::screen_size size, const looks& look) override;
    /// Types what to find; Up, Down, C-s, C-r and the page keys choose; Enter goes there; Escape goes back.
    screen_reply press(const key_event& key) override;
    screen_reply wheel(int rows) override;
    /// A click chooses a hit, a double click goes there.
    screen_reply pointer(const pointer_event& event) override;
    [[nodiscard]] bool has_work() const override { return find_.is_searching(); }
    void work() override { find_.work(); }

private:
    void begin();
    void choose(int steps);
    [[nodiscard]] screen_reply go() const;
    [[nodiscard]] vt::row hit_row(std::size_t number, int columns, const looks& look) const;
    [[nodiscard]] vt::row title_row(int columns, const looks& look) const;
    [[nodiscard]] vt::row last_row(int columns, const looks& look, int& cursor) const;

    tabs_find find_;
    line_editor typed_;
    std::size_t chosen_ = 0; // index of a hit
    std::size_t top_ = 0;    // hits scrolled away
    int first_row_ = 0;      // of the list, at the last drawing
    int page_ = 1;           // rows of it
};

} // namespace mux
