// SPDX-License-Identifier: MIT
#include "event_feed.hpp"

#include <chrono>
#include <utility>

namespace mux {
namespace {

constexpr std::size_t most_snapshot = multiplexer_daemon::session::framing::max_frame_bytes;

/// Milliseconds since 1970.
std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

} // namespace

event_feed::event_feed(asio::io_context& context, std::function<void(event_snapshot&)> state)
    : state_(std::move(state)), hub_(context, ring_bytes) {
    hub_.on.snapshot = [this](std::uint64_t) { return snapshot(); };
}

void event_feed::subscribe(const std::shared_ptr<session>& to, std::size_t queue_bytes, std::uint64_t since) {
    mato::failure gone; // it is closed then
    if (since != 0 && since < restart_number_) to->send(restart_, gone);
    hub_.subscribe(to, mato::resync{queue_bytes}, mato::join_at::snapshot());
}

void event_feed::tell_restart(daemon_event what) {
    what.number = restart_number_ = *last_ + 1;
    what.at = now();
    restart_ = encode<message::event>(0, what);
    tell(std::move(what));
}

void event_feed::tell(daemon_event what) {
    what.number = ++*last_;
    what.at = now();
    if (what.text.size() > most_text) what.text.resize(most_text);
    mato::failure never; // names are short, and the text was cut
    hub_.publish(encode<message::event>(0, std::move(what)), never);
    if (on_told) on_told();
}

std::string event_feed::snapshot() {
    event_snapshot all{*last_, now(), {}, {}, true};
    state_(all);
    std::string whole = encode<message::event_snapshot>(0, all);
    if (whole.size() <= most_snapshot) return whole;
    return encode<message::event_snapshot>(0, event_snapshot{all.number, all.at, {}, {}, false});
}

} // namespace mux
