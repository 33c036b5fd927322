// SPDX-License-Identifier: MIT
/// @file subscriber_filter.hpp: a subscriber that wants only some frames: what it passes, and what its limit means then.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/fan_out_property_test.cpp, broadcast_streams_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.
///
/// Members of basic_subscriber; subscriber.hpp includes this file. With a filter, the frame at `sequence_` is always wanted, if
/// it is in the ring: frames before it that are not wanted are passed at once, so they never count as queued.
#pragma once

#include "../subscriber.hpp"
#include "number_cast.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

// Frames that are in the ring already are decided now. Those that the ring has dropped count as wanted, so they are lost.
template <class H, class P, broadcast_policy O, framing_policy F>
bool basic_subscriber<H, P, O, F>::begin_selection(frame_filter filter, error_out out) {
    const frame_ring& ring = all_.ring_;
    selection_ = std::make_unique<selection>(ring, std::move(filter));
    const bool was_asking = std::exchange(all_.asks_filters_, true);
    const scope_exit asked([&] { all_.asks_filters_ = was_asking; });
    std::string room;
    for (std::uint64_t each = detail::greatest(sequence_, ring.oldest()); each < ring.next(); ++each) {
        const auto parts = ring.bytes(ring.begin_of(each), ring.end_of(each));
        std::string_view bytes = parts[0];
        if (!parts[1].empty()) bytes = room.assign(parts[0]).append(parts[1]);
        const auto ask = [&] {
            std::error_code ignored; // the frame was encoded by this framing
            const auto frame = F::split(bytes, ignored);
            const bool is_wanted = !frame || selection_->filter()(frame->payload);
            selection_->note(ring, each, is_wanted ? selection::verdict::wanted : selection::verdict::refused);
            return true;
        };
        const auto told = [&] {
            const failure why = current_failure("filter");
            return out.fail<bool>(why.code, "subscribe", why.path,
                                  "the filter failed: " + (why.detail.empty() ? why.code.message() : why.detail));
        };
        if (!detail::attempt(ask, told)) return false;
    }
    pass_unwanted();
    return true;
}

template <class H, class P, broadcast_policy O, framing_policy F>
void basic_subscriber<H, P, O, F>::ask_filter(std::uint64_t sequence, std::string_view payload) {
    if (!selection_ || is_leaving() || sequence < sequence_) return;
    selection_->note(all_.ring_, sequence, selection::verdict::wanted); // first: the filter may end the subscription
    bool is_wanted = true;
    if (!call_handler("filter", [&] { is_wanted = selection_->filter()(payload); }) || is_wanted) return;
    selection_->note(all_.ring_, sequence, selection::verdict::refused);
    if (peer_) pass_unwanted();
}

template <class H, class P, broadcast_policy O, framing_policy F>
auto basic_subscriber<H, P, O, F>::unwanted_before(std::uint64_t to) const noexcept -> selection::amount {
    return selection_ ? selection_->unwanted(all_.ring_, sequence_, to, last_frame()) : selection::amount();
}

template <class H, class P, broadcast_policy O, framing_policy F>
void basic_subscriber<H, P, O, F>::pass(const selection::amount& unwanted) noexcept {
    if (!selection_) return;
    selection_->pass(unwanted);
    all_.count(&delivery_counters::filtered, *this, unwanted.frames);
}

template <class H, class P, broadcast_policy O, framing_policy F> void basic_subscriber<H, P, O, F>::pass_unwanted() noexcept {
    if (!selection_ || is_skipping_ || fell_out_of_ring() || is_mid_frame()) return;
    const frame_ring& ring = all_.ring_;
    // A newer frame of the key replaces an older one also if it is not wanted itself: then nothing newer may follow.
    const bool conflates = policy_.kind() == overflow_kind::conflate && !is_leaving();
    std::uint64_t next = sequence_;
    while (next < last_frame() && (!selection_->wants(next) || (conflates && ring.is_superseded(next)))) ++next;
    if (next == sequence_) return;
    const auto unwanted = unwanted_before(next);
    pass(unwanted);
    all_.count(&delivery_counters::superseded, *this, next - sequence_ - unwanted.frames);
    position_ = next == last_ ? until_ : next == ring.next() ? ring.end() : ring.begin_of(next);
    sequence_ = next;
}

// drop_oldest: the first frame to keep. The newest wanted frame is kept, whatever its size.
template <class H, class P, broadcast_policy O, framing_policy F>
std::uint64_t basic_subscriber<H, P, O, F>::first_that_fits() const noexcept {
    const frame_ring& ring = all_.ring_;
    std::uint64_t first = last_frame();
    std::size_t bytes = own();
    for (std::uint64_t each = first; each > detail::greatest(sequence_, ring.oldest());) {
        if (!selection_->wants(--each)) continue;
        bytes += detail::size_cast(ring.end_of(each) - ring.begin_of(each));
        if (bytes > policy_.limit() && first != last_frame()) break;
        first = each;
    }
    return first;
}

// drop_newest: the end of the wanted frames that fit into `room` bytes. The oldest one is kept, whatever its size.
template <class H, class P, broadcast_policy O, framing_policy F>
std::uint64_t basic_subscriber<H, P, O, F>::wanted_until(std::size_t room) const noexcept {
    const frame_ring& ring = all_.ring_;
    std::uint64_t until = ring.begin();
    std::size_t bytes = 0;
    for (std::uint64_t each = detail::greatest(sequence_, ring.oldest()); each < ring.next(); ++each) {
        if (!selection_->wants(each)) continue;
        bytes += detail::size_cast(ring.end_of(each) - ring.begin_of(each));
        if (bytes > room && until > ring.begin()) break;
        until = ring.end_of(each);
    }
    return until;
}

// Leaves out frames that are not wanted, and with conflate those that a newer one replaces.
template <class H, class P, broadcast_policy O, framing_policy F> std::uint64_t
basic_subscriber<H, P, O, F>::gather_chosen(gathered_write& write, std::uint64_t from, std::uint64_t until) const noexcept {
    const frame_ring& ring = all_.ring_;
    const bool conflates =
        policy_.kind() == overflow_kind::conflate && !is_leaving(); // when leaving, the newer frame may not be for it
    std::uint64_t sequence = ring.at(from), to = from;              // [from, to) is a run of frames to send
    const auto add_run = [&] {
        const auto parts = ring.bytes(from, to);
        write.add(parts[0], from);
        write.add(parts[1], from + parts[0].size());
    };
    while (to < until && write.bytes + (to - from) < write.limit) {
        const std::uint64_t end = ring.end_of(sequence);
        const bool is_chosen = !(conflates && ring.is_superseded(sequence)) && (!selection_ || selection_->wants(sequence));
        const bool is_skipped = !is_chosen && !(sequence == sequence_ && is_mid_frame());
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

} // namespace MATO_ABI
} // namespace mato
