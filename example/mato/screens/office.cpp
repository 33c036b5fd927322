// SPDX-License-Identifier: MIT
#include "office.hpp"

#include "bottom_row.hpp"
#include "text_row.hpp"

#include <algorithm>

namespace mux {
namespace {

constexpr int narrowest_with_preview = 64; // columns of a terminal
constexpr int least_list = 34;             // columns of the list, left of a preview
constexpr int most_list = 50;
constexpr int name_column = 5, name_columns = 9, state_column = name_column + name_columns + 1;

/// ASCII letters only: names in other scripts are compared as they are.
std::string lowered(std::string_view text) {
    std::string all(text);
    std::transform(all.begin(), all.end(), all.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return all;
}

std::string counted(std::size_t n, std::string_view what) {
    return std::to_string(n).append(" ").append(what).append(n == 1 ? "" : "s");
}

} // namespace

office_screen::office_screen(office_source source, tab_id here)
    : source_(std::move(source)), state_(source_.state()), chosen_(here) {
    std::int64_t longest = -1;
    for (const office_task& task : state_.tasks)
        for (const office_tab& tab : task.tabs)
            if (tab.mark == bar_mark::asks && tab.asks_ms > longest) {
                longest = tab.asks_ms;
                chosen_ = tab.id;
            }
}

bool office_screen::is_found(const office_task& task, const office_tab& tab) const {
    const std::string wanted = lowered(typed_.text());
    for (const std::string* where : {&tab.name, &task.name, &tab.words, &tab.state, &tab.note})
        if (lowered(*where).find(wanted) != std::string::npos) return true;
    return false;
}

std::vector<office_screen::line> office_screen::lines() const {
    std::vector<line> all;
    for (const office_task& task : state_.tasks) {
        const std::size_t before = all.size();
        for (const office_tab& tab : task.tabs) {
            if (!is_found(task, tab)) continue;
            if (all.size() == before) all.push_back({&task, nullptr});
            all.push_back({&task, &tab});
        }
    }
    return all;
}

const office_tab* office_screen::chosen() const {
    for (const office_task& task : state_.tasks)
        for (const office_tab& tab : task.tabs)
            if (tab.id == chosen_ && is_found(task, tab)) return &tab;
    return nullptr;
}

/// To a tab so many lines away; the ends of the list are ends.
void office_screen::choose(int steps) {
    std::vector<tab_id> tabs;
    for (const line& each : lines())
        if (each.tab) tabs.push_back(each.tab->id);
    if (tabs.empty()) return;
    const auto at = std::find(tabs.begin(), tabs.end(), chosen_);
    const auto last = static_cast<std::ptrdiff_t>(tabs.size()) - 1;
    const std::ptrdiff_t place = at == tabs.end() ? 0 : std::clamp<std::ptrdiff_t>(at - tabs.begin() + steps, 0, last);
    chosen_ = tabs[static_cast<std::size_t>(place)];
}

void office_screen::draw_list(std::vector<vt::row>& rows, int first, int last, int columns, const looks& look) {
    const std::vector<line> all = lines();
    page_ = std::max(1, last - first);
    const auto at = std::find_if(all.begin(), all.end(), [&](const line& l) { return l.tab && l.tab->id == chosen_; });
    const int place = at == all.end() ? 0 : static_cast<int>(at - all.begin());
    const int most = std::max(0, static_cast<int>(all.size()) - page_);
    top_ = std::clamp(std::clamp(top_, place - page_ + 1, place), 0, most);
    if (place == 1 && page_ > 1) top_ = 0; // the name of the first task, too
    for (int r = first; r < last; ++r) {
        const auto i = static_cast<std::size_t>(top_ + r - first);
        if (i >= all.size()) break;
        vt::row& row = rows[static_cast<std::size_t>(r)];
        if (!all[i].tab) {
            put_text(row, 2, columns, all[i].task->name, look.strong, look.unicode);
            continue;
        }
        const office_tab& tab = *all[i].tab;
        const bool is_chosen = tab.id == chosen_;
        const vt::style& text = is_chosen ? look.lifted : look.plain;
        if (is_chosen)
            for (int c = 0; c < columns; ++c) row.put(c, U' ', 1, text, columns);
        if (is_chosen) put_text(row, std::min(1, columns - 1), columns, look.unicode ? "▸" : ">", text, look.unicode);
        put_text(row, 3, columns, std::to_string(tab.number), text, look.unicode);
        const int mark_at = columns - 3;
        put_text(row, name_column, std::min(name_column + name_columns, columns), tab.name, text, look.unicode);
        put_text(row, state_column, mark_at - 1, tab.state, is_chosen ? text : look.faint, look.unicode);
        if (const auto sign = sign_of(tab.mark, look.unicode); !sign.empty() && mark_at > state_column)
            put_text(row, mark_at, columns, sign, tab.mark == bar_mark::asks ? look.accent : text, look.unicode);
    }
}

void office_screen::draw_preview(std::vector<vt::row>& rows, int first, int last, int left, int columns,
                                 const looks& look) const {
    const std::string_view bar = look.unicode ? "│" : "|";
    for (int r = first; r < last; ++r)
        put_text(rows[static_cast<std::size_t>(r)], left, columns, bar, look.faint, look.unicode);
    const office_tab* const tab = chosen();
    if (!tab || last - first < 3) return;
    const int from = left + 2;
    const auto task = std::find_if(state_.tasks.begin(), state_.tasks.end(), [&](const office_task& each) {
        return std::any_of(each.tabs.begin(), each.tabs.end(), [&](const office_tab& t) { return t.id == tab->id; });
    });
    vt::row& head = rows[static_cast<std::size_t>(first)];
    const int end = put_text(head, from, columns, task->name + "/" + tab->name, look.strong, look.unicode);
    put_text(head, end + 4, columns, tab->details, look.faint, look.unicode);
    put_text(rows[static_cast<std::size_t>(first) + 1], from, columns, tab->note, look.accent, look.unicode);
    const std::vector<vt::row> shown = source_.preview(tab->id, last - first - 2);
    for (std::size_t i = 0; i < shown.size(); ++i) {
        const auto r = static_cast<std::size_t>(first + 2) + i;
        if (r >= static_cast<std::size_t>(last)) break;
        rows[r].paste(from, shown[i].slice(0, columns - 1 - from), columns - 1 - from);
    }
}

overlay office_screen::draw(vt::screen_size size, const looks& look) {
    state_ = source_.state();
    if (!chosen()) choose(0);
    overlay result;
    result.rows.resize(static_cast<std::size_t>(size.rows));
    const bool is_framed = size.rows >= 5;
    const int list_from = is_framed ? 3 : 0, list_to = is_framed ? size.rows - 2 : size.rows;
    const bool has_preview = is_framed && size.columns >= narrowest_with_preview;
    const int list = has_preview ? std::clamp(size.columns * 2 / 5, least_list, most_list) : size.columns;
    draw_list(result.rows, list_from, list_to, list, look);
    result.cursor = vt::position{0, 0};
    if (!is_framed) return result;

    std::size_t tabs = 0, asking = 0;
    for (const office_task& task : state_.tasks) {
        tabs += task.tabs.size();
        for (const office_tab& tab : task.tabs) asking += tab.mark == bar_mark::asks;
    }
    const std::string_view dot = look.unicode ? " · " : ", ";
    std::string totals = counted(state_.tasks.size(), "task").append(dot).append(counted(tabs, "tab"));
    if (asking > 0) totals.append(dot).append(std::to_string(asking)).append(asking == 1 ? " needs you" : " need you");
    result.rows[0] = ground_row(size.columns, look);
    const int title = put_text(result.rows[0], 1, size.columns, "Office", look.strong_ground, look.unicode);
    if (const int at = size.columns - text_columns(totals) - 3; at > title + 2)
        put_text(result.rows[0], at, size.columns, totals, asking > 0 ? look.accent : look.ground, look.unicode);

    const int at = put_text(result.rows[1], 1, list, look.unicode ? "❯ " : "> ", look.strong, look.unicode);
    if (typed_.empty()) put_text(result.rows[1], at, list - 1, "type to find a tab", look.faint, look.unicode);
    const line_editor::drawing typed = typed_.draw(result.rows[1], at, list - 1, look.plain, look.unicode);
    if (!typed_.empty() && !chosen()) put_text(result.rows[static_cast<std::size_t>(list_from)], 2, list, "no tab", look.faint);
    result.cursor = vt::position{1, std::min(typed.cursor, size.columns - 1)};
    if (has_preview) draw_preview(result.rows, 1, size.rows - 2, list, size.columns, look);

    vt::row& rule = result.rows[static_cast<std::size_t>(size.rows) - 2];
    for (int c = 0; c < size.columns; ++c)
        put_text(rule, c, size.columns, !look.unicode ? "-" : has_preview && c == list ? "┴" : "─", look.faint, look.unicode);
    vt::row& last = result.rows.back() = ground_row(size.columns, look);
    constexpr std::string_view back = "Esc back ";
    const int back_at = size.columns - text_columns(back);
    put_text(last, 1, back_at > 30 ? back_at - 1 : size.columns, "Enter go  ^N new  ^R name  ^X close  ^Z undo", look.ground,
             look.unicode);
    if (back_at > 30) put_text(last, back_at, size.columns, back, look.ground, look.unicode);
    return result;
}

screen_reply office_screen::press(const key_event& key) {
    const auto reply = [&](action what) {
        const office_tab* const tab = chosen();
        return tab ? screen_reply{true, pressed_action{what, static_cast<std::int64_t>(tab->id)}} : screen_reply{};
    };
    switch (key.key) {
    case keys::up: return choose(-1), screen_reply{};
    case keys::down: return choose(1), screen_reply{};
    case keys::page_up: return choose(-page_), screen_reply{};
    case keys::page_down: return choose(page_), screen_reply{};
    case keys::home: return choose(-1 << 20), screen_reply{};
    case keys::end: return choose(1 << 20), screen_reply{};
    case keys::enter: return reply(action::tab_by_id);
    case keys::escape:
        if (typed_.empty()) return {true};
        typed_.clear();
        return {};
    default: break;
    }
    if (key.is_control('n')) return {true, pressed_action{action::new_tab}};
    if (key.is_control('r')) return reply(action::rename_tab);
    if (key.is_control('x')) return reply(action::close_tab);
    if (key.is_control('z')) return {true, pressed_action{action::undo_close}};
    if (key.is_control('c') || key.is_control('g')) return {true};
    if (!typed_.empty() || key.character != ' ') typed_.press(key);
    return {};
}

} // namespace mux
