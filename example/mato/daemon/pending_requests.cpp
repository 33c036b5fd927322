// SPDX-License-Identifier: MIT
#include "pending_requests.hpp"

#include <algorithm>

namespace mux {

bool pending_requests::is_respawning(tab_id tab) const noexcept {
    return std::any_of(respawns_.begin(), respawns_.end(), [&](const of_tab& each) { return each.tab == tab; });
}

bool pending_requests::is_doomed(tab_id tab) const noexcept {
    return std::any_of(removals_.begin(), removals_.end(), [&](const of_tabs& each) {
        return std::find(each.tabs.begin(), each.tabs.end(), tab) != each.tabs.end();
    });
}

std::vector<asker> pending_requests::take(std::vector<of_tab>& from, tab_id tab) {
    std::vector<asker> taken;
    std::erase_if(from, [&](const of_tab& each) {
        if (each.tab != tab) return false;
        taken.push_back(each.who);
        return true;
    });
    return taken;
}

std::optional<asker> pending_requests::take_respawn(tab_id tab) {
    const auto taken = take(respawns_, tab);
    return taken.empty() ? std::nullopt : std::optional(taken.front());
}

std::vector<asker> pending_requests::take_removals(tab_id tab) {
    std::vector<asker> done;
    for (of_tabs& each : removals_)
        if (std::erase(each.tabs, tab) > 0 && each.tabs.empty()) done.push_back(each.who);
    std::erase_if(removals_, [](const of_tabs& each) { return each.tabs.empty(); });
    return done;
}

void pending_requests::forget(std::uint64_t client) {
    const auto is_its = [&](const auto& each) { return each.who.client == client; };
    std::erase_if(exits_, is_its);
    std::erase_if(outputs_, is_its);
    std::erase_if(removals_, is_its);
}

} // namespace mux
