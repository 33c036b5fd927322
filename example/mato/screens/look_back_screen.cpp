// SPDX-License-Identifier: MIT
#include "look_back_screen.hpp"

#include "bottom_row.hpp"
#include "text_moves.hpp"
#include "text_prompts.hpp"
#include "text_row.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace mux {

enum class look_back_screen::step : std::uint8_t {
    left,
    right,
    up,
    down,
    word,
    word_back,
    word_end,
    line_begin,
    line_end,
    first,
    last,
    high,
    middle,
    low,
    page_up,
    page_down,
    half_up,
    half_down,
};

vt::screen_size look_back_screen::text_size(vt::screen_size size) const noexcept {
    return {size.rows > 1 && use_ == look_back_use::reading ? size.rows - 1 : size.rows,
            size.columns}; // a single row shows text
}

look_back_screen::look_back_screen(std::unique_ptr<const text_source> text, vt::screen_size size, std::size_t rows_back,
                                   look_back_use use)
    : text_(std::move(text)), use_(use), view_(*text_, text_size(size)) {
    cursor_ = view_.nearest(text_->cursor());
    if (rows_back > 0) {
        view_.scroll(-static_cast<int>(std::min<std::size_t>(rows_back, std::numeric_limits<int>::max() / 2)));
        go_to_row(view_.size().rows - 1);
    }
    place(cursor_);
}

/// The text may have changed since the last call: lines were evicted, or the screen was cleared.
void look_back_screen::follow_text() {
    const std::uint64_t first = text_->first_line();
    if (view_.follow_text() > 0 || cursor_.line < first || (anchor_ && anchor_->line < first)) lost_lines_ = true;
    cursor_ = view_.nearest(cursor_);
    view_.show(cursor_);
    if (anchor_) anchor_ = view_.nearest(*anchor_);
    if (released_) released_ = view_.nearest(*released_);
    if (prompt_) prompt_->drop_before(first);
}

// ---- moving ----

void look_back_screen::place(text_position at) {
    cursor_ = view_.nearest(at);
    x_ = view_.x_of(cursor_);
    view_.show(cursor_);
}

void look_back_screen::move_rows(int rows) {
    cursor_ = view_.below(cursor_, rows, x_);
    view_.show(cursor_);
}

void look_back_screen::scroll_page(int rows) {
    view_.scroll(rows);
    move_rows(rows);
}

void look_back_screen::go_to_row(int row) {
    cursor_ = view_.below(view_.top(), row, x_);
    view_.show(cursor_);
}

screen_reply look_back_screen::wheel(int rows) {
    follow_text();
    view_.scroll(rows);
    const text_position first = view_.below(view_.top(), 0, x_), last = view_.below(view_.top(), view_.size().rows - 1, x_);
    cursor_ = std::clamp(cursor_, first, std::max(first, last));
    view_.show(cursor_);
    return {};
}

void look_back_screen::move(step what) {
    const int page = view_.size().rows;
    switch (what) {
    case step::left: return place(left_of(*text_, cursor_));
    case step::right: return place(right_of(*text_, cursor_));
    case step::up: return move_rows(-1);
    case step::down: return move_rows(1);
    case step::word: return place(next_word(*text_, cursor_));
    case step::word_back: return place(previous_word(*text_, cursor_));
    case step::word_end: return place(mux::word_end(*text_, cursor_));
    case step::line_begin: return place({cursor_.line, 0});
    case step::line_end: return place(mux::line_end(*text_, cursor_));
    case step::first: return place({text_->first_line(), 0});
    case step::last: return place({text_->end_line() - 1, 0});
    case step::high: return go_to_row(0);
    case step::middle: return go_to_row((page - 1) / 2);
    case step::low: return go_to_row(page - 1);
    case step::page_up: return scroll_page(-page);
    case step::page_down: return scroll_page(page);
    case step::half_up: return scroll_page(-std::max(1, page / 2));
    case step::half_down: return scroll_page(std::max(1, page / 2));
    }
}

// ---- selecting ----

void look_back_screen::select(selection_kind kind) {
    if (anchor_ && kind_ == kind) return anchor_.reset();
    if (!anchor_) anchor_ = cursor_;
    kind_ = kind;
}

