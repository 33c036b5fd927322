// SPDX-License-Identifier: MIT
#include "office.hpp"

#include "bottom_row.hpp"
#include "text_row.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace mux {
namespace {

constexpr int narrowest_with_preview = 64; // columns of a terminal
constexpr int narrowest_with_two = 121;
constexpr int least_list = 34; // columns of the list, left of a preview
constexpr int most_list = 50;
constexpr int name_column = 5, name_columns = 9, full_name_columns = 16;

} // namespace

office_screen::office_screen(office_source source, tab_id here) : source_(std::move(source)), chosen_(here) {
    refresh();
    std::int64_t longest = -1;
    for (const office_task& task : state_.tasks)
        for (const office_tab& tab : task.tabs)
            if (tab.mark == bar_mark::asks && tab.asks_ms > longest) {
                longest = tab.asks_ms;
                chosen_ = tab.id;
            }
}

// ---- what is listed and chosen ----

void office_screen::refresh() {
    state_ = source_.state();
    find();
    const auto is_typed_to = [&](const office_tab& tab) { return tab.id == typed_to_; };
    const bool has_typed_to = std::any_of(state_.tasks.begin(), state_.tasks.end(), [&](const office_task& task) {
        return std::any_of(task.tabs.begin(), task.tabs.end(), is_typed_to);
    });
    if (!has_typed_to) typed_to_ = 0; // it has ended
}

/// While a tab has the keyboard it is listed, whatever its title becomes.
void office_screen::find() { lines_ = lines_of(state_, typed_to_ != 0 ? std::string() : typed_.text(), order_); }

std::vector<const office_line*> office_screen::tabs() const {
    std::vector<const office_line*> all;
    for (const office_line& each : lines_)
        if (each.tab) all.push_back(&each);
    return all;
}

const office_line* office_screen::chosen() const {
    const auto found =
        std::find_if(lines_.begin(), lines_.end(), [&](const office_line& l) { return l.tab && l.tab->id == chosen_; });
    return found == lines_.end() ? nullptr : &*found;
}

/// To a tab so many lines away; the ends of the list are ends.
void office_screen::choose(int steps) {
    const auto all = tabs();
    if (all.empty()) return;
    const auto at = std::find_if(all.begin(), all.end(), [&](const office_line* l) { return l->tab->id == chosen_; });
    const auto last = static_cast<std::ptrdiff_t>(all.size()) - 1;
    const std::ptrdiff_t place = at == all.end() ? 0 : std::clamp<std::ptrdiff_t>(at - all.begin() + steps, 0, last);
    chosen_ = all[static_cast<std::size_t>(place)]->tab->id;
}

// ---- drawing ----

void office_screen::draw_list(std::vector<vt::row>& rows, const pane_area& area, const looks& look) {
    page_ = std::max(1, area.rows());
    const office_line* const here = chosen();
    const int place = here ? static_cast<int>(here - lines_.data()) : 0;
    const int most = std::max(0, static_cast<int>(lines_.size()) - page_);
    top_ = std::clamp(std::clamp(top_, place - page_ + 1, place), 0, most);
    if (place == 1 && page_ > 1) top_ = 0; // the first heading, too
    const bool has_full_names = order_ == office_order::by_state;
    const int names_end = name_column + (has_full_names ? full_name_columns : name_columns);
    for (int r = area.top; r < area.bottom; ++r) {
        const auto i = static_cast<std::size_t>(top_ + r - area.top);
        if (i >= lines_.size()) break;
        vt::row& row = rows[static_cast<std::size_t>(r)];
        if (!lines_[i].tab) {
            put_text(row, 2, area.right, lines_[i].heading, look.strong, look.unicode);
            continue;
        }
        const office_tab& tab = *lines_[i].tab;
        areas_.push_back({{r, r + 1, area.left, area.right}, tab.id});
        const bool is_chosen = tab.id == chosen_;
        const vt::style& text = is_chosen ? look.lifted : tab.is_closed() ? look.faint : look.plain;
        if (is_chosen)
            for (int c = 0; c < area.right; ++c) row.put(c, U' ', 1, text, area.right);
        if (is_chosen) put_text(row, std::min(1, area.right - 1), area.right, look.unicode ? "▸" : ">", text, look.unicode);
        if (!tab.is_closed()) put_text(row, 3, area.right, std::to_string(tab.number), text, look.unicode);
        const int mark_at = area.right - 3;
        const std::string name = has_full_names || tab.is_closed() ? lines_[i].task->name + "/" + tab.name : tab.name;
        const int end = tab.is_closed() ? name_column + full_name_columns : names_end;
        put_text(row, name_column, std::min(end, area.right), name, text, look.unicode);
        put_text(row, end + 1, tab.is_closed() ? area.right - 1 : mark_at - 1, tab.state, is_chosen ? text : look.faint,
                 look.unicode);
        if (const auto sign = sign_of(tab.mark, look.unicode); !sign.empty() && mark_at > end + 1)
            put_text(row, mark_at, area.right, sign, tab.mark == bar_mark::asks ? look.accent : text, look.unicode);
    }
}

