// SPDX-License-Identifier: MIT
#include "history.hpp"

#include "bytes.hpp"
#include "geometry.hpp"
#include "packed_line.hpp"
#include "row_links.hpp"
#include "wrap.hpp"

#include <algorithm>
#include <utility>

namespace mux::vt {

namespace {

struct packed_rows {
    std::size_t count;
    bool is_unpacked; // into the row that was passed: only a line that is not ASCII is
};

packed_rows measure(std::string_view packed, int columns, row& line) {
    const int ascii = ascii_columns(packed);
    if (ascii >= 0) return {ascii == 0 ? 1 : static_cast<std::size_t>((ascii + columns - 1) / columns), false};
    unpack_line(packed, line, history::readable_columns);
    return {wrapped_rows(line, columns), true};
}

} // namespace

history::history(history_limits limits)
    : limits_(limits), lines_(limits.store ? *limits.store : heap_blocks(), block_kind::lines) {}

std::size_t history::rows_of(const block_list::block& b, int columns) {
    return b.measured(columns, [&] {
        row scratch;
        std::size_t count = 0;
        for (std::size_t i = 0; i < b.size(); ++i) count += measure(b.record(i), columns, scratch).count;
        return count;
    });
}

// A store that is full takes the line in place of the oldest ones.
char* history::begin_line_in_full_store(std::size_t bytes) {
    char* to = nullptr;
    for (; !to && lines_.size() > 0; to = lines_.begin_record(bytes)) evicted_ += lines_.pop_front_block();
    if (!to) ++evicted_; // larger than the whole store
    return to;
}

void history::close_line(const row& line) {
    const std::size_t bound = packed_bound(line);
    if (bound > most_packed_in_place) return close_long_line(line, bound);
    char* const to = begin_line(bound);
    if (!to) return;
    lines_.finish_record(static_cast<std::size_t>(pack_line(line, to) - to));
    if (notes_links_) note_links_of(line);
    evict();
}

void history::close_long_line(const row& line, std::size_t bound) {
    std::string exact(bound, '\0');
    exact.resize(static_cast<std::size_t>(pack_line(line, exact.data()) - exact.data()));
    char* const to = begin_line(exact.size());
    if (!to) return;
    std::copy(exact.begin(), exact.end(), to);
    lines_.finish_record(exact.size());
    if (notes_links_) note_links_of(line);
    evict();
}

void history::note_links_of(const row& line) {
    lines_.saw_links_of_newest([&line](auto see) { for_each_link(line, see); });
}

void history::note_links(earlier_links earlier) {
    if (!std::exchange(notes_links_, true) && earlier == earlier_links::none) lines_.saw_no_links();
}

std::size_t history::links(link_set& found) const {
    std::size_t bytes = 0;
    row scratch;
    for (const block_list::block& b : lines_.blocks())
        b.add_links(found, [&](std::string_view record, auto see) {
            bytes += record.size();
            unpack_line(record, scratch, readable_columns);
            for_each_link(scratch, see);
        });
    if (is_open_) for_each_link(open_, [&found](link_id link) { found.set(link); });
    return bytes;
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

void history::evict() {
    while (lines_.size() > limits_.lines) {
        lines_.pop_front();
        ++evicted_;
    }
    while (lines_.bytes() > limits_.bytes && lines_.blocks().size() > 1) evicted_ += lines_.pop_front_block();
}

void history::clear() {
    evicted_ += size();
    lines_.clear();
    open_ = {};
    is_open_ = false;
}

void history::read(std::size_t i, row& out) const {
    out.clear();
    for (const block_list::block& b : lines_.blocks()) {
        if (i < b.size()) {
            unpack_line(b.record(i), out, readable_columns);
            return;
        }
        i -= b.size();
    }
    if (i == 0 && is_open_) out = open_;
}

row history::pop() {
    row line;
    if (is_open_) {
        line = std::move(open_);
        open_ = {};
        is_open_ = false;
        return line;
    }
    unpack_line(lines_.back(), line, readable_columns);
    lines_.pop_back();
    return line;
}

std::size_t history::rows(int columns) const {
    std::size_t count = is_open_ ? wrapped_rows(open_, columns) : 0;
    for (const block_list::block& b : lines_.blocks()) count += rows_of(b, columns);
    return count;
}

void history::read_row(std::size_t i, int columns, row& out) const {
    out.clear();
    read_rows(i, columns, [&out](const row& r) {
        out = r;
        return false;
    });
}

void history::read_rows(std::size_t first, int columns, const std::function<bool(const row&)>& visit) const {
    row line;
    std::size_t skip = first;
    const auto visit_pieces = [&](std::size_t count) { // of `line`, which has `count` rows
        int from = 0;
        for (std::size_t n = 0; n < count; ++n) {
            const int end = wrap_end(line, from, columns);
            if (n >= skip && !visit(wrap_piece(line, from, end, columns))) return false;
            from = end;
        }
        skip = 0;
        return true;
    };
    for (const block_list::block& b : lines_.blocks()) {
        if (skip > 0) {
            const std::size_t in_block = rows_of(b, columns);
            if (skip >= in_block) {
                skip -= in_block;
                continue;
            }
        }
        for (std::size_t n = 0; n < b.size(); ++n) {
            const packed_rows in_line = measure(b.record(n), columns, line);
            if (skip >= in_line.count) {
                skip -= in_line.count;
                continue;
            }
            if (!in_line.is_unpacked) unpack_line(b.record(n), line, readable_columns);
            if (!visit_pieces(in_line.count)) return;
        }
    }
    if (!is_open_) return;
    const std::size_t in_open = wrapped_rows(open_, columns);
    if (skip >= in_open) return;
    line = open_;
    visit_pieces(in_open);
}

std::size_t history::memory_bytes() const noexcept { return lines_.memory_bytes() + open_.memory_bytes() - sizeof open_; }

std::vector<std::string_view> history::packed_lines(std::string& scratch) const {
    std::vector<std::string_view> lines;
    lines.reserve(size());
    for (const block_list::block& b : lines_.blocks())
        for (std::size_t i = 0; i < b.size(); ++i) lines.push_back(b.record(i));
    if (is_open_) {
        scratch.resize(packed_bound(open_));
        lines.emplace_back(scratch.data(), static_cast<std::size_t>(pack_line(open_, scratch.data()) - scratch.data()));
    }
    return lines;
}

bool history::adopt(byte_reader& in, std::span<block_head* const> left) {
    evicted_ = in.number();
    std::size_t missing = 0;
    if (!lines_.adopt(in, left, missing)) return false;
    evicted_ += missing;
    return true;
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
