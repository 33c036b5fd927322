// SPDX-License-Identifier: MIT
/// @file fan_out_model.hpp: a fan_out with fake sockets and a fake clock, driven by choices, and rules that hold for all
/// choices.
///
/// fan_out_subscriber.hpp has the rules for one subscriber, this file the rules for all.
#pragma once

#include <mato/fan_out.hpp>

#include "fan_out_subscriber.hpp"
#include "published_frames.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace support {

class fan_out_model {
public:
    /// `choose(n)` gives a number below n. Throws broken_rule.
    template <class Choose> static void run(Choose choose) {
        fan_out_model model(1024 + choose(3) * 1000);
        model.choose_ = [&](std::uint32_t below) { return static_cast<std::uint32_t>(choose(below)); };
        const std::uint32_t steps = 20 + choose(60);
        for (std::uint32_t i = 0; i < steps; ++i) model.step();
        model.settle();
    }

private:
    using peer = fan_out_subscriber;
    using framing = peer::framing;
    using hub = mato::fan_out<peer, mato::any_overflow, framing>;
    struct watched_hub : hub {
        using hub::hub;
        void has_room_again() noexcept override { ++room_told; }
        int room_told = 0;
    };

    explicit fan_out_model(std::size_t ring_bytes);
    [[nodiscard]] std::uint32_t choose(std::uint32_t below) { return choose_(below); }
    void step();
    void settle();
    void publish();
    void join();
    void flush();
    void look();
    void reply(peer& to);
    void grant(peer& to, std::size_t bytes);
    void meddle();
    peer* any_peer();
    [[nodiscard]] static mato::clock::time_point now() noexcept { return peer::now; }

    std::function<std::uint32_t(std::uint32_t)> choose_;
    published_frames published_;
    std::uint64_t stream_bytes_ = 0;
    watched_hub hub_;
    std::vector<std::unique_ptr<peer>> peers_;
    bool waits_for_room_ = false, is_settling_ = false, somebody_came_back_ = false;
    int depth_ = 0;
};

// ---- implementation ----

inline fan_out_model::fan_out_model(std::size_t ring_bytes) : hub_(ring_bytes, &now) {
    peer::now = {};
    hub_.on.snapshot = [this](std::uint64_t sequence) {
        MODEL_REQUIRE(sequence == published_.newest());
        meddle();
        return numbered('S', sequence);
    };
    hub_.on.gap = [this](const mato::frame_gap& gap) -> std::optional<std::string> {
        meddle();
        return numbered('G', gap.first, gap.last);
    };
    hub_.on.last_words = [this](const mato::failure&) -> std::optional<std::string> {
        meddle();
        return "W";
    };
}

// Actions of user code inside a handler of the hub.
inline void fan_out_model::meddle() {
    if (depth_ > 0 || is_settling_ || choose(6) != 0) return;
    ++depth_;
    switch (choose(5)) {
    case 0: publish(); break;
    case 1: join(); break;
    case 2:
        if (peer* one = any_peer()) reply(*one);
        break;
    case 3:
        if (peer* one = any_peer(); one && one->box_.stream() && !one->leaves_) {
            one->leaves_ = true;
            one->until_ = published_.newest();
            one->box_.no_more();
        }
        break;
    default:
        if (peer* one = any_peer()) {
            one->is_cut_off_ = true;
            one->box_.abandon();
        }
    }
    --depth_;
}

inline fan_out_model::peer* fan_out_model::any_peer() {
    return peers_.empty() ? nullptr : peers_[choose(static_cast<std::uint32_t>(peers_.size()))].get();
}

