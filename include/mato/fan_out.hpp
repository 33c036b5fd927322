// SPDX-License-Identifier: MIT
/// @file fan_out.hpp: one stream of frames for many readers of any speed: delivery, and the limits of slow readers.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/fan_out_test.cpp, fan_out_property_test.cpp,
/// test/fuzz/fan_out_fuzz.cpp.   Threads: distinct objects are independent.   Blocks: never.
///
/// Memory: the ring, and less than 512 bytes for each reader; for one with a filter 1/512 of the ring more. If the ring drops a
/// frame that readers have sent partially, one copy is kept for all of them. Copies use at most a tenth of the ring; a reader
/// that would need more is disconnected. Linux accepts messages of up to 35 KiB completely or not at all (outbox.hpp), so only
/// larger frames are sent partially: make the ring ten times their size. A reader closed for being slow keeps its partially
/// sent frame while the connection lingers. broadcast.hpp connects this to sockets.
#pragma once

#include "clock.hpp"
#include "detail/extremes.hpp"
#include "detail/number_cast.hpp"
#include "error.hpp"
#include "frame_ring.hpp"
#include "framing.hpp"
#include "key_index.hpp"
#include "outbox.hpp"
#include "overflow.hpp"
#include "partial_frames.hpp"
#include "scope_exit.hpp"
#include "selection.hpp"
#include "subscriber.hpp"
#include "subscription.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

