// SPDX-License-Identifier: MIT
#include "tab_texts.hpp"

#include "screens/terminal_text.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mux {
namespace {

std::string age_of(const tab& which, mato::clock::time_point now) {
    if (which.is_past()) return "past";
    const auto span = now - which.last_output();
    return span < std::chrono::minutes(1) ? "now" : span_text(span);
}

} // namespace

tabs_source texts_of(daemon_state& state) {
    tabs_source source;
    source.list = [&state] {
        struct dated {
            searched_tab tab;
            mato::clock::time_point wrote;
        };
        const auto now = mato::clock::now();
        tabs_source::listing all;
        std::vector<dated> tabs;
        for (const workspace::task& task : state.tabs.names().tasks())
            for (const auto& each : task.tabs) {
                const tab& which = *state.tabs.entry(each.id).program;
                if (which.screen())
                    tabs.push_back({{each.id, task.name + "/" + each.name, age_of(which, now)}, which.last_output()});
                else
                    ++all.without_text;
            }
        std::stable_sort(tabs.begin(), tabs.end(), [](const dated& a, const dated& b) { return a.wrote > b.wrote; });
        for (dated& each : tabs) all.tabs.push_back(std::move(each.tab));
        return all;
    };
    source.text = [&state](tab_id id) -> std::unique_ptr<const text_source> {
        const tab_entry* const entry = state.tabs.find(id);
        if (!entry || !entry->program->screen()) return nullptr;
        return std::make_unique<terminal_text>(std::shared_ptr<const vt::terminal>(entry->program, entry->program->screen()));
    };
    return source;
}

} // namespace mux