inline void fan_out_model::publish() {
    const std::uint32_t kind = choose(16);
    const auto largest = static_cast<std::uint32_t>(hub_.ring().largest());
    const std::size_t size = kind == 0 ? choose(largest - 1) : kind < 4 ? choose(largest / 4) : choose(40);
    std::optional<std::uint64_t> key;
    if (const std::uint32_t which = choose(8); which < 4) key = which;
    published_.by_number.push_back({key, std::max<std::size_t>(size, 17) + 2});
    const std::uint64_t sequence = published_.newest();
    mato::failure why;
    const std::string payload = published_.payload_of(sequence);
    const std::uint64_t got = key ? hub_.publish_keyed(*key, payload, why) : hub_.publish(payload, why);
    if (why) {
        MODEL_REQUIRE(why.code == mato::errc::busy);
        MODEL_REQUIRE(got == 0);
        published_.by_number.pop_back();
        waits_for_room_ = true;
        hub_.room_told = 0;
        bool is_blocked = false;
        for (const auto& each : peers_) { // all of them are full, and one blocks the producer
            if (!each->box_.stream() || each->leaves_) continue;
            const auto status = hub::status(*each->box_.stream());
            MODEL_REQUIRE(status.queued_bytes >= std::min(each->policy_.limit(), std::size_t{peer::soft}) || status.lag > 0);
            is_blocked = is_blocked || each->policy_.kind() == mato::overflow_kind::block_producer;
        }
        MODEL_REQUIRE(is_blocked);
        return;
    }
    MODEL_REQUIRE(got == sequence);
    MODEL_REQUIRE(!waits_for_room_ || hub_.room_told == 1); // called once, and not before there was room
    waits_for_room_ = false;
    if (key) published_.newest_of_key[*key] = sequence;
    stream_bytes_ += published_[sequence].size;
}

inline void fan_out_model::join() {
    static constexpr std::size_t bounds[] = {0, 100, 400, 1500};
    const std::size_t bytes = bounds[choose(4)];
    mato::any_overflow policy;
    switch (choose(6)) {
    case 0: {
        mato::disconnect limits;
        limits.hard = peer::hard;
        limits.soft = peer::soft;
        limits.grace = peer::grace;
        policy = limits;
        break;
    }
    case 1: policy = mato::resync{bytes}; break;
    case 2: policy = mato::drop_oldest{bytes}; break;
    case 3: policy = mato::drop_newest{bytes}; break;
    case 4: policy = mato::conflate{bytes}; break;
    default: policy = mato::block_producer{bytes}; break;
    }
    peer* who = nullptr;
    mato::join_at where;
    const std::uint64_t newest = published_.newest();
    const bool resumes = choose(4) == 0;
    if (resumes) // one that left and has read everything subscribes again
        for (const auto& each : peers_)
            if (!each->box_.stream() && each->box_.queued() == 0 && !each->fell_behind_ && !each->is_cut_off_ &&
                each->decoder_.buffered() == 0)
                who = each.get();
    if (who) {
        where = mato::join_at::after(who->expected_ - 1);
        somebody_came_back_ = true;
    } else {
        if (peers_.size() >= 6) return;
        peers_.push_back(std::make_unique<peer>(published_, hub_.ring(), policy));
        who = peers_.back().get();
        who->room_ = choose(3) == 0 ? 0 : choose(4000);
        who->is_stalled_ = who->room_ == 0 && choose(2) == 0; // by bytes sent before
        who->expected_ = newest + 1;
        switch (choose(4)) {
        case 0: where = mato::join_at::snapshot(); break;
        case 1:
            where = mato::join_at::last(choose(20));
            who->expected_ -= std::min(where.number, hub_.ring().next() - hub_.ring().oldest());
            break;
        case 2:
            where = mato::join_at::after(choose(static_cast<std::uint32_t>(newest) + 3));
            who->expected_ = std::min(where.number, newest) + 1;
            break;
        default: break;
        }
    }
    who->policy_ = policy;
    who->may_resync_ = policy.kind() == mato::overflow_kind::resync || where.where == mato::join_at::place::snapshot;
    mato::failure why;
    mato::feed* const place = hub_.join(*who, policy, where, why);
    if (why) {
        MODEL_REQUIRE(where.where == mato::join_at::place::after && where.number + 1 < hub_.ring().oldest());
        MODEL_REQUIRE(why.code == std::errc::result_out_of_range);
        who->is_cut_off_ = true;
        return;
    }
    who->is_fresh_ = true;
    who->first_ = who->expected_;
    who->reply_place_ = who->last_frame_ = 0;
    who->leaves_ = false;
    who->over_soft_.reset();
    who->known_to_be_over_.reset();
    who->delivered_ = who->lost_ = who->gaps_ = who->snapshots_ = who->superseded_ = 0;
    std::uint64_t before = 0;
    for (std::uint64_t i = 1; i < who->expected_; ++i) before += published_[i].size;
    who->joined_at_ = before;
    who->reply_bytes_ = who->taken_bytes_ = 0;
    who->box_.follow(std::shared_ptr<mato::feed>(std::shared_ptr<void>(), place)); // the model outlives it
    if (who->is_stalled_) place->on_stalled();
}

