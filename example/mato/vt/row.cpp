// SPDX-License-Identifier: MIT
#include "row.hpp"

#include "styled_text.hpp"
#include "utf8.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace mux::vt {

row::row(const row& other) : wraps(other.wraps), generation(other.generation), runs_(other.runs_), pool_(other.pool_) {
    if (other.used_ == 0) return;
    reserve(other.used_);
    used_ = other.used_;
    std::copy_n(other.units_.get(), used_, units_.get());
}

row& row::operator=(const row& other) {
    if (this == &other) return *this;
    if (other.used_ > 0) reserve(other.used_);
    runs_.reserve(other.runs_.size());
    pool_.reserve(other.pool_.size()); // nothing below throws
    std::copy_n(other.units_.get(), other.used_, units_.get());
    used_ = other.used_;
    runs_ = other.runs_;
    pool_ = other.pool_;
    wraps = other.wraps;
    generation = other.generation;
    return *this;
}

void row::reserve(int columns) {
    const int wanted = columns + slack;
    if (capacity_ >= wanted) return;
    // A line made of many rows grows by doubling, a screen's row once.
    const int next = capacity_ == 0 ? wanted : std::max(wanted, capacity_ * 2);
    std::unique_ptr<unit[]> bigger(new unit[static_cast<std::size_t>(next)]);
    if (used_ > 0) std::copy_n(units_.get(), used_, bigger.get());
    units_ = std::move(bigger);
    capacity_ = next;
}

const char* row::append_styled(const char* p, const char* end, int limit, style& pen, row_end& to) {
    if (used_ >= limit) return p;
    reserve(limit);
    to.units = units_.get();
    to.used = used_;
    to.limit = limit;
    to.pen = pen;
    to.last = runs_.empty() ? style{} : runs_.back().style;
    const char* const after = vt::append_styled(p, end, to);
    if (to.count > 0) {
        if (runs_.empty() && to.runs[0].start > 0) runs_.push_back({0, {}});
        runs_.insert(runs_.end(), to.runs.begin(), to.runs.begin() + to.count);
    }
    used_ = to.used;
    pen = to.pen;
    return after;
}

void row::fill_gap(int to) {
    const int from = used_;
    reserve(to);
    std::fill(units_.get() + from, units_.get() + to, units::blank);
    used_ = to;
    paint(from, to, {});
}

style row::style_at(int column) const noexcept {
    if (column >= used_) return {};
    const auto after = std::upper_bound(runs_.begin(), runs_.end(), static_cast<std::uint32_t>(column),
                                        [](std::uint32_t c, const style_run& r) { return c < r.start; });
    return after == runs_.begin() ? style{} : std::prev(after)->style;
}

std::span<const char32_t> row::cluster(unit u) const noexcept {
    if ((u & units::cluster) == 0) return {};
    const unit offset = u & units::code_mask;
    return {pool_.data() + offset + 1, static_cast<std::size_t>(pool_[offset])};
}

void row::append_text(std::string& out, int from, int to) const {
    to = std::min(to, used_);
    for (int c = from; c < to; ++c) {
        const unit u = units_.get()[c];
        if (u == units::tail) continue;
        if (u == units::blank)
            out.push_back(' ');
        else if (u < 0x80)
            out.push_back(static_cast<char>(u));
        else if ((u & units::cluster) == 0)
            append_utf8(out, u & units::code_mask);
        else
            for (const char32_t code : cluster(u)) append_utf8(out, code);
    }
}

void row::paint_slowly(std::uint32_t from, std::uint32_t to, const style& s) {
    const auto end = static_cast<std::uint32_t>(used_);
    if (runs_.empty()) runs_.push_back({0, {}});
    if (to == end && runs_.back().start <= from) { // writing from left to right
        if (runs_.back().style == s) return;
        if (runs_.back().start < from) {
            runs_.push_back({from, s});
            return;
        }
    }
    const auto starts_before = [](const style_run& r, std::uint32_t c) { return r.start < c; };
    auto first = std::lower_bound(runs_.begin(), runs_.end(), from, starts_before);
    const auto last = std::lower_bound(first, runs_.end(), to + 1, starts_before);
    std::array<style_run, 2> fresh;
    std::size_t count = 0;
    if (first == runs_.begin() || std::prev(first)->style != s) fresh[count++] = {from, s};
    if (to < end) {
        const style after = std::prev(last)->style;
        if (after != s) fresh[count++] = {to, after};
    }
    const auto old = static_cast<std::size_t>(last - first);
    const auto at = static_cast<std::size_t>(first - runs_.begin());
    if (old < count)
        runs_.insert(first, count - old, style_run{});
    else
        runs_.erase(first, first + static_cast<std::ptrdiff_t>(old - count));
    std::copy_n(fresh.begin(), count, runs_.begin() + static_cast<std::ptrdiff_t>(at));
    if (runs_.size() == 1 && runs_[0].style == style{}) runs_.clear();
}

