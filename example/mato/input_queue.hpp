// SPDX-License-Identifier: MIT
/// @file input_queue.hpp: what clients have typed and the program has not yet taken, in order and within a bound.
/// Pure.  Test: test/mato/input_queue_test.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace mux {

class input_queue {
public:
    /// Who typed it. `request` 0: typed into an attached terminal; else a `send` that wants to know when it is through.
    struct source {
        std::uint64_t client = 0;
        std::uint32_t request = 0;
        bool operator==(const source&) const = default;
    };

    explicit input_queue(std::size_t max_bytes) noexcept : max_bytes_(max_bytes) {}

    /// False, and nothing queued, when the bound would be passed.
    [[nodiscard]] bool push(source from, std::string bytes) {
        if (bytes.size() > max_bytes_ - bytes_) return false;
        bytes_ += bytes.size();
        items_.push_back({from, std::move(bytes), 0});
        return true;
    }

    /// The next bytes to write; empty when all is done.
    [[nodiscard]] std::string_view front() const noexcept {
        return items_.empty() ? std::string_view() : std::string_view(items_.front().bytes).substr(items_.front().taken);
    }

    /// The program took `size` bytes of `front()`. `done(source, bytes)` is called when that finished an item.
    template <class Done> void taken(std::size_t size, Done done) {
        bytes_ -= size;
        items_.front().taken += size;
        if (items_.front().taken < items_.front().bytes.size()) return;
        const item finished = std::move(items_.front());
        items_.pop_front();
        done(finished.from, finished.bytes.size());
    }

    /// Drops what a client still has here; of one request, or of all when `request` is empty.
    /// @returns how many bytes of the dropped items the program had taken.
    std::size_t cancel(std::uint64_t client, std::optional<std::uint32_t> request) {
        std::size_t taken_bytes = 0;
        std::erase_if(items_, [&](const item& each) {
            if (each.from.client != client || (request && each.from.request != *request)) return false;
            bytes_ -= each.bytes.size() - each.taken;
            taken_bytes += each.taken;
            return true;
        });
        return taken_bytes;
    }

    /// Drops everything; `lost(source, taken)` for each item.
    template <class Lost> void clear(Lost lost) {
        bytes_ = 0;
        for (const item& each : std::exchange(items_, {})) lost(each.from, each.taken);
    }

    [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    struct item {
        source from;
        std::string bytes;
        std::size_t taken;
    };
    std::deque<item> items_;
    std::size_t max_bytes_, bytes_ = 0;
};

} // namespace mux
