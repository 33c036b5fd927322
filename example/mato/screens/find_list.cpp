// SPDX-License-Identifier: MIT
#include "find_list.hpp"

#include "actions.hpp"
#include "bottom_row.hpp"
#include "text_row.hpp"

#include <mato/printable.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace mux {
namespace {

constexpr int narrowest_with_age = 48; // columns of a terminal
constexpr int age_columns = 7;         // "59 min"
constexpr int least_name = 6, most_name = 24;

} // namespace

find_list::find_list(tabs_source source, std::string_view typed)
    : find_(std::move(source)), typed_(find_prompt::most_typed, typed) {
    begin();
}

void find_list::begin() {
    find_.begin(typed_.text());
    chosen_ = top_ = 0;
}

/// The ends of the list are ends.
void find_list::choose(int steps) {
    const auto count = static_cast<std::ptrdiff_t>(find_.hits().size());
    if (count == 0) return;
    chosen_ = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(chosen_) + steps, 0, count - 1));
}

screen_reply find_list::go() const {
    screen_reply reply;
    if (chosen_ >= find_.hits().size()) return reply;
    const tab_hit& hit = find_.hits()[chosen_];
    const auto tab = static_cast<std::int64_t>(find_.tabs()[hit.tab].id);
    reply.closes = true;
    reply.acts = pressed_action{action::go_to_line, tab, typed_.text(), hit.at.line, hit.at.column};
    return reply;
}

screen_reply find_list::press(const key_event& key) {
    // A key that goes there may be typed before the first hit is found; one part of the search is short.
    if (find_.hits().empty() && key.key == keys::enter) find_.work();
    if (key.key == keys::escape || key.is_control('c') || key.is_control('g')) return {true};
    if (key.key == keys::enter) return go();
    if (key.key == keys::up || key.is_control('s') || key.is_control('p')) return choose(-1), screen_reply{};
    if (key.key == keys::down || key.is_control('r') || key.is_control('n')) return choose(1), screen_reply{};
    if (key.key == keys::page_up) return choose(-page_), screen_reply{};
    if (key.key == keys::page_down) return choose(page_), screen_reply{};
    if (typed_.press(key) == line_editor::result::changed) begin();
    return {};
}

screen_reply find_list::wheel(int rows) {
    choose(rows);
    return {};
}

screen_reply find_list::pointer(const pointer_event& event) {
    const int row = event.row - first_row_;
    if (event.what != pointer_event::kind::press || row < 0 || row >= page_) return {};
    const std::size_t there = top_ + static_cast<std::size_t>(row);
    if (there >= find_.hits().size()) return {};
    chosen_ = there;
    return event.clicks == 2 ? go() : screen_reply{};
}

// ---- drawing ----

overlay find_list::draw(vt::screen_size size, const looks& look) {
    overlay result;
    result.rows.resize(static_cast<std::size_t>(size.rows));
    first_row_ = size.rows >= 5 ? 1 : 0; // without room for more, the title is left out
    page_ = std::max(1, size.rows - 1 - first_row_);
    const std::size_t page = static_cast<std::size_t>(page_), count = find_.hits().size();
    if (chosen_ < top_) top_ = chosen_;
    if (chosen_ >= top_ + page) top_ = chosen_ + 1 - page;
    top_ = std::min(top_, count > page ? count - page : 0);
    if (first_row_ > 0) result.rows.front() = title_row(size.columns, look);
    for (int r = first_row_; r < size.rows - 1; ++r) {
        const std::size_t number = top_ + static_cast<std::size_t>(r - first_row_);
        if (number >= count) break;
        result.rows[static_cast<std::size_t>(r)] = hit_row(number, size.columns, look);
    }
    vt::position at{size.rows - 1, 0};
    result.rows.back() = last_row(size.columns, look, at.column);
    result.cursor = at;
    return result;
}

vt::row find_list::title_row(int columns, const looks& look) const {
    vt::row row = ground_row(columns, look);
    const int end = put_text(row, 1, columns, "Find in all tabs", look.strong_ground, look.unicode);
    std::string state = find_.is_searching() ? "searching, " + std::to_string(find_.searched()) + " of " : std::string();
    state += counted(find_.tabs().size(), "tab");
    if (find_.without_text() > 0) state += ", " + std::to_string(find_.without_text()) + " raw without text";
    const int at = columns - text_columns(state) - 1;
    if (at > end + 2) put_text(row, at, columns, state, look.ground, look.unicode);
    return row;
}

/// The tab, its age, the line; the hit is always in it.
vt::row find_list::hit_row(std::size_t number, int columns, const looks& look) const {
    const tab_hit& hit = find_.hits()[number];
    const searched_tab& tab = find_.tabs()[hit.tab];
    const bool is_chosen = number == chosen_;
    const vt::style& text = is_chosen ? look.lifted : look.plain;
    vt::row row;
    if (is_chosen) {
        for (int c = 0; c < columns; ++c) row.put(c, U' ', 1, text, columns);
        put_text(row, 0, columns, look.unicode ? "▸" : ">", text, look.unicode);
    }
    const int name = std::clamp(columns / 4, least_name, most_name);
    put_text(row, 2, std::min(2 + name, columns), tab.name, text, look.unicode);
    int at = 2 + name + 1;
    if (columns >= narrowest_with_age) {
        put_text(row, at, at + age_columns, tab.age, is_chosen ? text : look.faint, look.unicode);
        at += age_columns + 1;
    }
    const std::string_view line = hit.text, found = line.substr(hit.begin, hit.size);
    std::string_view before = line.substr(0, hit.begin);
    const int room = std::max(0, columns - at - std::min(text_columns(found), (columns - at) / 2));
    for (int all = text_columns(before); all > room;) {
        const std::size_t size = mato::first_character(before).size;
        all -= text_columns(before.substr(0, size));
        before.remove_prefix(size);
    }
    at = put_text(row, at, columns, before, text, look.unicode);
    vt::style marked = text;
    marked.flags = static_cast<std::uint16_t>(marked.flags ^ vt::attributes::inverse);
    marked.turn_on(vt::attributes::bold);
    at = put_text(row, at, columns, found, marked, look.unicode);
    put_text(row, at, columns, line.substr(hit.begin + hit.size), text, look.unicode);
    return row;
}

vt::row find_list::last_row(int columns, const looks& look, int& cursor) const {
    static constexpr std::array hints{key_hint{"Enter", "go"}, key_hint{"Esc", "back"}};
    std::string state;
    if (!find_.problem().empty())
        state = find_.problem();
    else if (!find_.hits().empty())
        state = std::to_string(chosen_ + 1) + " of " + std::to_string(find_.hits().size()) +
                (find_.is_searching() || find_.is_cut() ? "+" : "") + " in " + counted(find_.tabs_with_hits(), "tab");
    else if (!typed_.empty())
        state = find_.is_searching() ? "searching" : "not found";
    return typed_row("find ", typed_, state, hints, columns, look, cursor);
}

} // namespace mux
