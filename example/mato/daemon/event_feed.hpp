// SPDX-License-Identifier: MIT
/// @file event_feed.hpp: the daemon's events, numbered, as one stream to any number of clients.
/// Threads: the io_context's.   Blocks: never.   Test: test/mato/events_process_test.cpp.
///
/// Events are stored once, in one ring, for all readers. A slow reader does not delay the others: a snapshot of the current
/// state replaces the events that it missed (`resync`), and its number shows how many they were.
#pragma once

#include "multiplexer_daemon.hpp"
#include "protocol/messages.hpp"

#include <mato/broadcast.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace mux {

class event_feed {
public:
    using session = multiplexer_daemon::session;

    /// `state` fills in the current tabs and clients.
    event_feed(asio::io_context& context, std::function<void(event_snapshot&)> state);

    /// Sends a snapshot to `to`, then each later event. `queue_bytes` limits all that waits for it, including answers. If this
    /// process began after the event `since`, which `to` has had, that is told first.
    void subscribe(const std::shared_ptr<session>& to, std::size_t queue_bytes, std::uint64_t since);
    std::function<void()> on_told; ///< after each event, whether it is followed or not

    /// Call it after the state has changed: otherwise a snapshot could miss a change whose event comes before it.
    void tell(daemon_event what);
    /// This process goes on with what the one before left. Call it once: `subscribe` repeats it.
    void tell_restart(daemon_event what);

    /// From here on the number of the last event is kept at `last`, and events continue after the one that is there.
    void count_at(std::uint64_t* last) noexcept { last_ = last; }

    [[nodiscard]] bool is_followed_by(session* reader) const noexcept { return hub_.is_subscribed(reader); }
    [[nodiscard]] std::optional<mato::subscriber_status> status(session* reader) const { return hub_.status(reader); }

private:
    static constexpr std::size_t ring_bytes = 256u << 10; // thousands of events, ten times the largest one
    static constexpr std::size_t most_text = 8u << 10;    // bytes of one event's text

    [[nodiscard]] std::string snapshot();

    std::function<void(event_snapshot&)> state_;
    mato::basic_broadcast<session, mato::resync> hub_;
    std::string restart_; // the event of this process's beginning, as a message
    std::uint64_t restart_number_ = 0, own_last_ = 0;
    std::uint64_t* last_ = &own_last_; // number of the last event
};

} // namespace mux
