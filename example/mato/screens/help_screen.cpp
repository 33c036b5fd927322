// SPDX-License-Identifier: MIT
#include "help_screen.hpp"

#include "bottom_row.hpp"
#include "text_row.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace mux {
namespace {

constexpr int narrowest_for_two = 64;           // columns of a terminal
constexpr int key_column = 3, text_column = 10; // of a line, from its block's left
constexpr int second_block = 36;

struct line {
    std::string keys, text; // a heading has no text
};

std::string title_of(action_group group) {
    switch (group) {
    case action_group::tabs: return "TABS";
    case action_group::go: return "GO";
    case action_group::look_back: return "LOOK BACK";
    case action_group::here: return "HERE";
    }
    return {};
}

std::string keys_text(const key_map& map, action what) {
    if (what == action::tab_by_number) return "1-9 0";
    std::string all;
    for (const std::string& key : map.keys_of(what)) all.append(all.empty() ? "" : " ").append(key);
    if (what == action::find_all && all.empty()) all = "/ ^A"; // in the find row
    return all;
}

std::vector<line> lines_of(action_group group, const std::string& prefix, const key_map& map) {
    std::vector<line> all{{title_of(group), ""}};
    for (const action_entry& each : all_actions)
        if (each.group == group) all.push_back({keys_text(map, each.what), std::string(each.text)});
    if (group == action_group::here) all.push_back({prefix, "type " + prefix});
    return all;
}

void put_line(vt::row& row, int left, int limit, const line& what, const looks& look) {
    put_text(row, left + key_column, limit, what.keys, look.strong, look.unicode);
    put_text(row, left + text_column, limit, what.text, look.plain, look.unicode);
}

} // namespace

overlay help_screen::draw(vt::screen_size size, const looks& look) {
    using groups = std::vector<action_group>;
    const groups left{action_group::tabs, action_group::look_back}, right{action_group::go, action_group::here};
    std::vector<vt::row> body;
    const auto put = [&](const groups& all, std::size_t from, int column, int limit) {
        for (const action_group group : all) {
            for (const line& each : lines_of(group, prefix_, *map_)) {
                if (body.size() <= from) body.resize(from + 1);
                put_line(body[from++], column, limit, each, look);
            }
            ++from;
        }
        return from;
    };
    const bool has_two = size.columns >= narrowest_for_two;
    const std::size_t end = put(left, 0, 0, has_two ? second_block - 1 : size.columns);
    put(right, has_two ? 0 : end, has_two ? second_block : 0, size.columns);
    overlay result;
    const int framed = size.rows >= 3 ? 2 : 0; // without room for more, title and last row are left out
    page_ = std::max(1, size.rows - framed - (size.rows >= 5 ? 1 : 0));
    most_ = std::max(0, static_cast<int>(body.size()) - page_);
    top_ = std::clamp(top_, 0, most_);
    if (framed > 0) {
        vt::row title;
        int at = put_text(title, 1, size.columns, "Keys", look.strong, look.unicode);
        put_text(title, at + 3, size.columns, "after " + prefix_ + "   press one", look.faint, look.unicode);
        result.rows.push_back(std::move(title));
        if (size.rows >= 5) result.rows.emplace_back();
    }
    for (int i = 0; i < page_; ++i) {
        const auto from = static_cast<std::size_t>(top_ + i);
        result.rows.push_back(from < body.size() ? body[from] : vt::row());
    }
    if (framed > 0) {
        vt::row last = ground_row(size.columns, look);
        put_text(last, 1, size.columns, top_ < most_ ? "help, more below" : "help", look.ground, look.unicode);
        constexpr std::string_view back = "Esc back ";
        const int columns = text_columns(back);
        if (columns + 20 < size.columns) put_text(last, size.columns - columns, size.columns, back, look.ground, look.unicode);
        result.rows.push_back(std::move(last));
    }
    return result;
}

screen_reply help_screen::press(const key_event& key) {
    switch (key.key) {
    case keys::up: return --top_, screen_reply{};
    case keys::down: return ++top_, screen_reply{};
    case keys::page_up: return top_ -= page_, screen_reply{};
    case ' ':
    case keys::page_down: return top_ += page_, screen_reply{};
    case keys::home: return top_ = 0, screen_reply{};
    case keys::end: return top_ = most_, screen_reply{};
    case keys::escape:
    case keys::enter: return {true};
    default: break;
    }
    if (key.character == 'q' || key.character == '?') return {true};
    const auto acts = map_->action_of(key);
    return acts ? screen_reply{true, acts} : screen_reply{};
}

} // namespace mux
