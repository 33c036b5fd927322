// SPDX-License-Identifier: MIT
/// @file fan_out_model.hpp: a fan_out with fake sockets and a fake clock, driven by choices, and what must hold whatever they
/// are.
///
/// Each subscriber reads its byte stream as a client would, and knows from its policy alone what may come next: no frame twice,
/// none out of order, none lost without a gap that names it exactly, none torn, replies where they were queued.
#pragma once

#include <mato/fan_out.hpp>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace support {

/// Which rule a schedule broke.
struct broken_rule {
    const char* rule;
    int line;
};
#define MODEL_REQUIRE(fact)                                                                                                    \
    do {                                                                                                                       \
        if (!(fact)) throw ::support::broken_rule{#fact, __LINE__};                                                            \
    } while (false)

class fan_out_model {
public:
    using framing = mato::length_prefixed<std::uint16_t, 4000>;

    /// `choose(n)` gives a number below n. Throws broken_rule.
    template <class Choose> static void run(Choose choose) {
        fan_out_model model(1024 + choose(3) * 1000);
        model.choose_ = [&](std::uint32_t below) { return static_cast<std::uint32_t>(choose(below)); };
        const std::uint32_t steps = 20 + choose(60);
        for (std::uint32_t i = 0; i < steps; ++i) model.step();
        model.settle();
    }

private:
    struct peer;
    using hub = mato::fan_out<peer, mato::any_overflow, framing>;
    struct watched_hub : hub {
        using hub::hub;
        void has_room_again() noexcept override { ++room_told; }
        int room_told = 0;
    };

    struct published_frame {
        std::optional<std::uint64_t> key;
        std::size_t size = 0; // encoded
    };

    /// One subscriber: a fake socket, the client behind it, and what the client may see next.
    struct peer {
        peer(fan_out_model& all, mato::any_overflow policy) : all_(all), policy_(policy) {}

        // -- as fan_out sees it
        mato::outbox& box() noexcept { return box_; }
        void flush() {
            if (!is_stalled_) write();
        }
        void write();
        void fall_behind(mato::failure why, std::optional<std::string> last_payload);
        void cut_off(mato::failure why);

        // -- the client
        void receive(std::string_view bytes);
        void on_frame(std::string_view payload);
        void skip(std::uint64_t to);
        void may_end(const mato::failure& why);
        [[nodiscard]] std::size_t queued() const noexcept { // as its policy counts
            const auto& ring = all_.hub_.ring();
            return box_.own() + static_cast<std::size_t>(ring.end() - box_.stream()->position());
        }
        void note_soft_limit();

        fan_out_model& all_;
        mato::any_overflow policy_;
        mato::outbox box_;
        std::size_t room_ = 0; // of its fake socket, bytes
        bool is_stalled_ = false, writes_ = false;
        bool fell_behind_ = false, is_cut_off_ = false, leaves_ = false, left_ = false, may_resync_ = false, may_gap_ = false;

        mato::frame_decoder<framing> decoder_;
        std::uint64_t expected_ = 1;   // the number of the next frame
        std::uint64_t last_frame_ = 0; // the newest frame that came
        std::uint64_t until_ = 0;      // leaving: the last frame it may see
        std::uint64_t replies_sent_ = 0, replies_seen_ = 0, reply_place_ = 0;
        std::uint64_t delivered_ = 0, lost_ = 0, gaps_ = 0, snapshots_ = 0, superseded_ = 0;
        std::uint64_t first_ = 1;        // of its present subscription
        mato::delivery_counters before_; // of subscriptions before the present one
        bool saw_last_words_ = false;
        bool is_fresh_ = false;                                               // joined since the last flush
        std::optional<mato::clock::time_point> over_soft_, known_to_be_over_; // at the earliest; at the latest
        std::size_t reply_bytes_ = 0, taken_bytes_ = 0;
        std::uint64_t joined_at_ = 0; // bytes of the stream before it
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
    [[nodiscard]] static mato::clock::time_point now() noexcept { return now_; }
    [[nodiscard]] std::string payload_of(std::uint64_t sequence) const;
    [[nodiscard]] static std::string numbered(char what, std::uint64_t first, std::uint64_t last = 0);

    static constexpr std::size_t hard = 600, soft = 200;
    static constexpr mato::milliseconds grace{100};
    static inline mato::clock::time_point now_{};

    std::function<std::uint32_t(std::uint32_t)> choose_;
    std::vector<published_frame> published_; // by number, from 1
    std::array<std::uint64_t, 4> newest_of_key_{};
    std::uint64_t stream_bytes_ = 0;
    watched_hub hub_;
    std::vector<std::unique_ptr<peer>> peers_;
    bool waits_for_room_ = false, is_settling_ = false, somebody_came_back_ = false;
    int depth_ = 0;
};

// ---- implementation ----

inline fan_out_model::fan_out_model(std::size_t ring_bytes) : published_(1), hub_(ring_bytes, &now) {
    now_ = {};
    hub_.on.snapshot = [this](std::uint64_t sequence) {
        MODEL_REQUIRE(sequence == published_.size() - 1);
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

inline std::string fan_out_model::numbered(char what, std::uint64_t first, std::uint64_t last) {
    std::string payload(17, what);
    std::memcpy(payload.data() + 1, &first, 8);
    std::memcpy(payload.data() + 9, &last, 8);
    return payload;
}

/// Every byte follows from the number and the size: a torn or mixed frame shows.
inline std::string fan_out_model::payload_of(std::uint64_t sequence) const {
    std::string payload = numbered('F', sequence, sequence * 0x9e3779b97f4a7c15);
    const std::size_t size = published_[sequence].size - 2;
    payload.resize(std::max(size, payload.size()));
    for (std::size_t i = 17; i < payload.size(); ++i) payload[i] = static_cast<char>(sequence + i);
    return payload;
}

// What user code in a handler may do to the hub it is called by.
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
            one->until_ = published_.size() - 1;
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
    published_.push_back({key, std::max<std::size_t>(size, 17) + 2});
    const std::uint64_t sequence = published_.size() - 1;
    mato::failure why;
    const std::string payload = payload_of(sequence);
    const std::uint64_t got = key ? hub_.publish_keyed(*key, payload, why) : hub_.publish(payload, why);
    if (why) {
        MODEL_REQUIRE(why.code == mato::errc::busy);
        MODEL_REQUIRE(got == 0);
        published_.pop_back();
        waits_for_room_ = true;
        hub_.room_told = 0;
        bool is_blocked = false;
        for (const auto& each : peers_) { // every one of them is full, and one said that the producer is to wait
            if (!each->box_.stream() || each->leaves_) continue;
            const auto status = hub::status(*each->box_.stream());
            MODEL_REQUIRE(status.queued_bytes >= std::min(each->policy_.limit(), std::size_t{soft}) || status.lag > 0);
            is_blocked = is_blocked || each->policy_.kind() == mato::overflow_kind::block_producer;
        }
        MODEL_REQUIRE(is_blocked);
        return;
    }
    MODEL_REQUIRE(got == sequence);
    MODEL_REQUIRE(!waits_for_room_ || hub_.room_told == 1); // told once, and not before there was room
    waits_for_room_ = false;
    if (key) newest_of_key_[*key] = sequence;
    stream_bytes_ += published_.back().size;
}

inline void fan_out_model::join() {
    static constexpr std::size_t bounds[] = {0, 100, 400, 1500};
    const std::size_t bytes = bounds[choose(4)];
    mato::any_overflow policy;
    switch (choose(6)) {
    case 0: {
        mato::disconnect limits;
        limits.hard = hard;
        limits.soft = soft;
        limits.grace = grace;
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
    const std::uint64_t newest = published_.size() - 1;
    const bool resumes = choose(4) == 0;
    if (resumes) // one that left and has read everything comes back
        for (const auto& each : peers_)
            if (!each->box_.stream() && each->box_.queued() == 0 && !each->fell_behind_ && !each->is_cut_off_ &&
                each->decoder_.buffered() == 0)
                who = each.get();
    if (who) {
        where = mato::join_at::after(who->expected_ - 1);
        somebody_came_back_ = true;
    } else {
        if (peers_.size() >= 6) return;
        peers_.push_back(std::make_unique<peer>(*this, policy));
        who = peers_.back().get();
        who->room_ = choose(3) == 0 ? 0 : choose(4000);
        who->is_stalled_ = who->room_ == 0 && choose(2) == 0; // by what it was sent before
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
            one->until_ = published_.size() - 1;
            if (choose(2) == 0) {
                one->box_.no_more();
            } else { // at once: what waits is not sent, so what it may see ends anywhere
                one->left_ = true;
                one->box_.leave();
            }
        }
        break;
    default: now_ += mato::milliseconds(choose(60)); break;
    }
    for (const auto& each : peers_) {
        MODEL_REQUIRE(!each->writes_);
        each->note_soft_limit();
    }
}

inline void fan_out_model::reply(peer& to) {
    if (to.is_cut_off_ || to.fell_behind_) return;
    const std::uint64_t number = ++to.replies_sent_;
    const std::string payload = numbered('R', number, published_.size() - 1) + std::string(choose(60), 'r');
    to.reply_bytes_ += payload.size() + 2;
    mato::failure why;
    to.box_.push([&](std::string& bytes) { framing::append(bytes, payload, why); });
}

inline void fan_out_model::flush() {
    for (const auto& each : peers_) each->is_fresh_ = false;
    if (!hub_.flush()) look(); // else what a handler published has not yet been offered
}

/// After a flush: who can take something has it all; nobody is over a limit, or behind the ring, who must not be; and what is
/// kept beside the ring is within its bound.
inline void fan_out_model::look() {
    const auto status = hub_.status();
    const auto& ring = hub_.ring();
    MODEL_REQUIRE(status.ring_bytes <= ring.capacity());
    MODEL_REQUIRE(status.published == published_.size() - 1);
    std::size_t subscribers = 0;
    bool anyone_closes = false;
    for (const auto& each : peers_) {
        anyone_closes = anyone_closes || each->fell_behind_ || each->left_;
        if (!each->box_.stream() || each->leaves_) continue;
        ++subscribers;
        const auto its = hub::status(*each->box_.stream());
        MODEL_REQUIRE(its.lag <= published_.size() - 1);
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
        MODEL_REQUIRE(its.queued_bytes <= hard || each->is_fresh_); // who came amid the flush is judged in the next
        MODEL_REQUIRE(!each->known_to_be_over_ || now_ - *each->known_to_be_over_ < grace);
        if (its.queued_bytes > soft && !each->known_to_be_over_) each->known_to_be_over_ = now_;
        if (each->may_resync_ || each->gaps_ > 0 || each->left_ || each->before_.delivered > 0) continue;
        MODEL_REQUIRE(its.queued_bytes == stream_bytes_ - each->joined_at_ + each->reply_bytes_ - each->taken_bytes_);
    }
    MODEL_REQUIRE(status.subscribers == subscribers);
    MODEL_REQUIRE(anyone_closes || status.kept_beside <= ring.capacity() / 10);
}

/// Everybody reads again; then everything published is accounted for, for everyone.
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
    const std::uint64_t newest = published_.size() - 1;
    std::uint64_t delivered = 0, lost = 0;
    bool anyone_ended = somebody_came_back_;
    for (const auto& each : peers_) {
        peer& one = *each;
        anyone_ended = anyone_ended || one.fell_behind_ || one.is_cut_off_ || one.left_ || one.leaves_;
        if (one.is_cut_off_) continue;
        MODEL_REQUIRE(one.box_.queued() == 0);
        MODEL_REQUIRE(one.decoder_.buffered() == 0); // nothing begun was left unfinished
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
    MODEL_REQUIRE(hub_.kept_beside() == 0);
}

// ---- one subscriber ----

inline void fan_out_model::peer::write() {
    if (writes_ || is_cut_off_) return;
    writes_ = true;
    mato::gathered_write bytes;
    box_.gather(bytes);
    writes_ = false;
    if (is_cut_off_ || bytes.count == 0) return;
    MODEL_REQUIRE(bytes.count <= mato::gathered_write::most_buffers);
    std::size_t left = std::min(room_, bytes.bytes), sum = 0;
    for (std::size_t i = 0; i < bytes.count; ++i) sum += bytes.buffers[i].iov_len;
    MODEL_REQUIRE(sum == bytes.bytes);
    const std::size_t taken = left;
    std::string flat;
    for (std::size_t i = 0; i < bytes.count && left > 0; ++i) {
        const std::size_t size = std::min(left, bytes.buffers[i].iov_len);
        flat.append(static_cast<const char*>(bytes.buffers[i].iov_base), size);
        left -= size;
    }
    room_ -= taken;
    taken_bytes_ += taken;
    if (taken < bytes.bytes) {
        is_stalled_ = true;
        if (mato::feed* const stream = box_.stream()) stream->on_stalled();
    }
    receive(flat);
    if (taken > 0) box_.wrote(bytes, taken);
    if (!box_.stream() || queued() <= soft) { // the soft limit's time starts anew
        over_soft_.reset();
        known_to_be_over_.reset();
    }
}

inline void fan_out_model::peer::note_soft_limit() {
    if (!over_soft_ && box_.stream() && queued() > soft) over_soft_ = now_;
}

inline void fan_out_model::peer::fall_behind(mato::failure why, std::optional<std::string> last_payload) {
    may_end(why);
    MODEL_REQUIRE(!fell_behind_);
    fell_behind_ = true;
    box_.drop_waiting();
    MODEL_REQUIRE(last_payload.has_value());
    box_.push([&](std::string& to) { framing::append(to, *last_payload, why); });
}

inline void fan_out_model::peer::cut_off(mato::failure why) {
    MODEL_REQUIRE(why.code == mato::errc::slow_consumer);
    is_cut_off_ = true;
    box_.abandon();
}

/// Only whoever must lose nothing and could not be kept, or whose own replies are over the bound.
inline void fan_out_model::peer::may_end(const mato::failure& why) {
    MODEL_REQUIRE(why.code == mato::errc::slow_consumer);
    const bool overtaken = box_.stream()->position() < all_.hub_.ring().begin();
    const bool is_over = queued() > soft && over_soft_ && now_ - *over_soft_ >= grace;
    switch (policy_.kind()) {
    case mato::overflow_kind::disconnect: MODEL_REQUIRE(overtaken || queued() > hard || is_over); break;
    case mato::overflow_kind::block_producer: MODEL_REQUIRE(overtaken || box_.replies() > policy_.limit()); break;
    default: MODEL_REQUIRE(box_.replies() > policy_.limit());
    }
}

inline void fan_out_model::peer::receive(std::string_view bytes) {
    const auto to = decoder_.prepare(bytes.size());
    bytes.copy(to.data(), bytes.size());
    decoder_.commit(bytes.size());
    mato::failure why;
    while (const auto payload = decoder_.next(why)) on_frame(*payload);
    MODEL_REQUIRE(!why);
}

/// Only what a newer frame of its key stands for is left out.
inline void fan_out_model::peer::skip(std::uint64_t to) {
    for (; expected_ < to; ++expected_, ++superseded_) {
        MODEL_REQUIRE(policy_.kind() == mato::overflow_kind::conflate);
        const auto& key = all_.published_[expected_].key;
        MODEL_REQUIRE(key && all_.newest_of_key_[*key] > expected_);
    }
}

inline void fan_out_model::peer::on_frame(std::string_view payload) {
    MODEL_REQUIRE(!payload.empty());
    MODEL_REQUIRE(!saw_last_words_);
    if (payload[0] == 'W') {
        MODEL_REQUIRE(fell_behind_);
        saw_last_words_ = true;
        return;
    }
    MODEL_REQUIRE(payload.size() >= 17);
    std::uint64_t first = 0, last = 0;
    std::memcpy(&first, payload.data() + 1, 8);
    std::memcpy(&last, payload.data() + 9, 8);
    const auto kind = policy_.kind();
    switch (payload[0]) {
    case 'F':
        MODEL_REQUIRE(first < all_.published_.size());
        MODEL_REQUIRE(payload == all_.payload_of(first));
        MODEL_REQUIRE(first >= expected_);
        skip(first);
        MODEL_REQUIRE(first > reply_place_); // what was published before a reply does not come after it
        last_frame_ = first;
        expected_ = first + 1;
        ++delivered_;
        break;
    case 'G':
        skip(first);
        MODEL_REQUIRE(first == expected_ && last >= first && last < all_.published_.size());
        MODEL_REQUIRE(kind != mato::overflow_kind::disconnect && kind != mato::overflow_kind::block_producer);
        MODEL_REQUIRE(kind != mato::overflow_kind::resync || leaves_);
        expected_ = last + 1;
        lost_ += last - first + 1;
        ++gaps_;
        break;
    case 'S':
        MODEL_REQUIRE(may_resync_);
        MODEL_REQUIRE(first + 1 >= expected_);
        superseded_ += first + 1 - expected_;
        expected_ = first + 1;
        ++snapshots_;
        break;
    case 'R':
        MODEL_REQUIRE(first == replies_seen_ + 1);
        MODEL_REQUIRE(last_frame_ <= last); // what was published after it did not come before it
        replies_seen_ = first;
        reply_place_ = last;
        break;
    default: MODEL_REQUIRE(false);
    }
    if (leaves_ && payload[0] == 'F') MODEL_REQUIRE(first <= until_);
}

} // namespace support
