// SPDX-License-Identifier: MIT
#include "emulator.hpp"
#include "mixed_text.hpp"
#include "scan.hpp"
#include "unicode.hpp"

#include <algorithm>

namespace mux::vt {

namespace {

bool is_c1(const char* p, const char* end) noexcept {
    return end - p >= 2 && static_cast<unsigned char>(p[0]) == 0xc2 && static_cast<unsigned char>(p[1]) - 0x80u < 0x20u;
}

// Characters of one or two columns, as many as can be decoded together; one if decode_mixed() takes none.
decoded_run decode_some(const char* p, const char* end, unit* to, int room, std::size_t scratch) noexcept {
    const decoded_run run = decode_mixed(p, end, to, room, scratch);
    if (run.bytes > 0) return run;
    const decoded d = decode_utf8(p, end);
    if (d.length == 0 || d.code < 0xa0 || d.code == replacement_character) return {}; // most likely ill-formed
    const int width = width_of(d.code);
    if (width == 0 || width > room) return {};
    to[0] = d.code | (width == 2 ? units::wide : 0);
    if (width == 2) to[1] = units::tail;
    return {d.length, width};
}

} // namespace

void emulator::update_text_path() noexcept {
    plain_text_ = cursor_.sets.is_plain() && !modes_.is_set(mode::insert) && !modes_.is_set(mode::grapheme_clusters);
}

// The column where text wraps: the right margin, for a cursor that is not past it.
int emulator::wrap_limit() const noexcept { return cursor_.at.column < right_ ? right_ : columns(); }

void emulator::wrap() {
    const int before = cursor_.at.row;
    const bool at_bottom = before == bottom_ - 1;
    const bool whole_line = wrap_limit() == columns() && left_ == 0 && (at_bottom || before < rows() - 1);
    cursor_.pending_wrap = false;
    if (whole_line) screen_->touch(before).wraps = true;
    line_feed();
    // A region that scrolls separates its last line from the row below; this line continues there.
    if (whole_line && at_bottom && bottom_ - top_ > 1) screen_->touch(before - 1).wraps = true;
    cursor_.at.column = cursor_.at.column >= left_ ? left_ : 0;
}

const char* emulator::text(const char* p, const char* end) {
    while (p < end) {
        if (plain_text_ && is_plain(*p)) {
            if (!cursor_.pending_wrap && end - p >= 2 && p[1] == '\x1b') { // one character between two sequences
                put_plain(*p);
                return p + 1;
            }
            const char* after = append_plain(p, end);
            if (after == p && (after = plain_run(p, end)) == p) return p;
            p = after;
            continue;
        }
        const auto b = static_cast<unsigned char>(*p);
        if (b < 0x20 || b == 0x7f || is_c1(p, end)) return p;
        if (plain_text_) {
            const char* const after = plain_run(p, end);
            if (after != p) {
                p = after;
                continue;
            }
        }
        const decoded d = decode_utf8(p, end);
        if (d.length == 0) return p;
        p += d.length;
        print(d.code);
        if (is_spent()) return p;
    }
    return p;
}

// For a cursor after the end of its row, the usual case. May process less than all, or nothing.
const char* emulator::append_plain(const char* p, const char* end) {
    const int from = cursor_.at.column;
    if (cursor_.pending_wrap || from != screen_->at(cursor_.at.row).used()) return p;
    const int limit = wrap_limit();
    const int n = line().append_plain(p, end, limit, cursor_.pen);
    if (n > 0) printed(static_cast<unsigned char>(p[n - 1]), from + n, limit);
    return p + n;
}

const char* emulator::coloured_text(const char* p, const char* end) {
    const int from = cursor_.at.column;
    if (!plain_text_ || cursor_.pending_wrap || from != screen_->at(cursor_.at.row).used()) return p;
    const int limit = wrap_limit();
    row& r = line();
    const char* const after = r.append_styled(p, end, limit, cursor_.pen, row_end_);
    if (r.used() > from) printed(r.at(r.used() - 1), r.used(), limit);
    if (after != p && row_end_.after_sequence) last_printed_ = 0;
    return after;
}

// @pre no wrap is pending
void emulator::put_plain(char c) {
    const int column = cursor_.at.column, limit = wrap_limit();
    row& r = line();
    const auto code = static_cast<unsigned char>(c);
    r.start(column, limit)[column] = code;
    r.finish(column, column + 1, cursor_.pen);
    printed(code, column + 1, limit);
}

// The last character before column `to` is `code`.
void emulator::printed(char32_t code, int to, int limit) noexcept {
    last_printed_ = code;
    cursor_.pending_wrap = to == limit;
    cursor_.at.column = to == limit ? to - 1 : to;
}

// Writes as much of [p, end) as fits into one row without looking at the existing cells: plain bytes sixteen at a time, other
// characters decoded in place. Stops before controls, combining marks, and ill-formed or incomplete characters.
const char* emulator::plain_run(const char* const begin, const char* const end) {
    const char* p = begin;
    // A character without its own cell must have no effect, not even a wrap. After the end of a row that is so.
    if (!is_plain(*p) && (cursor_.pending_wrap || cursor_.at.column != screen_->at(cursor_.at.row).used())) {
        const decoded d = decode_utf8(p, end);
        if (d.length == 0 || d.code < 0xa0 || width_of(d.code) == 0) return p;
    }
    if (cursor_.pending_wrap) {
        if (is_spent()) return p; // a wrap may scroll many cells
        if (modes_.is_set(mode::autowrap))
            wrap();
        else
            cursor_.pending_wrap = false;
    }
    const int from = cursor_.at.column;
    const int limit = wrap_limit();
    if (from + 2 > limit && !is_plain(*p)) return p; // it may not fit: put() handles that
    row& r = line();
    unit* const out = r.start(from, limit);
    int c = from;
    while (p < end && c < limit) {
        if (is_plain(*p)) {
            const std::size_t n = widen_plain(p, end, out + c, static_cast<std::size_t>(limit - c), r.scratch(c));
            p += n;
            c += static_cast<int>(n);
            continue;
        }
        if (static_cast<unsigned char>(*p) < 0xc2) break;
        const decoded_run run = decode_some(p, end, out + c, limit - c, r.scratch(c));
        if (run.bytes == 0) break;
        p += run.bytes;
        c += run.columns;
    }
    if (c == from) return p;
    r.finish(from, c, cursor_.pen);
    // Not read from the units: a narrow load after wide stores is a store-forwarding stall.
    printed(last_character(begin, p), c, limit);
    return p;
}

void emulator::print(char32_t code) {
    if (code >= 0x21 && code < 0x7f)
        code = cursor_.sets.translate(code);
    else
        cursor_.sets.single = 0;
    update_text_path();
    if (modes_.is_set(mode::grapheme_clusters) && join_cluster(code)) return;
    const int width = width_of(code);
    if (width == 0) return combine(code);
    put(code, width);
}

void emulator::put(char32_t code, int width) {
    const bool wraps = modes_.is_set(mode::autowrap);
    if (cursor_.pending_wrap && wraps) wrap();
    cursor_.pending_wrap = false;
    int limit = wrap_limit();
    if (width == 2 && cursor_.at.column + 2 > limit) {
        const int start = limit == columns() && limit != right_ ? 0 : left_;
        if (limit - start < 2) {
            width = columns() == 1 ? 2 : 1; // no line has room: only the left half can be shown
        } else if (wraps) {
            line().erase(cursor_.at.column, limit, cursor_.pen.blank());
            wrap();
            limit = wrap_limit();
        } else {
            cursor_.at.column = limit - 2; // like a narrow character, it takes the last place
        }
    }
    const int advance = std::min(width, limit - cursor_.at.column);
    // Only between the margins, as for ICH, which IRM uses.
    if (modes_.is_set(mode::insert) && cursor_.at.column >= left_ && cursor_.at.column < right_) {
        spend(limit - cursor_.at.column);
        screen_->insert_cells(cursor_.at.row, cursor_.at.column, limit, advance, cursor_.pen.blank());
    }
    line().put(cursor_.at.column, code, width, cursor_.pen, columns());
    last_printed_ = code;
    if (modes_.is_set(mode::grapheme_clusters)) cluster_at_ = cursor_.at;
    const int next = cursor_.at.column + advance;
    cursor_.pending_wrap = next >= limit;
    cursor_.at.column = next >= limit ? limit - 1 : next;
}

// A mark combines with the character before the cursor, or under it after the last column.
void emulator::combine(char32_t mark) {
    int column = cursor_.pending_wrap ? cursor_.at.column : cursor_.at.column - 1;
    if (column < 0) return; // no character on this line to combine with
    row& r = line();
    if (r.at(column) == units::tail) --column;
    if (r.at(column) == units::blank) r.put(column, ' ', 1, r.style_at(column), columns());
    r.combine(column, mark);
}

bool emulator::join_cluster(char32_t code) {
    if (!cluster_at_ || cluster_at_->row != cursor_.at.row) return false;
    row& r = line();
    const int column = cluster_at_->column;
    const unit u = r.at(column);
    const int end = column + ((u & units::wide) != 0 ? 2 : 1);
    const int after = cursor_.pending_wrap ? cursor_.at.column + 1 : cursor_.at.column;
    if (u == units::blank || u == units::tail || std::min(end, columns()) != after) return false;
    const char32_t single[] = {u & units::code_mask};
    const auto stored = r.cluster(u);
    const char32_t* const codes = stored.empty() ? single : stored.data();
    const std::size_t count = stored.empty() ? 1 : stored.size();
    if (!joins_cluster(codes, count, code)) return false;
    // A flag of two indicators, an emoji selected by U+FE0F and a cluster with a wide part take two columns; the text form of
    // an emoji, selected by U+FE0E, takes one.
    constexpr char32_t text_presentation = 0xfe0e, emoji_presentation = 0xfe0f;
    const bool flag = property_of(code).breaking() == grapheme_class::regional;
    const bool varies = count == 1 && property_of(codes[0]).has_variations();
    const bool emoji = code == emoji_presentation && varies;
    const bool shrinks = code == text_presentation && varies && (u & units::wide) != 0;
    const bool grows = (u & units::wide) == 0 && (flag || emoji || width_of(code) == 2);
    r.combine(column, code);
    if (shrinks) {
        r.narrow(column, cursor_.pen.blank());
        if (modes_.is_set(mode::insert))
            screen_->delete_cells(cursor_.at.row, column + 1, wrap_limit(), 1, cursor_.pen.blank());
        cursor_.pending_wrap = false;
        cursor_.at.column = std::min(column + 1, columns() - 1);
    }
    if (grows && !cursor_.pending_wrap && column + 2 <= wrap_limit()) {
        if (modes_.is_set(mode::insert))
            screen_->insert_cells(cursor_.at.row, column + 1, wrap_limit(), 1, cursor_.pen.blank());
        line().widen(column);
        const int limit = wrap_limit();
        cursor_.pending_wrap = column + 2 == limit;
        cursor_.at.column = cursor_.pending_wrap ? limit - 1 : column + 2;
    }
    return true;
}

// ECMA-48 8.3.103 REP: repeats a character that comes immediately before it. xterm, libvterm, tmux: no character counts after a
// control or another sequence.
void emulator::repeat(int count) {
    if (last_printed_ == 0) return;
    const int width = width_of(last_printed_);
    if (width == 0) return;
    // More than a full screen only takes longer.
    count = std::min(count, rows() * columns() + columns());
    for (; count > 0 && !is_spent(); --count) {
        spend(1);
        put(last_printed_, width);
    }
    repeats_left_ = static_cast<std::uint32_t>(count);
    repeated_ = last_printed_;
}

} // namespace mux::vt