/// `Peer` has an outbox (`outbox& box()`), sends from it (`void flush()`), and can be closed: `void fall_behind(failure,
/// std::optional<std::string> last_payload)` closes it after the partially sent frame, `void cut_off(failure)` immediately.
/// Both leave the stream.
///
/// `basic_broadcast` is this class for connections.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork must not be used in a child.
/// @blocks never.
template <class Peer, broadcast_policy Overflow, framing_policy Framing> class fan_out {
    static_assert(Framing::keeps_boundaries || !Overflow::loses_frames,
                  "mato: this overflow policy loses whole frames, so it needs a framing that keeps boundaries; raw does not");

public:
    using subscriber = basic_subscriber<fan_out, Peer, Overflow, Framing>;
    using time_source = clock::time_point (*)();

    explicit fan_out(std::size_t ring_bytes, time_source now = &clock::now)
        : ring_(ring_bytes), now_(now), flush_bytes_(worth_a_flush(ring_.capacity() / 4)) {}
    fan_out(const fan_out&) = delete;
    fan_out& operator=(const fan_out&) = delete;
    virtual ~fan_out() = default;

    fan_out_handlers on{};

    /// Adds a subscriber, to be passed to `outbox::follow`; it lives until the outbox leaves it.
    /// @errors invalid_argument: a handler that the policy needs is not set: `snapshot` for resync, `gap` for dropping
    /// policies · what `filter` throws about frames that are in the ring already.
    [[nodiscard]] feed* join(Peer& peer, Overflow policy, join_at where, frame_filter filter, error_out out);
    [[nodiscard]] feed* join(Peer& peer, Overflow policy, join_at where, error_out out) {
        return join(peer, std::move(policy), where, {}, out);
    }

    /// @returns the frame's number.
    /// @errors as Framing::append · frame_too_large: larger than half of the ring · busy: every subscriber is full, see
    ///         block_producer, or a filter called it. After an error no subscriber gets the frame.
    std::uint64_t publish(std::string_view payload, error_out out) { return publish(payload, nullptr, out); }
    /// As `publish`. Replaces an older frame of the same key: subscribers with `conflate` no longer get that one.
    std::uint64_t publish_keyed(std::uint64_t key, std::string_view payload, error_out out) {
        return publish(payload, &key, out);
    }
    /// False while every subscriber is full and one has block_producer; `on.room` is called when there is room again.
    [[nodiscard]] bool has_room() noexcept;

    /// Writes once to every writable subscriber that has something to send, then enforces the limits of the others.
    /// @returns whether there is more to send now.
    bool flush();
    [[nodiscard]] bool is_busy() const noexcept { return busy_ > 0; } ///< inside `flush` or a handler
    /// Enough for one write was published since the last flush. Flushing then keeps one long iteration of the loop from
    /// overrunning the ring or a subscriber's limit.
    [[nodiscard]] bool is_flush_due() const noexcept { return ring_.end() - flushed_ >= flush_bytes_; }

    /// Subscribers get everything published so far, and nothing newer.
    void finish();

    [[nodiscard]] const frame_ring& ring() const noexcept { return ring_; }
    [[nodiscard]] std::size_t members() const noexcept { return writable_.size() + stalled_.size(); } ///< leaving ones too
    [[nodiscard]] std::size_t size() const noexcept { return writable_.size() + stalled_.size() - leaving_; }
    [[nodiscard]] std::size_t partial_bytes() const noexcept { return partial_.bytes(); } ///< as in broadcast_status
    [[nodiscard]] broadcast_status status() const;
    [[nodiscard]] static subscriber_status status(const feed& of) { return static_cast<const subscriber&>(of).status(); }

protected:
    /// Called when a subscriber has room again after `has_room()` returned false. It is called re-entrantly: post, do not act.
    virtual void has_room_again() noexcept {}

private:
    using partition = std::vector<std::unique_ptr<subscriber>>;
    static constexpr std::uint64_t nowhere = frame_ring::nowhere;
    friend subscriber;

    std::uint64_t publish(std::string_view payload, const std::uint64_t* key, error_out out);
    std::uint64_t store(const frame_ends& ends, std::string_view payload, const std::uint64_t* key, error_out out);
    std::uint64_t busy_now(error_out out) const;
    static constexpr std::size_t worth_a_flush(std::size_t bytes) noexcept {
        return detail::within(bytes, gathered_write::message_bytes, gathered_write::most_bytes);
    }
    std::uint64_t too_large(std::size_t size, error_out out) const;
    void make_room(std::size_t size);
    void keep_partial(std::uint64_t sequence);
    void ask_filters(std::uint64_t sequence, std::string_view payload);
    void enforce_limits();
    void note_limit(const subscriber& who) noexcept;
    std::unique_ptr<subscriber> remove_from_partition(subscriber& who) noexcept;
    void attach_to(partition& part, std::unique_ptr<subscriber> who);
    void remove(subscriber& who) noexcept;
    void reap() noexcept;
    template <class Each> void for_each(Each each) const;
    void report_room() noexcept;
    void count(std::uint64_t delivery_counters::*what, subscriber& who, std::uint64_t by) noexcept {
        who.counters_.*what += by;
        total_.*what += by;
    }

    /// Defers the deletion of subscribers while in scope.
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
    std::size_t flush_bytes_; // published between two flushes
    std::string scratch_;     // a frame of a framing without ends()
    partition writable_, stalled_;
    std::size_t leaving_ = 0;               // members that only get what was already published
    std::size_t blocking_ = 0;              // members with block_producer
    std::size_t filtering_ = 0;             // members with a filter
    std::uint64_t flushed_ = 0;             // the ring's end at the last flush
    std::uint64_t first_partial_ = nowhere; // no partially sent frame ends before this position; may be too low
    std::uint64_t next_limit_ = nowhere;    // no stalled member reaches its limit before the ring's end gets here
    std::uint64_t last_kept_ = nowhere;     // no stalled member that must not lose frames is before this; may be too low
    partial_frames partial_;
    shared_frame snapshot_; // of the current state; dropped when the next frame is published
    key_index keys_;
    delivery_counters total_;
    std::uint64_t disconnected_ = 0;
    int busy_ = 0;
    bool reported_full_ = false, removed_ = false, asks_filters_ = false;
};

// ---- implementation ----

template <class P, broadcast_policy O, framing_policy F>
feed* fan_out<P, O, F>::join(P& peer, O policy, join_at where, frame_filter filter, error_out out) {
    const auto refuse = [&](std::errc why, const char* text) -> feed* {
        return out.fail<feed*>(std::make_error_code(why), "subscribe", {}, text);
    };
    const overflow_kind kind = policy.kind();
    const bool drops =
        kind == overflow_kind::drop_oldest || kind == overflow_kind::drop_newest || kind == overflow_kind::conflate;
    if ((kind == overflow_kind::resync || where.where == join_at::place::snapshot) && !on.snapshot)
        return refuse(std::errc::invalid_argument,
                      "the subscription needs a snapshot, but on.snapshot is not set; set it before subscribing");
    if (drops && !on.gap)
        return refuse(std::errc::invalid_argument,
                      "the policy may lose frames, but on.gap is not set; set it before subscribing");
    if (where.where == join_at::place::after && where.number < ring_.oldest() - 1 && !drops && kind != overflow_kind::resync)
        return refuse(std::errc::result_out_of_range,
                      "the frames after this number are no longer in the ring; join at a snapshot or at the next frame");
    flush_bytes_ = detail::least(flush_bytes_, worth_a_flush(policy.limit() / 2));
    auto fresh = std::make_unique<subscriber>(*this, peer, std::move(policy));
    fresh->begin_at(where);
    if (filter && !fresh->begin_selection(std::move(filter), out)) return nullptr;
    if (fresh->selection_) ++filtering_;
    if (kind == overflow_kind::block_producer) ++blocking_;
    subscriber* const joined = fresh.get();
    attach_to(writable_, std::move(fresh));
    report_room();
    return joined;
}

