// SPDX-License-Identifier: MIT
/// @file run.hpp: runs one peer under one workload: publisher on core 0, receivers on core 1, measured from another process.
#pragma once

#include "../support/child.hpp"
#include "../support/scratch.hpp"
#include "receiver.hpp"

#include <algorithm>
#include <limits>

namespace bench {

enum class load {
    steady,    ///< as fast as the slowest subscriber that the publisher waits for
    stopped,   ///< the same, and one other subscriber is stopped (SIGSTOP)
    throttled, ///< the same, and some other subscribers read 1 MB/s
    churn,     ///< the same, and a hundred per second join, read a snapshot and sixteen frames, and leave
    idle,      ///< nothing is published
    stalled,   ///< `stalled_bytes` are published to one that reads and many stopped ones
    open_loop, ///< ten thousand frames per second at fixed times
};

struct workload {
    std::string name;
    load what;
    std::size_t frame_bytes, subscribers;
    std::size_t slow = 0;
    std::size_t snapshot_bytes = 0;
};

/// Not a number: not measured.
struct measured {
    static constexpr double none = std::numeric_limits<double>::quiet_NaN();
    double deliveries = none; ///< per second, to those that the publisher waits for
    double cpu_ns = none;     ///< of publisher and broker, per delivery
    double busy = none;       ///< share of its core used by the publishing side
    double lost = none;       ///< frames not received by subscribers that the publisher waits for
    double told_lost = none;  ///< frames not sent, as reported, to any subscriber
    double seen_lost = none;  ///< frames missing at any subscriber
    double joins = none;      ///< per second
    double p50 = none, p99 = none, p999 = none, most = none; ///< us
    bool has_hung = false;                                   ///< it had to be killed; earlier figures are valid
    double memory_kib = none;                                ///< growth since before the first subscriber
};

class one_run {
public:
    static constexpr std::size_t ahead_bytes =
        512 * 1024; ///< lead of the publisher over the slowest subscriber that it waits for
    static constexpr std::size_t stalled_bytes = std::size_t{8} << 20;
    static constexpr double throttled_rate = 1e6;
    static constexpr std::size_t churn_slots = 8; ///< most that join at a time

    one_run(const peer& who, const workload& what, milliseconds time)
        : peer_(who), load_(what), time_(time), setup_{scratch_.path(), what.frame_bytes, what.subscribers, what.slow,
                                                       who.snapshots ? what.snapshot_bytes : 0} {}

    /// @throws std::runtime_error if it does not start, or a receiver got a wrong frame.
    [[nodiscard]] measured measure() {
        child sender(0, [this] { send(); });
        must(sender, "start", [this] { return page_->listening.load(); });
        const pid_t processes[] = {sender.pid(), page_->broker};
        const long before = memory(processes);
        const bool apart = load_.what == load::stopped || load_.what == load::stalled;
        child stopped, drainer(1, [&] { receive(apart ? load_.slow : 0, load_.subscribers, true); });
        if (apart) stopped = child(1, [&] { receive(0, load_.slow, false); });
        must(sender, "join", [this] { return page_->now != phase::joining; });
        if (apart) stopped.signal(SIGSTOP);

        measured result;
        if (load_.what == load::idle) {
            result.memory_kib = static_cast<double>(std::max(0L, memory(processes) - before));
        } else if (load_.what == load::stalled) {
            long most = 0;
            const std::uint64_t frames = stalled_bytes / load_.frame_bytes;
            must(sender, "publish", [&] {
                most = std::max(most, memory(processes));
                return page_->next[load_.slow] > frames;
            });
            result.memory_kib = static_cast<double>(std::max({0L, most - before, memory(processes) - before}));
        } else {
            let_pass(warm_up);
            figures(processes, result);
        }
        page_->now = phase::draining;
        if (load_.what == load::throttled && peer_.tells_lost) settle(result);
        page_->now = phase::stop;
        stopped.end(milliseconds(0));
        const bool ended = drainer.end(milliseconds(5000)) && sender.end(milliseconds(5000));
        if (page_->wrong) throw std::runtime_error(peer_.name + ", " + load_.name + ": a subscriber got what was not sent");
        result.has_hung = !ended;
        return result;
    }

