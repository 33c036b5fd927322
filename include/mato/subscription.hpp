// SPDX-License-Identifier: MIT
/// @file subscription.hpp: what a subscriber of a stream asks for, and what it, its stream and their owner are told.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/fan_out_test.cpp.
/// Values: nothing here does anything.
#pragma once

#include "callback.hpp"
#include "error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

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
    callback<std::string(std::uint64_t sequence)> snapshot{};
    /// The payload that tells a subscriber what it lost; nothing where frames carry numbers of their own.
    callback<std::optional<std::string>(const frame_gap&)> gap{};
    /// The last payload for a subscriber that is closed because it fell behind.
    callback<std::optional<std::string>(const failure& why)> last_words{};
    /// The producer may go on: after `publish` reported errc::busy or `has_room` was false. Posted.
    callback<void()> room{};
};

} // namespace MATO_ABI
} // namespace mato