screen_reply look_back_screen::go_to_prompt(bool newer) {
    const auto found = newer ? prompt_after(*text_, cursor_) : prompt_before(*text_, cursor_);
    screen_reply reply;
    if (found) {
        cursor_ = view_.nearest(*found);
        view_.show_with_context(cursor_);
        x_ = view_.x_of(cursor_);
    } else {
        reply.says = newer ? "no prompt below" : "no prompt above";
        if (text_->marks().empty()) reply.says = "the shell of this tab does not mark its prompts (OSC 133)";
    }
    return reply;
}

screen_reply look_back_screen::select_output() {
    const auto found = output_at(*text_, cursor_);
    screen_reply reply;
    if (found) {
        kind_ = found->kind;
        anchor_ = view_.nearest(found->anchor);
        place(found->end);
    } else {
        reply.says = text_->marks().empty() ? "the shell of this tab does not mark its prompts (OSC 133)"
                                            : "no command above has written anything";
    }
    return reply;
}

std::optional<std::string> look_back_screen::selected_text() const { return selection().text_of(*text_); }

screen_reply look_back_screen::copy() {
    screen_reply reply;
    if (!anchor_) {
        reply.says = "nothing is selected: v selects characters, V lines, C-v a block";
        return reply;
    }
    auto text = selected_text();
    if (!text) {
        reply.says = "not copied: more than " + std::to_string(most_copied >> 10) + " KiB are selected";
        return reply;
    }
    reply.copies = std::move(*text);
    anchor_.reset();
    return reply;
}

// ---- the mouse ----

/// To the cell of the event; at the first and the last row the text scrolls below the pointer.
void look_back_screen::point(const pointer_event& event) {
    const int last = view_.size().rows - 1;
    if (event.what == pointer_event::kind::drag && event.row <= 0) view_.scroll(-1);
    if (event.what == pointer_event::kind::drag && event.row >= last) view_.scroll(1);
    cursor_ = view_.below(view_.top(), std::clamp(event.row, 0, last), event.column);
    x_ = view_.x_of(cursor_);
}

void look_back_screen::select_clicked(int clicks) {
    kind_ = clicks == 2 ? selection_kind::characters : selection_kind::lines;
    const auto range = clicks == 2 ? word_at(*text_, cursor_) : column_range{cursor_.column, cursor_.column + 1};
    anchor_ = text_position{cursor_.line, range.from};
    cursor_.column = range.to - 1;
    cursor_ = view_.nearest(cursor_);
}

screen_reply look_back_screen::pointer(const pointer_event& event) {
    follow_text();
    lost_lines_ = false;
    if (event.what == pointer_event::kind::press) {
        point(event);
        pressed_ = cursor_;
        anchor_.reset();
        released_.reset();
        kind_ = event.has_alt ? selection_kind::block : selection_kind::characters;
        if (event.clicks > 1) select_clicked(event.clicks);
        return {};
    }
    if (!pressed_) return {};
    if (event.what == pointer_event::kind::drag) {
        if (!anchor_) anchor_ = view_.nearest(*pressed_);
        point(event);
        return {};
    }
    pressed_.reset();
    screen_reply reply;
    if (!anchor_) return reply;
    released_ = cursor_;
    reply.copies = selected_text();
    if (!reply.copies) reply.says = "not copied: more than " + std::to_string(most_copied >> 10) + " KiB are selected";
    return reply;
}

// ---- finding ----

void look_back_screen::find(std::string_view typed) {
    only_finds_ = true;
    open_find();
    if (!typed.empty()) prompt_->begin_with(typed, *text_);
}

void look_back_screen::open_find() {
    prompt_.emplace();
    finds_ = marks_hits_ = true;
    before_find_ = cursor_;
}

void look_back_screen::show_found(std::string_view typed, text_position at) {
    prompt_.emplace();
    prompt_->begin_with(typed, *text_);
    prompt_->forget_first();
    marks_hits_ = true;
    cursor_ = view_.nearest(at);
    view_.show_with_context(cursor_);
    x_ = view_.x_of(cursor_);
    lost_lines_ = at.line < text_->first_line();
}

