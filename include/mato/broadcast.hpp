// SPDX-License-Identifier: MIT
/// @file broadcast.hpp: one stream of frames to many connections, encoded and stored once, with a bound for each connection.
/// Layer: 3 (asio).  Test: test/toolkit/broadcast_test.cpp, test/process/broadcast_process_test.cpp.
/// Threads: as connection.hpp.   Blocks: never.
///
/// Frames are stored in one ring; a subscriber is a position in it. The subscriber's overflow policy decides what happens when
/// it is slow; it never delays another subscriber. Everything published in one iteration of the loop is sent with one write per
/// subscriber, merged with the connection's own frames (`send`) in the order of the calls. Publishing, subscribing and closing
/// are safe inside any callback.
#pragma once

#include "connection.hpp"
#include "detail/asio_loop.hpp"
#include "fan_out.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// Sends one stream of frames to any number of connections. A frame is encoded and stored once; each subscriber is a position
/// in the ring and has its own overflow policy. `broadcast` has the default policies.
///
/// @threads only the thread that runs the io_context.
/// @fork create it after the last fork; it must not be used in a child.
/// @blocks never.
///
/// @code
/// mato::basic_broadcast<mato::server::session, mato::drop_oldest> news(context, 1 << 20);
/// news.on.gap = [](const mato::frame_gap& lost) { return std::to_string(lost.count()) + " lost"; };
/// server.on.on_opened = [&](const mato::server::session_ptr& session) {
///     session->established();
///     news.subscribe(session, mato::drop_oldest{.bytes = 1 << 16}, mato::join_at::last(10));
/// };
/// news.publish("one frame for all subscribers");
/// @endcode
template <class Connection = connection, broadcast_policy Overflow = disconnect> class basic_broadcast {
    using hub = fan_out<Connection, Overflow, typename Connection::framing>;
    static_assert(sizeof(typename hub::subscriber) <= 512,
                  "mato: a subscriber must stay small, it holds a position in the ring and no frames");

public:
    /// `ring_bytes`: the memory for frames; a frame is at most half of it. With ten times the largest frame, no subscriber is
    /// disconnected because it stalled in the middle of a frame: see fan_out.hpp.
    explicit basic_broadcast(asio::io_context& context, std::size_t ring_bytes = 1_MiB)
        : core_(std::make_shared<core>(context, ring_bytes)), on(core_->on) {}
    basic_broadcast(const basic_broadcast&) = delete;
    basic_broadcast& operator=(const basic_broadcast&) = delete;
    /// Frames already published are still sent. The connections stay open.
    ~basic_broadcast();

private:
    struct core : hub, std::enable_shared_from_this<core> {
        core(asio::io_context& where, std::size_t ring_bytes) : hub(ring_bytes), context(where) {}
        void flush_soon();
        void has_room_again() noexcept override;
        asio::io_context& context;
        bool is_posted = false;
    };
    std::shared_ptr<core> core_;

public:
    fan_out_handlers& on; ///< set before the first `subscribe` of a policy that needs one

    /// Sends frames from `where` on to this connection, until it ends or is unsubscribed, in addition to those of other
    /// broadcasts. Frames of one broadcast keep their order; those of two have none among each other. `filter`: the connection
    /// gets only the frames for which it returns true, see frame_filter. Idempotent: a connection that is subscribed keeps its
    /// policy and filter; after `unsubscribe` it begins again, and frames that are still queued are dropped. No effect on a
    /// connection that has ended.
    /// @errors as fan_out::join · busy: the connection has outbox::most_streams subscriptions.
    void subscribe(const std::shared_ptr<Connection>& subscriber, Overflow policy, join_at where, frame_filter filter,
                   error_out out);
    void subscribe(const std::shared_ptr<Connection>& subscriber, Overflow policy, join_at where, error_out out) {
        subscribe(subscriber, std::move(policy), where, {}, out);
    }
    void subscribe(const std::shared_ptr<Connection>& subscriber, Overflow policy = {}, join_at where = {},
                   frame_filter filter = {}) {
        or_throw([&](failure& why) { subscribe(subscriber, std::move(policy), where, std::move(filter), why); });
    }
    /// Frames already published are still sent, newer ones are not.
    void unsubscribe(Connection* subscriber) {
        if (is_subscribed(subscriber)) subscriber->box().no_more(*stream_of(*subscriber));
    }
    [[nodiscard]] bool is_subscribed(Connection* subscriber) const noexcept { return subscriber && stream_of(*subscriber); }

    /// @returns the frame's number, from 1.
    /// @errors as fan_out::publish; then no subscriber gets the frame.
    std::uint64_t publish(std::string_view payload, error_out out) { return published(core_->publish(payload, out)); }
    std::uint64_t publish(std::string_view payload) {
        std::error_code failed; // the text is made only after an error
        const std::uint64_t number = publish(payload, failed);
        return failed ? or_throw([&](failure& why) { return publish(payload, why); }) : number;
    }
    /// As `publish`. Replaces older frames of the same key: subscribers with `conflate` no longer get those.
    std::uint64_t publish_keyed(std::uint64_t key, std::string_view payload, error_out out) {
        return published(core_->publish_keyed(key, payload, out));
    }
    /// False while every subscriber is full and one has `block_producer`; `on.room` is called when there is room again.
    [[nodiscard]] bool has_room() { return core_->has_room(); }

    [[nodiscard]] std::size_t size() const noexcept { return core_->size(); }
    [[nodiscard]] broadcast_status status() const { return core_->status(); }
    /// Empty for a connection that is not subscribed here.
    [[nodiscard]] std::optional<subscriber_status> status(Connection* subscriber) const {
        if (!is_subscribed(subscriber)) return std::nullopt;
        return hub::status(*stream_of(*subscriber));
    }

private:
    [[nodiscard]] feed* stream_of(Connection& subscriber) const noexcept { return subscriber.box().stream_of(core_.get()); }
    std::uint64_t published(std::uint64_t sequence);
};

