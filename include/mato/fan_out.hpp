// SPDX-License-Identifier: MIT
/// @file fan_out.hpp: one stream of frames, many readers of any speed: a ring, a place in it each, and what is done when one is
/// behind. Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/fan_out_test.cpp, fan_out_property_test.cpp,
/// test/fuzz/fan_out_fuzz.cpp. Threads: distinct objects are independent.   Blocks: never.
///
/// Memory is the ring and less than 512 bytes for each reader; a begun frame that the ring has no more room for is kept beside
/// it, once for all who are in it, up to an eighth of the ring. broadcast.hpp puts sockets to it.
#pragma once

#include "clock.hpp"
#include "error.hpp"
#include "frame_ring.hpp"
#include "outbox.hpp"
#include "overflow.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

/// Frames a subscriber did not get, by their sequence numbers.
struct frame_gap {
    std::uint64_t first = 0, last = 0; ///< both lost
    [[nodiscard]] std::uint64_t count() const noexcept { return last - first + 1; }
};

/// Where in the stream a subscriber begins.
struct join_at {
    enum class place : unsigned char { next, last, after, snapshot } where = place::next;
    std::uint64_t number = 0;

    [[nodiscard]] static join_at next() noexcept { return {}; } ///< the next frame published
    /// This many of the newest frames that are kept, then what follows.
    [[nodiscard]] static join_at last(std::uint64_t frames) noexcept { return {place::last, frames}; }
    /// The frame after this one, or, when the ring no longer has it, a gap: to resume.
    [[nodiscard]] static join_at after(std::uint64_t sequence) noexcept { return {place::after, sequence}; }
    /// A snapshot, then what is newer than it.
    [[nodiscard]] static join_at snapshot() noexcept { return {place::snapshot, 0}; }
};

/// Of one subscriber, or of all there ever were.
struct delivery_counters {
    std::uint64_t delivered = 0;  ///< frames of the stream taken by the kernel
    std::uint64_t dropped = 0;    ///< frames lost, each in a reported gap
    std::uint64_t gaps = 0;       ///< times something was lost
    std::uint64_t resyncs = 0;    ///< snapshots sent, those of joining included
    std::uint64_t superseded = 0; ///< frames not sent because a newer one of their key or a snapshot stands for them
};

struct subscriber_status : delivery_counters {
    std::size_t queued_bytes = 0; ///< its replies included
    std::uint64_t lag = 0;        ///< frames behind the newest
};

struct broadcast_status : delivery_counters {
    std::size_t subscribers = 0, stalled = 0; ///< now; of these, with a full kernel buffer
    std::uint64_t published = 0;
    std::uint64_t disconnected = 0; ///< closed because they were too slow
    std::size_t ring_bytes = 0;     ///< of frames that are kept
    std::size_t kept_beside = 0;    ///< bytes of begun frames that the ring no longer has
    std::size_t slowest_bytes = 0;  ///< the longest queue
    std::uint64_t slowest_lag = 0;  ///< the most frames behind
};

/// What the owner of the stream says where only it can.
struct fan_out_handlers {
    /// The payload that stands for all frames up to `sequence`, for a subscriber that joins or is resynchronised. Called when
    /// the subscriber can be sent it; once for all that need it at the same sequence.
    std::function<std::string(std::uint64_t sequence)> snapshot;
    /// The payload that tells a subscriber what it lost; nothing where frames carry numbers of their own.
    std::function<std::optional<std::string>(const frame_gap&)> gap;
    /// The last payload for a subscriber that is closed because it fell behind.
    std::function<std::optional<std::string>(const failure& why)> last_words;
    /// The producer may go on: after `publish` reported errc::busy or `has_room` was false. Posted.
    std::function<void()> room;
};