void row::put(int column, char32_t code, int width, const style& pen, int columns) {
    unit* const out = start(column, columns);
    int end = column + 1;
    out[column] = code | (width == 2 ? units::wide : 0);
    if (width == 2 && end < columns) out[end++] = units::tail; // on a screen of one column the right half is cut off
    finish(column, end, pen);
}

unit row::store_cluster(std::span<const char32_t> codes, unit flags) {
    const auto offset = static_cast<unit>(pool_.size());
    pool_.push_back(static_cast<char32_t>(codes.size()));
    pool_.insert(pool_.end(), codes.begin(), codes.end());
    return units::cluster | flags | offset;
}

bool row::combine(int column, char32_t mark) {
    if (column >= used_) return false;
    unit& u = units_.get()[column];
    if (u == units::blank || u == units::tail) return false;
    if ((u & units::cluster) == 0) {
        const char32_t both[] = {u & units::code_mask, mark};
        u = store_cluster(both, u & units::wide);
    } else {
        const unit offset = u & units::code_mask;
        const std::size_t count = pool_[offset];
        if (count >= max_cluster) return false;
        if (offset + 1 + count == pool_.size()) {
            pool_.push_back(mark);
            ++pool_[offset];
        } else {
            std::array<char32_t, max_cluster> codes;
            std::copy_n(pool_.begin() + offset + 1, count, codes.begin());
            codes[count] = mark;
            u = store_cluster({codes.data(), count + 1}, u & units::wide);
        }
    }
    compact_pool();
    return true;
}

// Overwritten clusters stay in the pool; it is rebuilt before the waste exceeds what the cells can hold.
void row::compact_pool() {
    const std::size_t most = static_cast<std::size_t>(used_) * (max_cluster + 1) * 2 + 64;
    if (pool_.size() <= most) return;
    std::vector<char32_t> old = std::move(pool_);
    pool_ = {};
    for (int c = 0; c < used_; ++c) {
        unit& u = units_.get()[c];
        if ((u & units::cluster) == 0) continue;
        const unit offset = u & units::code_mask;
        u = store_cluster({old.data() + offset + 1, static_cast<std::size_t>(old[offset])}, u & units::wide);
    }
}

void row::widen(int column) {
    if (column >= used_ || (units_.get()[column] & units::wide) != 0) return;
    const style s = style_at(column);
    const unit u = units_.get()[column];
    unit* const out = start(column, column + 2);
    out[column] = u | units::wide;
    out[column + 1] = units::tail;
    finish(column, column + 2, s);
}

void row::narrow(int column, const style& blank) {
    if (column >= used_ || (units_.get()[column] & units::wide) == 0) return;
    units_.get()[column] &= ~units::wide;
    if (column + 1 >= used_) return; // its right half did not fit
    units_.get()[column + 1] = units::blank;
    erase(column + 1, column + 2, blank);
}

void row::trim() noexcept {
    while (used_ > 0 && units_.get()[used_ - 1] == units::blank && (runs_.empty() || style_at(used_ - 1) == style{})) --used_;
    while (!runs_.empty() && runs_.back().start >= static_cast<std::uint32_t>(used_)) runs_.pop_back();
    if (runs_.size() == 1 && runs_[0].style == style{}) runs_.clear();
    if (used_ == 0) pool_.clear();
}

void row::erase(int from, int to, const style& blank) {
    if (from >= to) return;
    if (blank == style{} && to >= used_) {
        if (from >= used_) return;
        start(from, used_);
        used_ = from;
        return trim();
    }
    unit* const out = start(from, to);
    std::fill(out + from, out + to, units::blank);
    finish(from, to, blank);
    if (to == used_) trim();
}

void row::erase_unprotected(int from, int to, const style& blank) {
    for (int c = from; c < to;) {
        const bool keep = style_at(c).has(attributes::is_protected);
        int next = c + 1;
        while (next < to && style_at(next).has(attributes::is_protected) == keep) ++next;
        if (!keep) erase(c, next, blank);
        c = next;
    }
}

