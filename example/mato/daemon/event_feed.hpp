// SPDX-License-Identifier: MIT
/// @file event_feed.hpp: what happens in the daemon, numbered, as one stream to any number of clients.
/// Threads: the io_context's.   Blocks: never.   Test: test/mato/events_process_test.cpp.
///
/// Events lie in one ring, whoever reads them. A reader that is too slow for it delays nobody: in place of what it missed it
/// gets the state as it is then (`resync`), whose number says how much that was.
#pragma once

#include "multiplexer_daemon.hpp"
#include "protocol/protocol.hpp"

#include <mato/broadcast.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace mux {

class event_feed {
public:
    using session = multiplexer_daemon::session;

    /// `state` fills in the tabs and clients there are.
    event_feed(asio::io_context& context, std::function<void(event_snapshot&)> state);

    /// Sends `to` the state, then each event behind it. `queue_bytes`: of what waits for it, its answers included.
    void subscribe(const std::shared_ptr<session>& to, std::size_t queue_bytes);
    /// Call it once the state has changed: then a snapshot lacks nothing that no event will tell.
    void tell(daemon_event what);

    [[nodiscard]] bool is_followed_by(session* reader) const noexcept { return hub_.is_subscribed(reader); }
    [[nodiscard]] std::optional<mato::subscriber_status> status(session* reader) const { return hub_.status(reader); }

private:
    static constexpr std::size_t ring_bytes = 256u << 10; // thousands of events, ten times the largest
    static constexpr std::size_t most_text = 8u << 10;    // bytes of one event's text

    [[nodiscard]] std::string snapshot();

    std::function<void(event_snapshot&)> state_;
    mato::basic_broadcast<session, mato::resync> hub_;
    std::uint64_t last_ = 0; // number of an event
};

} // namespace mux
