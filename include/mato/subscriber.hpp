// SPDX-License-Identifier: MIT
/// @file subscriber.hpp: one reader of a stream: its position in the ring, and its overflow policy applied when it lags.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/fan_out_test.cpp, fan_out_property_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.
#pragma once

#include "clock.hpp"
#include "detail/exceptions.hpp"
#include "detail/extremes.hpp"
#include "detail/number_cast.hpp"
#include "error.hpp"
#include "frame_ring.hpp"
#include "framing.hpp"
#include "outbox.hpp"
#include "overflow.hpp"
#include "partial_frames.hpp"
#include "scope_exit.hpp"
#include "selection.hpp"
#include "subscription.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

/// The state of one subscriber. `Hub` is the fan_out it belongs to, `Peer` the connection it writes to: see fan_out.
///
/// Created by `fan_out::join`.
///
/// @threads distinct objects are independent; one object, one thread.
/// @blocks never.
template <class Hub, class Peer, broadcast_policy Overflow, framing_policy Framing> class basic_subscriber final : public feed {
public:
    basic_subscriber(Hub& all, Peer& peer, Overflow policy) : all_(all), peer_(&peer), policy_(std::move(policy)) {}
    basic_subscriber(const basic_subscriber&) = delete;

    void prepare() override;
    [[nodiscard]] std::uint64_t position() const noexcept override { return position_; }
    [[nodiscard]] std::uint64_t end() const noexcept override {
        return detail::least(until_, accepted_until_, all_.ring_.end());
    }
    [[nodiscard]] std::uint64_t partial_until() const noexcept override {
        return is_mid_frame() ? all_.ring_.end_of(sequence_) : 0;
    }
    [[nodiscard]] std::size_t pending() const noexcept override { return detail::greatest(waiting(), std::size_t{has_work()}); }
    std::uint64_t gather(gathered_write& write, std::uint64_t from, std::uint64_t until) const noexcept override;
    void advance(std::uint64_t from, std::size_t size) noexcept override;
    void on_drained(std::size_t queued) override;
    void on_own_queued() override;
    void on_stalled() noexcept override;
    void on_writable() noexcept override;
    [[nodiscard]] bool is_finished() const noexcept override { return position_ >= until_; }
    [[nodiscard]] bool is_leaving() const noexcept override { return until_ != frame_ring::nowhere; }
    void no_more() override;
    void keep_partial() override;
    bool cut_short(const failure& why, std::vector<std::string>& words) override;
    void left() noexcept override { all_.remove(*this); }
    [[nodiscard]] const void* source() const noexcept override { return &all_; }

    [[nodiscard]] subscriber_status status() const;

private:
    friend Hub;

    [[nodiscard]] bool is_mid_frame() const noexcept { // inside a frame; a copied frame is in the outbox instead
        return position_ > all_.ring_.begin() && sequence_ < all_.ring_.next() && position_ > all_.ring_.begin_of(sequence_);
    }
    /// A snapshot or gap notice is queued but not yet sent.
    [[nodiscard]] bool has_pending_notice() const noexcept { return !is_leaving() && peer_->box().inserted(*this) > 0; }
    [[nodiscard]] bool fell_out_of_ring() const noexcept { return position_ < all_.ring_.begin(); }
    [[nodiscard]] bool has_work() const noexcept {
        return position_ < end() || needs_snapshot_ || accepted_until_ != frame_ring::nowhere;
    }
    [[nodiscard]] bool is_full() const noexcept {
        return fell_out_of_ring() || queued() >= detail::greatest(policy_.limit(), std::size_t{1});
    }
    [[nodiscard]] std::size_t waiting() const noexcept; // bytes of the stream that are still in the ring
    [[nodiscard]] std::size_t queued() const noexcept;  // for the policy: lost frames count until their gap notice is queued
    /// The peer's replies, and what this stream has inserted between them; not what its other streams have.
    [[nodiscard]] std::size_t own() const noexcept { return peer_->box().replies() + peer_->box().inserted(*this); }
    [[nodiscard]] std::uint64_t last_frame() const noexcept { return detail::least(last_, all_.ring_.next()); } // after it
    [[nodiscard]] std::uint64_t unwanted_bytes() const noexcept { return selection_ ? selection_->bytes_ahead() : 0; }
    void begin_at(join_at where) noexcept;
    bool begin_selection(frame_filter filter, error_out out);
    void ask_filter(std::uint64_t sequence, std::string_view payload);
    void pass_unwanted() noexcept;
    [[nodiscard]] selection::amount unwanted_before(std::uint64_t to) const noexcept;
    void pass(const selection::amount& unwanted) noexcept;
    [[nodiscard]] std::uint64_t accepted_until(std::size_t room) const noexcept;
    [[nodiscard]] std::uint64_t wanted_until(std::size_t room) const noexcept;
    [[nodiscard]] std::uint64_t first_that_fits() const noexcept;
    void enforce_limit();
    void make_room();
    void skip_to(std::uint64_t sequence);
    void queue_notice(const frame_gap& lost, std::uint64_t place);
    void drop_oldest();
    void drop_newest();
    void take_snapshot();
    void fall_behind();
    void fall_behind(failure why);
    std::optional<std::string> last_words(const failure& why);
    template <class Ask> bool call_handler(const char* step, Ask ask);
    shared_frame put(std::string_view payload, std::uint64_t place);
    std::uint64_t gather_chosen(gathered_write& write, std::uint64_t from, std::uint64_t until) const noexcept;

    Hub& all_;
    Peer* peer_; // null: it has left the stream
    Overflow policy_;
    std::size_t index_ = 0;      // in its partition
    std::uint64_t position_ = 0; // of the next byte to send
    std::uint64_t sequence_ = 1; // of the frame that contains it
    std::uint64_t until_ = frame_ring::nowhere,
                  last_ = frame_ring::nowhere;           // the end of its part of the stream, as position and as frame number
    std::uint64_t accepted_until_ = frame_ring::nowhere; // drop_newest: the queued frames end here, newer ones are dropped
    frame_gap noticed_{};                                // the newest gap notice
    std::unique_ptr<selection> selection_;               // null: it wants every frame
    delivery_counters counters_;
    bool is_stalled_ = false, needs_snapshot_ = false, is_skipping_ = false;
};