template <class P, broadcast_policy O, framing_policy F>
std::uint64_t fan_out<P, O, F>::publish(std::string_view payload, const std::uint64_t* key, error_out out) {
    if (asks_filters_ || !has_room()) [[unlikely]]
        return busy_now(out);
    std::uint64_t sequence = 0;
    if constexpr (requires { F::ends(payload, out); }) {
        sequence = store(F::ends(payload, out), payload, key, out);
    } else {
        scratch_.clear();
        F::append(scratch_, payload, out);
        sequence = store({}, scratch_, key, out);
    }
    if (filtering_ > 0 && sequence > 0) [[unlikely]]
        ask_filters(sequence, payload);
    return sequence;
}

template <class P, broadcast_policy O, framing_policy F> std::uint64_t
fan_out<P, O, F>::store(const frame_ends& ends, std::string_view payload, const std::uint64_t* key, error_out out) {
    if (out.failed()) return 0;
    const std::size_t size = ends.head_size + payload.size() + ends.tail.size();
    if (size > ring_.largest()) [[unlikely]]
        return too_large(size, out);
    if (snapshot_) snapshot_.reset();
    make_room(size);
    const std::uint64_t sequence = ring_.push(ends.before(), payload, ends.tail);
    if (key) keys_.add(ring_, *key);
    return sequence;
}

// Errors are reported in separate functions: an error_out whose address is not taken stays in registers.
template <class P, broadcast_policy O, framing_policy F> std::uint64_t fan_out<P, O, F>::busy_now(error_out out) const {
    return out.fail<std::uint64_t>(errc::busy, "publish", {},
                                   asks_filters_ ? "a subscriber's filter is running; publish after it"
                                                 : "every subscriber's queue is full; wait for on.room");
}