void look_back_screen::show_hit() {
    cursor_ = view_.nearest(prompt_->target());
    view_.show_with_context(cursor_);
    x_ = view_.x_of(cursor_);
}

/// The keys of the last search, pressed while its row is closed.
void look_back_screen::go_on_finding(find_prompt::result found) {
    finds_ = marks_hits_ = true;
    only_finds_ = false;
    before_find_ = cursor_;
    if (found == find_prompt::result::moved) show_hit();
}

void look_back_screen::work() {
    follow_text();
    if (prompt_ && prompt_->work(*text_)) show_hit();
}

screen_reply look_back_screen::press_in_find(const key_event& key) {
    if (key.is_control('a')) return {false, pressed_action{action::find_all, 0, prompt_->typed().text()}};
    // A key that goes on from the first hit may be typed before that is found; one part of the search is short.
    if (prompt_->awaits_first() && (key.character < ' ' || key.modifiers == key_event::control)) work();
    switch (prompt_->press(key, *text_, cursor_)) {
    case find_prompt::result::nothing: break;
    case find_prompt::result::moved: show_hit(); break;
    case find_prompt::result::stays:
        finds_ = marks_hits_ = only_finds_ = false;
        if (prompt_->typed().empty()) prompt_.reset();
        break;
    case find_prompt::result::leaves:
        if (only_finds_) return {true};
        finds_ = marks_hits_ = false;
        prompt_.reset();
        place(before_find_);
        break;
    }
    return {};
}

// ---- keys ----

screen_reply look_back_screen::press(const key_event& key) {
    struct bound {
        std::string_view name;
        step what;
    };
    static constexpr std::array steps{
        bound{"h", step::left},
        bound{"Left", step::left},
        bound{"BSpace", step::left},
        bound{"l", step::right},
        bound{"Right", step::right},
        bound{"Space", step::right},
        bound{"k", step::up},
        bound{"Up", step::up},
        bound{"C-p", step::up},
        bound{"j", step::down},
        bound{"Down", step::down},
        bound{"C-n", step::down},
        bound{"w", step::word},
        bound{"b", step::word_back},
        bound{"e", step::word_end},
        bound{"0", step::line_begin},
        bound{"Home", step::line_begin},
        bound{"C-a", step::line_begin},
        bound{"$", step::line_end},
        bound{"End", step::line_end},
        bound{"C-e", step::line_end},
        bound{"g", step::first},
        bound{"G", step::last},
        bound{"H", step::high},
        bound{"M", step::middle},
        bound{"L", step::low},
        bound{"PageUp", step::page_up},
        bound{"S-PageUp", step::page_up},
        bound{"C-b", step::page_up},
        bound{"PageDown", step::page_down},
        bound{"S-PageDown", step::page_down},
        bound{"C-f", step::page_down},
        bound{"C-u", step::half_up},
        bound{"C-d", step::half_down},
    };
    follow_text();
    lost_lines_ = false;
    released_.reset();
    if (finds_) return press_in_find(key);
    if (prompt_) prompt_->forget_first();
    const std::string name = name_of(key);
    for (const bound& each : steps)
        if (each.name == name) return move(each.what), screen_reply{};
    if (name == "v") return select(selection_kind::characters), screen_reply{};
    if (name == "V") return select(selection_kind::lines), screen_reply{};
    if (name == "C-v") return select(selection_kind::block), screen_reply{};
    if (name == "{" || name == "}") return go_to_prompt(name == "}");
    if (name == "o") return select_output();
    if (name == "y" || name == "Enter" || name == "M-w") return copy();
    if (name == "/" || (!prompt_ && (name == "C-r" || name == "C-s"))) return open_find(), screen_reply{};
    if (name == "C-r") return go_on_finding(prompt_->older(cursor_)), screen_reply{};
    if (name == "C-s") return go_on_finding(prompt_->newer(cursor_)), screen_reply{};
    if (name == "Escape" && anchor_) return anchor_.reset(), screen_reply{};
    return {name == "q" || name == "Escape"};
}

// ---- drawing ----

