// SPDX-License-Identifier: MIT
/// @file text_view.hpp: the part of a text that a number of rows shows, pinned to a line; the text is wrapped to their width.
/// Pure.  Test: test/mato/look_back_test.cpp.
#pragma once

#include "text_source.hpp"
#include "vt/geometry.hpp"

#include <functional>

namespace mux {

class text_view {
public:
    /// Begins where the screen begins. @pre `text` outlives it
    text_view(const text_source& text, vt::screen_size size);

    void resize(vt::screen_size size);
    [[nodiscard]] vt::screen_size size() const noexcept { return size_; }
    [[nodiscard]] text_position top() const noexcept { return top_; }
    /// To be called before anything else when the text may have changed.
    /// @returns the lines that were evicted below the first one shown
    std::uint64_t follow_text();

    /// Scrolls by rows, positive: towards the end; not past the ends of the text.
    void scroll(int rows);
    /// Scrolls as little as is needed to show `at`.
    void show(text_position at);
    /// The same, but shows text around it if it has to scroll.
    void show_with_context(text_position at);

    /// `at`, moved to a character that exists.
    [[nodiscard]] text_position nearest(text_position at) const;
    /// `rows` below, or above if negative, in the column `x` of its row. Stops at the ends of the text.
    [[nodiscard]] text_position below(text_position at, int rows, int x) const;
    /// Its column in its row.
    [[nodiscard]] int x_of(text_position at) const;

    /// Calls `visit(row on the terminal, line, column of its first character, its cells)` for all rows shown, from the top.
    void each_row(const std::function<void(int, std::uint64_t, int, vt::row&&)>& visit) const;

private:
    [[nodiscard]] text_position row_of(text_position at) const;
    [[nodiscard]] text_position moved(text_position row, int rows) const;
    [[nodiscard]] text_position lowest_top() const;

    const text_source& text_;
    vt::screen_size size_;
    text_position top_; // the first character of a row
};

} // namespace mux
