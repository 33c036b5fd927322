// SPDX-License-Identifier: MIT
/// @file fan_out_model.hpp: two fan_outs with fake sockets and a fake clock, driven by choices, and rules that hold for all
/// choices.
///
/// fan_out_subscriber.hpp has the rules for one subscriber, this file the rules for all. A subscriber may follow both streams,
/// each with a policy and a filter of its own.
#pragma once

#include <mato/fan_out.hpp>

#include "fan_out_subscriber.hpp"
#include "published_frames.hpp"

#include <algorithm>
#include <array>
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
        const std::size_t ring_bytes = 1024 + choose(3) * 1000;
        fan_out_model model(ring_bytes, choose(2) == 0 ? ring_bytes : 1024 + choose(3) * 1000);
        model.choose_ = [&](std::uint32_t below) { return static_cast<std::uint32_t>(choose(below)); };
        const std::uint32_t steps = 20 + choose(60);
        for (std::uint32_t i = 0; i < steps; ++i) model.step();
        model.settle();
    }

private:
    using peer = fan_out_subscriber;
    using subscription = fan_out_subscription;
    using framing = peer::framing;
    using hub = mato::fan_out<peer, mato::any_overflow, framing>;
    struct stream : hub {
        using hub::hub;
        void has_room_again() noexcept override { ++room_told; }
        published_frames published;
        int room_told = 0;
        std::uint64_t bytes = 0;
        bool waits_for_room = false;
    };

    fan_out_model(std::size_t first_bytes, std::size_t second_bytes);
    [[nodiscard]] std::uint32_t choose(std::uint32_t below) { return choose_(below); }
    [[nodiscard]] stream& any_stream() { return *streams_[choose(3) == 0 ? 1 : 0]; }
    [[nodiscard]] static subscription& its(peer& who, const stream& of) { return who.of_[of.published.stream]; }
    void step();
    void settle();
    void settle(stream& all);
    void publish(stream& all);
    void join(stream& to);
    peer* joiner(stream& to, mato::join_at& where);
    void leave(peer& who, stream& from);
    void flush(stream& all);
    void look(stream& all);
    void look(stream& all, peer& who);
    void reply(peer& to);
    void grant(peer& to, std::size_t bytes);
    void meddle();
    peer* any_peer();
    [[nodiscard]] static mato::any_overflow policy_of(std::uint32_t kind, std::size_t bytes);
    [[nodiscard]] static mato::clock::time_point now() noexcept { return peer::now; }

    std::function<std::uint32_t(std::uint32_t)> choose_;
    std::array<std::unique_ptr<stream>, model_streams> streams_;
    std::vector<std::unique_ptr<peer>> peers_;
    bool is_settling_ = false, somebody_came_back_ = false;
    int depth_ = 0;
};

// ---- implementation ----

inline fan_out_model::fan_out_model(std::size_t first_bytes, std::size_t second_bytes) {
    peer::now = {};
    streams_ = {std::make_unique<stream>(first_bytes, &now), std::make_unique<stream>(second_bytes, &now)};
    for (std::uint8_t i = 0; i < model_streams; ++i) {
        stream& all = *streams_[i];
        all.published.stream = i;
        all.on.snapshot = [this, &all, i](std::uint64_t sequence) {
            MODEL_REQUIRE(sequence == all.published.newest());
            meddle();
            return numbered('S', i, sequence);
        };
        all.on.gap = [this, i](const mato::frame_gap& gap) -> std::optional<std::string> {
            meddle();
            return numbered('G', i, gap.first, gap.last, gap.count());
        };
        all.on.last_words = [this](const mato::failure&) -> std::optional<std::string> {
            meddle();
            return "W";
        };
    }
}