overlay look_back_screen::draw(vt::screen_size size, const looks& look) {
    follow_text();
    const vt::screen_size inner = text_size(size);
    if (inner != view_.size()) {
        view_.resize(inner);
        place(cursor_);
    }
    overlay result;
    result.rows.resize(static_cast<std::size_t>(size.rows));
    view_.each_row([&](int r, std::uint64_t line, int column, vt::row&& cells) {
        const bool has_cursor = line == cursor_.line && column <= cursor_.column;
        if (has_cursor) // the last one that fits is it
            result.cursor = vt::position{r, std::min(cursor_.column - column, size.columns - 1)};
        mark(cells, line, column);
        result.rows[static_cast<std::size_t>(r)] = std::move(cells);
    });
    if (use_ == look_back_use::selection) result.cursor.reset();
    if (size.rows == 1 || use_ == look_back_use::selection) return result;
    if (finds_) {
        vt::position in_prompt{size.rows - 1, 0};
        result.rows.back() = prompt_->draw(size.columns, cursor_, look, in_prompt.column);
        result.cursor = in_prompt;
    } else {
        result.rows.back() = last_row(size.columns, look);
    }
    return result;
}

/// Selected cells are reversed, as is the hit that is shown; the other hits are underlined.
void look_back_screen::mark(vt::row& row, std::uint64_t line, int column) const {
    const auto reversed = [](vt::style s) {
        s.flags = static_cast<std::uint16_t>(s.flags ^ vt::attributes::inverse);
        return s;
    };
    if (marks_hits_)
        for (const text_hit& hit : prompt_->found().hits_of(line)) {
            if (hit.end <= column || hit.column >= column + view_.size().columns) continue;
            const bool is_shown = hit.position() == cursor_;
            row.restyle_each(std::max(0, hit.column - column), hit.end - column, [&](vt::style s) {
                if (is_shown) s = reversed(s);
                s.turn_on(vt::attributes::bold);
                s.set_underline(vt::underline::single);
                return s;
            });
        }
    const auto range = anchor_ ? selection().columns_of(line, *text_) : std::nullopt;
    if (!range || range->to <= column) return;
    if (row.used() == 0) row.pad(1); // an empty line is seen to be selected
    row.restyle_each(std::max(0, range->from - column), range->to - column, reversed);
}

vt::row look_back_screen::last_row(int columns, const looks& look) const {
    struct hint {
        std::string_view key, does;
    };
    static constexpr std::array unselected{hint{"v", "select"}, hint{"y", "copy"}, hint{"/", "find"}, hint{"q", "back"}};
    static constexpr std::array with_marks{hint{"v", "select"},    hint{"y", "copy"}, hint{"o", "output"},
                                           hint{"{ }", "prompts"}, hint{"/", "find"}, hint{"q", "back"}};
    static constexpr std::array selected{hint{"y", "copy"}, hint{"Esc", "end"}, hint{"q", "back"}};
    const std::uint64_t first = text_->first_line(), begin = text_->screen_begin().line, top = view_.top().line;
    vt::row row = ground_row(columns, look);
    std::string where = anchor_ ? "select  " : "history  ";
    if (anchor_) {
        const std::uint64_t lines = selection().last_line() - selection().first_line() + 1;
        where += std::to_string(lines) + (lines == 1 ? " line" : " lines");
    } else {
        where += std::to_string(begin > top ? begin - top : 0) + "/" + std::to_string(begin > first ? begin - first : 0);
    }
    int at = put_text(row, columns > 2 ? 1 : 0, columns, where, look.ground, look.unicode) + 1;
    if (lost_lines_) at = put_text(row, at + 1, columns, "the oldest lines were dropped", look.accent, look.unicode) + 1;
    const auto add = [&](const hint& each) {
        if (at + 2 + text_columns(each.key) + 1 + text_columns(each.does) > columns) return;
        at = put_text(row, at + 2, columns, each.key, look.accent, look.unicode);
        at = put_text(row, at + 1, columns, each.does, look.ground, look.unicode) - 1;
    };
    if (anchor_)
        for (const hint& each : selected) add(each);
    else if (!text_->marks().empty())
        for (const hint& each : with_marks) add(each);
    else
        for (const hint& each : unselected) add(each);
    return row;
}

} // namespace mux
