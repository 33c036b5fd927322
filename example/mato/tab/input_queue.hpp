// SPDX-License-Identifier: MIT
/// @file input_queue.hpp: clients' input that the program has not read yet, in order and bounded.
/// Pure.  Test: test/mato/input_queue_test.cpp.
#pragma once

#include "protocol/reply_target.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace mux {

/// Each item has a sender. Request 0: it was typed into an attached terminal; else it is a `send` that is answered when it was
/// read.
class input_queue {
public:
    /// Memory of an item in addition to its bytes, with the allocator's: two nodes. Short strings are included.
    static constexpr std::size_t item_cost = 192;
    static constexpr std::size_t fewest_items = 1024; ///< always accepted, however small the limit on bytes is

    /// The memory of the items has the same limit as their bytes.
    explicit input_queue(std::size_t max_bytes) noexcept
        : max_bytes_(max_bytes), max_items_(std::max(max_bytes / item_cost, fewest_items)) {}

    /// False if a limit would be exceeded; nothing is queued then.
    [[nodiscard]] bool push(reply_target from, std::string bytes) {
        if (bytes.size() > max_bytes_ - bytes_ || items_.size() >= max_items_) return false;
        items_.push_back({from, std::move(bytes), 0, ++last_});
        const auto added = std::prev(items_.end());
        try {
            by_source_.emplace(key_of(*added), added);
        } catch (...) {
            items_.pop_back();
            throw;
        }
        bytes_ += added->bytes.size();
        return true;
    }

    /// The next bytes to write; empty if there are none.
    [[nodiscard]] std::string_view front() const noexcept {
        return items_.empty() ? std::string_view() : std::string_view(items_.front().bytes).substr(items_.front().taken);
    }

    /// The program has read `size` bytes of `front()`. Calls `done(source, bytes)` for an item that is finished.
    template <class Done> void taken(std::size_t size, Done done) {
        bytes_ -= size;
        items_.front().taken += size;
        if (items_.front().taken < items_.front().bytes.size()) return;
        const item finished = std::move(items_.front());
        by_source_.erase(key_of(finished));
        items_.pop_front();
        done(finished.from, finished.bytes.size());
    }

    /// Drops a client's input; of one request, or of all if `request` is empty. Costs a search and what is dropped.
    /// @returns how many bytes of the dropped items the program had read.
    std::size_t cancel(std::uint64_t client, std::optional<std::uint32_t> request) {
        const auto first = by_source_.lower_bound({client, request.value_or(0), 0});
        const auto end =
            request ? by_source_.upper_bound({client, *request, last_}) : by_source_.lower_bound({client + 1, 0, 0});
        std::size_t taken_bytes = 0;
        for (auto each = first; each != end; ++each) {
            bytes_ -= each->second->bytes.size() - each->second->taken;
            taken_bytes += each->second->taken;
            items_.erase(each->second);
        }
        by_source_.erase(first, end);
        return taken_bytes;
    }

    /// Drops everything; calls `lost(source, taken)` for each item.
    template <class Lost> void clear(Lost lost) {
        bytes_ = 0;
        by_source_.clear();
        for (const item& each : std::exchange(items_, {})) lost(each.from, each.taken);
    }

    /// The unread bytes that no `send` has sent, in order.
    [[nodiscard]] std::string typed() const {
        std::string all;
        for (const item& each : items_)
            if (each.from.request == 0) all.append(each.bytes, each.taken);
        return all;
    }
    /// Calls `act(source, taken)` for each `send`.
    template <class Act> void for_each_send(Act act) const {
        for (const item& each : items_)
            if (each.from.request != 0) act(each.from, each.taken);
    }

    [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::size_t memory_bytes() const noexcept { return bytes_ + items_.size() * item_cost; }

private:
    struct item {
        reply_target from;
        std::string bytes;
        std::size_t taken;
        std::uint64_t number; // in the order of arrival
    };
    using key = std::tuple<std::uint64_t, std::uint32_t, std::uint64_t>; // client, request, number
    static key key_of(const item& each) noexcept { return {each.from.client, each.from.request, each.number}; }

    std::list<item> items_;
    std::map<key, std::list<item>::iterator> by_source_;
    std::uint64_t last_ = 0;
    std::size_t max_bytes_, max_items_, bytes_ = 0;
};

} // namespace mux
