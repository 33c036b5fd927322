// SPDX-License-Identifier: MIT
#include "links.hpp"

namespace mux::vt {

namespace {

// Control characters are never part of an id or a URI.
std::string key(std::string_view id, std::string_view uri) {
    std::string k(id);
    k += '\n';
    k += uri;
    return k += '\n';
}

std::string key(const hyperlink& l) { return l.id.empty() ? key(l.id, l.uri) + std::to_string(l.place) : key(l.id, l.uri); }

// Each string is stored in the table and in the index, there with a place.
std::size_t cost(std::string_view id, std::string_view uri) noexcept { return 2 * (id.size() + uri.size()) + 96; }

} // namespace

link_id link_table::add(std::string_view id, std::string_view uri, std::uint64_t place) {
    if (uri.empty() || uri.size() > max_uri || id.size() > max_id) return 0;
    hyperlink added{std::string(id), std::string(uri), id.empty() ? place : 0, 0};
    std::string known_as = key(added);
    const auto known = index_.find(known_as);
    if (known != index_.end()) return known->second;
    if (is_full()) {
        if (!id.empty()) return 0;
        const std::string of_uri = key(id, uri);
        const auto another = index_.lower_bound(of_uri);
        return another != index_.end() && another->first.starts_with(of_uri) ? another->second : link_id{0};
    }
    std::size_t slot = links_.size();
    if (count_ < links_.size()) // there are gaps
        for (slot = 0; !links_[slot].uri.empty(); ++slot) {
        }
    if (slot == links_.size()) links_.emplace_back();
    added.added = ++last_added_;
    links_[slot] = std::move(added);
    const auto number = static_cast<link_id>(slot + 1);
    index_.emplace(std::move(known_as), number);
    ++count_;
    bytes_ += cost(id, uri);
    return number;
}

const hyperlink* link_table::find(link_id id) const noexcept {
    if (id == 0 || id > links_.size() || links_[id - 1u].uri.empty()) return nullptr;
    return &links_[id - 1u];
}

void link_table::sweep(const link_set& keep) {
    ++sweeps_;
    for (std::size_t i = 0; i < links_.size(); ++i) {
        if (links_[i].uri.empty() || (i + 1 < keep.size() && keep[i + 1])) continue;
        bytes_ -= cost(links_[i].id, links_[i].uri);
        const auto known = index_.find(key(links_[i]));
        if (known != index_.end() && known->second == i + 1) index_.erase(known);
        links_[i] = {};
        --count_;
    }
    while (!links_.empty() && links_.back().uri.empty()) links_.pop_back();
}

void link_table::clear() { *this = {}; }

void link_table::append(hyperlink l) {
    l.added = l.uri.empty() ? 0 : ++last_added_;
    links_.push_back(std::move(l));
    const hyperlink& added = links_.back();
    if (added.uri.empty()) return;
    index_.emplace(key(added), static_cast<link_id>(links_.size()));
    bytes_ += cost(added.id, added.uri);
    ++count_;
}

std::string id_for_others(link_id number, const hyperlink& l) { return l.id.empty() ? "mato-" + std::to_string(number) : l.id; }

} // namespace mux::vt