    /// Only the publishing side, in this process until it ends: for profilers.
    void send() {
        publisher* const to = peer_.publish(setup_, *page_).release(); // the process ends with it, without destructors
        page_->listening = true;
        frame_maker frames(load_.frame_bytes);
        while (page_->now == phase::joining) {
            to->accept_waiting(next_);
            if (next_ == 1 || now_ns() - last_ns_ > join_frame_ns()) {
                last_ns_ = now_ns();
                to->publish(frames.make(next_++));
            }
            to->turn(false);
            let_pass(std::chrono::microseconds(200));
            if (all_joined()) page_->now = phase::steady;
        }
        if (load_.what == load::open_loop) {
            by_the_clock(*to, frames);
        } else {
            while (page_->now == phase::steady) {
                to->accept_waiting(next_);
                const std::size_t count = load_.what == load::idle ? 0 : std::min<std::size_t>(room() + unstick(), burst());
                for (std::size_t i = 0; i < count; ++i) to->publish(frames.make(next_++));
                page_->published.store(next_ - 1, std::memory_order_relaxed);
                to->turn(count == 0);
            }
        }
        page_->published = next_ - 1;
        while (page_->now != phase::stop) {
            to->turn(true);
            page_->told_lost = to->told_lost();
        }
    }

private:
    static constexpr milliseconds warm_up{60};
    static constexpr milliseconds patience{20'000};
    static constexpr std::size_t burst_bytes = 128 * 1024; // published between two iterations of the loop
    static constexpr std::uint64_t stuck_ns = 20'000'000;
    static constexpr std::uint64_t open_loop_period_ns = 100'000;
    static constexpr std::uint64_t join_period_ns = 10'000'000;
    static constexpr std::uint64_t churn_frames = 16; // received before leaving

    // ---- the publishing side ----

    /// Rare if memory is measured: nothing should queue up while many connect.
    [[nodiscard]] std::uint64_t join_frame_ns() const { return load_.what == load::idle ? 50'000'000 : 1'000'000; }

    [[nodiscard]] bool all_joined() const {
        for (std::size_t i = 0; i < load_.subscribers; ++i)
            if (page_->next[i] == 0) return false;
        return true;
    }

    [[nodiscard]] std::size_t burst() const { return std::max<std::size_t>(1, burst_bytes / load_.frame_bytes); }

    /// Frames that may be published now. Reads the subscribers' state only if the known state does not allow a burst.
    [[nodiscard]] std::uint64_t room() {
        if (next_ + burst() > allowed_) {
            std::uint64_t slowest = std::numeric_limits<std::uint64_t>::max();
            for (std::size_t i = load_.slow; i < load_.subscribers; ++i)
                slowest = std::min(slowest, page_->next[i].load(std::memory_order_relaxed));
            std::uint64_t ahead = std::max<std::uint64_t>(1, ahead_bytes / load_.frame_bytes);
            if (peer_.most_ahead > 0)
                ahead = std::min<std::uint64_t>(ahead, peer_.most_ahead / 4); // they acknowledge reads in halves of the buffer
            allowed_ = slowest + ahead;
            if (load_.what == load::stalled) allowed_ = std::min(allowed_, stalled_bytes / load_.frame_bytes + 1);
        }
        return allowed_ > next_ ? allowed_ - next_ : 0;
    }

    /// Publishes another frame after a long pause: the last lost frame is noticed only when a frame follows it.
    [[nodiscard]] std::uint64_t unstick() {
        if (next_ < allowed_) {
            last_ns_ = 0;
        } else if (last_ns_ == 0) {
            last_ns_ = now_ns();
        } else if (load_.what != load::stalled && now_ns() - last_ns_ > stuck_ns) {
            last_ns_ = 0;
            return 1;
        }
        return 0;
    }

    void by_the_clock(publisher& to, frame_maker& frames) {
        for (std::uint64_t due = now_ns(); page_->now == phase::steady; due += open_loop_period_ns) {
            while (now_ns() < due) to.turn(false);
            to.publish(frames.make(next_++, due));
            to.turn(false);
        }
    }

    // ---- the receiving side ----

    void receive(std::size_t first, std::size_t end, bool is_main) {
        receiver to(setup_, *page_);
        reader* const from = peer_.read(setup_, to).release();
        if (load_.what == load::throttled)
            for (std::size_t i = 0; i < load_.slow; ++i) to.throttle(i, throttled_rate);
        for (std::size_t i = first; i < end; ++i) {
            from->join(i);
            if (i % 16 == 15) from->drain();
        }
        std::uint64_t join_at = 0;
        while (page_->now != phase::stop) {
            from->drain();
            if (is_main && load_.what == load::churn && page_->now == phase::steady) churn(*from, join_at);
        }
    }

    void churn(reader& from, std::uint64_t& join_at) {
        for (std::size_t i = 0; i < churn_slots; ++i) {
            const std::size_t slot = load_.subscribers + i;
            if (page_->frames[slot] < churn_frames) continue;
            from.leave(slot);
            page_->next[slot] = 0;
            page_->frames[slot] = 0;
            page_->joins.fetch_add(1);
            joined_[i] = false;
        }
        const std::uint64_t now = now_ns();
        if (join_at == 0) join_at = now;
        if (now < join_at) return;
        join_at += join_period_ns;
        const auto free = std::find(joined_.begin(), joined_.end(), false);
        if (free == joined_.end()) return; // a join that took too long is not counted
        *free = true;
        from.join(load_.subscribers + static_cast<std::size_t>(free - joined_.begin()));
    }

    // ---- measuring from another process ----

    void must(child& sender, const char* step, const std::function<bool()>& holds) {
        const bool held = wait_until(patience, [&] { return holds() || sender.ended(); });
        if (!held || sender.ended()) throw std::runtime_error(peer_.name + ", " + load_.name + ": does not " + step);
    }

    template <class Pids> [[nodiscard]] static long memory(const Pids& pids) {
        long sum = 0;
        for (const pid_t each : pids) sum += own_memory_kib(each);
        return sum;
    }

    struct sample {
        double wall, cpu;
        std::uint64_t frames = 0, lost = 0, joins;
    };
    template <class Pids> [[nodiscard]] sample take(const Pids& pids) const {
        sample now{static_cast<double>(now_ns()) * 1e-9, 0, 0, 0, page_->joins};
        for (const pid_t each : pids) now.cpu += cpu_seconds(each);
        for (std::size_t i = load_.slow; i < load_.subscribers; ++i) {
            now.frames += page_->frames[i];
            now.lost += page_->lost[i];
        }
        return now;
    }

    template <class Pids> void figures(const Pids& pids, measured& result) {
        for (auto& each : page_->latency) each = 0;
        const sample from = take(pids);
        let_pass(time_);
        const sample to = take(pids);
        const auto frames = static_cast<double>(to.frames - from.frames);
        const double wall = to.wall - from.wall, cpu = to.cpu - from.cpu;
        result.deliveries = frames / wall;
        result.cpu_ns = frames > 0 ? cpu * 1e9 / frames : measured::none;
        result.busy = cpu / wall;
        result.lost = static_cast<double>(to.lost - from.lost);
        if (load_.what == load::churn) result.joins = static_cast<double>(to.joins - from.joins) / wall;
        if (load_.what == load::open_loop) {
            result.p50 = latency_buckets::quantile(page_->latency, 0.5) * 1e-3;
            result.p99 = latency_buckets::quantile(page_->latency, 0.99) * 1e-3;
            result.p999 = latency_buckets::quantile(page_->latency, 0.999) * 1e-3;
            result.most = latency_buckets::quantile(page_->latency, 1) * 1e-3;
        }
    }

    /// Waits until all have everything that was sent; then counts missing frames, also as reported by the publisher.
    void settle(measured& result) {
        std::uint64_t last = 0, quiet = 0;
        wait_until(milliseconds(5000), [&] {
            std::uint64_t sum = 0;
            for (std::size_t i = 0; i < load_.subscribers; ++i) sum += page_->next[i];
            quiet = sum == last ? quiet + 1 : 0;
            last = sum;
            return quiet > 100; // no frame has arrived for a tenth of a second
        });
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < load_.subscribers; ++i) // a gap at the very end shows as a number that never arrived
            seen += page_->lost[i] + (page_->published + 1 - page_->next[i]);
        result.seen_lost = static_cast<double>(seen);
        result.told_lost = static_cast<double>(page_->told_lost);
    }

    const peer& peer_;
    const workload& load_;
    milliseconds time_;
    scratch_directory scratch_;
    setup setup_;
    shared_page page_;
    std::uint64_t next_ = 1, allowed_ = 0, last_ns_ = 0;
    std::array<bool, churn_slots> joined_{};
};

} // namespace bench