/// `Peer` has an outbox (`outbox& box()`), sends from it (`void flush()`), and can be ended: `void fall_behind(failure,
/// std::optional<std::string> last_payload)` after what was begun, `void cut_off(failure)` at once. Both leave the stream.
template <class Peer, broadcast_policy Overflow, framing_policy Framing> class fan_out {
    static_assert(Framing::keeps_boundaries || !Overflow::loses_frames,
                  "mato: this overflow policy loses whole frames, so it needs a framing that keeps boundaries; raw does not");

public:
    class subscriber;
    using time_source = clock::time_point (*)();

    explicit fan_out(std::size_t ring_bytes, time_source now = &clock::now) : ring_(ring_bytes), now_(now) {}
    fan_out(const fan_out&) = delete;
    fan_out& operator=(const fan_out&) = delete;
    virtual ~fan_out() = default;

    fan_out_handlers on{};

    /// The subscriber, for `outbox::follow`; it lives until the outbox leaves it.
    /// @errors invalid_argument: the policy needs a handler that is not set: resync `snapshot`, a dropping one `gap`.
    [[nodiscard]] feed* join(Peer& peer, Overflow policy, join_at where, error_out out);

    /// @returns the frame's number.
    /// @errors as Framing::append · frame_too_large: larger than half of the ring · busy: every subscriber is full, see
    ///         block_producer. Then it was sent to nobody.
    std::uint64_t publish(std::string_view payload, error_out out) { return publish(payload, nullptr, out); }
    /// As `publish`; an older frame of this key is stale from now on: subscribers with `conflate` no longer get it.
    std::uint64_t publish_keyed(std::uint64_t key, std::string_view payload, error_out out) {
        return publish(payload, &key, out);
    }
    /// False while every subscriber is full and one has block_producer; then `on.room` says when that is over.
    [[nodiscard]] bool has_room() noexcept;

    /// Sends to every subscriber that can take something and is behind, one write each, then judges the others.
    /// @returns whether there is more to send at once.
    bool flush();
    [[nodiscard]] bool is_busy() const noexcept { return busy_ > 0; } ///< inside `flush` or a handler
    [[nodiscard]] std::size_t unflushed() const noexcept { return static_cast<std::size_t>(ring_.end() - flushed_); }

    /// Everyone gets what is published so far and no more.
    void finish();

    [[nodiscard]] const frame_ring& ring() const noexcept { return ring_; }
    [[nodiscard]] std::size_t members() const noexcept { return writable_.size() + stalled_.size(); } ///< leaving ones too
    [[nodiscard]] std::size_t size() const noexcept { return writable_.size() + stalled_.size() - leaving_; }
    [[nodiscard]] std::size_t kept_beside() const noexcept { return *kept_beside_; } ///< bytes: broadcast_status
    [[nodiscard]] broadcast_status status() const;
    [[nodiscard]] static subscriber_status status(const feed& of) { return static_cast<const subscriber&>(of).status(); }

protected:
    /// Some subscriber is no longer full, and the producer was told that all are. Amid other work: only note it.
    virtual void has_room_again() noexcept {}

private:
    using partition = std::vector<std::unique_ptr<subscriber>>;
    static constexpr std::uint64_t nowhere = ~std::uint64_t{0};

    std::uint64_t publish(std::string_view payload, const std::uint64_t* key, error_out out);
    void make_room(std::size_t size);
    void keep_begun(std::uint64_t sequence);
    [[nodiscard]] shared_frame begun_copy(std::uint64_t sequence);
    void index_key(std::uint64_t key, std::uint64_t sequence);
    void judge();
    void watch(const subscriber& who) noexcept;
    std::unique_ptr<subscriber> take_out(subscriber& who) noexcept;
    void put_in(std::unique_ptr<subscriber> who, partition& part);
    void remove(subscriber& who) noexcept;
    void reap() noexcept;
    template <class Each> void for_each(Each each) const;
    void tell_room() noexcept;
    void count(std::uint64_t delivery_counters::*what, subscriber& who, std::uint64_t by) noexcept {
        who.counters_.*what += by;
        total_.*what += by;
    }

    /// While it lives nobody is deleted.
    class busy {
    public:
        explicit busy(fan_out& all) noexcept : all_(all) { ++all_.busy_; }
        busy(const busy&) = delete;
        ~busy() {
            if (--all_.busy_ == 0) all_.reap();
        }

    private:
        fan_out& all_;
    };

    frame_ring ring_;
    time_source now_;
    std::string scratch_; // a frame of a framing without ends()
    partition writable_, stalled_;
    std::size_t leaving_ = 0;                // of the members, those that only get what is left
    std::size_t blocking_ = 0;               // of the members, those with block_producer
    std::uint64_t flushed_ = 0;              // the ring's end at the last flush
    std::uint64_t first_begun_ = nowhere;    // no begun frame ends before this; may be too low
    std::uint64_t next_judgement_ = nowhere; // nobody stalled is to be judged before the ring's end gets here
    std::uint64_t last_kept_ = nowhere;      // nobody stalled that must lose nothing is before this; may be too low
    std::shared_ptr<std::size_t> kept_beside_ = std::make_shared<std::size_t>(0); // bytes of begun frames
    shared_frame snapshot_;                                                       // of now: until the next frame is published
    std::unordered_map<std::uint64_t, std::uint64_t> newest_of_key_;
    delivery_counters total_;
    std::uint64_t disconnected_ = 0;
    int busy_ = 0;
    bool told_full_ = false, removed_ = false;
};

