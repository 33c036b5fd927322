// SPDX-License-Identifier: MIT
#include "screen.hpp"

#include <algorithm>
#include <numeric>

namespace mux::vt {

screen::screen(screen_size size) { assign(size, {}); }

void screen::touch_all() noexcept {
    for (row& r : rows_) r.generation = generation_;
}

void screen::clear_row(int r, const style& blank) {
    row& cleared = touch(r);
    cleared.clear();
    if (blank != style{}) cleared.erase(0, size_.columns, blank);
}

void screen::scroll_up(int top, int bottom, int count, const style& blank) {
    count = std::min(count, bottom - top);
    if (count == 1) return scroll_up_one(top, bottom, blank); // by far the most common case
    const auto first = order_.begin() + top;
    std::rotate(first, first + count, order_.begin() + bottom);
    for (int r = bottom - count; r < bottom; ++r) clear_row(r, blank);
}

void screen::scroll_down(int top, int bottom, int count, const style& blank) {
    count = std::min(count, bottom - top);
    std::rotate(order_.begin() + top, order_.begin() + bottom - count, order_.begin() + bottom);
    for (int r = top; r < top + count; ++r) clear_row(r, blank);
}

void screen::scroll_up(const rectangle& area, int count, const style& blank) {
    count = std::min(count, area.bottom - area.top);
    const int width = area.right - area.left;
    for (int r = area.top; r < area.bottom - count; ++r)
        touch(r).paste(area.left, at(r + count).slice(area.left, area.right), width);
    erase({area.bottom - count, area.left, area.bottom, area.right}, blank);
}

void screen::scroll_down(const rectangle& area, int count, const style& blank) {
    count = std::min(count, area.bottom - area.top);
    const int width = area.right - area.left;
    for (int r = area.bottom - 1; r >= area.top + count; --r)
        touch(r).paste(area.left, at(r - count).slice(area.left, area.right), width);
    erase({area.top, area.left, area.top + count, area.right}, blank);
}

void screen::erase(const rectangle& area, const style& blank) {
    if (area.empty()) return;
    for (int r = area.top; r < area.bottom; ++r) {
        row& erased = touch(r);
        erased.erase(area.left, area.right, blank);
        if (area.right >= erased.used()) erased.wraps = false;
    }
}

void screen::erase_unprotected(const rectangle& area, const style& blank) {
    if (area.empty()) return;
    for (int r = area.top; r < area.bottom; ++r) {
        row& erased = touch(r);
        erased.erase_unprotected(area.left, area.right, blank);
        if (area.right >= erased.used()) erased.wraps = false;
    }
}

void screen::fill(const rectangle& area, char32_t code, int width, const style& pen) {
    if (area.empty()) return;
    for (int r = area.top; r < area.bottom; ++r) {
        row& filled = touch(r);
        int c = area.left;
        for (; c + width <= area.right; c += width) filled.put(c, code, width, pen, size_.columns);
        filled.erase(c, area.right, pen.blank());
    }
}

void screen::copy(const rectangle& from, position to) {
    const int height = std::min(from.bottom - from.top, size_.rows - to.row);
    const int width = std::min(from.right - from.left, size_.columns - to.column);
    if (height <= 0 || width <= 0) return;
    std::vector<row> pieces; // read before writing: the rectangles may overlap
    for (int i = 0; i < height; ++i) {
        pieces.push_back(at(from.top + i).slice(from.left, from.left + width));
        // The rest of a wide character cut by the edge would be invalid.
        if (size_.columns > 1) pieces.back().truncate(width);
    }
    for (int i = 0; i < height; ++i) touch(to.row + i).paste(to.column, pieces[static_cast<std::size_t>(i)], width);
}

void screen::insert_cells(int r, int column, int right, int count, const style& blank) {
    if (column >= right) return;
    row& changed = touch(r);
    count = std::min(count, right - column);
    row moved = changed.slice(column, right - count);
    if (size_.columns > 1) moved.truncate(right - count - column);
    changed.paste(column + count, moved, right - column - count);
    changed.erase(column, column + count, blank);
    changed.wraps = false;
}

void screen::delete_cells(int r, int column, int right, int count, const style& blank) {
    if (column >= right) return;
    row& changed = touch(r);
    count = std::min(count, right - column);
    const row moved = changed.slice(column + count, right);
    changed.paste(column, moved, right - column - count);
    changed.erase(right - count, right, blank);
    changed.wraps = false;
}

void screen::crop(screen_size size) {
    std::vector<row> rows = release();
    for (row& r : rows) {
        r.truncate(size.columns);
        r.wraps = false;
    }
    assign(size, std::move(rows));
}

void screen::assign(screen_size size, std::vector<row> rows) {
    size_ = size;
    rows.resize(static_cast<std::size_t>(size.rows));
    rows_ = std::move(rows);
    order_.resize(rows_.size());
    std::iota(order_.begin(), order_.end(), std::uint16_t{0});
    touch_all();
}

std::vector<row> screen::release() {
    std::vector<row> out;
    out.reserve(rows_.size());
    for (const std::uint16_t i : order_) out.push_back(std::move(rows_[i]));
    return out;
}

std::size_t screen::memory_bytes() const noexcept {
    std::size_t total = order_.capacity() * sizeof(order_[0]);
    for (const row& r : rows_) total += r.memory_bytes();
    return total;
}

} // namespace mux::vt
