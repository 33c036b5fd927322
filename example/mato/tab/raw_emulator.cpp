// SPDX-License-Identifier: MIT
#include "raw_emulator.hpp"

#include <algorithm>
#include <cstring>

namespace mux {

void raw_emulator::feed(std::string_view bytes) {
    if (store_) return store_->append(bytes);
    end_ += bytes.size();
    if (bytes.size() > capacity_) bytes.remove_prefix(bytes.size() - capacity_);
    if (ring_.size() < capacity_) { // not yet wrapped: position and index are equal
        const std::size_t room = std::min(capacity_ - ring_.size(), bytes.size());
        ring_.insert(ring_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(room));
        size_ = ring_.size();
        write_at_ = size_ % capacity_;
        bytes.remove_prefix(room);
    }
    while (!bytes.empty()) {
        const std::size_t run = std::min(bytes.size(), capacity_ - write_at_);
        std::memcpy(ring_.data() + write_at_, bytes.data(), run);
        write_at_ = (write_at_ + run) % capacity_;
        bytes.remove_prefix(run);
    }
}

std::string_view raw_emulator::from(std::uint64_t position, std::size_t most) const noexcept {
    if (position < begin() || position >= end()) return {};
    if (store_) return store_->from(position, most);
    const auto unread = static_cast<std::size_t>(end_ - position);
    const std::size_t at = (write_at_ + capacity_ - unread % capacity_) % capacity_;
    return {ring_.data() + at, std::min({unread, most, ring_.size() - at})};
}

std::uint64_t raw_emulator::replay_begin(std::size_t most) const {
    const std::uint64_t first = end() - std::min<std::uint64_t>(size(), most);
    if (first == 0) return 0;
    const std::uint64_t last = std::min(end(), first + search_bytes);
    for (std::uint64_t at = first; at < last;) {
        const auto run = from(at, static_cast<std::size_t>(last - at));
        if (const auto newline = run.find('\n'); newline != std::string_view::npos) return at + newline + 1;
        at += run.size();
    }
    return first;
}

} // namespace mux
