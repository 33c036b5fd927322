// SPDX-License-Identifier: MIT
/// @file row.hpp: one line of text as units and runs of style.
/// Layer: vt core.  Test: test/mato/vt/storage_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
///
/// A unit is one column: a code point, the right half of a wide one, or a cluster stored in the row's pool. Only the columns in
/// use are stored; the others are erased in the default style. A row without runs has the default style.
#pragma once

#include "scan.hpp"
#include "style.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mux::vt {

using unit = std::uint32_t;

namespace units {
inline constexpr unit blank = 0;            ///< erased; reads as a space
inline constexpr unit code_mask = 0x1fffff; ///< a code point, or with `cluster` an offset in the pool
inline constexpr unit tail = 1u << 29;      ///< the whole value of a wide character's right half
inline constexpr unit wide = 1u << 30;
inline constexpr unit cluster = 1u << 31;
} // namespace units

/// A style from column `start` up to the next run.
struct style_run {
    std::uint32_t start = 0;
    vt::style style;

    friend bool operator==(const style_run&, const style_run&) = default;
};

struct row_end; // styled_text.hpp

/// Columns are 0-based; ranges are half open. Overwriting half of a wide character erases its other half.
class row {
public:
    /// Code points in one cell. No script needs more; further marks are dropped.
    static constexpr std::size_t max_cluster = 16;

    row() = default;
    row(const row&);
    row& operator=(const row&);
    row(row&&) noexcept = default;
    row& operator=(row&&) noexcept = default;

    [[nodiscard]] int used() const noexcept { return used_; }
    [[nodiscard]] unit at(int column) const noexcept { return column < used_ ? units_.get()[column] : units::blank; }
    [[nodiscard]] style style_at(int column) const noexcept;
    [[nodiscard]] std::span<const unit> text() const noexcept { return {units_.get(), static_cast<std::size_t>(used_)}; }
    [[nodiscard]] std::span<const style_run> runs() const noexcept { return runs_; }
    /// The code points of a unit with the cluster flag, else empty. Valid until the next change.
    [[nodiscard]] std::span<const char32_t> cluster(unit u) const noexcept;
    /// Numbers stored for clusters, including overwritten ones.
    [[nodiscard]] std::size_t pool_size() const noexcept { return pool_.size(); }
    void append_text(std::string& out, int from, int to) const;

    /// Room for units from `from` up to `limit`, to be written and then counted by finish(). Valid until the next call.
    unit* start(int from, int limit);
    void finish(int from, int to, const style& pen);
    /// Writes the plain bytes at `from` after the last column in use, up to column `limit`. @returns how many; fewer than there
    /// are where sixteen bytes may not be read or written together
    int append_plain(const char* from, const char* end, int limit, const style& pen);
    /// Appends what append_styled() takes, up to column `limit`; `work` is its working memory. @returns the rest of the input
    const char* append_styled(const char* p, const char* end, int limit, style& pen, row_end& work);
    /// Units from `from` on that may be overwritten with garbage, between start() and finish().
    [[nodiscard]] std::size_t scratch(int from) const noexcept {
        return from >= used_ ? static_cast<std::size_t>(capacity_ - from) : 0;
    }

    void put(int column, char32_t code, int width, const style& pen, int columns);
    /// Adds `mark` to the character in `column`. @returns false if the cell is empty or its cluster full
    bool combine(int column, char32_t mark);
    /// Gives the narrow character in `column` a second column. @pre column + 1 < columns of the screen
    void widen(int column);
    /// Removes the second column of the wide character in `column`; the freed cell is erased.
    void narrow(int column, const style& blank);
    void erase(int from, int to, const style& blank);
    void erase_unprotected(int from, int to, const style& blank);
    void restyle(int from, int to, const style& s) { paint(from, to, s); }
    /// Applies `change` to each style in [from, to): one pass for any number of styles.
    template <class Change> void restyle_each(int from, int to, Change change);
    [[nodiscard]] row slice(int from, int to) const;
    /// Overwrites [at, at + width) with `piece`, which counts as erased beyond its end.
    void paste(int at, const row& piece, int width);
    /// The character at `column` for a screen of one column: without its right half.
    [[nodiscard]] row left_half(int column) const;
    /// True if the last character has lost its right half, as on a screen of one column.
    [[nodiscard]] bool ends_in_half() const noexcept { return used_ > 0 && (units_.get()[used_ - 1] & units::wide) != 0; }
    /// Appends `piece` after the last column in use; restores the right half of a character that lost it.
    void append_piece(const row& piece);
    void clear() noexcept;
    void truncate(int columns);
    /// Counts erased cells as used up to `columns`.
    void pad(int columns) {
        if (columns > used_) fill_gap(columns);
    }

