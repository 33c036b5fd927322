// SPDX-License-Identifier: MIT
#include "history.hpp"

#include "packed_line.hpp"
#include "units.hpp"
#include "wrap.hpp"

#include <algorithm>

namespace mux::vt {

namespace {

// A row of the longest line, each cell a full cluster, must fit a line's columns when read back.
constexpr int readable_columns = history::max_line + max_columns;

std::size_t packed_rows(std::string_view packed, int columns, row& scratch) {
    const int ascii = ascii_columns(packed);
    if (ascii >= 0) return ascii == 0 ? 1 : static_cast<std::size_t>((ascii + columns - 1) / columns);
    unpack_line(packed, scratch, readable_columns);
    return wrapped_rows(scratch, columns);
}

} // namespace

history::history(history_limits limits) : limits_(limits) {}

std::string_view history::block::line(std::size_t i) const noexcept {
    const std::size_t n = gone + i;
    const std::uint32_t end = n + 1 < starts.size() ? starts[n + 1] : used;
    return {bytes.get() + starts[n], end - starts[n]};
}

std::size_t history::block::rows(int columns) const {
    if (counted_columns == columns && counted_gone == gone && counted_lines == starts.size()) return counted_rows;
    row scratch;
    std::size_t count = 0;
    for (std::size_t i = 0; i < lines(); ++i) count += packed_rows(line(i), columns, scratch);
    counted_columns = columns;
    counted_gone = gone;
    counted_lines = static_cast<std::uint32_t>(starts.size());
    counted_rows = count;
    return count;
}

char* history::room_for(std::size_t bytes) {
    if (blocks_.empty() || blocks_.back().capacity - blocks_.back().used < bytes) {
        block next;
        if (spare_.capacity >= bytes) std::swap(next, spare_);
        if (next.capacity < bytes) {
            next.capacity = static_cast<std::uint32_t>(std::max(bytes, block_bytes));
            next.bytes.reset(new char[next.capacity]);
        }
        bytes_ += next.capacity;
        blocks_.push_back(std::move(next));
    }
    return blocks_.back().bytes.get() + blocks_.back().used;
}

void history::close_line(const row& line) {
    const std::size_t bound = packed_bound(line);
    std::uint32_t written = 0;
    if (bound <= block_bytes) {
        char* const from = room_for(bound);
        written = static_cast<std::uint32_t>(pack_line(line, from) - from);
    } else { // the bound may be five times the truth: not for what is large and kept
        std::string exact(bound, '\0');
        written = static_cast<std::uint32_t>(pack_line(line, exact.data()) - exact.data());
        std::copy_n(exact.data(), written, room_for(written));
    }
    block& last = blocks_.back();
    last.starts.push_back(last.used);
    last.used += written;
    ++packed_;
    evict();
}

void history::push(const row& r) {
    if (limits_.lines == 0) {
        ++evicted_;
        return;
    }
    if (!is_open_ && !r.wraps && !r.ends_in_half()) return close_line(r);
    is_open_ = true;
    open_.append_piece(r);
    if (r.wraps && open_.used() < max_line) return;
    end_line();
}

void history::end_line() {
    if (!is_open_) return;
    close_line(open_);
    if (open_.memory_bytes() > kept_open_bytes) open_ = {};
    open_.clear();
    is_open_ = false;
}

void history::drop_front_block() {
    block& front = blocks_.front();
    bytes_ -= front.capacity;
    if (front.capacity == block_bytes) {
        spare_ = std::move(front);
        spare_.used = spare_.gone = 0;
        spare_.counted_columns = 0;
        spare_.starts.clear();
    }
    blocks_.pop_front();
}

void history::evict() {
    while (packed_ > limits_.lines) {
        block& front = blocks_.front();
        ++front.gone;
        --packed_;
        ++evicted_;
        if (front.lines() == 0) drop_front_block();
    }
    while (bytes_ > limits_.bytes && blocks_.size() > 1) {
        const std::size_t lines = blocks_.front().lines();
        packed_ -= lines;
        evicted_ += lines;
        drop_front_block();
    }
}

void history::clear() {
    evicted_ += size();
    blocks_.clear();
    spare_ = {};
    packed_ = bytes_ = 0;
    open_ = {};
    is_open_ = false;
}

const history::block* history::find(std::size_t& i) const noexcept {
    for (const block& b : blocks_) {
        if (i < b.lines()) return &b;
        i -= b.lines();
    }
    return nullptr;
}

void history::read(std::size_t i, row& out) const {
    out.clear();
    if (i >= packed_) {
        if (i < size()) out = open_;
        return;
    }
    if (const block* b = find(i)) unpack_line(b->line(i), out, readable_columns);
}

row history::pop() {
    row line;
    if (is_open_) {
        line = std::move(open_);
        open_ = {};
        is_open_ = false;
        return line;
    }
    block& last = blocks_.back();
    unpack_line(last.line(last.lines() - 1), line, readable_columns);
    last.used = last.starts.back();
    last.starts.pop_back();
    last.counted_columns = 0;
    --packed_;
    if (last.lines() == 0) {
        bytes_ -= last.capacity;
        blocks_.pop_back();
    }
    return line;
}

std::size_t history::rows(int columns) const {
    std::size_t count = is_open_ ? wrapped_rows(open_, columns) : 0;
    for (const block& b : blocks_) count += b.rows(columns);
    return count;
}

void history::read_row(std::size_t i, int columns, row& out) const {
    row line;
    const auto cut = [&](std::size_t skip) {
        int from = 0;
        while (skip-- > 0) from = wrap_end(line, from, columns);
        out = wrap_piece(line, from, wrap_end(line, from, columns), columns);
    };
    out.clear();
    for (const block& b : blocks_) {
        const std::size_t in_block = b.rows(columns);
        if (i >= in_block) {
            i -= in_block;
            continue;
        }
        for (std::size_t n = 0; n < b.lines(); ++n) {
            const std::size_t in_line = packed_rows(b.line(n), columns, line);
            if (i < in_line) {
                unpack_line(b.line(n), line, readable_columns);
                return cut(i);
            }
            i -= in_line;
        }
    }
    if (!is_open_ || i >= wrapped_rows(open_, columns)) return;
    line = open_;
    cut(i);
}

std::size_t history::memory_bytes() const noexcept {
    std::size_t total = bytes_ + spare_.capacity + open_.memory_bytes() - sizeof open_;
    total += (blocks_.size() + 1) * sizeof(block);
    for (const block& b : blocks_) total += b.starts.capacity() * sizeof(std::uint32_t);
    return total + spare_.starts.capacity() * sizeof(std::uint32_t);
}

std::vector<std::string_view> history::packed_lines(std::string& scratch) const {
    std::vector<std::string_view> lines;
    lines.reserve(size());
    for (const block& b : blocks_)
        for (std::size_t i = 0; i < b.lines(); ++i) lines.push_back(b.line(i));
    if (is_open_) {
        scratch.resize(packed_bound(open_));
        lines.emplace_back(scratch.data(), static_cast<std::size_t>(pack_line(open_, scratch.data()) - scratch.data()));
    }
    return lines;
}

bool history::push_packed(std::string_view bytes, line_end end) {
    row line;
    if (!unpack_line(bytes, line, readable_columns)) return false;
    if (limits_.lines == 0) return true;
    if (end == line_end::open) {
        open_ = std::move(line);
        is_open_ = true;
    } else {
        close_line(line);
    }
    return true;
}

} // namespace mux::vt
