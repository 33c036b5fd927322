// SPDX-License-Identifier: MIT
#include "pending_requests.hpp"

#include <algorithm>

namespace mux {
namespace {

/// Releases the memory of a burst of requests.
template <class Waits> void give_back(Waits& waits) {
    constexpr std::size_t worth_it = 1024;
    if (waits.capacity() > worth_it && waits.size() < waits.capacity() / 4) waits.shrink_to_fit();
}

} // namespace

bool pending_requests::has_room(std::uint64_t client) const noexcept {
    const std::size_t all = exits_.size() + outputs_.size() + changes_.size() + respawns_.size() + removals_.size();
    const auto its = waits_.find(client);
    return all < most_in_all && (its == waits_.end() || its->second < most_of_client);
}

reply_target pending_requests::count(reply_target who) {
    ++waits_[who.client];
    return who;
}

void pending_requests::uncount(reply_target who) noexcept {
    const auto its = waits_.find(who.client); // none: it has disconnected, and its respawn still happens
    if (its != waits_.end() && --its->second == 0) waits_.erase(its);
}

bool pending_requests::is_respawning(tab_id tab) const noexcept {
    return std::any_of(respawns_.begin(), respawns_.end(), [&](const of_tab& each) { return each.tab == tab; });
}

bool pending_requests::awaits_removal(tab_id tab) const noexcept {
    return std::any_of(removals_.begin(), removals_.end(), [&](const of_tabs& each) {
        return std::find(each.tabs.begin(), each.tabs.end(), tab) != each.tabs.end();
    });
}

template <class Wait, class Matches>
std::vector<reply_target> pending_requests::take_if(std::vector<Wait>& from, Matches matches) {
    std::vector<reply_target> taken;
    std::erase_if(from, [&](const Wait& each) {
        if (!matches(each)) return false;
        taken.push_back(each.who);
        uncount(each.who);
        return true;
    });
    give_back(from);
    return taken;
}

std::vector<reply_target> pending_requests::take(std::vector<of_tab>& from, tab_id tab) {
    return take_if(from, [tab](const of_tab& each) { return each.tab == tab; });
}

bool pending_requests::awaits_change(tab_id tab, tab_change what) const noexcept {
    return std::any_of(changes_.begin(), changes_.end(),
                       [=](const of_change& each) { return each.tab == tab && each.what == what; });
}

std::vector<reply_target> pending_requests::take_changes(const tab_changed& came) {
    return take_if(changes_, [&came](const of_change& each) {
        return each.tab == came.tab && each.what == came.what && (came.what != tab_change::state || each.state == came.state);
    });
}

std::vector<reply_target> pending_requests::take_changes(tab_id tab) {
    return take_if(changes_, [tab](const of_change& each) { return each.tab == tab; });
}

std::optional<reply_target> pending_requests::take_respawn(tab_id tab) {
    const auto taken = take(respawns_, tab);
    return taken.empty() ? std::nullopt : std::optional(taken.front());
}

void pending_requests::note_trouble(tab_id tab, const std::string& text) {
    for (of_tabs& each : removals_)
        if (std::find(each.tabs.begin(), each.tabs.end(), tab) != each.tabs.end())
            each.trouble.append(each.trouble.empty() ? "" : "; ").append(text);
}

std::vector<pending_requests::removal> pending_requests::take_removals(tab_id tab) {
    std::vector<removal> done;
    for (of_tabs& each : removals_)
        if (std::erase(each.tabs, tab) > 0 && each.tabs.empty()) {
            done.push_back({each.who, std::move(each.trouble)});
            uncount(each.who);
        }
    std::erase_if(removals_, [](const of_tabs& each) { return each.tabs.empty(); });
    return done;
}

void pending_requests::forget(std::uint64_t client) {
    const auto is_its = [&](const auto& each) { return each.who.client == client; };
    std::erase_if(exits_, is_its);
    std::erase_if(outputs_, is_its);
    std::erase_if(changes_, is_its);
    std::erase_if(removals_, is_its);
    give_back(exits_);
    give_back(outputs_);
    give_back(changes_);
    waits_.erase(client);
}

} // namespace mux