inline void fan_out_model::grant(peer& to, std::size_t bytes) {
    to.room_ += bytes;
    if (to.room_ == 0 || to.is_cut_off_) return;
    if (to.is_stalled_) {
        to.is_stalled_ = false;
        if (mato::feed* const stream = to.box_.stream()) stream->on_writable();
        to.write();
    } else if (to.box_.queued() > 0) {
        to.write();
    }
}

inline void fan_out_model::step() {
    switch (choose(12)) {
    case 0:
    case 1:
    case 2:
    case 3: publish(); break;
    case 4:
    case 5: flush(); break;
    case 6:
        if (peers_.size() < 2 || choose(3) == 0) join();
        break;
    case 7:
        if (peer* one = any_peer()) grant(*one, choose(3) == 0 ? choose(8) : choose(3000));
        break;
    case 8:
        if (peer* one = any_peer()) one->room_ = choose(2) == 0 ? 0 : choose(100); // its reader slows down
        break;
    case 9:
        if (peer* one = any_peer()) reply(*one);
        break;
    case 10:
        if (peer* one = any_peer(); one && one->box_.stream() && !one->leaves_ && choose(3) == 0) {
            one->leaves_ = true;
            one->until_ = published_.newest();
            if (choose(2) == 0) {
                one->box_.no_more();
            } else { // immediately: queued frames are not sent, so its stream may end anywhere
                one->left_ = true;
                one->box_.leave();
            }
        }
        break;
    default: peer::now += mato::milliseconds(choose(60)); break;
    }
    for (const auto& each : peers_) {
        MODEL_REQUIRE(!each->writes_);
        each->note_soft_limit();
    }
}

inline void fan_out_model::reply(peer& to) {
    if (to.is_cut_off_ || to.fell_behind_) return;
    const std::uint64_t number = ++to.replies_sent_;
    const std::string payload = numbered('R', number, published_.newest()) + std::string(choose(60), 'r');
    to.reply_bytes_ += payload.size() + 2;
    mato::failure why;
    to.box_.push([&](std::string& bytes) { framing::append(bytes, payload, why); });
}

inline void fan_out_model::flush() {
    for (const auto& each : peers_) each->is_fresh_ = false;
    if (!hub_.flush()) look(); // otherwise frames published by a handler are not sent yet
}

/// After a flush: writable subscribers have everything; no subscriber is over a limit or overtaken by the ring unless allowed;
/// and copies of partially sent frames are within their limit.
inline void fan_out_model::look() {
    const auto status = hub_.status();
    const auto& ring = hub_.ring();
    MODEL_REQUIRE(status.ring_bytes <= ring.capacity());
    MODEL_REQUIRE(status.published == published_.newest());
    std::size_t subscribers = 0;
    bool anyone_closes = false;
    for (const auto& each : peers_) {
        anyone_closes = anyone_closes || each->fell_behind_ || each->left_;
        if (!each->box_.stream() || each->leaves_) continue;
        ++subscribers;
        const auto its = hub::status(*each->box_.stream());
        MODEL_REQUIRE(its.lag <= published_.newest());
        if (!each->is_stalled_ && !each->is_fresh_) MODEL_REQUIRE(each->box_.stream()->pending() == 0);
        if (!each->left_) MODEL_REQUIRE(each->box_.own() - each->box_.replies() <= 40 + ring.largest()); // a notice, a frame
        const auto kind = each->policy_.kind();
        if (kind == mato::overflow_kind::disconnect || kind == mato::overflow_kind::block_producer)
            MODEL_REQUIRE(each->box_.stream()->position() >= ring.begin());
        if (kind != mato::overflow_kind::disconnect) {
            MODEL_REQUIRE(each->box_.replies() <= each->policy_.limit());
            continue;
        }
        MODEL_REQUIRE(its.queued_bytes == each->queued());
        MODEL_REQUIRE(its.queued_bytes <= peer::hard ||
                      each->is_fresh_); // a subscriber added during the flush is checked in the next
        MODEL_REQUIRE(!each->known_to_be_over_ || peer::now - *each->known_to_be_over_ < peer::grace);
        if (its.queued_bytes > peer::soft && !each->known_to_be_over_) each->known_to_be_over_ = peer::now;
        if (each->may_resync_ || each->gaps_ > 0 || each->left_ || each->before_.delivered > 0) continue;
        MODEL_REQUIRE(its.queued_bytes == stream_bytes_ - each->joined_at_ + each->reply_bytes_ - each->taken_bytes_);
    }
    MODEL_REQUIRE(status.subscribers == subscribers);
    MODEL_REQUIRE(anyone_closes || status.partial_bytes <= ring.capacity() / 10);
}