/// A place in the ring: what one subscriber costs.
template <class Peer, broadcast_policy Overflow, framing_policy Framing>
class fan_out<Peer, Overflow, Framing>::subscriber final : public feed {
public:
    subscriber(fan_out& all, Peer& peer, Overflow policy) : all_(all), peer_(&peer), policy_(std::move(policy)) {}
    subscriber(const subscriber&) = delete;

    void prepare() override;
    [[nodiscard]] std::uint64_t position() const noexcept override { return position_; }
    [[nodiscard]] std::uint64_t end() const noexcept override { return std::min({until_, accepted_until_, all_.ring_.end()}); }
    [[nodiscard]] std::size_t pending() const noexcept override;
    std::uint64_t gather(gathered_write& write, std::uint64_t from, std::uint64_t until) const noexcept override;
    void advance(std::uint64_t from, std::size_t size) noexcept override;
    void on_drained(std::size_t queued) override;
    void on_own_queued() override;
    void on_stalled() noexcept override;
    void on_writable() noexcept override;
    [[nodiscard]] bool is_finished() const noexcept override { return position_ >= until_; }
    [[nodiscard]] bool is_leaving() const noexcept override { return until_ != nowhere; }
    void no_more() override;
    void keep_begun() override;
    void left() noexcept override { all_.remove(*this); }
    [[nodiscard]] const void* source() const noexcept override { return &all_; }

    [[nodiscard]] subscriber_status status() const;

private:
    friend fan_out;

    [[nodiscard]] bool is_begun() const noexcept { // inside a frame; one kept beside the ring is in the outbox
        return position_ > all_.ring_.begin() && sequence_ < all_.ring_.next() && position_ > all_.ring_.begin_of(sequence_);
    }
    [[nodiscard]] bool was_overtaken() const noexcept { return position_ < all_.ring_.begin(); }
    [[nodiscard]] bool wants() const noexcept { return position_ < end() || needs_snapshot_ || accepted_until_ != nowhere; }
    [[nodiscard]] bool is_full() const noexcept {
        return was_overtaken() || queued() >= std::max(policy_.limit(), std::size_t{1});
    }
    [[nodiscard]] std::size_t queued() const noexcept; // as the policy sees it: lost frames count, until the loss is told
    void begin_at(join_at where) noexcept;
    void judge();
    void make_room();
    void skip_to(std::uint64_t sequence);
    void tell(const frame_gap& lost, std::uint64_t place);
    void drop_oldest();
    void drop_newest();
    void take_snapshot();
    void fall_behind();
    void fall_behind(failure why);
    void keep(const shared_frame& frame);
    shared_frame put(std::string_view payload, std::uint64_t place);
    std::uint64_t gather_newest(gathered_write& write, std::uint64_t from, std::uint64_t until) const noexcept;

    fan_out& all_;
    Peer* peer_; // null: it has left
    Overflow policy_;
    std::size_t index_ = 0;                          // in its partition
    std::uint64_t position_ = 0;                     // of the next byte to send
    std::uint64_t sequence_ = 1;                     // of the frame that holds it
    std::uint64_t until_ = nowhere, last_ = nowhere; // where its part of the stream ends, and the frame there
    std::uint64_t accepted_until_ = nowhere;         // drop_newest: what waits ends here, newer frames are being dropped
    delivery_counters counters_;
    bool is_stalled_ = false, needs_snapshot_ = false;
};

// ---- implementation ----

