// SPDX-License-Identifier: MIT
#include "office_state.hpp"

#include <algorithm>
#include <span>

namespace mux {
namespace {

/// ASCII letters only: names in other scripts are compared as they are.
char lowered(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool has(std::string_view text, std::string_view wanted) {
    return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(),
                       [](char a, char b) { return lowered(a) == lowered(b); }) != text.end() ||
           wanted.empty();
}

bool is_found(const office_task& task, const office_tab& tab, std::string_view wanted) {
    for (const std::string* where : {&tab.name, &task.name, &tab.words, &tab.state, &tab.note})
        if (has(*where, wanted)) return true;
    return false;
}

std::string_view heading_of(bar_mark mark) noexcept {
    const std::string_view name = name_of(mark);
    return name.empty() ? std::string_view("quiet") : name;
}

} // namespace

std::vector<office_line> lines_of(const office_state& state, std::string_view typed, office_order order) {
    std::vector<office_line> all;
    const auto add = [&](std::string_view heading, std::span<const office_task> tasks, const auto& is_in) {
        bool has_heading = false;
        for (const office_task& task : tasks)
            for (const office_tab& tab : task.tabs) {
                if (!is_in(tab) || !is_found(task, tab, typed)) continue;
                if (!has_heading) all.push_back({heading, &task, nullptr});
                has_heading = true;
                all.push_back({heading, &task, &tab});
            }
    };
    if (order == office_order::by_task) {
        for (const office_task& each : state.tasks) add(each.name, {&each, 1}, [](const office_tab&) { return true; });
    } else {
        for (const bar_mark mark : {bar_mark::asks, bar_mark::failed, bar_mark::done, bar_mark::wrote, bar_mark::none})
            add(heading_of(mark), state.tasks, [&](const office_tab& tab) { return tab.mark == mark; });
    }
    add("closed", state.closed, [](const office_tab&) { return true; });
    return all;
}

} // namespace mux
