// SPDX-License-Identifier: MIT
#include "bar.hpp"

#include "bottom_row.hpp"
#include "text_row.hpp"

#include <algorithm>
#include <array>

namespace mux {
namespace {

constexpr int cut_name = 12; // columns of a name when there is not room for all

/// How much is shown, most first.
struct detail {
    int name = vt::max_columns;        ///< columns of a name; 0: none
    int shown_name = vt::max_columns;  ///< of the shown tab's
    bool others = true, totals = true; ///< other tasks by name, or what happened in all of them
};

constexpr std::array<detail, 5> details{{
    {},
    {cut_name, cut_name, true, true},
    {cut_name, cut_name, false, true},
    {0, cut_name, false, true},
    {0, cut_name, false, false},
}};

struct segment {
    std::string text;
    vt::style look;
    std::optional<pressed_action> acts = {}; ///< what a click on it does
};

int columns_of(const std::vector<segment>& all) {
    int sum = 0;
    for (const segment& each : all) sum += text_columns(each.text);
    return sum;
}

pressed_action go_to(tab_id id) { return {action::tab_by_id, static_cast<std::int64_t>(id)}; }

segment tab_segment(const bar_state& state, std::size_t i, const detail& how, const looks& look) {
    const bar_tab& tab = state.tabs[i];
    const bool is_shown = i == state.shown;
    const int name = is_shown ? how.shown_name : how.name;
    segment result;
    result.text.append(" ").append(std::to_string(i + 1));
    if (name > 0) result.text.append(" ").append(clipped(tab.name, name, look.unicode));
    if (const auto mark = sign_of(tab.mark, look.unicode); !mark.empty()) result.text.append(name > 0 ? " " : "").append(mark);
    result.text += " ";
    result.look = is_shown ? look.lifted : tab.mark == bar_mark::asks ? look.accent : look.ground;
    result.acts = go_to(tab.id);
    return result;
}

std::string counts(const bar_task& of, bool unicode) {
    std::string text;
    const auto add = [&](int count, bar_mark mark) {
        if (count == 0) return;
        text.append(text.empty() ? "" : " ").append(sign_of(mark, unicode)).append(std::to_string(count));
    };
    add(of.asks, bar_mark::asks);
    add(of.failed, bar_mark::failed);
    add(of.wrote, bar_mark::wrote);
    add(of.done, bar_mark::done);
    return text;
}

std::vector<segment> right_side(const bar_state& state, const detail& how, const looks& look) {
    std::vector<segment> all;
    bar_task sum;
    for (const bar_task& each : state.others) {
        sum.asks += each.asks, sum.failed += each.failed, sum.wrote += each.wrote, sum.done += each.done;
        if (!how.others) continue;
        all.push_back({clipped(each.name, cut_name, look.unicode) + " " + counts(each, look.unicode) + "  ",
                       each.asks > 0 ? look.accent : look.ground, go_to(each.first)});
    }
    if (const auto total = counts(sum, look.unicode); !how.others && how.totals && !total.empty())
        all.push_back({total + "  ", sum.asks > 0 ? look.accent : look.ground, {}});
    if (!state.note.empty()) all.push_back({state.note + "  ", look.ground, {}});
    all.push_back({state.prefix + " ? ", look.ground, pressed_action{action::help}});
    return all;
}

/// The tabs [first, last) around the shown one that fit into `columns`, with marks for those left out.
std::vector<segment> window(const bar_state& state, const detail& how, int columns, const looks& look) {
    std::size_t first = state.shown, last = state.shown + 1;
    const auto width = [&](std::size_t i) { return text_columns(tab_segment(state, i, how, look).text); };
    int used = width(state.shown) + 2; // an arrow at each side
    for (bool grows = true; grows;) {
        grows = false;
        if (last < state.tabs.size() && used + width(last) <= columns) used += width(last++), grows = true;
        if (first > 0 && used + width(first - 1) <= columns) used += width(--first), grows = true;
    }
    std::vector<segment> all;
    if (first > 0) all.push_back({look.unicode ? "‹" : "<", look.ground, pressed_action{action::previous_tab}});
    for (std::size_t i = first; i < last; ++i) all.push_back(tab_segment(state, i, how, look));
    if (last < state.tabs.size()) all.push_back({look.unicode ? "›" : ">", look.ground, pressed_action{action::next_tab}});
    return all;
}

} // namespace

std::string_view sign_of(bar_mark mark, bool unicode) noexcept {
    switch (mark) {
    case bar_mark::none: return "";
    case bar_mark::wrote: return unicode ? "●" : "*";
    case bar_mark::done: return unicode ? "✓" : "v";
    case bar_mark::failed: return unicode ? "✗" : "x";
    case bar_mark::asks: return "!";
    }
    return "";
}

std::string_view name_of(bar_mark mark) noexcept {
    switch (mark) {
    case bar_mark::none: return "";
    case bar_mark::wrote: return "wrote";
    case bar_mark::done: return "done";
    case bar_mark::failed: return "failed";
    case bar_mark::asks: return "asks";
    }
    return "";
}

const hit_area* bar_drawing::at(int column) const noexcept {
    const auto found =
        std::find_if(areas.begin(), areas.end(), [&](const hit_area& each) { return column >= each.from && column < each.to; });
    return found == areas.end() ? nullptr : &*found;
}

bar_drawing draw_bar(const bar_state& state, int columns, const looks& look) {
    bar_drawing result;
    result.row = ground_row(columns, look);
    const auto put = [&](int at, const std::vector<segment>& all) {
        for (const segment& each : all) {
            const int end = put_text(result.row, at, columns, each.text, each.look, look.unicode);
            if (each.acts && end > at) result.areas.push_back({at, end, *each.acts});
            at = end;
        }
        return at;
    };
    const segment plus{" + ", look.ground, pressed_action{action::new_tab}};
    std::vector<segment> left, right;
    for (const detail& how : details) {
        left = {{std::string(" ").append(clipped(state.task, how.name > 0 ? how.name : cut_name, look.unicode)).append(" "),
                 look.strong_ground,
                 {}}};
        right = right_side(state, how, look);
        for (std::size_t i = 0; i < state.tabs.size(); ++i) left.push_back(tab_segment(state, i, how, look));
        left.push_back(plus);
        if (columns_of(left) + columns_of(right) <= columns) {
            put(columns - columns_of(right), right);
            put(0, left);
            return result;
        }
    }
    if (state.tabs.empty()) return result;
    // Not even the numbers fit: the shown tab and its neighbours, then the way to help where it fits.
    const detail& least = details.back();
    const int help = columns_of(right) < columns / 3 ? columns_of(right) : 0;
    if (help > 0) put(columns - help, right);
    std::vector<segment> tabs = window(state, least, columns - help, look);
    put(0, tabs);
    return result;
}

} // namespace mux