// ---- implementation ----

template <class H, class P, broadcast_policy O, framing_policy F>
void basic_subscriber<H, P, O, F>::begin_at(join_at where) noexcept {
    const frame_ring& ring = all_.ring_;
    sequence_ = ring.next();
    if (where.where == join_at::place::last) sequence_ -= detail::least(where.number, ring.next() - ring.oldest());
    if (where.where == join_at::place::after) sequence_ = detail::least(where.number, ring.next() - 1) + 1;
    needs_snapshot_ = where.where == join_at::place::snapshot;
    if (sequence_ < ring.oldest())
        position_ = ring.begin() - 1; // before the ring: the gap will be reported
    else
        position_ = sequence_ == ring.next() ? ring.end() : ring.begin_of(sequence_);
}

template <class H, class P, broadcast_policy O, framing_policy F>
std::size_t basic_subscriber<H, P, O, F>::waiting() const noexcept {
    const std::uint64_t from = detail::greatest(position_, all_.ring_.begin()), to = end();
    const std::uint64_t bytes = from < to ? to - from : 0;
    if (!selection_ || fell_out_of_ring()) return static_cast<std::size_t>(bytes);
    return static_cast<std::size_t>(bytes - detail::least(bytes, unwanted_bytes()));
}

template <class H, class P, broadcast_policy O, framing_policy F>
std::size_t basic_subscriber<H, P, O, F>::queued() const noexcept {
    return own() + static_cast<std::size_t>(detail::least(until_, all_.ring_.end()) - position_ - unwanted_bytes());
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::prepare() {
    if (is_mid_frame()) return; // complete that frame first
    const typename H::busy scope(all_);
    if (needs_snapshot_ && !is_leaving()) return take_snapshot();
    if (has_pending_notice()) return; // it must be sent before another is queued
    if (policy_.kind() == overflow_kind::drop_newest) return drop_newest();
    if (fell_out_of_ring()) return make_room();
    if (policy_.kind() == overflow_kind::disconnect || is_leaving() || queued() <= policy_.limit()) return;
    const overflow_verdict verdict = policy_.on_queued(queued(), all_.now_());
    if (verdict == overflow_verdict::disconnect) return fall_behind();
    if (verdict == overflow_verdict::make_room) make_room();
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::make_room() {
    switch (policy_.kind()) {
    case overflow_kind::disconnect: return fall_behind();
    case overflow_kind::block_producer:
        if (fell_out_of_ring()) fall_behind();
        return;
    case overflow_kind::conflate:
        if (fell_out_of_ring()) skip_to(all_.ring_.oldest());
        return;
    case overflow_kind::resync:
        if (!is_leaving()) return take_snapshot();
        [[fallthrough]]; // leaving: no snapshot any more
    case overflow_kind::drop_oldest: return drop_oldest();
    case overflow_kind::drop_newest: return drop_newest();
    }
}

// Called when something was queued. Only a subscriber that must not lose frames is disconnected before it is writable again.
template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::enforce_limit() {
    const overflow_kind kind = policy_.kind();
    if (is_leaving() || (kind != overflow_kind::disconnect && kind != overflow_kind::block_producer)) return;
    const typename H::busy scope(all_);
    if (fell_out_of_ring()) return fall_behind();
    if (kind != overflow_kind::disconnect || queued() <= policy_.limit()) return;
    if (policy_.on_queued(queued(), all_.now_()) != overflow_verdict::keep) return fall_behind();
    all_.report_room(); // its limit may have changed
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::drop_oldest() {
    const frame_ring& ring = all_.ring_;
    std::uint64_t first = detail::greatest(sequence_, ring.oldest());
    if (selection_) {
        first = detail::greatest(first, is_leaving() ? first : first_that_fits());
    } else if (!is_leaving() && queued() > policy_.limit()) {
        const std::uint64_t from = detail::within(position_ + (queued() - policy_.limit()), ring.begin(), ring.end());
        const std::uint64_t fits = ring.boundary(from) == from ? ring.at(from) : ring.at(from) + 1;
        first = detail::greatest(first, detail::least(fits, ring.next() - 1)); // the newest frame is kept, whatever its size
    }
    if (first > sequence_) skip_to(first);
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::drop_newest() {
    const frame_ring& ring = all_.ring_;
    if (accepted_until_ == frame_ring::nowhere && !is_leaving() && position_ < ring.end() &&
        (fell_out_of_ring() || queued() > policy_.limit())) {
        const std::size_t room = policy_.limit() - detail::least(own(), policy_.limit());
        accepted_until_ = selection_ ? wanted_until(room) : accepted_until(room);
    }
    if (accepted_until_ != frame_ring::nowhere && (position_ >= accepted_until_ || accepted_until_ <= ring.begin())) {
        accepted_until_ = frame_ring::nowhere;
        return skip_to(ring.next());
    }
    if (fell_out_of_ring()) skip_to(ring.oldest());
}

// drop_newest: the end of the queued frames that fit into `room` bytes.
template <class H, class P, broadcast_policy O, framing_policy F>
std::uint64_t basic_subscriber<H, P, O, F>::accepted_until(std::size_t room) const noexcept {
    const frame_ring& ring = all_.ring_;
    const std::uint64_t full =
        position_ + detail::least<std::uint64_t>(room, ring.end() - position_); // `bytes` may be any value
    if (full < ring.begin()) return full;
    const std::uint64_t boundary = ring.boundary(detail::least(full, ring.end()));
    return boundary > position_ ? boundary : ring.end_of(sequence_); // the oldest frame is kept, whatever its size
}

template <class H, class P, broadcast_policy O, framing_policy F>
void basic_subscriber<H, P, O, F>::skip_to(std::uint64_t sequence) {
    const frame_ring& ring = all_.ring_;
    sequence = detail::least(sequence, last_);
    if (sequence <= sequence_) return;
    const std::uint64_t to = sequence == last_ ? until_ : sequence == ring.next() ? ring.end() : ring.begin_of(sequence);
    const auto unwanted = unwanted_before(sequence);
    is_skipping_ = true;
    queue_notice({sequence_, sequence - 1, unwanted.frames}, position_);
    is_skipping_ = false;
    position_ = to; // last: a handler that publishes or unsubscribes must still see the frames as queued
    sequence_ = sequence;
    pass(unwanted);
    pass_unwanted();
    all_.report_room();
}

template <class H, class P, broadcast_policy O, framing_policy F>
void basic_subscriber<H, P, O, F>::queue_notice(const frame_gap& lost, std::uint64_t place) {
    if (lost.count() == 0) return;
    noticed_ = lost;
    all_.count(&delivery_counters::dropped, *this, lost.count());
    all_.count(&delivery_counters::gaps, *this, 1);
    std::optional<std::string> notice;
    if (all_.on.gap && call_handler("gap", [&] { notice = all_.on.gap(lost); }) && notice) put(*notice, place);
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::take_snapshot() {
    const std::uint64_t now = all_.ring_.next() - 1, end = all_.ring_.end(), place = position_;
    needs_snapshot_ = false;
    const auto unwanted = unwanted_before(now + 1);
    all_.count(&delivery_counters::superseded, *this, now + 1 - sequence_ - unwanted.frames);
    all_.count(&delivery_counters::resyncs, *this, 1);
    is_skipping_ = true;
    const scope_exit skipped([this] { is_skipping_ = false; });
    if (all_.snapshot_) {
        peer_->box().insert(*this, all_.snapshot_, place);
    } else {
        std::string payload;
        if (!call_handler("snapshot", [&] { payload = all_.on.snapshot(now); })) return;
        auto frame = put(payload, place);
        if (now + 1 == all_.ring_.next()) all_.snapshot_ = std::move(frame); // otherwise the handler has published a frame
    }
    position_ = end; // last, as in skip_to
    sequence_ = now + 1;
    pass(unwanted);
    is_skipping_ = false;
    pass_unwanted();
    all_.report_room();
}

template <class H, class P, broadcast_policy O, framing_policy F>
shared_frame basic_subscriber<H, P, O, F>::put(std::string_view payload, std::uint64_t place) {
    if (!peer_) return {}; // a handler closed it
    auto frame = std::make_shared<std::string>();
    failure why;
    F::append(*frame, payload, why);
    if (why) return fall_behind(std::move(why)), nullptr;
    peer_->box().insert(*this, frame, place);
    return frame;
}

// An exception from a handler of the stream closes this subscriber only. @returns whether the handler returned.
template <class H, class P, broadcast_policy O, framing_policy F> template <class Ask>
bool basic_subscriber<H, P, O, F>::call_handler(const char* step, Ask ask) {
    return detail::attempt([&] { return ask(), true; },
                           [&] {
                               if (peer_) fall_behind(current_failure(step));
                               return false;
                           });
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::fall_behind() {
    std::string text = "slow consumer: the peer has not read " + std::to_string(queued());
    text += " bytes";
    fall_behind({errc::slow_consumer, "broadcast", {}, std::move(text)});
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::fall_behind(failure why) {
    auto words = last_words(why);
    if (peer_) peer_->fall_behind(std::move(why), std::move(words));
}

template <class H, class P, broadcast_policy O, framing_policy F>
std::optional<std::string> basic_subscriber<H, P, O, F>::last_words(const failure& why) {
    ++all_.disconnected_;
    using words = std::optional<std::string>;
    // If it throws, send no last words; `why` already tells why the connection is closed.
    return detail::attempt([&] { return all_.on.last_words ? all_.on.last_words(why) : words(); }, [] { return words(); });
}

template <class H, class P, broadcast_policy O, framing_policy F> std::uint64_t
basic_subscriber<H, P, O, F>::gather(gathered_write& write, std::uint64_t from, std::uint64_t until) const noexcept {
    const frame_ring& ring = all_.ring_;
    until = detail::least(until, end());
    if (from >= until) return until;
    if (from < ring.begin()) return from;                // a handler published that much; the next `prepare` handles it
    if (O::loses_frames && queued() > policy_.limit()) { // make room before sending more of the stream
        if (has_pending_notice()) return from;
        if (from == position_ && is_mid_frame()) until = detail::least(until, ring.end_of(sequence_));
    }
    if (selection_ || (policy_.kind() == overflow_kind::conflate && !is_leaving())) return gather_chosen(write, from, until);
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

template <class H, class P, broadcast_policy O, framing_policy F>
void basic_subscriber<H, P, O, F>::advance(std::uint64_t from, std::size_t size) noexcept {
    const frame_ring& ring = all_.ring_;
    if (from > position_) {
        const std::uint64_t next = ring.at(from);
        const auto unwanted = unwanted_before(next);
        if (selection_) pass(unwanted);
        all_.count(&delivery_counters::superseded, *this, next - sequence_ - unwanted.frames);
        sequence_ = next;
    }
    position_ = from + size;
    const std::uint64_t next = ring.at(position_);
    all_.count(&delivery_counters::delivered, *this, next - sequence_);
    sequence_ = next;
    if (is_mid_frame())
        all_.first_partial_ = detail::least(all_.first_partial_, position_);
    else if (selection_)
        pass_unwanted();
}

template <class H, class P, broadcast_policy O, framing_policy F>
void basic_subscriber<H, P, O, F>::on_drained(std::size_t queued) {
    policy_.on_drained(queued);
    if (all_.reported_full_) all_.report_room();
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::on_own_queued() {
    if (is_leaving()) return;
    const typename H::busy scope(all_);
    if (policy_.kind() != overflow_kind::disconnect) {
        if (peer_->box().replies() > policy_.limit()) fall_behind();
        return;
    }
    enforce_limit();
    if (peer_ && is_stalled_) all_.note_limit(*this); // its own frames leave less room for the stream
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::on_stalled() noexcept {
    if (is_stalled_) return;
    all_.attach_to(all_.stalled_, all_.remove_from_partition(*this));
    all_.note_limit(*this);
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::on_writable() noexcept {
    if (!is_stalled_) return;
    all_.attach_to(all_.writable_, all_.remove_from_partition(*this));
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::no_more() {
    if (is_leaving()) return;
    const typename H::busy scope(all_);
    const frame_ring& ring = all_.ring_;
    ++all_.leaving_;
    if (policy_.kind() == overflow_kind::block_producer) --all_.blocking_;
    all_.report_room();
    needs_snapshot_ = false;
    until_ = detail::greatest(position_, ring.end());
    last_ = ring.next();
    if (accepted_until_ == frame_ring::nowhere || accepted_until_ <= ring.begin()) return;
    frame_gap lost{ring.at(accepted_until_), ring.next() - 1}; // report it now; later the stream may be destroyed
    until_ = std::exchange(accepted_until_, frame_ring::nowhere);
    last_ = lost.first;
    if (selection_) lost.unwanted = selection_->forget(ring, lost.first, ring.next());
    all_.count(&delivery_counters::filtered, *this, lost.unwanted);
    if (lost.last >= lost.first) queue_notice(lost, until_);
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::keep_partial() {
    if (!is_mid_frame()) return;
    const frame_ring& ring = all_.ring_;
    const auto taken = detail::size_cast(position_ - ring.begin_of(sequence_));
    auto frame = all_.partial_.copy(ring, sequence_);
    all_.count(&delivery_counters::delivered, *this, 1); // it will be completed, or the connection ends
    position_ = ring.end_of(sequence_++);
    peer_->box().insert(*this, std::move(frame), 0, taken);
    pass_unwanted();
}

// What the peer is told when it does not get the rest of the stream: the gap, a snapshot, or the last words.
template <class H, class P, broadcast_policy O, framing_policy F>
bool basic_subscriber<H, P, O, F>::cut_short(const failure& why, std::vector<std::string>& words) {
    const typename H::busy scope(all_);
    const std::uint64_t end = last_frame();
    frame_gap lost{sequence_ + (is_mid_frame() ? 1 : 0), end - 1};
    if (selection_) lost.unwanted = selection_->unwanted(all_.ring_, lost.first, end, end).frames;
    if (peer_->box().has_unsent(*this) && noticed_.count() > 0) { // that notice is dropped too
        if (selection_) lost.unwanted += noticed_.unwanted + lost.first - 1 - noticed_.last;
        lost.first = noticed_.first;
    }
    if (lost.first >= end || lost.count() == 0) return false;
    std::optional<std::string> told;
    const overflow_kind kind = policy_.kind();
    const auto count_rest = [&](std::uint64_t delivery_counters::*as) {
        const auto unwanted = unwanted_before(end);
        pass(unwanted);
        all_.count(as, *this, end - sequence_ - unwanted.frames);
    };
    if (kind == overflow_kind::resync && all_.on.snapshot && !is_leaving()) {
        if (!call_handler("snapshot", [&] { told = all_.on.snapshot(end - 1); })) return false;
        count_rest(&delivery_counters::superseded);
    } else if (O::loses_frames && kind != overflow_kind::disconnect && kind != overflow_kind::block_producer && all_.on.gap) {
        if (!call_handler("gap", [&] { told = all_.on.gap(lost); })) return false;
        count_rest(&delivery_counters::dropped);
        all_.count(&delivery_counters::gaps, *this, 1);
    } else {
        told = last_words(why);
    }
    if (told) words.push_back(std::move(*told));
    return true;
}

template <class H, class P, broadcast_policy O, framing_policy F>
subscriber_status basic_subscriber<H, P, O, F>::status() const {
    subscriber_status now;
    static_cast<delivery_counters&>(now) = counters_;
    now.queued_bytes = own() + waiting();
    now.lag = last_frame() - sequence_ - (selection_ ? selection_->frames_ahead() : 0);
    return now;
}

} // namespace MATO_ABI
} // namespace mato

#include "detail/subscriber_filter.hpp"
