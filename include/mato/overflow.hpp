// SPDX-License-Identifier: MIT
/// @file overflow.hpp: what happens to a client that does not read.
/// Layer: 2 (policy).  Test: test/toolkit/overflow_test.cpp.
/// Pure: the verdict depends only on bytes and time.   Blocks: never.
///
/// For every policy: the queue of a client is bounded, its replies count towards the same limit, and every loss is reported.
#pragma once

#include "clock.hpp"

#include <concepts>
#include <cstddef>
#include <optional>

namespace mato {
inline namespace MATO_ABI {

/// What to do after a frame was queued. Returned by `on_queued` of a policy.
enum class overflow_verdict : unsigned char {
    keep,       ///< keep it queued
    disconnect, ///< close the client with errc::slow_consumer
    make_room,  ///< the queue is full: act according to `overflow_kind`
};

/// How a broadcast makes room for a subscriber that lags. Each value has a policy of the same name.
enum class overflow_kind : unsigned char {
    disconnect,     ///< it does not: the subscriber gets every frame or is disconnected
    resync,         ///< replaces the queued frames by a snapshot of the current state
    drop_oldest,    ///< drops the oldest queued frames; the gap is reported with its exact count
    drop_newest,    ///< drops new frames until all queued frames are sent; the gap is reported with its exact count
    conflate,       ///< keeps only the newest queued frame of each key
    block_producer, ///< the producer waits while all subscribers are full; a subscriber that lags by a whole ring is
                    ///< disconnected
};

/// `on_queued` is called after each push with the queued bytes, `on_drained` after each drain.
template <class O> concept overflow_policy = std::copyable<O> && requires(O policy, std::size_t queued, clock::time_point now) {
    { policy.on_queued(queued, now) } -> std::same_as<overflow_verdict>;
    { policy.on_drained(queued) } -> std::same_as<void>;
};

/// In addition for a broadcast: `kind` tells how to make room, `loses_frames` whether that may lose frames. Up to `limit` bytes
/// `on_queued` always returns `keep`, so it is not called.
template <class O> concept broadcast_policy = overflow_policy<O> && requires(const O policy) {
    { policy.kind() } -> std::same_as<overflow_kind>;
    { policy.limit() } -> std::same_as<std::size_t>;
    { O::loses_frames } -> std::convertible_to<bool>;
};

/// Closes a client immediately above `hard` bytes, and after `grace` if it stays above `soft`. The timer is reset when the
/// queue falls to `soft`: two bursts with a drain between them do not add up. It is checked when a frame is queued: a client to
/// which nothing is sent is not closed, because its queue is within the limit.
/// The default overflow policy.
///
/// @threads a value.
/// @blocks never.
///
/// @code
/// mato::disconnect policy;
/// policy.hard = 1 << 20, policy.soft = 1 << 16, policy.grace = std::chrono::seconds(5);
/// const auto now = mato::clock::now();
/// const auto first = policy.on_queued(1 << 17, now);                           // above soft: keep, the time starts
/// const auto later = policy.on_queued(1 << 17, now + std::chrono::seconds(6)); // still above it: disconnect
/// policy.on_drained(0);                                                        // the client has read: the time is reset
/// @endcode
struct disconnect {
    std::size_t hard = std::size_t{1} << 20; ///< bytes; 1 MiB: several seconds of output of a fast terminal
    std::size_t soft = std::size_t{1} << 18; ///< bytes; a client that reads stays below it
    milliseconds grace{10'000};

    static constexpr bool loses_frames = false;
    [[nodiscard]] static constexpr overflow_kind kind() noexcept { return overflow_kind::disconnect; }
    [[nodiscard]] std::size_t limit() const noexcept { return over_since_ ? 0 : hard < soft ? hard : soft; }

    overflow_verdict on_queued(std::size_t queued, clock::time_point now) noexcept {
        if (queued > hard) return overflow_verdict::disconnect;
        if (queued <= soft)
            over_since_.reset();
        else if (!over_since_)
            over_since_ = now;
        else if (std::chrono::floor<milliseconds>(now - *over_since_) >= grace) // `never` would overflow in nanoseconds
            return overflow_verdict::disconnect;
        return overflow_verdict::keep;
    }
    void on_drained(std::size_t queued) noexcept {
        if (queued <= soft) over_since_.reset();
    }

private:
    std::optional<clock::time_point> over_since_{};
};

namespace detail {
/// A queue limited to `bytes`; `Kind` tells what happens when it is full.
template <overflow_kind Kind, bool Loses> struct bounded_queue {
    std::size_t bytes = std::size_t{1} << 18; ///< 256 KiB; the kernel queues about 208 KiB more for a Unix socket

    static constexpr bool loses_frames = Loses;
    [[nodiscard]] static constexpr overflow_kind kind() noexcept { return Kind; }
    [[nodiscard]] std::size_t limit() const noexcept { return bytes; }
    [[nodiscard]] overflow_verdict on_queued(std::size_t queued, clock::time_point) const noexcept {
        return queued > bytes ? overflow_verdict::make_room : overflow_verdict::keep;
    }
    static void on_drained(std::size_t) noexcept {}
};
} // namespace detail

/// Above `bytes`, all queued frames are replaced by a snapshot, which is taken when it can be sent. For displays.
using resync = detail::bounded_queue<overflow_kind::resync, true>;
/// Keeps the newest `bytes`. For numbered logs and events.
using drop_oldest = detail::bounded_queue<overflow_kind::drop_oldest, true>;
/// Keeps the oldest `bytes`, as long as the ring has them.
using drop_newest = detail::bounded_queue<overflow_kind::drop_newest, true>;
/// Keeps the newest frame of each key (`publish_keyed`), as long as the ring has it. `bytes` limits the replies. For values
/// that change: titles, sizes, presence.
using conflate = detail::bounded_queue<overflow_kind::conflate, true>;
/// Full at `bytes`. For complete copies, from a producer that can wait.
using block_producer = detail::bounded_queue<overflow_kind::block_producer, false>;

/// Any of these policies, chosen for each subscriber at run time.
///
/// Its broadcast needs `on.gap` and `on.snapshot` only for subscribers whose policy uses them.
///
/// @threads a value.
/// @blocks never.
class any_overflow {
public:
    any_overflow() noexcept = default;
    any_overflow(disconnect policy) noexcept : patience_(policy) {} // NOLINT(google-explicit-constructor)
    template <overflow_kind Kind, bool Loses>
    any_overflow(detail::bounded_queue<Kind, Loses> policy) noexcept // NOLINT(google-explicit-constructor)
        : kind_(Kind), bytes_(policy.bytes) {}

    static constexpr bool loses_frames = true;
    [[nodiscard]] overflow_kind kind() const noexcept { return kind_; }
    [[nodiscard]] std::size_t limit() const noexcept { return is_patient() ? patience_.limit() : bytes_; }
    overflow_verdict on_queued(std::size_t queued, clock::time_point now) noexcept {
        if (is_patient()) return patience_.on_queued(queued, now);
        return queued > bytes_ ? overflow_verdict::make_room : overflow_verdict::keep;
    }
    void on_drained(std::size_t queued) noexcept {
        if (is_patient()) patience_.on_drained(queued);
    }

private:
    [[nodiscard]] bool is_patient() const noexcept { return kind_ == overflow_kind::disconnect; }

    overflow_kind kind_ = overflow_kind::disconnect;
    std::size_t bytes_ = 0;
    disconnect patience_{}; // used only for kind `disconnect`
};

static_assert(broadcast_policy<disconnect> && broadcast_policy<resync> && broadcast_policy<drop_oldest>);
static_assert(broadcast_policy<drop_newest> && broadcast_policy<conflate> && broadcast_policy<block_producer>);
static_assert(broadcast_policy<any_overflow>);

} // namespace MATO_ABI
} // namespace mato
