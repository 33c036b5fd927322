// SPDX-License-Identifier: MIT
/// @file subscription.hpp: where a subscriber joins a stream, its gaps and counters, and the callbacks of the stream.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/fan_out_test.cpp.
/// Values without behaviour.
#pragma once

#include "callback.hpp"
#include "error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace mato {
inline namespace MATO_ABI {

/// A range of frames that a subscriber lost, by sequence number.
///
/// Passed to `fan_out_handlers::gap`.
///
/// @threads a value.
/// @blocks never.
struct frame_gap {
    std::uint64_t first = 0, last = 0; ///< both inclusive
    std::uint64_t unwanted = 0;        ///< of these, frames that the subscriber's filter refuses; it has not lost them
    [[nodiscard]] std::uint64_t count() const noexcept { return last - first + 1 - unwanted; } ///< lost frames
};

/// Where in the stream a subscriber starts.
///
/// Passed to `subscribe`.
///
/// @threads a value.
/// @blocks never.
struct join_at {
    enum class place : unsigned char { next, last, after, snapshot } where = place::next;
    std::uint64_t number = 0;

    [[nodiscard]] static join_at next() noexcept { return {}; } ///< the next frame published
    /// Up to this many of the newest frames in the ring, then the following ones.
    [[nodiscard]] static join_at last(std::uint64_t frames) noexcept { return {place::last, frames}; }
    /// Resumes with the frame after this one; if the ring no longer has it, reports a gap.
    [[nodiscard]] static join_at after(std::uint64_t sequence) noexcept { return {place::after, sequence}; }
    /// A snapshot, then newer frames.
    [[nodiscard]] static join_at snapshot() noexcept { return {place::snapshot, 0}; }
};

/// Counters of one subscriber, or of all subscribers since the stream was created.
///
/// They never decrease.
///
/// @threads a value.
/// @blocks never.
struct delivery_counters {
    std::uint64_t delivered = 0;  ///< frames of the stream accepted by the kernel
    std::uint64_t dropped = 0;    ///< frames lost, each in a reported gap
    std::uint64_t gaps = 0;       ///< reported gaps
    std::uint64_t resyncs = 0;    ///< snapshots sent, including those on joining
    std::uint64_t superseded = 0; ///< frames not sent because a newer one of their key or a snapshot replaced them
    std::uint64_t filtered = 0;   ///< frames not sent because the subscriber's filter refuses them
};

/// The state of one subscriber, from `basic_broadcast::status`. The counters are its own.
///
/// @threads a value.
/// @blocks never.
struct subscriber_status : delivery_counters {
    std::size_t queued_bytes = 0; ///< including its replies
    std::uint64_t lag = 0;        ///< frames published but not yet sent to it, without those that its filter refuses
};

/// The state of a broadcast, from `basic_broadcast::status`. The counters include subscribers that have left.
///
/// @threads a value.
/// @blocks never.
struct broadcast_status : delivery_counters {
    std::size_t subscribers = 0, stalled = 0; ///< current number; of these, with a full kernel buffer
    std::uint64_t published = 0;
    std::uint64_t disconnected = 0; ///< subscribers closed because they were too slow
    std::size_t ring_bytes = 0;     ///< bytes of the frames in the ring
    std::size_t partial_bytes = 0;  ///< bytes of partially sent frames that the ring has dropped
    std::size_t slowest_bytes = 0;  ///< the longest queue
    std::uint64_t slowest_lag = 0;  ///< the largest lag, in frames
};

/// Callbacks of a stream: the payloads that only its owner can make.
///
/// An exception from `snapshot` or `gap` closes that subscriber.
///
/// @threads the loop's thread.
/// @blocks never.
struct fan_out_handlers {
    /// Returns the payload that replaces all frames up to `sequence`, for a subscriber that joins or is resynchronised. Called
    /// when it can be sent; once for all subscribers that need it at the same sequence.
    callback<std::string(std::uint64_t sequence)> snapshot{};
    /// Returns the payload that reports lost frames to a subscriber; empty if the frames themselves carry numbers.
    callback<std::optional<std::string>(const frame_gap&)> gap{};
    /// Returns the last payload for a subscriber that is closed because it is too slow.
    callback<std::optional<std::string>(const failure& why)> last_words{};
    /// There is room again after `publish` reported errc::busy or `has_room` returned false. Posted to the loop.
    callback<void()> room{};
};

} // namespace MATO_ABI
} // namespace mato