/// The cursor of the tab that has the keyboard is the screen's.
void office_screen::note(std::optional<vt::position> cursor, overlay& in) const {
    if (typed_to_ != 0) in.cursor = cursor;
}

/// Of the chosen tab, and where there is room of the next one in the list.
void office_screen::draw_previews(overlay& in, const pane_area& area, const looks& look) const {
    const int panes = area.right >= narrowest_with_two ? 2 : 1;
    const auto all = tabs();
    auto at = std::find(all.begin(), all.end(), chosen());
    for (int p = 0; p < panes; ++p) {
        const int left = area.left + area.columns() * p / panes, right = area.left + area.columns() * (p + 1) / panes;
        for (int r = area.top; r < area.bottom; ++r)
            put_text(in.rows[static_cast<std::size_t>(r)], left, area.right, look.unicode ? "│" : "|", look.faint,
                     look.unicode);
        if (at == all.end()) continue;
        const bool is_typed = (*at)->tab->id == typed_to_;
        const auto cursor = draw_pane(in.rows, {area.top, area.bottom, left + 2, right}, **at, source_,
                                      is_typed ? pane_use::typed : pane_use::shown, look);
        if (is_typed) note(cursor, in);
        ++at;
    }
}

void office_screen::draw_grid(overlay& in, const pane_area& area, const looks& look) {
    const auto all = tabs();
    const pane_grid grid = pane_grid::of(area, all.size());
    across_ = grid.across;
    page_ = grid.across * grid.down;
    const auto here = std::find(all.begin(), all.end(), chosen());
    const int place = here == all.end() ? 0 : static_cast<int>(here - all.begin()) / across_;
    const int most = std::max(0, (static_cast<int>(all.size()) + across_ - 1) / across_ - grid.down);
    top_ = std::clamp(std::clamp(top_, place - grid.down + 1, place), 0, most);
    for (int i = 0; i < page_; ++i) {
        const auto number = static_cast<std::size_t>(top_ * across_ + i);
        if (number >= all.size()) break;
        const tab_id tab = all[number]->tab->id;
        pane_area pane = grid.pane(area, i % across_, i / across_);
        areas_.push_back({pane, tab});
        ++pane.left;
        const bool is_typed = tab == typed_to_;
        const auto cursor = draw_pane(in.rows, pane, *all[number], source_,
                                      is_typed         ? pane_use::typed
                                      : tab == chosen_ ? pane_use::chosen
                                                       : pane_use::shown,
                                      look);
        if (is_typed) note(cursor, in);
    }
}