/// All clients read again; then every published frame is accounted for, for each of them.
inline void fan_out_model::settle() {
    is_settling_ = true;
    for (int round = 0; round < 4; ++round) {
        for (const auto& each : peers_) grant(*each, 1 << 20);
        for (int turn = 0; hub_.flush(); ++turn) MODEL_REQUIRE(turn < 10'000);
        for (const auto& each : peers_)
            for (int turn = 0; each->box_.queued() > 0 && !each->is_cut_off_; ++turn) {
                MODEL_REQUIRE(turn < 10'000);
                grant(*each, 1 << 20);
            }
    }
    MODEL_REQUIRE(!waits_for_room_ || hub_.room_told == 1);
    const std::uint64_t newest = published_.newest();
    std::uint64_t delivered = 0, lost = 0;
    bool anyone_ended = somebody_came_back_;
    for (const auto& each : peers_) {
        peer& one = *each;
        anyone_ended = anyone_ended || one.fell_behind_ || one.is_cut_off_ || one.left_ || one.leaves_;
        if (one.is_cut_off_) continue;
        MODEL_REQUIRE(one.box_.queued() == 0);
        MODEL_REQUIRE(one.decoder_.buffered() == 0); // no frame is incomplete
        if (one.fell_behind_) {
            MODEL_REQUIRE(one.saw_last_words_);
            MODEL_REQUIRE(!one.box_.stream());
            continue;
        }
        MODEL_REQUIRE(one.replies_seen_ == one.replies_sent_);
        if (one.left_) continue;
        if (one.leaves_) {
            MODEL_REQUIRE(!one.box_.stream());
            MODEL_REQUIRE(one.expected_ == std::max(one.until_ + 1, one.first_));
            continue;
        }
        MODEL_REQUIRE(one.expected_ == newest + 1);
        const auto its = hub::status(*one.box_.stream());
        MODEL_REQUIRE(its.queued_bytes == 0 && its.lag == 0);
        MODEL_REQUIRE(its.delivered == one.delivered_);
        MODEL_REQUIRE(its.dropped == one.lost_);
        MODEL_REQUIRE(its.gaps == one.gaps_);
        MODEL_REQUIRE(its.resyncs == one.snapshots_);
        MODEL_REQUIRE(its.superseded == one.superseded_);
        MODEL_REQUIRE(its.delivered + its.dropped + its.superseded == newest + 1 - one.first_);
        delivered += its.delivered;
        lost += its.dropped;
    }
    if (!anyone_ended) {
        MODEL_REQUIRE(hub_.status().delivered == delivered);
        MODEL_REQUIRE(hub_.status().dropped == lost);
        MODEL_REQUIRE(hub_.status().disconnected == 0);
    }
    hub_.finish();
    for (const auto& each : peers_) MODEL_REQUIRE(!each->box_.stream() || each->box_.queued() > 0);
    MODEL_REQUIRE(hub_.size() == 0);
    MODEL_REQUIRE(hub_.partial_bytes() == 0);
}

} // namespace support
