// SPDX-License-Identifier: MIT
/// @file screen.hpp: a grid of rows: scrolling, erasing, inserting, rectangles.
/// Layer: vt core.  Test: test/mato/vt/04_edit.vt.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
///
/// Rows are accessed through an index, and scrolling rotates the index: cells move only between left and right margins. Every
/// changed row gets the generation of begin_change().
#pragma once

#include "geometry.hpp"
#include "row.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace mux::vt {

class screen {
public:
    explicit screen(screen_size size);

    [[nodiscard]] screen_size size() const noexcept { return size_; }
    [[nodiscard]] const row& at(int r) const noexcept { return rows_[order_[static_cast<std::size_t>(r)]]; }
    /// The row, for a change.
    row& touch(int r) noexcept {
        row& found = rows_[order_[static_cast<std::size_t>(r)]];
        found.generation = generation_;
        return found;
    }

    void begin_change(std::uint64_t generation) noexcept { generation_ = generation; }
    void touch_all() noexcept;

    /// Moves the rows of [top, bottom) by `count`, filling with `blank`. @pre top < bottom
    void scroll_up(int top, int bottom, int count, const style& blank);
    void scroll_down(int top, int bottom, int count, const style& blank);
    /// scroll_up() by one row.
    void scroll_up_one(int top, int bottom, const style& blank);
    /// The same for the columns of `area` only; cells are copied.
    void scroll_up(const rectangle& area, int count, const style& blank);
    void scroll_down(const rectangle& area, int count, const style& blank);

    void erase(const rectangle& area, const style& blank);
    void erase_unprotected(const rectangle& area, const style& blank);
    void fill(const rectangle& area, char32_t code, int width, const style& pen);
    void copy(const rectangle& from, position to);
    /// Moves the cells of [column, right) of one row by `count`; the line no longer continues in the next row.
    void insert_cells(int r, int column, int right, int count, const style& blank);
    void delete_cells(int r, int column, int right, int count, const style& blank);

    /// Cuts or extends the screen and keeps its top left. For the alternate screen, which its program redraws.
    void crop(screen_size size);
    /// Replaces the rows by these, the first `size.rows` of them.
    void assign(screen_size size, std::vector<row> rows);
    /// Moves all rows out, in order; the screen must be assigned next.
    std::vector<row> release();

    [[nodiscard]] std::size_t memory_bytes() const noexcept;

private:
    void clear_row(int r, const style& blank);

    screen_size size_;
    std::vector<row> rows_;
    std::vector<std::uint16_t> order_;
    std::uint64_t generation_ = 0;
};

// ---- implementation ----

inline void screen::scroll_up_one(int top, int bottom, const style& blank) {
    std::uint16_t* const first = order_.data() + top;
    std::uint16_t* const last = order_.data() + bottom - 1;
    const std::uint16_t leaving = *first;
    std::copy(first + 1, last + 1, first);
    *last = leaving;
    row& cleared = rows_[leaving];
    cleared.generation = generation_;
    cleared.clear();
    if (blank != style{}) cleared.erase(0, size_.columns, blank);
}

} // namespace mux::vt
