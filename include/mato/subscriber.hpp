// SPDX-License-Identifier: MIT
/// @file subscriber.hpp: one reader of a stream: a place in the ring, and what its overflow policy does when it is behind.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/fan_out_test.cpp, fan_out_property_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.
#pragma once

#include "begun_frames.hpp"
#include "clock.hpp"
#include "error.hpp"
#include "frame_ring.hpp"
#include "framing.hpp"
#include "outbox.hpp"
#include "overflow.hpp"
#include "subscription.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// All that a subscriber costs. `Hub` is the fan_out it belongs to, `Peer` what is written to: see there.
template <class Hub, class Peer, broadcast_policy Overflow, framing_policy Framing> class basic_subscriber final : public feed {
public:
    basic_subscriber(Hub& all, Peer& peer, Overflow policy) : all_(all), peer_(&peer), policy_(std::move(policy)) {}
    basic_subscriber(const basic_subscriber&) = delete;

    void prepare() override;
    [[nodiscard]] std::uint64_t position() const noexcept override { return position_; }
    [[nodiscard]] std::uint64_t end() const noexcept override { return std::min({until_, accepted_until_, all_.ring_.end()}); }
    [[nodiscard]] std::size_t pending() const noexcept override { return std::max(waiting(), std::size_t{wants()}); }
    std::uint64_t gather(gathered_write& write, std::uint64_t from, std::uint64_t until) const noexcept override;
    void advance(std::uint64_t from, std::size_t size) noexcept override;
    void on_drained(std::size_t queued) override;
    void on_own_queued() override;
    void on_stalled() noexcept override;
    void on_writable() noexcept override;
    [[nodiscard]] bool is_finished() const noexcept override { return position_ >= until_; }
    [[nodiscard]] bool is_leaving() const noexcept override { return until_ != frame_ring::nowhere; }
    void no_more() override;
    void keep_begun() override;
    void cut_short(const failure& why) override;
    void left() noexcept override { all_.remove(*this); }
    [[nodiscard]] const void* source() const noexcept override { return &all_; }

    [[nodiscard]] subscriber_status status() const;

private:
    friend Hub;

    [[nodiscard]] bool is_begun() const noexcept { // inside a frame; one kept beside the ring is in the outbox
        return position_ > all_.ring_.begin() && sequence_ < all_.ring_.next() && position_ > all_.ring_.begin_of(sequence_);
    }
    /// A snapshot or a notice is still to be sent for frames before `position_`.
    [[nodiscard]] bool stands_in() const noexcept { return !is_leaving() && peer_->box().own() > peer_->box().replies(); }
    [[nodiscard]] bool was_overtaken() const noexcept { return position_ < all_.ring_.begin(); }
    [[nodiscard]] bool wants() const noexcept {
        return position_ < end() || needs_snapshot_ || accepted_until_ != frame_ring::nowhere;
    }
    [[nodiscard]] bool is_full() const noexcept {
        return was_overtaken() || queued() >= std::max(policy_.limit(), std::size_t{1});
    }
    [[nodiscard]] std::size_t waiting() const noexcept; // of the stream, as far as there still is
    [[nodiscard]] std::size_t queued() const noexcept;  // as the policy sees it: lost frames count, until the loss is told
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
    template <class Ask> bool asked(const char* step, Ask ask);
    shared_frame put(std::string_view payload, std::uint64_t place);
    std::uint64_t gather_newest(gathered_write& write, std::uint64_t from, std::uint64_t until) const noexcept;

    Hub& all_;
    Peer* peer_; // null: it has left
    Overflow policy_;
    std::size_t index_ = 0;      // in its partition
    std::uint64_t position_ = 0; // of the next byte to send
    std::uint64_t sequence_ = 1; // of the frame that holds it
    std::uint64_t until_ = frame_ring::nowhere,
                  last_ = frame_ring::nowhere;           // where its part of the stream ends, and the frame there
    std::uint64_t accepted_until_ = frame_ring::nowhere; // drop_newest: what waits ends here, newer frames are being dropped
    std::uint64_t told_from_ = 0;                        // the first frame that the newest notice is about
    delivery_counters counters_;
    bool is_stalled_ = false, needs_snapshot_ = false;
};