using broadcast = basic_broadcast<>;

// ---- implementation ----

template <class C, broadcast_policy O> basic_broadcast<C, O>::~basic_broadcast() {
    core_->on = {};
    core_->finish(); // subscribers with frames still to send keep the core alive
    if (core_->members() > 0) core_->flush_soon();
}

template <class C, broadcast_policy O> void basic_broadcast<C, O>::core::flush_soon() {
    if (std::exchange(is_posted, true)) return;
    asio::post(context, [self = this->shared_from_this()] {
        self->is_posted = false;
        if (self->flush()) self->flush_soon();
    });
}

template <class C, broadcast_policy O> void basic_broadcast<C, O>::core::has_room_again() noexcept {
    asio::post(context, [self = this->shared_from_this()] {
        if (self->on.room) self->on.room();
    });
}

template <class C, broadcast_policy O> void basic_broadcast<C, O>::subscribe(const std::shared_ptr<C>& subscriber, O policy,
                                                                             join_at where, frame_filter filter,
                                                                             error_out out) {
    if (!subscriber->is_open()) return;
    feed* const known = stream_of(*subscriber);
    if (known && !known->is_leaving()) return;
    if (!known && !subscriber->box().make_place())
        return out.set(errc::busy, "subscribe", {},
                       "the connection has " + std::to_string(outbox::most_streams) + " subscriptions; end one first");
    feed* const place = core_->join(*subscriber, std::move(policy), where, std::move(filter), out);
    if (!place) return;
    if (known) subscriber->box().leave(*known);
    subscriber->follow({core_, place});
}

template <class C, broadcast_policy O> std::uint64_t basic_broadcast<C, O>::published(std::uint64_t sequence) {
    if (sequence == 0) return 0;
    if (!core_->is_flush_due() || core_->is_busy()) {
        core_->flush_soon();
    } else {
        const auto held = core_; // a subscriber's callback may end the broadcast
        if (held->flush()) held->flush_soon();
    }
    return sequence;
}

} // namespace MATO_ABI
} // namespace mato
