// SPDX-License-Identifier: MIT
#include "frame.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace mux {
namespace {

constexpr std::size_t worth_synchronising = 256; // bytes: less arrives in one piece anyway

constexpr std::string_view begin_synchronised = "\033[?2026h", end_synchronised = "\033[?2026l";

} // namespace

frame_composer::frame_composer(vt::screen_size size, terminal_features features)
    : size_(size.clamped()), features_(features), shown_(static_cast<std::size_t>(size_.rows)) {}

void frame_composer::set_features(const terminal_features& features) {
    if (features == features_) return;
    const bool looks_differ = features.colours != features_.colours || features.utf8 != features_.utf8;
    features_ = features;
    if (looks_differ) forget();
}

void frame_composer::resize(vt::screen_size size) {
    size_ = size.clamped();
    shown_.assign(static_cast<std::size_t>(size_.rows), {});
    forget();
}

void frame_composer::forget() { unknown_ = everything_ = true; }

std::size_t frame_composer::memory_bytes() const noexcept {
    std::size_t sum = sizeof *this + pictures_.memory_bytes();
    for (const vt::row& each : shown_) sum += each.memory_bytes();
    return sum;
}

/// Cells in palette colours may look different now: only those are drawn again.
void frame_composer::forget_indexed_colours() {
    constexpr vt::link_id no_link_of_any_cell = 0xffff; // a terminal has at most 4096 links
    for (vt::row& each : shown_) {
        const std::vector<vt::style_run> runs(each.runs().begin(), each.runs().end());
        for (std::size_t i = 0; i < runs.size(); ++i) {
            vt::style look = runs[i].style;
            if (!look.foreground.is_indexed() && !look.background.is_indexed() && !look.underline_colour.is_indexed()) continue;
            look.link = no_link_of_any_cell;
            each.restyle(static_cast<int>(runs[i].start),
                         i + 1 < runs.size() ? static_cast<int>(runs[i + 1].start) : each.used(), look);
        }
    }
    everything_ = true;
    canvas_.append("\033[m");
    canvas_.forget();
}

/// If the tab is larger than the terminal, the part with the cursor is shown; it moves no further than necessary.
void frame_composer::follow_cursor(const vt::terminal& source) {
    const vt::screen_size tab = source.size();
    const vt::position at = source.cursor().at, before = offset_;
    const auto follow = [](int first, int shown, int whole, int cursor) {
        if (cursor < first) first = cursor;
        if (cursor >= first + shown) first = cursor - shown + 1;
        return std::clamp(first, 0, std::max(0, whole - shown));
    };
    offset_.row = follow(offset_.row, tab_rows(), tab.rows, at.row);
    offset_.column = follow(offset_.column, size_.columns, tab.columns, at.column);
    if (!(offset_ == before)) everything_ = true;
}

/// Moves rows on the terminal where that saves sending them.
void frame_composer::repeat_scrolls(const std::vector<vt::scrolled>& scrolls) {
    int moved = 0;
    for (const vt::scrolled& each : scrolls) moved += std::abs(each.lines);
    if (moved >= size_.rows) return; // no row stays
    const bool is_bottom_covered = covered_to_ >= size_.rows;
    const int area_top = is_bottom_covered ? 0 : covered_to_, area_bottom = is_bottom_covered ? covered_from_ : size_.rows;
    for (const vt::scrolled& each : scrolls) {
        // Part of a region moves like the region, except rows from beyond the edge: those differ and are drawn.
        const int top = std::max(each.top - offset_.row, area_top);
        const int bottom = std::min(each.bottom - offset_.row, area_bottom);
        const int height = bottom - top, lines = each.lines;
        if (height <= 0) continue;
        const auto first = shown_.begin() + top, last = shown_.begin() + bottom;
        if (std::abs(lines) >= height) continue;
        canvas_.scroll(top, bottom, lines, size_.rows);
        pictures_.scrolled(top, bottom, lines);
        if (lines > 0) {
            std::rotate(first, first + lines, last);
            for (auto r = last - lines; r != last; ++r) r->clear();
        } else {
            std::rotate(first, last + lines, last);
            for (auto r = first; r != first - lines; ++r) r->clear();
        }
    }
}