vt::row office_screen::title_row(int columns, const looks& look) const {
    std::size_t tabs = 0, asking = 0;
    for (const office_task& task : state_.tasks) {
        tabs += task.tabs.size();
        for (const office_tab& tab : task.tabs) asking += tab.mark == bar_mark::asks;
    }
    const std::string_view dot = look.unicode ? " · " : ", ";
    std::string totals = counted(state_.tasks.size(), "task").append(dot).append(counted(tabs, "tab"));
    if (asking > 0) totals.append(dot).append(std::to_string(asking)).append(asking == 1 ? " needs you" : " need you");
    vt::row row = ground_row(columns, look);
    const int title = put_text(row, 1, columns, "Office", look.strong_ground, look.unicode);
    if (const int at = columns - text_columns(totals) - 3; at > title + 2)
        put_text(row, at, columns, totals, asking > 0 ? look.accent : look.ground, look.unicode);
    return row;
}

vt::row office_screen::last_row(int columns, const looks& look) const {
    static constexpr std::array hints{key_hint{"Enter", "go"}, key_hint{"Tab", "type here"}, key_hint{"^N", "new"},
                                      key_hint{"^R", "name"},  key_hint{"^X", "close"},      key_hint{"^Z", "undo"},
                                      key_hint{"^S", "sort"},  key_hint{"^G", "grid"}};
    vt::row row = ground_row(columns, look);
    const office_line* const here = chosen();
    if (typed_to_ != 0 && here) {
        const int end = put_text(row, 1, columns, source_.prefix + " Tab", look.accent, look.unicode);
        put_text(row, end + 1, columns, "back to the list; all other keys go to " + here->task->name + "/" + here->tab->name,
                 look.ground, look.unicode);
        return row;
    }
    constexpr std::string_view back = "Esc back ";
    const int back_at = columns - text_columns(back), limit = back_at > 30 ? back_at - 1 : columns;
    int end = put_hint(row, 1, limit, hints[0], look);
    for (std::size_t i = 1; i < hints.size(); ++i) {
        if (i == 1 && !has_preview_ && !has_grid_) continue;
        if (end + 2 + columns_of(hints[i]) > limit) break;
        end = put_hint(row, end + 2, limit, hints[i], look);
    }
    if (back_at > 30) put_text(row, back_at, columns, back, look.ground, look.unicode);
    return row;
}

overlay office_screen::draw(vt::screen_size size, const looks& look) {
    refresh();
    if (typed_to_ != 0) chosen_ = typed_to_;
    if (!chosen()) choose(0);
    overlay result;
    result.rows.resize(static_cast<std::size_t>(size.rows));
    result.cursor = vt::position{0, 0};
    areas_.clear();
    const bool is_framed = size.rows >= 5;
    const pane_area inner{is_framed ? 3 : 0, is_framed ? size.rows - 2 : size.rows, 0, size.columns};
    has_grid_ = wants_grid_ && inner.rows() >= pane_grid::least_rows && size.columns >= pane_grid::least_columns;
    has_preview_ = !has_grid_ && is_framed && size.columns >= narrowest_with_preview;
    if (!has_grid_ && !has_preview_) typed_to_ = 0; // nothing would show what is typed
    const int list = has_preview_ ? std::clamp(size.columns * 2 / 5, least_list, most_list) : size.columns;
    if (!has_grid_) draw_list(result.rows, {inner.top, inner.bottom, 0, list}, look);
    if (!is_framed) return result;

    result.rows[0] = title_row(size.columns, look);
    const int at = put_text(result.rows[1], 1, list, look.unicode ? "❯ " : "> ", look.strong, look.unicode);
    if (typed_.empty()) put_text(result.rows[1], at, list - 1, "type to find a tab", look.faint, look.unicode);
    const line_editor::drawing typed = typed_.draw(result.rows[1], at, list - 1, look.plain, look.unicode);
    result.cursor = vt::position{1, std::min(typed.cursor, size.columns - 1)};
    if (!typed_.empty() && !chosen()) put_text(result.rows[static_cast<std::size_t>(inner.top)], 2, list, "no tab", look.faint);
    if (has_grid_)
        draw_grid(result, inner, look);
    else if (has_preview_)
        draw_previews(result, {1, inner.bottom, list, size.columns}, look);

    vt::row& rule = result.rows[static_cast<std::size_t>(size.rows) - 2];
    for (int c = 0; c < size.columns; ++c)
        put_text(rule, c, size.columns, !look.unicode ? "-" : has_preview_ && c == list ? "┴" : "─", look.faint, look.unicode);
    result.rows.back() = last_row(size.columns, look);
    return result;
}