row row::slice(int from, int to) const {
    row piece;
    to = std::min(to, used_);
    if (from >= to) return piece;
    unit* const out = piece.start(0, to - from);
    for (int c = from; c < to; ++c) {
        const unit u = units_.get()[c];
        out[c - from] = (u & units::cluster) != 0 ? piece.store_cluster(cluster(u), u & units::wide) : u;
    }
    piece.used_ = to - from;
    if (out[0] == units::tail) out[0] = units::blank;
    // Removes the left half of a wide character whose tail remains, unless the screen never had room for one.
    if ((out[piece.used_ - 1] & units::wide) != 0 && at(to) == units::tail) out[piece.used_ - 1] = units::blank;
    for (const style_run& r : runs_) {
        if (r.start >= static_cast<std::uint32_t>(to)) break;
        const std::uint32_t start = r.start > static_cast<std::uint32_t>(from) ? r.start - static_cast<std::uint32_t>(from) : 0;
        if (start == 0) piece.runs_.clear();
        piece.runs_.push_back({start, r.style});
    }
    piece.trim();
    return piece;
}

row row::left_half(int column) const {
    row piece = slice(column, column + 2);
    if (piece.used_ == 2 && piece.units_.get()[1] == units::tail) {
        piece.used_ = 1;
        piece.trim();
    } else {
        piece.truncate(1);
    }
    return piece;
}

void row::append_piece(const row& piece) {
    const int at = used_;
    paste(at, piece, piece.used_);
    if (used_ > at && ends_in_half()) {
        const style s = style_at(used_ - 1);
        start(used_, used_ + 1)[used_] = units::tail;
        finish(used_, used_ + 1, s);
    }
}

void row::paste(int at, const row& piece, int width) {
    const int count = std::min(width, piece.used_);
    if (count > 0) {
        unit* const out = start(at, at + count);
        if (piece.pool_.empty()) std::copy_n(piece.units_.get(), count, out + at);
        for (int c = 0; c < count && !piece.pool_.empty(); ++c) {
            const unit u = piece.units_.get()[c];
            out[at + c] = (u & units::cluster) != 0 ? store_cluster(piece.cluster(u), u & units::wide) : u;
        }
        finish(at, at + count, piece.runs_.empty() ? style{} : piece.runs_[0].style);
        for (std::size_t i = 1; i < piece.runs_.size(); ++i) {
            const auto from = static_cast<int>(piece.runs_[i].start);
            if (from < count) paint(at + from, at + count, piece.runs_[i].style);
        }
        compact_pool();
    }
    erase(at + count, at + width, {});
}

void row::truncate(int columns) {
    erase(columns, used_, {});
    // A left half alone is valid only on a screen of one column.
    if (used_ > 0 && columns > 1 && (units_.get()[used_ - 1] & units::wide) != 0) erase(used_ - 1, used_, {});
}

std::size_t row::memory_bytes() const noexcept {
    return sizeof *this + static_cast<std::size_t>(capacity_) * sizeof(unit) + runs_.capacity() * sizeof(style_run) +
           pool_.capacity() * sizeof(char32_t);
}

bool row::is_valid(int columns) const {
    if (used_ < 0 || used_ > columns || used_ > capacity_) return false;
    for (int c = 0; c < used_; ++c) {
        const unit u = units_.get()[c];
        if (u == units::tail) {
            if (c == 0 || (units_.get()[c - 1] & units::wide) == 0) return false;
            continue;
        }
        if ((u & units::wide) != 0 && at(c + 1) != units::tail && columns > 1) return false;
        if ((u & units::cluster) == 0) {
            if ((u & units::code_mask) > 0x10ffff || (u & ~(units::code_mask | units::wide)) != 0) return false;
            continue;
        }
        const std::size_t offset = u & units::code_mask;
        if (offset >= pool_.size() || pool_[offset] < 2 || pool_[offset] > max_cluster) return false;
        if (offset + 1 + pool_[offset] > pool_.size()) return false;
    }
    for (std::size_t i = 0; i < runs_.size(); ++i) {
        if (i == 0 ? runs_[i].start != 0 : runs_[i].start <= runs_[i - 1].start) return false;
        if (runs_[i].start >= static_cast<std::uint32_t>(used_)) return false;
        if (i > 0 && runs_[i].style == runs_[i - 1].style) return false;
    }
    return true;
}

} // namespace mux::vt