template <class P, broadcast_policy O, framing_policy F>
std::uint64_t fan_out<P, O, F>::too_large(std::size_t size, error_out out) const {
    std::string text = "a frame of " + std::to_string(size);
    text += " bytes is larger than half of the ring (" + std::to_string(ring_.largest()) + "); enlarge ring_bytes";
    out.set(errc::frame_too_large, "publish", {}, std::move(text));
    return 0;
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::make_room(std::size_t size) {
    while (!ring_.has_room(size)) {
        if (first_partial_ < ring_.end_of(ring_.oldest())) keep_partial(ring_.oldest());
        ring_.pop();
    }
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::keep_partial(std::uint64_t sequence) {
    const busy scope(*this);
    const auto size = detail::size_cast(ring_.end_of(sequence) - ring_.begin_of(sequence));
    const bool is_kept = partial_.has(sequence) || partial_.bytes() + size <= ring_.capacity() / 10;
    first_partial_ = nowhere;
    for_each([&](subscriber& who) {
        if (!who.is_mid_frame()) return;
        if (who.sequence_ != sequence) {
            first_partial_ = detail::least(first_partial_, who.position_);
        } else if (is_kept) {
            who.keep_partial();
        } else {
            ++disconnected_;
            who.peer_->cut_off({errc::slow_consumer, "broadcast", {}, "slow consumer: too many partially sent frames"});
        }
    });
}

template <class P, broadcast_policy O, framing_policy F>
void fan_out<P, O, F>::ask_filters(std::uint64_t sequence, std::string_view payload) {
    const busy scope(*this);
    asks_filters_ = true;
    const scope_exit asked([this] { asks_filters_ = false; });
    for_each([&](subscriber& who) { who.ask_filter(sequence, payload); });
}

template <class P, broadcast_policy O, framing_policy F> bool fan_out<P, O, F>::has_room() noexcept {
    if (blocking_ == 0) return true;
    for (const partition* part : {&writable_, &stalled_})
        for (const auto& who : *part)
            if (who->peer_ && !who->is_leaving() && !who->is_full()) return true;
    reported_full_ = true;
    return false;
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::report_room() noexcept {
    if (!reported_full_ || !has_room()) return;
    reported_full_ = false;
    has_room_again();
}

template <class P, broadcast_policy O, framing_policy F> bool fan_out<P, O, F>::flush() {
    const busy scope(*this);
    flushed_ = ring_.end();
    bool again = false;
    for (std::size_t i = 0; i < writable_.size();) {
        subscriber& who = *writable_[i];
        if (who.peer_ && who.has_work()) who.peer_->flush();
        if (who.peer_) who.enforce_limit();
        if (i == writable_.size() || writable_[i].get() != &who) continue; // it stalled; another one has its index now
        again = again || (who.peer_ && who.has_work());
        ++i;
    }
    enforce_limits();
    return again || ring_.end() != flushed_; // a handler has published
}

// Checks stalled subscribers that must not lose frames. The others are handled when they become writable.
template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::enforce_limits() {
    if (ring_.end() <= next_limit_ && ring_.begin() <= last_kept_) return;
    next_limit_ = last_kept_ = nowhere;
    for (std::size_t i = 0; i < stalled_.size(); ++i) { // a handler may add to them
        subscriber& who = *stalled_[i];
        if (who.peer_) who.enforce_limit();
        if (who.peer_) note_limit(who);
    }
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::note_limit(const subscriber& who) noexcept {
    const overflow_kind kind = who.policy_.kind();
    if (who.is_leaving() || (kind != overflow_kind::disconnect && kind != overflow_kind::block_producer)) return;
    last_kept_ = detail::least(last_kept_, who.position_);
    if (kind != overflow_kind::disconnect) return;
    const std::size_t own = who.own();
    const std::uint64_t room = who.policy_.limit() - detail::least(own, who.policy_.limit());
    if (room < nowhere - who.position_ - who.unwanted_bytes())
        next_limit_ = detail::least(next_limit_, who.position_ + who.unwanted_bytes() + room);
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::finish() {
    const busy scope(*this);
    for_each([](subscriber& who) { who.peer_->box().no_more(who); });
}

template <class P, broadcast_policy O, framing_policy F> template <class Each>
void fan_out<P, O, F>::for_each(Each each) const {
    for (const partition* part : {&writable_, &stalled_})
        for (std::size_t i = 0; i < part->size(); ++i) // a handler may add to them
            if ((*part)[i]->peer_) each(*(*part)[i]);
}

template <class P, broadcast_policy O, framing_policy F> auto fan_out<P, O, F>::remove_from_partition(subscriber& who) noexcept
    -> std::unique_ptr<subscriber> {
    partition& part = who.is_stalled_ ? stalled_ : writable_;
    part.back()->index_ = who.index_;
    std::swap(part[who.index_], part.back());
    auto out = std::move(part.back());
    part.pop_back();
    return out;
}

template <class P, broadcast_policy O, framing_policy F>
void fan_out<P, O, F>::attach_to(partition& part, std::unique_ptr<subscriber> who) {
    who->index_ = part.size();
    who->is_stalled_ = &part == &stalled_;
    part.push_back(std::move(who));
}

template <class P, broadcast_policy O, framing_policy F> void fan_out<P, O, F>::remove(subscriber& who) noexcept {
    if (who.is_leaving())
        --leaving_;
    else if (who.policy_.kind() == overflow_kind::block_producer)
        --blocking_;
    if (who.selection_) --filtering_;
    who.peer_ = nullptr;
    report_room();
    removed_ = true;
    if (busy_ == 0) {
        static_cast<void>(remove_from_partition(who));
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
                static_cast<void>(remove_from_partition(*(*part)[i]));
        }
}

template <class P, broadcast_policy O, framing_policy F> broadcast_status fan_out<P, O, F>::status() const {
    broadcast_status now;
    static_cast<delivery_counters&>(now) = total_;
    now.subscribers = size();
    now.stalled = stalled_.size();
    now.published = ring_.next() - 1;
    now.disconnected = disconnected_;
    now.partial_bytes = partial_bytes();
    now.ring_bytes = detail::size_cast(ring_.end() - ring_.begin());
    for_each([&](const subscriber& who) {
        const subscriber_status its = who.status();
        now.slowest_bytes = detail::greatest(now.slowest_bytes, its.queued_bytes);
        now.slowest_lag = detail::greatest(now.slowest_lag, its.lag);
    });
    return now;
}

} // namespace MATO_ABI
} // namespace mato
