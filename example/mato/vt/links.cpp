// SPDX-License-Identifier: MIT
#include "links.hpp"

namespace mato::vt {

namespace {

std::string key(std::string_view id, std::string_view uri) {
    std::string k(id);
    k += '\n'; // controls never are part of either
    k += uri;
    return k;
}

// Each string is held in the table and in the index.
std::size_t cost(std::string_view id, std::string_view uri) noexcept { return 2 * (id.size() + uri.size()) + 96; }

} // namespace

link_id link_table::add(std::string_view id, std::string_view uri) {
    if (uri.empty() || uri.size() > max_uri || id.size() > max_id) return 0;
    const auto known = index_.find(key(id, uri));
    if (known != index_.end()) return known->second;
    if (is_full()) return 0;
    std::size_t slot = links_.size();
    if (count_ < links_.size()) // there are gaps
        for (slot = 0; !links_[slot].uri.empty(); ++slot) {
        }
    if (slot == links_.size()) links_.emplace_back();
    links_[slot] = {std::string(id), std::string(uri)};
    const auto number = static_cast<link_id>(slot + 1);
    index_.emplace(key(id, uri), number);
    ++count_;
    bytes_ += cost(id, uri);
    return number;
}

const hyperlink* link_table::find(link_id id) const noexcept {
    if (id == 0 || id > links_.size() || links_[id - 1u].uri.empty()) return nullptr;
    return &links_[id - 1u];
}

void link_table::sweep(const std::vector<bool>& keep) {
    for (std::size_t i = 0; i < links_.size(); ++i) {
        if (links_[i].uri.empty() || (i < keep.size() && keep[i])) continue;
        bytes_ -= cost(links_[i].id, links_[i].uri);
        index_.erase(key(links_[i].id, links_[i].uri));
        links_[i] = {};
        --count_;
    }
    while (!links_.empty() && links_.back().uri.empty()) links_.pop_back();
}

void link_table::clear() { *this = {}; }

void link_table::append(hyperlink l) {
    links_.push_back(std::move(l));
    const hyperlink& added = links_.back();
    if (added.uri.empty()) return;
    index_.emplace(key(added.id, added.uri), static_cast<link_id>(links_.size()));
    bytes_ += cost(added.id, added.uri);
    ++count_;
}

} // namespace mato::vt
