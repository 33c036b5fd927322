// SPDX-License-Identifier: MIT
#include "channels.hpp"

#include <iterator>
#include <utility>

namespace mux {

bool channels::may_signal(std::string_view name) const noexcept {
    return kept_ < most_kept || channels_.find(name) != channels_.end();
}

std::vector<reply_target> channels::signal(std::string_view name) {
    const auto at = channels_.find(name);
    if (at == channels_.end()) {
        channels_.emplace(name, std::vector<reply_target>());
        ++kept_;
        return {};
    }
    if (at->second.empty()) return {}; // one is kept already
    auto waited = std::move(at->second);
    channels_.erase(at);
    waiting_ -= waited.size();
    return waited;
}

bool channels::take_or_wait(std::string_view name, reply_target who) {
    const auto at = channels_.find(name);
    if (at != channels_.end() && at->second.empty()) {
        channels_.erase(at);
        --kept_;
        return true;
    }
    channels_[std::string(name)].push_back(who);
    ++waiting_;
    return false;
}

void channels::forget(std::uint64_t client) {
    for (auto at = channels_.begin(); at != channels_.end();) {
        const bool is_kept = at->second.empty();
        waiting_ -= std::erase_if(at->second, [&](const reply_target& each) { return each.client == client; });
        at = !is_kept && at->second.empty() ? channels_.erase(at) : std::next(at);
    }
}

} // namespace mux