// Actions of user code inside a handler of the hub.
inline void fan_out_model::meddle() {
    if (depth_ > 0 || is_settling_ || choose(6) != 0) return;
    ++depth_;
    switch (choose(5)) {
    case 0: publish(any_stream()); break;
    case 1: join(any_stream()); break;
    case 2:
        if (peer* one = any_peer()) reply(*one);
        break;
    case 3:
        if (peer* one = any_peer()) leave(*one, any_stream());
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

inline void fan_out_model::leave(peer& who, stream& from) {
    mato::feed* const place = who.stream(its(who, from));
    if (!place || its(who, from).leaves_) return;
    its(who, from).leaves_ = true;
    its(who, from).until_ = from.published.newest();
    who.box_.no_more(*place);
}

inline void fan_out_model::publish(stream& all) {
    const std::uint32_t kind = choose(16);
    const auto largest = static_cast<std::uint32_t>(all.ring().largest());
    const std::size_t size = kind == 0 ? choose(largest - 1) : kind < 4 ? choose(largest / 4) : choose(40);
    std::optional<std::uint64_t> key;
    if (const std::uint32_t which = choose(8); which < 4) key = which;
    all.published.by_number.push_back({key, std::max<std::size_t>(size, 26) + 2});
    const std::uint64_t sequence = all.published.newest();
    mato::failure why;
    const std::string payload = all.published.payload_of(sequence);
    const std::uint64_t got = key ? all.publish_keyed(*key, payload, why) : all.publish(payload, why);
    if (why) {
        MODEL_REQUIRE(why.code == mato::errc::busy);
        MODEL_REQUIRE(got == 0);
        all.published.by_number.pop_back();
        all.waits_for_room = true;
        all.room_told = 0;
        bool is_blocked = false;
        for (const auto& each : peers_) { // all of them are full, and one blocks the producer
            const subscription& of = its(*each, all);
            if (!each->stream(of) || of.leaves_) continue;
            const auto status = hub::status(*each->stream(of));
            MODEL_REQUIRE(status.queued_bytes >= std::min(of.policy_.limit(), std::size_t{of.soft}) || status.lag > 0);
            is_blocked = is_blocked || of.policy_.kind() == mato::overflow_kind::block_producer;
        }
        MODEL_REQUIRE(is_blocked);
        return;
    }
    MODEL_REQUIRE(got == sequence);
    MODEL_REQUIRE(!all.waits_for_room || all.room_told == 1); // called once, and not before there was room
    all.waits_for_room = false;
    if (key) all.published.newest_of_key[*key] = sequence;
    all.bytes += all.published[sequence].size;
}

inline mato::any_overflow fan_out_model::policy_of(std::uint32_t kind, std::size_t bytes) {
    switch (kind) {
    case 0: {
        mato::disconnect limits;
        limits.hard = subscription::hard;
        limits.soft = subscription::soft;
        limits.grace = subscription::grace;
        return limits;
    }
    case 1: return mato::resync{bytes};
    case 2: return mato::drop_oldest{bytes};
    case 3: return mato::drop_newest{bytes};
    case 4: return mato::conflate{bytes};
    default: return mato::block_producer{bytes};
    }
}

/// A new peer, one that follows only the other stream, or one that left and has read everything: it resumes.
inline fan_out_model::peer* fan_out_model::joiner(stream& to, mato::join_at& where) {
    const std::uint32_t from = choose(4);
    for (const auto& each : peers_) {
        subscription& of = its(*each, to);
        if (each->has_ended() || each->stream(of)) continue;
        const bool resumes = from == 0 && of.was_subscribed_ && each->box_.queued() == 0 && each->decoder_.buffered() == 0;
        if (resumes) {
            where = mato::join_at::after(of.expected_ - 1);
            somebody_came_back_ = true;
            return each.get();
        }
        if (from == 1 && !of.was_subscribed_) return each.get();
    }
    if (peers_.size() >= 6) return nullptr;
    peers_.push_back(std::make_unique<peer>());
    peer& fresh = *peers_.back();
    fresh.room_ = choose(3) == 0 ? 0 : choose(4000);
    fresh.is_stalled_ = fresh.room_ == 0 && choose(2) == 0; // by bytes sent before
    return &fresh;
}

inline void fan_out_model::join(stream& to) {
    static constexpr std::size_t bounds[] = {0, 100, 400, 1500};
    const std::size_t bytes = bounds[choose(4)];
    const mato::any_overflow policy = policy_of(choose(6), bytes);
    const std::uint64_t newest = to.published.newest();
    mato::join_at where;
    peer* const who = joiner(to, where);
    if (!who) return;
    subscription& of = its(*who, to);
    const bool resumes = where.where == mato::join_at::place::after;
    if (!resumes) {
        of.every_ = std::array<std::uint64_t, 4>{1, 1, 2, 5}[choose(4)];
        of.expected_ = newest + 1;
        switch (choose(4)) {
        case 0: where = mato::join_at::snapshot(); break;
        case 1:
            where = mato::join_at::last(choose(20));
            of.expected_ -= std::min(where.number, to.ring().next() - to.ring().oldest());
            break;
        case 2:
            where = mato::join_at::after(choose(static_cast<std::uint32_t>(newest) + 3));
            of.expected_ = std::min(where.number, newest) + 1;
            break;
        default: break;
        }
    }
    of.published_ = &to.published;
    of.ring_ = &to.ring();
    of.source_ = &to;
    of.policy_ = policy;
    of.may_resync_ = policy.kind() == mato::overflow_kind::resync || where.where == mato::join_at::place::snapshot;
    mato::frame_filter filter;
    if (of.every_ > 1)
        filter = [every = of.every_](std::string_view payload) {
            std::uint64_t number = 0;
            std::memcpy(&number, payload.data() + 2, 8);
            return number % every == 0;
        };
    MODEL_REQUIRE(who->box_.make_place());
    mato::failure why;
    mato::feed* const place = to.join(*who, policy, where, filter, why);
    if (why) {
        MODEL_REQUIRE(where.where == mato::join_at::place::after && where.number + 1 < to.ring().oldest());
        MODEL_REQUIRE(why.code == std::errc::result_out_of_range);
        if (!of.was_subscribed_) return;
        who->is_cut_off_ = true; // it cannot resume
        who->box_.abandon();
        return;
    }
    of.was_subscribed_ = of.is_fresh_ = true;
    of.known_from_ = of.every_ == 1 ? 1 : to.ring().oldest();
    of.first_ = of.expected_;
    of.reply_place_ = of.last_frame_ = 0;
    of.replies_before_ = who->replies_sent_;
    of.leaves_ = of.left_ = false;
    of.over_soft_.reset();
    of.known_to_be_over_.reset();
    of.delivered_ = of.lost_ = of.gaps_ = of.snapshots_ = of.superseded_ = of.filtered_ = 0;
    of.joined_at_ = to.published.bytes_before(of.expected_);
    of.reply_bytes_ = of.taken_bytes_ = 0;
    who->box_.follow(std::shared_ptr<mato::feed>(std::shared_ptr<void>(), place)); // the model outlives it
    if (who->is_stalled_) place->on_stalled();
}

inline void fan_out_model::grant(peer& to, std::size_t bytes) {
    to.room_ += bytes;
    if (to.room_ == 0 || to.is_cut_off_) return;
    if (to.is_stalled_) {
        to.is_stalled_ = false;
        to.box_.each_stream([](mato::feed& each) { each.on_writable(); });
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
    case 3: publish(any_stream()); break;
    case 4:
    case 5: flush(any_stream()); break;
    case 6:
        if (peers_.size() < 2 || choose(3) == 0) join(any_stream());
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
        if (peer* one = any_peer()) {
            stream& from = any_stream();
            subscription& of = its(*one, from);
            mato::feed* const place = one->stream(of);
            if (!place || of.leaves_ || choose(3) != 0) break;
            if (choose(2) == 0) {
                leave(*one, from);
            } else { // immediately: queued frames are not sent, so its stream may end anywhere
                of.leaves_ = of.left_ = true;
                of.until_ = from.published.newest();
                one->box_.leave(*place);
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
    if (to.has_ended()) return;
    const std::string payload =
        numbered('R', 0, ++to.replies_sent_, streams_[0]->published.newest(), streams_[1]->published.newest()) +
        std::string(choose(60), 'r');
    for (auto& each : to.of_) each.reply_bytes_ += payload.size() + 2;
    mato::failure why;
    to.box_.push([&](std::string& bytes) { framing::append(bytes, payload, why); });
}

inline void fan_out_model::flush(stream& all) {
    for (const auto& each : peers_) its(*each, all).is_fresh_ = false;
    if (!all.flush()) look(all); // otherwise frames published by a handler are not sent yet
}

/// After a flush: writable subscribers have everything; no subscriber is over a limit or overtaken by the ring unless allowed;
/// and copies of partially sent frames are within their limit.
inline void fan_out_model::look(stream& all) {
    const auto status = all.status();
    MODEL_REQUIRE(status.ring_bytes <= all.ring().capacity());
    MODEL_REQUIRE(status.published == all.published.newest());
    std::size_t subscribers = 0;
    bool anyone_closes = false;
    for (const auto& each : peers_) {
        const subscription& of = its(*each, all);
        anyone_closes = anyone_closes || each->fell_behind_ || of.left_;
        if (!each->stream(of) || of.leaves_) continue;
        ++subscribers;
        look(all, *each);
    }
    MODEL_REQUIRE(status.subscribers == subscribers);
    MODEL_REQUIRE(anyone_closes || status.partial_bytes <= all.ring().capacity() / 10);
}

inline void fan_out_model::look(stream& all, peer& who) {
    subscription& of = its(who, all);
    const mato::feed& place = *who.stream(of);
    const auto status = hub::status(place);
    MODEL_REQUIRE(status.lag <= all.published.newest());
    if (!who.is_stalled_ && !of.is_fresh_) MODEL_REQUIRE(place.pending() == 0);
    if (!of.left_) MODEL_REQUIRE(who.box_.inserted(place) <= 40 + all.ring().largest()); // a notice, a frame
    const auto kind = of.policy_.kind();
    if (kind == mato::overflow_kind::disconnect || kind == mato::overflow_kind::block_producer)
        MODEL_REQUIRE(place.position() >= all.ring().begin());
    if (kind != mato::overflow_kind::disconnect) {
        if (who.replies_sent_ > of.replies_before_) MODEL_REQUIRE(who.box_.replies() <= of.policy_.limit());
        return;
    }
    MODEL_REQUIRE(status.queued_bytes == of.queued(who.box_));
    MODEL_REQUIRE(status.queued_bytes <= of.hard || of.is_fresh_); // one added during the flush is checked in the next
    // Without frames that wait, it is checked when something is queued, and not at each flush.
    MODEL_REQUIRE(status.lag == 0 || !of.known_to_be_over_ || peer::now - *of.known_to_be_over_ < of.grace);
    if (status.lag > 0 && status.queued_bytes > of.soft && !of.known_to_be_over_) of.known_to_be_over_ = peer::now;
    const bool is_simple = !of.may_resync_ && of.gaps_ == 0 && of.every_ == 1 && of.replies_before_ == 0;
    if (is_simple && who.ever_followed() == 1)
        MODEL_REQUIRE(status.queued_bytes == all.bytes - of.joined_at_ + of.reply_bytes_ - of.taken_bytes_);
}

/// All clients read again; then every published frame is accounted for, for each of them.
inline void fan_out_model::settle() {
    is_settling_ = true;
    for (int round = 0; round < 4; ++round) {
        for (const auto& each : peers_) grant(*each, 1 << 20);
        for (const auto& all : streams_)
            for (int turn = 0; all->flush(); ++turn) MODEL_REQUIRE(turn < 10'000);
        for (const auto& each : peers_)
            for (int turn = 0; each->box_.queued() > 0 && !each->is_cut_off_; ++turn) {
                MODEL_REQUIRE(turn < 10'000);
                grant(*each, 1 << 20);
            }
    }
    for (const auto& each : peers_) {
        if (each->is_cut_off_) continue;
        MODEL_REQUIRE(each->box_.queued() == 0);
        MODEL_REQUIRE(each->decoder_.buffered() == 0); // no frame is incomplete
        MODEL_REQUIRE(!each->fell_behind_ || (each->saw_last_words_ && !each->box_.stream()));
        MODEL_REQUIRE(each->fell_behind_ || each->replies_seen_ == each->replies_sent_);
    }
    for (const auto& all : streams_) settle(*all);
    for (const auto& all : streams_) all->finish();
    for (const auto& each : peers_) MODEL_REQUIRE(!each->box_.stream() || each->box_.queued() > 0);
    for (const auto& all : streams_) MODEL_REQUIRE(all->size() == 0 && all->partial_bytes() == 0);
}

inline void fan_out_model::settle(stream& all) {
    MODEL_REQUIRE(!all.waits_for_room || all.room_told == 1);
    const std::uint64_t newest = all.published.newest();
    std::uint64_t delivered = 0, lost = 0;
    bool anyone_ended = somebody_came_back_;
    for (const auto& each : peers_) {
        subscription& of = its(*each, all);
        anyone_ended = anyone_ended || each->has_ended() || of.left_ || of.leaves_;
        if (each->has_ended() || of.left_ || !of.was_subscribed_) continue;
        if (of.leaves_) {
            of.skip(of.until_ + 1);
            MODEL_REQUIRE(!each->stream(of));
            MODEL_REQUIRE(of.expected_ == std::max(of.until_ + 1, of.first_));
            continue;
        }
        of.skip(newest + 1);
        MODEL_REQUIRE(of.expected_ == newest + 1);
        const auto status = hub::status(*each->stream(of));
        MODEL_REQUIRE(status.queued_bytes == 0 && status.lag == 0);
        MODEL_REQUIRE(status.delivered == of.delivered_);
        MODEL_REQUIRE(status.dropped == of.lost_);
        MODEL_REQUIRE(status.gaps == of.gaps_);
        MODEL_REQUIRE(status.resyncs == of.snapshots_);
        MODEL_REQUIRE(status.superseded == of.superseded_);
        MODEL_REQUIRE(status.filtered == of.filtered_);
        MODEL_REQUIRE(status.delivered + status.dropped + status.superseded + status.filtered == newest + 1 - of.first_);
        delivered += status.delivered;
        lost += status.dropped;
    }
    if (anyone_ended) return;
    MODEL_REQUIRE(all.status().delivered == delivered);
    MODEL_REQUIRE(all.status().dropped == lost);
    MODEL_REQUIRE(all.status().disconnected == 0);
}

} // namespace support
