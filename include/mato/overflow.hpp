// SPDX-License-Identifier: MIT
/// @file overflow.hpp: what happens to a client that does not read.
/// Layer: 2 (policy).  Test: test/toolkit/overflow_test.cpp.
/// Pure: bytes and time go in, a verdict comes out.   Blocks: never.
///
/// Whatever the policy: what is queued for a client is bounded, its replies count against the same bound, and no loss is
/// silent.
#pragma once

#include "clock.hpp"

#include <concepts>
#include <cstddef>
#include <optional>

namespace mato {
inline namespace MATO_ABI {

enum class overflow_verdict : unsigned char {
    keep,       ///< queue it
    disconnect, ///< close the client with errc::slow_consumer
    make_room,  ///< the queue is full: do as `overflow_kind` says
};

/// How a broadcast makes room for a subscriber that is behind.
enum class overflow_kind : unsigned char {
    disconnect,     ///< not at all: it gets every frame or its end
    resync,         ///< what waits is replaced by a snapshot of now
    drop_oldest,    ///< the oldest that wait are lost, exactly counted
    drop_newest,    ///< nothing newer is queued until all that waits is sent; exactly counted
    conflate,       ///< of each key only the newest waits
    block_producer, ///< the producer waits while every subscriber is full; else as disconnect, at the ring's end
};

/// Asked with the bytes that would be queued after each push, and told of every drain.
template <class O> concept overflow_policy = std::copyable<O> && requires(O policy, std::size_t queued, clock::time_point now) {
    { policy.on_queued(queued, now) } -> std::same_as<overflow_verdict>;
    { policy.on_drained(queued) } -> std::same_as<void>;
};

/// What a broadcast needs beside: how room is made, whether that may lose frames, and the bytes up to which `on_queued` keeps
/// at any time, so that it need not be asked.
template <class O> concept broadcast_policy = overflow_policy<O> && requires(const O policy) {
    { policy.kind() } -> std::same_as<overflow_kind>;
    { policy.limit() } -> std::same_as<std::size_t>;
    { O::loses_frames } -> std::convertible_to<bool>;
};

/// Closes a client at `hard` bytes at once, and one that stays over `soft` for `grace`. Below `soft` the timer starts anew:
/// two bursts with a drain between are two bursts, not one long one. Asked when something is queued: a client that is sent
/// nothing may keep what it has not read, which is within the bound.
struct disconnect {
    std::size_t hard = std::size_t{1} << 20; ///< bytes; 1 MiB: seconds of a fast terminal
    std::size_t soft = std::size_t{1} << 18; ///< bytes; what a reading client never reaches
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
        else if (std::chrono::floor<milliseconds>(now - *over_since_) >= grace) // `never` has no nanoseconds
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
/// A queue of so many bytes, and what is done when it is full.
template <overflow_kind Kind, bool Loses> struct bounded_queue {
    std::size_t bytes = std::size_t{1} << 18; ///< 256 KiB: beside it the kernel holds about 208 KiB of a Unix socket

    static constexpr bool loses_frames = Loses;
    [[nodiscard]] static constexpr overflow_kind kind() noexcept { return Kind; }
    [[nodiscard]] std::size_t limit() const noexcept { return bytes; }
    [[nodiscard]] overflow_verdict on_queued(std::size_t queued, clock::time_point) const noexcept {
        return queued > bytes ? overflow_verdict::make_room : overflow_verdict::keep;
    }
    static void on_drained(std::size_t) noexcept {}
};
} // namespace detail

/// Over `bytes`, all that waits is replaced by a snapshot, taken when the client can be sent it. For people who watch.
using resync = detail::bounded_queue<overflow_kind::resync, true>;
/// Keeps the newest `bytes`. For logs and events that are numbered or counted.
using drop_oldest = detail::bounded_queue<overflow_kind::drop_oldest, true>;
/// Keeps the oldest `bytes`, as long as the ring has them.
using drop_newest = detail::bounded_queue<overflow_kind::drop_newest, true>;
/// Keeps the newest frame of each key (`publish_keyed`), as long as the ring has it. `bytes` bounds the replies. For values
/// that change: titles, sizes, presence.
using conflate = detail::bounded_queue<overflow_kind::conflate, true>;
/// Full at `bytes`. For copies that must be whole, of a producer that can wait.
using block_producer = detail::bounded_queue<overflow_kind::block_producer, false>;

/// Any of them, chosen for each subscriber as it comes.
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
    disconnect patience_{}; // of `disconnect` alone
};

static_assert(broadcast_policy<disconnect> && broadcast_policy<resync> && broadcast_policy<drop_oldest>);
static_assert(broadcast_policy<drop_newest> && broadcast_policy<conflate> && broadcast_policy<block_producer>);
static_assert(broadcast_policy<any_overflow>);

} // namespace MATO_ABI
} // namespace mato