template <class P, broadcast_policy O, framing_policy F>
feed* fan_out<P, O, F>::join(P& peer, O policy, join_at where, error_out out) {
    const auto refuse = [&](std::errc why, const char* text) -> feed* {
        out.set(std::make_error_code(why), "subscribe", {}, text);
        return nullptr;
    };
    const overflow_kind kind = policy.kind();
    const bool drops =
        kind == overflow_kind::drop_oldest || kind == overflow_kind::drop_newest || kind == overflow_kind::conflate;
    if ((kind == overflow_kind::resync || where.where == join_at::place::snapshot) && !on.snapshot)
        return refuse(std::errc::invalid_argument, "a snapshot is wanted and on.snapshot is not set");
    if (drops && !on.gap) return refuse(std::errc::invalid_argument, "frames may be lost and on.gap is not set");
    if (where.where == join_at::place::after && where.number + 1 < ring_.oldest() && !drops && kind != overflow_kind::resync)
        return refuse(std::errc::result_out_of_range, "the frames after it are no longer kept");
    auto fresh = std::make_unique<subscriber>(*this, peer, std::move(policy));
    fresh->begin_at(where);
    if (kind == overflow_kind::block_producer) ++blocking_;
    subscriber* const joined = fresh.get();
    put_in(std::move(fresh), writable_);
    tell_room();
    return joined;
}