// ---- keys ----

screen_reply office_screen::go() const {
    const office_line* const here = chosen();
    if (!here) return {};
    return {true, pressed_action{here->tab->is_closed() ? action::undo_close : action::tab_by_id,
                                 static_cast<std::int64_t>(here->tab->id)}};
}

screen_reply office_screen::give_keyboard() {
    const office_line* const here = chosen();
    screen_reply reply;
    if (!here || here->tab->is_closed())
        reply.says = "no open tab is chosen";
    else if (!has_preview_ && !has_grid_)
        reply.says = "this terminal is too small to type in a preview";
    else
        typed_to_ = here->tab->id;
    return reply;
}

screen_reply office_screen::type(const key_event& key) {
    screen_reply reply;
    reply.says = source_.type(typed_to_, key);
    if (!reply.says.empty()) typed_to_ = 0;
    return reply;
}

bool office_screen::press_after_prefix(const key_event& key) {
    if (typed_to_ == 0 || (key.key != keys::tab && key.key != keys::escape)) return false;
    typed_to_ = 0;
    find();
    return true;
}

screen_reply office_screen::press(const key_event& key) {
    if (typed_to_ != 0) return type(key);
    const auto reply = [&](action what) {
        const office_line* const here = chosen();
        if (!here || here->tab->is_closed()) return screen_reply{};
        return screen_reply{true, pressed_action{what, static_cast<std::int64_t>(here->tab->id)}};
    };
    const int row = has_grid_ ? across_ : 1; // steps to the next row
    if (has_grid_ && key.key == keys::left) return choose(-1), screen_reply{};
    if (has_grid_ && key.key == keys::right) return choose(1), screen_reply{};
    switch (key.key) {
    case keys::up: return choose(-row), screen_reply{};
    case keys::down: return choose(row), screen_reply{};
    case keys::page_up: return choose(-page_), screen_reply{};
    case keys::page_down: return choose(page_), screen_reply{};
    case keys::home: return choose(-1 << 20), screen_reply{};
    case keys::end: return choose(1 << 20), screen_reply{};
    case keys::enter: return go();
    case keys::tab: return give_keyboard();
    case keys::escape:
        if (typed_.empty()) return {true};
        typed_.clear();
        return find(), screen_reply{};
    default: break;
    }
    if (key.is_control('n')) return {true, pressed_action{action::new_tab}};
    if (key.is_control('r')) return reply(action::rename_tab);
    if (key.is_control('x')) return reply(action::close_tab);
    if (key.is_control('z')) return {true, pressed_action{action::undo_close}};
    if (key.is_control('c')) return {true};
    if (key.is_control('g')) {
        wants_grid_ = !wants_grid_;
    } else if (key.is_control('s')) {
        order_ = order_ == office_order::by_task ? office_order::by_state : office_order::by_task;
        find();
    } else if (!typed_.empty() || key.character != ' ') {
        typed_.press(key);
        find();
    }
    if (!chosen()) choose(0);
    return {};
}

screen_reply office_screen::wheel(int rows) {
    if (typed_to_ == 0) choose(rows > 0 ? 1 : -1);
    return {};
}

screen_reply office_screen::pointer(const pointer_event& event) {
    if (event.what != pointer_event::kind::press) return {};
    for (const clicked& each : areas_) {
        const pane_area& area = each.area;
        if (event.row < area.top || event.row >= area.bottom || event.column < area.left || event.column >= area.right)
            continue;
        if (each.tab != typed_to_) typed_to_ = 0;
        find();
        chosen_ = each.tab;
        return event.clicks == 2 ? go() : screen_reply{};
    }
    return {};
}

} // namespace mux