// ---- implementation ----

template <class H, class P, broadcast_policy O, framing_policy F>
void basic_subscriber<H, P, O, F>::begin_at(join_at where) noexcept {
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

template <class H, class P, broadcast_policy O, framing_policy F>
std::size_t basic_subscriber<H, P, O, F>::waiting() const noexcept {
    const std::uint64_t from = std::max(position_, all_.ring_.begin()), to = end();
    return from < to ? static_cast<std::size_t>(to - from) : 0;
}

template <class H, class P, broadcast_policy O, framing_policy F>
std::size_t basic_subscriber<H, P, O, F>::queued() const noexcept {
    return peer_->box().own() + static_cast<std::size_t>(std::min(until_, all_.ring_.end()) - position_);
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::prepare() {
    if (is_begun()) return; // finished first
    const typename H::busy scope(all_);
    if (needs_snapshot_ && !is_leaving()) return take_snapshot();
    if (stands_in()) return; // it goes out before there is another
    if (policy_.kind() == overflow_kind::drop_newest) return drop_newest();
    if (was_overtaken()) return make_room();
    if (policy_.kind() == overflow_kind::disconnect || is_leaving() || queued() <= policy_.limit()) return;
    const overflow_verdict verdict = policy_.on_queued(queued(), all_.now_());
    if (verdict == overflow_verdict::disconnect) return fall_behind();
    if (verdict == overflow_verdict::make_room) make_room();
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::make_room() {
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
template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::judge() {
    const overflow_kind kind = policy_.kind();
    if (is_leaving() || (kind != overflow_kind::disconnect && kind != overflow_kind::block_producer)) return;
    const typename H::busy scope(all_);
    if (was_overtaken()) return fall_behind();
    if (kind != overflow_kind::disconnect || queued() <= policy_.limit()) return;
    if (policy_.on_queued(queued(), all_.now_()) != overflow_verdict::keep) return fall_behind();
    all_.tell_room(); // its limit may be another now
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::drop_oldest() {
    const frame_ring& ring = all_.ring_;
    std::uint64_t first = std::max(sequence_, ring.oldest());
    if (!is_leaving() && queued() > policy_.limit()) {
        const std::uint64_t from = std::clamp(position_ + (queued() - policy_.limit()), ring.begin(), ring.end());
        const std::uint64_t fits = ring.boundary(from) == from ? ring.at(from) : ring.at(from) + 1;
        first = std::max(first, std::min(fits, ring.next() - 1)); // the newest is kept, whatever its size
    }
    if (first > sequence_) skip_to(first);
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::drop_newest() {
    const frame_ring& ring = all_.ring_;
    if (accepted_until_ == frame_ring::nowhere && !is_leaving() && position_ < ring.end() &&
        (was_overtaken() || queued() > policy_.limit())) {
        const std::size_t own = peer_->box().own();
        const std::size_t room = policy_.limit() - std::min(own, policy_.limit());
        const std::uint64_t full = position_ + std::min<std::uint64_t>(room, ring.end() - position_); // any `bytes` is allowed
        if (full < ring.begin() || ring.boundary(std::min(full, ring.end())) > position_)
            accepted_until_ = full < ring.begin() ? full : ring.boundary(std::min(full, ring.end()));
        else
            accepted_until_ = ring.end_of(sequence_); // the oldest is kept, whatever its size
    }
    if (accepted_until_ != frame_ring::nowhere && (position_ >= accepted_until_ || accepted_until_ <= ring.begin())) {
        accepted_until_ = frame_ring::nowhere;
        return skip_to(ring.next());
    }
    if (was_overtaken()) skip_to(ring.oldest());
}

template <class H, class P, broadcast_policy O, framing_policy F>
void basic_subscriber<H, P, O, F>::skip_to(std::uint64_t sequence) {
    const frame_ring& ring = all_.ring_;
    sequence = std::min(sequence, last_);
    if (sequence <= sequence_) return;
    const std::uint64_t to = sequence == last_ ? until_ : sequence == ring.next() ? ring.end() : ring.begin_of(sequence);
    tell({sequence_, sequence - 1}, position_);
    position_ = to; // last, so that a handler that publishes or unsubscribes finds what waits still waiting
    sequence_ = sequence;
    all_.tell_room();
}

template <class H, class P, broadcast_policy O, framing_policy F>
void basic_subscriber<H, P, O, F>::tell(const frame_gap& lost, std::uint64_t place) {
    told_from_ = lost.first;
    all_.count(&delivery_counters::dropped, *this, lost.count());
    all_.count(&delivery_counters::gaps, *this, 1);
    std::optional<std::string> notice;
    if (all_.on.gap && asked("gap", [&] { notice = all_.on.gap(lost); }) && notice) put(*notice, place);
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::take_snapshot() {
    const std::uint64_t now = all_.ring_.next() - 1, end = all_.ring_.end(), place = position_;
    needs_snapshot_ = false;
    all_.count(&delivery_counters::superseded, *this, now + 1 - sequence_);
    all_.count(&delivery_counters::resyncs, *this, 1);
    if (all_.snapshot_) {
        peer_->box().insert(all_.snapshot_, place);
    } else {
        std::string payload;
        if (!asked("snapshot", [&] { payload = all_.on.snapshot(now); })) return;
        auto frame = put(payload, place);
        if (now + 1 == all_.ring_.next()) all_.snapshot_ = std::move(frame); // else the handler has published
    }
    position_ = end; // last, as in skip_to
    sequence_ = now + 1;
    all_.tell_room();
}

template <class H, class P, broadcast_policy O, framing_policy F>
shared_frame basic_subscriber<H, P, O, F>::put(std::string_view payload, std::uint64_t place) {
    if (!peer_) return {}; // a handler ended it
    auto frame = std::make_shared<std::string>();
    failure why;
    F::append(*frame, payload, why);
    if (why) return fall_behind(std::move(why)), nullptr;
    peer_->box().insert(frame, place);
    return frame;
}

// What a handler of the stream throws is this subscriber's end, and no other's. @returns whether it answered.
template <class H, class P, broadcast_policy O, framing_policy F> template <class Ask>
bool basic_subscriber<H, P, O, F>::asked(const char* step, Ask ask) {
    try {
        return ask(), true;
    } catch (...) {
        if (peer_) fall_behind(current_failure(step));
        return false;
    }
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::fall_behind() {
    std::string text = "slow consumer: " + std::to_string(queued());
    text += " bytes unread";
    fall_behind({errc::slow_consumer, "broadcast", {}, std::move(text)});
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::fall_behind(failure why) {
    ++all_.disconnected_;
    std::optional<std::string> words;
    try {
        if (all_.on.last_words) words = all_.on.last_words(why);
    } catch (...) { // then there are none: it ends for a reason of its own already
    }
    if (peer_) peer_->fall_behind(std::move(why), std::move(words));
}

template <class H, class P, broadcast_policy O, framing_policy F> std::uint64_t
basic_subscriber<H, P, O, F>::gather(gathered_write& write, std::uint64_t from, std::uint64_t until) const noexcept {
    const frame_ring& ring = all_.ring_;
    until = std::min(until, end());
    if (from >= until) return until;
    if (from < ring.begin()) return from;                // a handler published that much; the next `prepare` sees to it
    if (O::loses_frames && queued() > policy_.limit()) { // then room is made, before anything else of it is sent
        if (stands_in()) return from;
        if (from == position_ && is_begun()) until = std::min(until, ring.end_of(sequence_));
    }
    if (policy_.kind() == overflow_kind::conflate && !is_leaving()) // then the newer frame may not be for it
        return gather_newest(write, from, until);
    do {
        const std::size_t room = write.limit - write.bytes;
        std::uint64_t stop = until;
        if (until - from > room) {
            stop = ring.boundary(from + room);
            if (stop <= from) stop = ring.end_of(ring.at(from)); // a frame longer than a message
        }
        const auto parts = ring.bytes(from, stop);
        write.add(parts[0], from);
        write.add(parts[1], from + parts[0].size());
        from = stop;
    } while (from < until && write.next_message());
    return from;
}

template <class H, class P, broadcast_policy O, framing_policy F> std::uint64_t
basic_subscriber<H, P, O, F>::gather_newest(gathered_write& write, std::uint64_t from, std::uint64_t until) const noexcept {
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

template <class H, class P, broadcast_policy O, framing_policy F>
void basic_subscriber<H, P, O, F>::advance(std::uint64_t from, std::size_t size) noexcept {
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

template <class H, class P, broadcast_policy O, framing_policy F>
void basic_subscriber<H, P, O, F>::on_drained(std::size_t queued) {
    policy_.on_drained(queued);
    if (all_.told_full_) all_.tell_room();
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::on_own_queued() {
    if (is_leaving()) return;
    const typename H::busy scope(all_);
    if (policy_.kind() != overflow_kind::disconnect) {
        if (peer_->box().replies() > policy_.limit()) fall_behind();
        return;
    }
    judge();
    if (peer_ && is_stalled_) all_.watch(*this); // less of the stream is too much for it now
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::on_stalled() noexcept {
    if (is_stalled_) return;
    all_.put_in(all_.take_out(*this), all_.stalled_);
    all_.watch(*this);
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::on_writable() noexcept {
    if (!is_stalled_) return;
    all_.put_in(all_.take_out(*this), all_.writable_);
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::no_more() {
    if (is_leaving()) return;
    const typename H::busy scope(all_);
    const frame_ring& ring = all_.ring_;
    ++all_.leaving_;
    if (policy_.kind() == overflow_kind::block_producer) --all_.blocking_;
    all_.tell_room();
    needs_snapshot_ = false;
    until_ = std::max(position_, ring.end());
    last_ = ring.next();
    if (accepted_until_ == frame_ring::nowhere || accepted_until_ <= ring.begin()) return;
    const frame_gap lost{ring.at(accepted_until_), ring.next() - 1}; // known now; later there may be nobody to tell it
    until_ = std::exchange(accepted_until_, frame_ring::nowhere);
    last_ = lost.first;
    if (lost.last >= lost.first) tell(lost, until_);
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::keep_begun() {
    if (!is_begun()) return;
    const frame_ring& ring = all_.ring_;
    const auto taken = static_cast<std::size_t>(position_ - ring.begin_of(sequence_));
    auto frame = all_.begun_.copy(ring, sequence_);
    all_.count(&delivery_counters::delivered, *this, 1); // it is finished, or the connection ends
    position_ = ring.end_of(sequence_++);
    peer_->box().insert(std::move(frame), 0, taken);
}

// The stream's end does not come: the gap is told, or a snapshot sent, or last words, beyond what the kernel has not yet room
// for.
template <class H, class P, broadcast_policy O, framing_policy F>
void basic_subscriber<H, P, O, F>::cut_short(const failure& why) {
    const typename H::busy scope(all_);
    const std::uint64_t end = std::min(last_, all_.ring_.next());
    const bool is_untold =
        peer_->box().own() > peer_->box().replies() && !peer_->box().is_begun(); // a notice that waits goes, too
    const frame_gap lost{is_untold ? told_from_ : sequence_ + (is_begun() ? 1 : 0), end - 1};
    if (lost.first >= end) return;
    std::optional<std::string> words;
    const overflow_kind kind = policy_.kind();
    if (kind == overflow_kind::resync && all_.on.snapshot && !is_leaving()) {
        if (!asked("snapshot", [&] { words = all_.on.snapshot(end - 1); })) return;
        all_.count(&delivery_counters::superseded, *this, end - sequence_);
    } else if (O::loses_frames && kind != overflow_kind::disconnect && kind != overflow_kind::block_producer && all_.on.gap) {
        if (!asked("gap", [&] { words = all_.on.gap(lost); })) return;
        all_.count(&delivery_counters::dropped, *this, end - sequence_);
        all_.count(&delivery_counters::gaps, *this, 1);
    } else {
        return fall_behind(why);
    }
    if (peer_) peer_->fall_behind(why, std::move(words));
}

template <class H, class P, broadcast_policy O, framing_policy F>
subscriber_status basic_subscriber<H, P, O, F>::status() const {
    subscriber_status now;
    static_cast<delivery_counters&>(now) = counters_;
    now.queued_bytes = peer_->box().own() + waiting();
    now.lag = std::min(last_, all_.ring_.next()) - sequence_;
    return now;
}

} // namespace MATO_ABI
} // namespace mato