template <class Rows> void frame_composer::draw_row(int r, int source_columns, const Rows& source_rows) {
    static const vt::row nothing;
    const vt::row* const found = source_rows(r);
    const vt::row& source_row = found ? *found : nothing;
    // A line that wraps at the terminal's width stays one line.
    const bool same_width = offset_.column == 0 && source_columns == size_.columns;
    const auto goes_on = [&](const vt::row* above, const vt::row* below) {
        return same_width && above && below && above->wraps && canvas_.can_join(*above, *below);
    };
    vt::row& shown = shown_[static_cast<std::size_t>(r)];
    if (is_covered(r)) return;
    if (shown.wraps && !(r + 1 < size_.rows && !is_covered(r + 1) && goes_on(found, source_rows(r + 1)))) canvas_.end_line(r);
    if (r > 0 && !is_covered(r - 1) && !shown_[static_cast<std::size_t>(r) - 1].wraps && goes_on(source_rows(r - 1), found))
        canvas_.join(r, source_row);
    if (offset_.column == 0 && source_columns <= size_.columns) return canvas_.draw_row(r, source_row);
    canvas_.draw_row(r, source_row.slice(offset_.column, offset_.column + size_.columns));
}

void frame_composer::draw_screen(const vt::terminal& source, const vt::changes& since) {
    const vt::screen_size tab = source.size();
    const auto rows = [&](int r) {
        return r < tab_rows() && r + offset_.row < tab.rows ? &source.row_at(r + offset_.row) : nullptr;
    };
    if (everything_ || since.everything) {
        for (int r = 0; r < size_.rows; ++r) draw_row(r, tab.columns, rows);
        return;
    }
    if (!since.scrolls.empty()) {
        if (features_.scrolls) repeat_scrolls(since.scrolls);
        // Rows may have come from beyond the terminal's edge, and rows that did not move on it have another place now.
        for (int r = 0; r < size_.rows && r + offset_.row < tab.rows; ++r) draw_row(r, tab.columns, rows);
        return;
    }
    for (const int changed : since.rows) {
        const int r = changed - offset_.row;
        if (r >= 0 && r < size_.rows) draw_row(r, tab.columns, rows);
    }
}

void frame_composer::draw_history(const vt::terminal& source, std::size_t rows_back) {
    const vt::screen_size tab = source.size();
    const std::size_t kept = source.history_rows();
    const std::size_t back = std::min(rows_back, kept);
    std::array<vt::row, 3> old; // a row and its neighbours
    const auto rows = [&](int r) -> const vt::row* {
        const std::size_t at = kept - back + static_cast<std::size_t>(r);
        if (at < kept) return &old[static_cast<std::size_t>(r) % old.size()];
        const auto on_screen = at - kept;
        return on_screen < static_cast<std::size_t>(tab.rows) ? &source.row_at(static_cast<int>(on_screen)) : nullptr;
    };
    const auto read = [&](int r) {
        if (const std::size_t at = kept - back + static_cast<std::size_t>(r); at < kept)
            source.read_history_row(at, old[static_cast<std::size_t>(r) % old.size()]);
    };
    read(0);
    for (int r = 0; r < size_.rows; ++r) {
        read(r + 1);
        draw_row(r, tab.columns, rows);
    }
    std::string note(1, ' ');
    note.append(std::to_string(back)).append("/").append(std::to_string(kept)).append(" ");
    draw_note(note);
}

/// In the right part of the first row.
void frame_composer::draw_note(const std::string& text) {
    if (static_cast<int>(text.size()) > size_.columns) return;
    vt::row first = shown_[0];
    vt::style look;
    look.turn_on(vt::attributes::inverse);
    const int from = size_.columns - static_cast<int>(text.size());
    first.erase(from, size_.columns, {});
    for (std::size_t i = 0; i < text.size(); ++i)
        first.put(from + static_cast<int>(i), static_cast<unsigned char>(text[i]), 1, look, size_.columns);
    canvas_.draw_row(0, first);
}