    bool wraps = false;           ///< the text continues in the next row
    std::uint64_t generation = 0; ///< the revision that last changed this row

    [[nodiscard]] std::size_t memory_bytes() const noexcept;
    /// For tests: every rule above holds for a row of `columns`.
    [[nodiscard]] bool is_valid(int columns) const;

private:
    // SIMD copies may run this far past the last column.
    static constexpr int slack = 16;

    void reserve(int columns);
    void paint(int from, int to, const style& s);
    void extend(int to, const style& s);
    void paint_slowly(std::uint32_t from, std::uint32_t to, const style& s);
    void fill_gap(int to);
    void trim() noexcept;
    unit store_cluster(std::span<const char32_t> codes, unit flags);
    void compact_pool();

    std::unique_ptr<unit[]> units_;
    int used_ = 0;
    int capacity_ = 0;
    std::vector<style_run> runs_; // empty, or the first starts at 0; strictly increasing; neighbours differ
    std::vector<char32_t> pool_;  // clusters: a count, then that many code points
};

// ---- implementation ----

inline unit* row::start(int from, int limit) {
    if (capacity_ < limit + slack) reserve(limit);
    if (from > used_)
        fill_gap(from);
    else if (from < used_ && from > 0 && units_.get()[from] == units::tail)
        units_.get()[from - 1] = units::blank;
    return units_.get();
}

inline void row::finish(int from, int to, const style& pen) {
    if (from == used_) return extend(to, pen);
    if (to < used_) {
        if (units_.get()[to] == units::tail) units_.get()[to] = units::blank;
    } else {
        used_ = to;
    }
    paint(from, to, pen);
}

// Counts what was written after the last column in use.
inline void row::extend(int to, const style& s) {
    const auto from = static_cast<std::uint32_t>(std::exchange(used_, to));
    if (runs_.empty()) {
        if (s == style{}) return;
        if (from > 0) runs_.push_back({0, {}});
    } else if (runs_.back().style == s) {
        return;
    }
    runs_.push_back({from, s});
}

inline int row::append_plain(const char* from, const char* end, int limit, const style& pen) {
    constexpr int step = static_cast<int>(plain_step);
    int to = used_;
    for (int n = step; n == step && to < limit && end - from >= step && capacity_ - to >= step; from += n, to += n)
        n = std::min(static_cast<int>(widen_step(from, units_.get() + to)), limit - to);
    const int count = to - used_;
    if (count > 0) extend(to, pen);
    return count;
}

inline void row::paint(int from, int to, const style& s) {
    if (runs_.empty() && s == style{}) return;
    if (to > from) paint_slowly(static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to), s);
}

template <class Change> void row::restyle_each(int from, int to, Change change) {
    const auto begin = static_cast<std::uint32_t>(from), end = static_cast<std::uint32_t>(std::min(to, used_));
    if (from >= to || begin >= end) return;
    std::vector<style_run> changed;
    changed.reserve(runs_.size() + 3);
    const auto add = [&](std::uint32_t start, const style& s) {
        if (changed.empty() || changed.back().style != s) changed.push_back({start, s});
    };
    if (runs_.empty()) runs_.push_back({0, {}});
    for (std::size_t i = 0; i < runs_.size(); ++i) {
        const auto& [start, s] = runs_[i];
        const std::uint32_t stop = i + 1 < runs_.size() ? runs_[i + 1].start : static_cast<std::uint32_t>(used_);
        if (start < begin) add(start, s);
        if (const auto first = std::max(start, begin); first < std::min(stop, end)) add(first, change(s));
        if (stop > end) add(std::max(start, end), s);
    }
    if (changed.size() == 1 && changed[0].style == style{}) changed.clear();
    runs_ = std::move(changed);
}

inline void row::clear() noexcept {
    used_ = 0;
    wraps = false;
    runs_.clear();
    pool_.clear();
}

} // namespace mux::vt