template <class P, broadcast_policy O, framing_policy F>
std::uint64_t fan_out<P, O, F>::publish(std::string_view payload, const std::uint64_t* key, error_out out) {
    if (!has_room()) return out.set(errc::busy, "publish", {}, "every subscriber is full"), 0;
    frame_ends ends;
    if constexpr (requires { F::ends(payload, out); }) {
        ends = F::ends(payload, out);
    } else {
        scratch_.clear();
        F::append(scratch_, payload, out);
        payload = scratch_;
    }
    if (out.failed()) return 0;
    const std::size_t size = ends.head_size + payload.size() + ends.tail.size();
    if (size > ring_.largest()) {
        std::string text = "a frame of " + std::to_string(size);
        text += " bytes, the ring takes " + std::to_string(ring_.largest());
        return out.set(errc::frame_too_large, "publish", {}, std::move(text)), 0;
    }
    if (snapshot_) snapshot_.reset();
    make_room(size);
    const std::uint64_t sequence = ring_.push(ends.before(), payload, ends.tail);
    if (key) index_key(*key, sequence);
    return sequence;
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::make_room(std::size_t size) {
    while (!ring_.has_room(size)) {
        if (first_begun_ < ring_.end_of(ring_.oldest())) keep_begun(ring_.oldest());
        ring_.pop();
    }
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::keep_begun(std::uint64_t sequence) {
    const busy scope(*this);
    shared_frame copy;
    first_begun_ = nowhere;
    for_each([&](subscriber& who) {
        if (!who.is_begun()) return;
        if (who.sequence_ != sequence) {
            first_begun_ = std::min(first_begun_, who.position_);
            return;
        }
        const std::size_t size = static_cast<std::size_t>(ring_.end_of(sequence) - ring_.begin_of(sequence));
        if (!copy && *kept_beside_ + size > ring_.largest() / 4) {
            ++disconnected_;
            return who.peer_->cut_off({errc::slow_consumer, "broadcast", {}, "slow consumer: too many frames half sent"});
        }
        if (!copy) copy = begun_copy(sequence);
        who.keep(copy);
    });
}

template <class P, broadcast_policy O, framing_policy F> shared_frame fan_out<P, O, F>::begun_copy(std::uint64_t sequence) {
    auto bytes = std::make_unique<std::string>();
    for (const auto part : ring_.bytes(ring_.begin_of(sequence), ring_.end_of(sequence))) bytes->append(part);
    *kept_beside_ += bytes->size();
    return {bytes.release(), [total = kept_beside_](const std::string* kept) {
                *total -= kept->size();
                delete kept;
            }};
}

template <class P, broadcast_policy O, framing_policy F>
void fan_out<P, O, F>::index_key(std::uint64_t key, std::uint64_t sequence) {
    const auto [at, fresh] = newest_of_key_.try_emplace(key, sequence);
    if (!fresh && at->second >= ring_.oldest()) ring_.supersede(at->second);
    at->second = sequence;
    if (newest_of_key_.size() > 2 * (ring_.next() - ring_.oldest()) + 64) // most are of frames that are gone
        std::erase_if(newest_of_key_, [&](const auto& known) { return known.second < ring_.oldest(); });
}

template <class P, broadcast_policy O, framing_policy F> bool fan_out<P, O, F>::has_room() noexcept {
    if (blocking_ == 0) return true;
    for (const partition* part : {&writable_, &stalled_})
        for (const auto& who : *part)
            if (who->peer_ && !who->is_leaving() && !who->is_full()) return true;
    told_full_ = true;
    return false;
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::tell_room() noexcept {
    if (!told_full_ || !has_room()) return;
    told_full_ = false;
    has_room_again();
}

template <class P, broadcast_policy O, framing_policy F> bool fan_out<P, O, F>::flush() {
    const busy scope(*this);
    flushed_ = ring_.end();
    bool again = false;
    for (std::size_t i = 0; i < writable_.size();) {
        subscriber& who = *writable_[i];
        if (who.peer_ && who.wants()) who.peer_->flush();
        if (who.peer_) who.judge();
        if (i == writable_.size() || writable_[i].get() != &who) continue; // it stalled; another is here now
        again = again || (who.peer_ && who.wants());
        ++i;
    }
    judge();
    return again || ring_.end() != flushed_; // a handler has published
}

// The stalled, and of them only those that must lose nothing: the others are seen to when they can be sent something.
template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::judge() {
    if (ring_.end() <= next_judgement_ && ring_.begin() <= last_kept_) return;
    next_judgement_ = last_kept_ = nowhere;
    for (const auto& who : stalled_) {
        if (who->peer_) who->judge();
        if (who->peer_) watch(*who);
    }
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::watch(const subscriber& who) noexcept {
    const overflow_kind kind = who.policy_.kind();
    if (who.is_leaving() || (kind != overflow_kind::disconnect && kind != overflow_kind::block_producer)) return;
    last_kept_ = std::min(last_kept_, who.position_);
    if (kind != overflow_kind::disconnect) return;
    const std::size_t own = who.peer_->box().own();
    next_judgement_ = std::min(next_judgement_, who.position_ + who.policy_.limit() - std::min(own, who.policy_.limit()));
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::finish() {
    const busy scope(*this);
    for_each([](subscriber& who) { who.peer_->box().no_more(); });
}

template <class P, broadcast_policy O, framing_policy F> template <class Each>
void fan_out<P, O, F>::for_each(Each each) const {
    for (const partition* part : {&writable_, &stalled_})
        for (const auto& who : *part)
            if (who->peer_) each(*who);
}

template <class P, broadcast_policy O, framing_policy F> auto fan_out<P, O, F>::take_out(subscriber& who) noexcept
    -> std::unique_ptr<subscriber> {
    partition& part = who.is_stalled_ ? stalled_ : writable_;
    part.back()->index_ = who.index_;
    std::swap(part[who.index_], part.back());
    auto out = std::move(part.back());
    part.pop_back();
    return out;
}

template <class P, broadcast_policy O, framing_policy F>
void fan_out<P, O, F>::put_in(std::unique_ptr<subscriber> who, partition& part) {
    who->index_ = part.size();
    who->is_stalled_ = &part == &stalled_;
    part.push_back(std::move(who));
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::remove(subscriber& who) noexcept {
    if (who.is_leaving())
        --leaving_;
    else if (who.policy_.kind() == overflow_kind::block_producer)
        --blocking_;
    who.peer_ = nullptr;
    tell_room();
    removed_ = true;
    if (busy_ == 0) {
        static_cast<void>(take_out(who));
        removed_ = false;
    }
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::reap() noexcept {
    if (!std::exchange(removed_, false)) return;
    for (partition* part : {&writable_, &stalled_})
        for (std::size_t i = 0; i < part->size();) {
            if ((*part)[i]->peer_)
                ++i;
            else
                static_cast<void>(take_out(*(*part)[i]));
        }
}

template <class P, broadcast_policy O, framing_policy F> broadcast_status fan_out<P, O, F>::status() const {
    broadcast_status now;
    static_cast<delivery_counters&>(now) = total_;
    now.subscribers = size();
    now.stalled = stalled_.size();
    now.published = ring_.next() - 1;
    now.disconnected = disconnected_;
    now.kept_beside = kept_beside();
    now.ring_bytes = static_cast<std::size_t>(ring_.end() - ring_.begin());
    for_each([&](const subscriber& who) {
        const subscriber_status its = who.status();
        now.slowest_bytes = std::max(now.slowest_bytes, its.queued_bytes);
        now.slowest_lag = std::max(now.slowest_lag, its.lag);
    });
    return now;
}

// ---- a subscriber ----

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::subscriber::begin_at(join_at where) noexcept {
    const frame_ring& ring = all_.ring_;
    sequence_ = ring.next();
    if (where.where == join_at::place::last) sequence_ -= std::min(where.number, ring.next() - ring.oldest());
    if (where.where == join_at::place::after) sequence_ = std::min(where.number, ring.next() - 1) + 1;
    needs_snapshot_ = where.where == join_at::place::snapshot;
    if (sequence_ < ring.oldest())
        position_ = ring.begin() - 1; // anywhere before what is kept: the gap will be told
    else
        position_ = sequence_ == ring.next() ? ring.end() : ring.begin_of(sequence_);
}

template <class P, broadcast_policy O, framing_policy F> std::size_t fan_out<P, O, F>::subscriber::pending() const noexcept {
    const std::uint64_t from = std::max(position_, all_.ring_.begin()), to = end();
    return from < to ? static_cast<std::size_t>(to - from) : 0;
}

template <class P, broadcast_policy O, framing_policy F> std::size_t fan_out<P, O, F>::subscriber::queued() const noexcept {
    return peer_->box().own() + static_cast<std::size_t>(std::min(until_, all_.ring_.end()) - position_);
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::subscriber::prepare() {
    if (is_begun()) return; // finished first
    const busy scope(all_);
    if (needs_snapshot_ && !is_leaving()) return take_snapshot();
    if (policy_.kind() == overflow_kind::drop_newest) return drop_newest();
    if (was_overtaken()) return make_room();
    if (policy_.kind() == overflow_kind::disconnect || is_leaving() || queued() <= policy_.limit()) return;
    const overflow_verdict verdict = policy_.on_queued(queued(), all_.now_());
    if (verdict == overflow_verdict::disconnect) return fall_behind();
    if (verdict == overflow_verdict::make_room) make_room();
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::subscriber::make_room() {
    switch (policy_.kind()) {
    case overflow_kind::disconnect: return fall_behind();
    case overflow_kind::block_producer:
        if (was_overtaken()) fall_behind();
        return;
    case overflow_kind::conflate:
        if (was_overtaken()) skip_to(all_.ring_.oldest());
        return;
    case overflow_kind::resync:
        if (!is_leaving()) return take_snapshot();
        [[fallthrough]]; // it is too late for one
    case overflow_kind::drop_oldest: return drop_oldest();
    case overflow_kind::drop_newest: return drop_newest();
    }
}

// Called when something was queued: only who must lose nothing is ended before it can be sent something.
template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::subscriber::judge() {
    const overflow_kind kind = policy_.kind();
    if (is_leaving() || (kind != overflow_kind::disconnect && kind != overflow_kind::block_producer)) return;
    const busy scope(all_);
    if (was_overtaken()) return fall_behind();
    if (kind != overflow_kind::disconnect || queued() <= policy_.limit()) return;
    if (policy_.on_queued(queued(), all_.now_()) != overflow_verdict::keep) return fall_behind();
    all_.tell_room(); // its limit may be another now
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::subscriber::drop_oldest() {
    const frame_ring& ring = all_.ring_;
    std::uint64_t first = std::max(sequence_, ring.oldest());
    if (!is_leaving() && queued() > policy_.limit()) {
        const std::uint64_t from = std::clamp(position_ + (queued() - policy_.limit()), ring.begin(), ring.end());
        const std::uint64_t fits = ring.boundary(from) == from ? ring.at(from) : ring.at(from) + 1;
        first = std::max(first, std::min(fits, ring.next() - 1)); // the newest is kept, whatever its size
    }
    if (first > sequence_) skip_to(first);
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::subscriber::drop_newest() {
    const frame_ring& ring = all_.ring_;
    if (accepted_until_ == nowhere && !is_leaving() && position_ < ring.end() &&
        (was_overtaken() || queued() > policy_.limit())) {
        const std::size_t own = peer_->box().own();
        const std::uint64_t full = position_ + policy_.limit() - std::min(own, policy_.limit());
        if (full < ring.begin() || ring.boundary(std::min(full, ring.end())) > position_)
            accepted_until_ = full < ring.begin() ? full : ring.boundary(std::min(full, ring.end()));
        else
            accepted_until_ = ring.end_of(sequence_); // the oldest is kept, whatever its size
    }
    if (accepted_until_ != nowhere && (position_ >= accepted_until_ || accepted_until_ <= ring.begin())) {
        accepted_until_ = nowhere;
        return skip_to(ring.next());
    }
    if (was_overtaken()) skip_to(ring.oldest());
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::subscriber::skip_to(std::uint64_t sequence) {
    const frame_ring& ring = all_.ring_;
    sequence = std::min(sequence, last_);
    if (sequence <= sequence_) return;
    const std::uint64_t to = sequence == last_ ? until_ : sequence == ring.next() ? ring.end() : ring.begin_of(sequence);
    tell({sequence_, sequence - 1}, position_);
    position_ = to; // last, so that a handler that publishes or unsubscribes finds what waits still waiting
    sequence_ = sequence;
    all_.tell_room();
}

template <class P, broadcast_policy O, framing_policy F>
void fan_out<P, O, F>::subscriber::tell(const frame_gap& lost, std::uint64_t place) {
    all_.count(&delivery_counters::dropped, *this, lost.count());
    all_.count(&delivery_counters::gaps, *this, 1);
    const auto notice = all_.on.gap ? all_.on.gap(lost) : std::nullopt;
    if (notice) put(*notice, place);
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::subscriber::take_snapshot() {
    const std::uint64_t now = all_.ring_.next() - 1, end = all_.ring_.end(), place = position_;
    needs_snapshot_ = false;
    all_.count(&delivery_counters::superseded, *this, now + 1 - sequence_);
    all_.count(&delivery_counters::resyncs, *this, 1);
    if (all_.snapshot_) {
        peer_->box().insert(all_.snapshot_, place);
    } else {
        auto frame = put(all_.on.snapshot(now), place);
        if (now + 1 == all_.ring_.next()) all_.snapshot_ = std::move(frame); // else the handler has published
    }
    position_ = end; // last, as in skip_to
    sequence_ = now + 1;
    all_.tell_room();
}

template <class P, broadcast_policy O, framing_policy F>
shared_frame fan_out<P, O, F>::subscriber::put(std::string_view payload, std::uint64_t place) {
    if (!peer_) return {}; // a handler ended it
    auto frame = std::make_shared<std::string>();
    failure why;
    F::append(*frame, payload, why);
    if (why) return fall_behind(std::move(why)), nullptr;
    peer_->box().insert(frame, place);
    return frame;
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::subscriber::fall_behind() {
    std::string text = "slow consumer: " + std::to_string(queued());
    text += " bytes unread";
    fall_behind({errc::slow_consumer, "broadcast", {}, std::move(text)});
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::subscriber::fall_behind(failure why) {
    ++all_.disconnected_;
    auto words = all_.on.last_words ? all_.on.last_words(why) : std::nullopt;
    if (peer_) peer_->fall_behind(std::move(why), std::move(words));
}

template <class P, broadcast_policy O, framing_policy F> std::uint64_t
fan_out<P, O, F>::subscriber::gather(gathered_write& write, std::uint64_t from, std::uint64_t until) const noexcept {
    const frame_ring& ring = all_.ring_;
    until = std::min(until, end());
    if (from >= until) return until;
    if (from < ring.begin()) return from; // a handler published that much; the next `prepare` sees to it
    if (from == position_ && O::loses_frames && is_begun() && queued() > policy_.limit())
        until = std::min(until, ring.end_of(sequence_));            // then room is made, before anything else of it is sent
    if (policy_.kind() == overflow_kind::conflate && !is_leaving()) // then the newer frame may not be for it
        return gather_newest(write, from, until);
    const std::size_t room = write.limit - write.bytes;
    std::uint64_t stop = until;
    if (until - from > room) {
        stop = ring.boundary(from + room);
        if (stop <= from) stop = ring.end_of(ring.at(from)); // a frame longer than a write
    }
    const auto parts = ring.bytes(from, stop);
    write.add(parts[0], from);
    write.add(parts[1], from + parts[0].size());
    return stop;
}

template <class P, broadcast_policy O, framing_policy F> std::uint64_t
fan_out<P, O, F>::subscriber::gather_newest(gathered_write& write, std::uint64_t from, std::uint64_t until) const noexcept {
    const frame_ring& ring = all_.ring_;
    std::uint64_t sequence = ring.at(from), to = from; // a run of frames that are sent
    const auto add_run = [&] {
        const auto parts = ring.bytes(from, to);
        write.add(parts[0], from);
        write.add(parts[1], from + parts[0].size());
    };
    while (to < until && write.bytes + (to - from) < write.limit) {
        const std::uint64_t end = ring.end_of(sequence);
        const bool is_skipped = ring.is_superseded(sequence) && !(sequence == sequence_ && is_begun());
        ++sequence;
        if (!is_skipped) {
            to = end;
            continue;
        }
        if (to > from) add_run();
        from = to = end;
        if (write.is_full()) return to;
    }
    if (to > from) add_run();
    return to;
}

template <class P, broadcast_policy O, framing_policy F>
void fan_out<P, O, F>::subscriber::advance(std::uint64_t from, std::size_t size) noexcept {
    const frame_ring& ring = all_.ring_;
    if (from > position_) {
        const std::uint64_t next = ring.at(from);
        all_.count(&delivery_counters::superseded, *this, next - sequence_);
        sequence_ = next;
    }
    position_ = from + size;
    const std::uint64_t next = ring.at(position_);
    all_.count(&delivery_counters::delivered, *this, next - sequence_);
    sequence_ = next;
    if (is_begun()) all_.first_begun_ = std::min(all_.first_begun_, position_);
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::subscriber::on_drained(std::size_t queued) {
    policy_.on_drained(queued);
    if (all_.told_full_) all_.tell_room();
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::subscriber::on_own_queued() {
    if (is_leaving()) return;
    const busy scope(all_);
    if (policy_.kind() != overflow_kind::disconnect) {
        if (peer_->box().replies() > policy_.limit()) fall_behind();
        return;
    }
    judge();
    if (peer_ && is_stalled_) all_.watch(*this); // less of the stream is too much for it now
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::subscriber::on_stalled() noexcept {
    if (is_stalled_) return;
    all_.put_in(all_.take_out(*this), all_.stalled_);
    all_.watch(*this);
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::subscriber::on_writable() noexcept {
    if (!is_stalled_) return;
    all_.put_in(all_.take_out(*this), all_.writable_);
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::subscriber::no_more() {
    if (is_leaving()) return;
    const busy scope(all_);
    const frame_ring& ring = all_.ring_;
    ++all_.leaving_;
    if (policy_.kind() == overflow_kind::block_producer) --all_.blocking_;
    all_.tell_room();
    needs_snapshot_ = false;
    until_ = std::max(position_, ring.end());
    last_ = ring.next();
    if (accepted_until_ == nowhere || accepted_until_ <= ring.begin()) return;
    const frame_gap lost{ring.at(accepted_until_), ring.next() - 1}; // known now; later there may be nobody to tell it
    until_ = std::exchange(accepted_until_, nowhere);
    last_ = lost.first;
    if (lost.last >= lost.first) tell(lost, until_);
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::subscriber::keep_begun() {
    if (is_begun()) keep(all_.begun_copy(sequence_));
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::subscriber::keep(const shared_frame& frame) {
    const auto begun = static_cast<std::size_t>(position_ - all_.ring_.begin_of(sequence_));
    const std::uint64_t end = all_.ring_.end_of(sequence_);
    all_.count(&delivery_counters::delivered, *this, 1); // it is finished, or the connection ends
    position_ = end;
    ++sequence_;
    peer_->box().insert(frame, 0, begun);
}

template <class P, broadcast_policy O, framing_policy F> subscriber_status fan_out<P, O, F>::subscriber::status() const {
    subscriber_status now;
    static_cast<delivery_counters&>(now) = counters_;
    now.queued_bytes = peer_->box().queued();
    now.lag = std::min(last_, all_.ring_.next()) - sequence_;
    return now;
}

} // namespace MATO_ABI
} // namespace mato
