// SPDX-License-Identifier: MIT
#include "closed_tabs.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace mux {

void closed_tabs::remember(closed_tab gone) {
    if (gone.shown.size() > most_shown) std::string().swap(gone.shown);
    forget(gone.name.id);
    bytes_ += gone.shown.size();
    tabs_.push_back(std::move(gone));
    while (tabs_.size() > most || bytes_ > most_bytes) drop_oldest();
}

const closed_tab* closed_tabs::find(std::string_view target, tab_id current) const {
    if (target.empty()) return tabs_.empty() ? nullptr : &tabs_.back();
    tab_id id = target == "." ? current : 0;
    const char* const end = target.data() + target.size();
    if (target != ".")
        if (const auto read = std::from_chars(target.data(), end, id); read.ec != std::errc() || read.ptr != end) id = 0;
    const auto found = std::find_if(tabs_.rbegin(), tabs_.rend(), [&](const closed_tab& each) {
        if (id != 0) return each.name.id == id;
        return target == each.name.name || target == each.name.task + "/" + each.name.name;
    });
    return found == tabs_.rend() ? nullptr : &*found;
}

void closed_tabs::forget(tab_id id) {
    const auto at = std::ranges::find_if(tabs_, [id](const closed_tab& each) { return each.name.id == id; });
    if (at == tabs_.end()) return;
    bytes_ -= at->shown.size();
    tabs_.erase(at);
}

void closed_tabs::forget_before(mato::clock::time_point when) {
    while (!tabs_.empty() && tabs_.front().at < when) drop_oldest();
}

std::optional<mato::clock::time_point> closed_tabs::oldest() const {
    if (tabs_.empty()) return std::nullopt;
    return tabs_.front().at;
}

void closed_tabs::drop_oldest() {
    bytes_ -= tabs_.front().shown.size();
    tabs_.pop_front();
}

} // namespace mux
