// SPDX-License-Identifier: MIT
/// @file read_limits.hpp: when a connection stops reading from a client that sends faster than it is served.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/read_limits_test.cpp, back_pressure_test.cpp.
/// Threads: one object, one thread.   Blocks: never.
///
/// A client that reads no answers, or that sends more requests than the program has answered, is not read until it has caught
/// up. What it sends in the meantime stays in its own process and in the kernel's buffer (about 208 KiB). Other clients are not
/// affected.
#pragma once

#include "clock.hpp"

#include <cstddef>
#include <memory>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// How much of one client's work may wait in this process. At a limit its frames are not read; nothing is lost.
///
/// Part of `server_limits`; a connection without a server has `set_read_limits`. With `unlimited` a limit is never reached.
///
/// @threads a value.
/// @blocks never.
struct read_limits {
    /// Bytes of replies that the client has not read. Above it, reading pauses until half of it is left. Half of the default
    /// limit at which `disconnect` closes a client.
    std::size_t unread_bytes = std::size_t{512} << 10;
    /// A client that reads nothing of its replies for this long, while reading is paused for them, is closed (slow_consumer).
    milliseconds unread_for{10'000};
    std::size_t unanswered_frames = 256;                 ///< frames with a frame_ticket; 0 is the same as 1
    std::size_t unanswered_bytes = std::size_t{1} << 20; ///< payloads of these frames; one frame may be larger
};

/// Marks a received frame as not yet answered, from `hold_frame` until its last copy is destroyed or `done`. Keep it with the
/// work that the frame started, for example with the job that a thread pool has.
///
/// It does not keep the connection alive, and may outlive it.
///
/// @threads copies may be moved to other threads; the last one must be destroyed on the thread of the loop.
/// @blocks never.
///
/// @code
/// server.on.on_frame = [&](const mato::server::session_ptr& session, std::string_view frame) {
///     session->established();
///     jobs.push_back({session, session->hold_frame(), std::string(frame)}); // answered later
/// };
/// @endcode
class frame_ticket {
public:
    frame_ticket() noexcept = default;
    explicit frame_ticket(std::shared_ptr<const void> held) noexcept : held_(std::move(held)) {}
    void done() noexcept { held_.reset(); } ///< for this copy
    [[nodiscard]] explicit operator bool() const noexcept { return held_ != nullptr; }

private:
    std::shared_ptr<const void> held_;
};

namespace detail {

/// Whether a connection may deliver another frame now.
class read_gate {
public:
    void set_limits(const read_limits& limits) noexcept { limits_ = limits; }
    [[nodiscard]] const read_limits& limits() const noexcept { return limits_; }

    [[nodiscard]] bool is_shut() const noexcept {
        const bool is_full = frames_ >= limits_.unanswered_frames || bytes_ >= limits_.unanswered_bytes;
        return by_hand_ || is_unread_ || (frames_ > 0 && is_full);
    }
    [[nodiscard]] bool waits_for_peer() const noexcept { return is_unread_; }
    [[nodiscard]] std::size_t frames() const noexcept { return frames_; }

    void pause(bool on) noexcept { by_hand_ = on; }
    void queued(std::size_t replies) noexcept { is_unread_ = is_unread_ || replies > limits_.unread_bytes; }
    /// @returns whether the peer has read enough, so that this no longer keeps the gate shut.
    bool sent(std::size_t replies) noexcept {
        if (!is_unread_ || replies > limits_.unread_bytes / 2) return false;
        is_unread_ = false;
        return true;
    }
    void held(std::size_t bytes) noexcept {
        ++frames_;
        bytes_ += bytes;
    }
    void answered(std::size_t bytes) noexcept {
        --frames_;
        bytes_ -= bytes;
    }

private:
    read_limits limits_{unlimited, never, unlimited, unlimited};
    std::size_t frames_ = 0, bytes_ = 0; // with a ticket
    bool by_hand_ = false, is_unread_ = false;
};

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
