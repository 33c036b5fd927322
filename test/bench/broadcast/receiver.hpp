// SPDX-License-Identifier: MIT
/// @file receiver.hpp: checks each frame that arrives, and counts.
#pragma once

#include "../support/child.hpp"
#include "frame.hpp"
#include "page.hpp"
#include "peer.hpp"

#include <vector>

namespace bench {

class receiver {
public:
    receiver(const setup& s, page& shared) : page_(shared), frames_(s.frame_bytes), allowance_(page::most_subscribers) {}

    /// Limits the read rate of one subscriber.
    void throttle(std::size_t subscriber, double bytes_per_second) {
        allowance_[subscriber].rate = bytes_per_second;
        allowance_[subscriber].since = now_ns();
    }
    [[nodiscard]] bool is_throttled(std::size_t subscriber) const { return allowance_[subscriber].rate > 0; }
    /// Whether it may read now. When nothing more is published, all may.
    [[nodiscard]] bool may_read(std::size_t subscriber) const {
        const allowance& a = allowance_[subscriber];
        if (a.rate <= 0 || page_.now >= phase::draining) return true;
        return static_cast<double>(a.read) < a.rate * 1e-9 * static_cast<double>(now_ns() - a.since);
    }

    [[nodiscard]] page& shared() const noexcept { return page_; }

    void received(std::size_t subscriber, std::string_view payload) {
        frame_head head{};
        if (payload.size() < sizeof head) return fail(subscriber, "a frame without a head", 0, 0);
        std::memcpy(&head, payload.data(), sizeof head);
        allowance_[subscriber].read += payload.size();
        std::uint64_t next = page_.next[subscriber].load(std::memory_order_relaxed);
        if (head.sequence & snapshot_mark) {
            page_.next[subscriber].store(head.sequence & ~snapshot_mark, std::memory_order_relaxed);
            return;
        }
        if (next == 0) next = head.sequence; // joined
        if (head.sequence < next) return fail(subscriber, "a frame again, or too late", head.sequence, next);
        if (!frames_.is_right(head.sequence, payload)) return fail(subscriber, "wrong bytes", head.sequence, next);
        if (head.sequence > next) page_.lost[subscriber].fetch_add(head.sequence - next, std::memory_order_relaxed);
        if (head.due != 0 && page_.now.load(std::memory_order_relaxed) == phase::steady)
            page_.latency[latency_buckets::of(now_ns() - head.due)].fetch_add(1, std::memory_order_relaxed);
        page_.next[subscriber].store(head.sequence + 1, std::memory_order_relaxed);
        auto& count = page_.frames[subscriber];
        count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

private:
    struct allowance {
        double rate = 0; // bytes per second; 0: no limit
        std::uint64_t since = 0, read = 0;
    };

    void fail(std::size_t subscriber, const char* what, std::uint64_t got, std::uint64_t expected) {
        if (page_.wrong.exchange(true)) return;
        std::fprintf(stderr, "benchmark: subscriber %zu: %s: %llu, expected %llu\n", subscriber, what,
                     static_cast<unsigned long long>(got), static_cast<unsigned long long>(expected));
    }

    page& page_;
    frame_maker frames_;
    std::vector<allowance> allowance_;
};

} // namespace bench