bool frame_composer::cover(const overlay* over) {
    int from = size_.rows, to = size_.rows; // a range at the end, if nothing is covered
    if (over && over->around == overlay::rest::blank) {
        from = 0;
    } else if (over) {
        from = std::clamp(over->top, 0, size_.rows);
        to = std::clamp(over->top + static_cast<int>(over->rows.size()), from, size_.rows);
    }
    const bool same = covered_from_ == from && covered_to_ == to;
    covered_from_ = from, covered_to_ = to;
    return !same;
}

void frame_composer::draw_overlay(const overlay& over) {
    static const vt::row nothing;
    for (int r = covered_from_; r < covered_to_; ++r) {
        vt::row& shown = shown_[static_cast<std::size_t>(r)];
        if (shown.wraps) canvas_.end_line(r);
        const vt::row* const found = over.row_at(r);
        canvas_.draw_row(r, found && found->used() > size_.columns ? found->slice(0, size_.columns) : found ? *found : nothing);
    }
}

void frame_composer::compose(const vt::terminal& source, const request& wanted, std::string& out) {
    const std::size_t begin = out.size();
    canvas_.begin(out, source, features_, size_.columns, shown_);
    if (const auto palette = source.palette_stamp(); std::exchange(palette_, palette) != palette && !unknown_)
        forget_indexed_colours();
    if (unknown_) {
        out += reset_sequence();
        if (mirror_.has_shaped_cursor()) out += select_cursor_style(mirror_.own_cursor_style());
        if (features_.kitty_keyboard) out += "\033[=0;1u";
        mirror_.forget();
        canvas_.forget();
        canvas_.clear();
        pictures_.clear(out);
        for (vt::row& each : shown_) each.clear();
        unknown_ = false;
    }
    const bool is_replaced = wanted.over && wanted.over->around == overlay::rest::blank;
    const bool screen_shown = wanted.rows_back == 0 && !is_replaced;
    const int reserved = std::clamp(wanted.reserved, 0, size_.rows - 1);
    if (std::exchange(reserved_, reserved) != reserved) everything_ = true;
    if (cover(wanted.over)) everything_ = true;
    const bool returns = screen_shown && off_screen_;
    off_screen_ = !screen_shown;
    mirror_.update(source, features_, {wanted.mouse, wanted.readonly, wanted.title}, out);
    const std::size_t drawing = out.size();
    if (is_replaced) {
        // nothing of the tab
    } else if (wanted.rows_back > 0) {
        follow_cursor(source);
        draw_history(source, wanted.rows_back);
    } else {
        follow_cursor(source);
        if (returns) everything_ = true;
        if (everything_ || revision_ != source.revision())
            draw_screen(source, source.changes_since(everything_ ? 0 : revision_));
        everything_ = false;
        revision_ = source.revision();
    }
    if (wanted.over) draw_overlay(*wanted.over);
    const bool shows_images = features_.kitty_images || features_.sixel_images || features_.iterm_images;
    incomplete_ = (!pictures_.empty() || (shows_images && !source.pictures().empty())) &&
                  !pictures_.update(shown_, source, {features_, cell_, size_}, canvas_, out);
    const vt::cursor_view cursor = source.cursor();
    vt::position at{cursor.at.row - offset_.row, cursor.at.column - offset_.column};
    bool visible = screen_shown && cursor.visible && at.row < tab_rows() && !is_covered(at.row);
    if (wanted.over && wanted.over->cursor) at = *wanted.over->cursor, visible = true;
    visible = visible && at.row >= 0 && at.row < size_.rows && at.column >= 0 && at.column < size_.columns;
    const bool large = out.size() - drawing > worth_synchronising;
    if (large && features_.synchronised) out.insert(begin, begin_synchronised);
    if (large && !features_.synchronised && visible) { // a cursor that jumps across the screen is worse than none
        std::string hide;
        mirror_.show_cursor(false, hide);
        out.insert(begin, hide);
    }
    if (visible) canvas_.move_to(at.row, at.column);
    mirror_.show_cursor(visible, out);
    if (large && features_.synchronised) out += end_synchronised;
}

} // namespace mux
