// SPDX-License-Identifier: MIT
/// @file async_client_core.hpp: the state of an async client: its connection, its requests, and when it connects again.
/// Layer: 4 (composition).  Test: test/toolkit/async_client_test.cpp, async_client_start_test.cpp.
/// Threads: the thread of the loop, except `post`.   Blocks: never.
///
/// This file has the requests; async_client_connecting.hpp has the members that connect.
#pragma once

#include "../callback.hpp"
#include "../clock.hpp"
#include "../connection.hpp"
#include "../correlation.hpp"
#include "../error.hpp"
#include "../lock.hpp"
#include "../peer.hpp"
#include "../policies.hpp"
#include "../unique_fd.hpp"
#include "asio_loop.hpp"
#include "asio_token.hpp"
#include "coarse_clock.hpp"
#include "completion.hpp"
#include "loop_member.hpp"
#include "request_table.hpp"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// The limits of an async client. A request beyond a limit fails with errc::busy; nothing is lost silently.
struct async_client_options {
    std::size_t requests = 16'384;     ///< not yet completed, at most 2^24; and as many more from `post_request`
    std::size_t queued_bytes = 16_MiB; ///< of requests that the kernel has not accepted; one request may be larger
    milliseconds answer{30'000};       ///< deadline of a request that has none of its own
    std::size_t descriptors = 0;       ///< that the daemon may pass with a frame; more end the connection (malformed)
};

/// The callbacks of an async client, all optional. They may call any function of the client, and may destroy it.
///
/// An exception from one leaves run(), as from any handler on the loop; the client is in a consistent state then.
///
/// @threads the thread of the loop.
/// @blocks as the functions.
struct async_client_handlers {
    /// There is a connection, the first or another one. Requests made here are sent before those that waited for it.
    callback<void()> on_connected{};
    /// The connection ended, or connecting was given up; in the second case the next request tries again.
    callback<void(const failure& why)> on_disconnected{};
    /// A frame that answers no request, for example an event.
    callback<void(std::string_view payload)> on_frame{};
};

/// Tells an async client how the start of the daemon went: call it once, with an empty failure if the daemon serves. Copies
/// share one reply; if all are destroyed without a call, the start has failed with not_ready.
///
/// @threads only the thread that runs the io_context.
/// @blocks never.
class start_reply {
public:
    explicit start_reply(std::function<void(const failure&)> tell) : once_(std::make_shared<once>(std::move(tell))) {}
    void operator()(const failure& why) const {
        if (const auto tell = std::exchange(once_->tell, {})) tell(why);
    }

private:
    struct once {
        explicit once(std::function<void(const failure&)> how) : tell(std::move(how)) {}
        once(const once&) = delete;
        once& operator=(const once&) = delete;
        ~once() {
            if (tell) tell({errc::not_ready, "start the daemon", {}, "its start ended without a result"});
        }
        std::function<void(const failure&)> tell;
    };
    std::shared_ptr<once> once_;
};

namespace detail {

/// For a connection whose queue is bounded by its owner.
struct bounded_by_owner {
    overflow_verdict on_queued(std::size_t, clock::time_point) noexcept { return overflow_verdict::keep; }
    void on_drained(std::size_t) noexcept {}
    static constexpr bool loses_frames = false;
    [[nodiscard]] static constexpr overflow_kind kind() noexcept { return overflow_kind::disconnect; }
    [[nodiscard]] static constexpr std::size_t limit() noexcept { return unlimited; }
};

template <class P> class async_client_core final : public std::enable_shared_from_this<async_client_core<P>>,
                                                   private loop_member {
public:
    using framing = typename P::framing;
    using endpoint = typename P::endpoint;
    using server_policy = typename server_of<P>::type;
    using correlation = typename correlation_of<P>::type;

    async_client_core(asio::io_context& context, endpoint where, server_policy trusted, const async_client_options& options)
        : loop_member(context), context_(context), where_(std::move(where)), trusted_(std::move(trusted)), options_(options),
          look_timer_(std::in_place, context), pause_timer_(std::in_place, context) {
        if (options_.requests > table::most) options_.requests = table::most;
    }

    void connect(cancellation_slot slot, completion&& done);
    void ask(std::string_view payload, deadline until, cancellation_slot slot, completion&& done,
             callback<void(std::string_view)> on_part = {});
    void post(std::string payload, deadline until, completion&& done);
    void send(std::string_view payload, error_out out);
    void send_with(std::string_view payload, std::span<const int> descriptors, error_out out);
    [[nodiscard]] unique_fd take_descriptor() noexcept { return connection_ ? connection_->take_descriptor() : unique_fd(); }
    void cancel_all();
    void close();
    void end() {
        is_ended_ = true;
        close();
        on = {};
        launch_ = {};
    }
    void start_with(std::string directory, callback<void(start_reply)> launch) {
        directory_ = std::move(directory);
        launch_ = std::move(launch);
    }

    [[nodiscard]] asio::io_context& context() noexcept { return context_; }
    /// A long time may end late by a hundredth of it, because the exact time would cost as much as half of a request.
    [[nodiscard]] deadline usual_deadline() const noexcept {
        if (options_.answer < coarse_from || options_.answer > coarse_until) return deadline::in(options_.answer);
        return deadline(coarse_now() + options_.answer + coarse_step);
    }
    [[nodiscard]] bool is_connected() const noexcept { return connection_ && connection_->is_open(); }
    [[nodiscard]] std::size_t size() const noexcept { return requests_.size(); }
    [[nodiscard]] std::size_t queued_bytes() const noexcept {
        return waiting_bytes_ + (connection_ ? connection_->queued_bytes() : 0);
    }
    [[nodiscard]] const peer_credentials& server() const noexcept { return server_; }

    async_client_handlers on{};

private:
    struct rare { // what few requests need
        callback<void(std::string_view)> on_part{};
        std::string payload{}; // until there is a connection
        bool only_connects = false;
    };
    struct request {
        completion done{}; // empty: given up, its answer will be dropped
        clock::time_point until{};
        std::unique_ptr<rare> more{};
    };
    using table = request_table<request>;
    using list = typename table::list;
    using connection_type = basic_connection<framing, bounded_by_owner>;
    enum class state : unsigned char { idle, connecting, starting, connected };

    static constexpr milliseconds coarse_from = 100 * coarse_step, coarse_until{std::chrono::hours(24 * 365)};
    static constexpr milliseconds look_again{1};           // between two searches for requests whose deadline has passed
    static constexpr milliseconds try_again{50};           // while another client starts the daemon
    static constexpr milliseconds stable{1000};            // a connection of this age ends one series of failures
    static constexpr std::size_t most_read_bytes = 64_KiB; // a few hundred answers with one system call
    static constexpr std::size_t keep_room_bytes = 64_KiB; // of the buffer in which requests are built

    [[nodiscard]] bool may_send(std::string_view payload, error_out out) const;
    [[nodiscard]] std::error_code refusal(std::size_t bytes) const noexcept;
    [[nodiscard]] std::uint64_t add(completion&& done, clock::time_point until, std::unique_ptr<rare> more,
                                    cancellation_slot slot, list to);
    void transmit(std::uint64_t number, std::string_view payload);
    void send_waiting();
    void on_frame(std::string_view frame);
    void refuse(std::string_view frame);
    void lost(const failure& why);
    [[nodiscard]] request take(std::uint64_t number);
    [[nodiscard]] callback<void(std::string_view)> part_of(std::uint64_t number) {
        const request* const what = requests_.find(number);
        return what->more ? what->more->on_part : nullptr;
    }
    void give_up(std::uint64_t number, const std::error_code& why);
    void fail_all(list which, const std::error_code& why);
    void watch(clock::time_point until);
    void look();

    void want_connection();
    void attempt();
    [[nodiscard]] failure try_connect();
    void connected(unique_fd socket);
    void start();
    void started(const failure& why);
    void attempt_after(milliseconds wait);
    void pause(const failure& why);
    void give_up_connecting(const failure& why);
    /// Calls `then` unless the attempts have ended, or begun again, in the meantime.
    template <class Then> [[nodiscard]] auto in_this_series(Then then) {
        return [held = this->weak_from_this(), series = series_, then](auto&&...) {
            const auto self = held.lock();
            if (self && self->series_ == series) then(*self);
        };
    }
    void loop_ends() noexcept override;

    asio::io_context& context_;
    endpoint where_;
    server_policy trusted_;
    async_client_options options_;
    std::optional<asio::steady_timer> look_timer_, pause_timer_; // empty: the loop was destroyed
    clock::time_point next_look_ = clock::time_point::max();
    std::shared_ptr<connection_type> connection_;
    peer_credentials server_{};
    table requests_;
    std::size_t waiting_bytes_ = 0;
    std::string room_;
    typename P::backoff backoff_{};
    std::string directory_;
    callback<void(start_reply)> launch_{};
    instance_lock start_lock_; // while this client starts the daemon
    std::uint64_t series_ = 0; // of attempts to connect
    state state_ = state::idle;
    clock::time_point connected_at_{};
    bool has_started_ = false; // in this series
    bool is_proved_ = false;   // the server has sent a frame on this connection
    bool is_ended_ = false;
    std::atomic<std::size_t> posted_requests_{0}, posted_bytes_{0}; // on their way from other threads
};

// ---- implementation ----

template <class P> void async_client_core<P>::connect(cancellation_slot slot, completion&& done) {
    std::error_code refused = refusal(0);
    if (refused || is_connected()) return std::move(done).post(context_, refused);
    auto waits = std::make_unique<rare>(rare{{}, {}, true});
    static_cast<void>(add(std::move(done), usual_deadline().at(), std::move(waits), slot, list::waiting));
    want_connection();
}

template <class P> void async_client_core<P>::ask(std::string_view payload, deadline until, cancellation_slot slot,
                                                  completion&& done, callback<void(std::string_view)> on_part) {
    if (const auto refused = refusal(payload.size())) return std::move(done).post(context_, refused);
    std::unique_ptr<rare> more;
    if (on_part) more = std::make_unique<rare>(rare{std::move(on_part), {}, false});
    if (is_connected()) return transmit(add(std::move(done), until.at(), std::move(more), slot, list::sent), payload);
    if (!more) more = std::make_unique<rare>();
    more->payload = payload;
    static_cast<void>(add(std::move(done), until.at(), std::move(more), slot, list::waiting));
    waiting_bytes_ += payload.size();
    want_connection();
}

template <class P> std::uint64_t async_client_core<P>::add(completion&& done, clock::time_point until,
                                                           std::unique_ptr<rare> more, cancellation_slot slot, list to) {
    const std::uint64_t number = requests_.add_with(to, [&](request& fresh) {
        fresh.done.set(std::move(done));
        fresh.until = until;
        fresh.more = std::move(more);
    });
    watch(until);
    if (slot.is_connected())
        slot.assign([held = this->weak_from_this(), number](cancellation_kind) {
            if (const auto self = held.lock()) self->give_up(number, operation_aborted());
        });
    return number;
}

template <class P> std::error_code async_client_core<P>::refusal(std::size_t bytes) const noexcept {
    if (is_ended_ || !look_timer_) return operation_aborted();
    const std::size_t queued = queued_bytes();
    const bool is_full = queued > 0 && (queued >= options_.queued_bytes || bytes > options_.queued_bytes - queued);
    if (is_full || requests_.size() >= options_.requests) return make_error_code(errc::busy);
    return {};
}

template <class P> void async_client_core<P>::post(std::string payload, deadline until, completion&& done) {
    const std::size_t bytes = payload.size();
    const bool is_full = posted_requests_.fetch_add(1) >= options_.requests;
    const bool is_large = posted_bytes_.fetch_add(bytes) >= options_.queued_bytes;
    if (is_full || is_large) {
        posted_requests_ -= 1;
        posted_bytes_ -= bytes;
        return std::move(done).post(context_, make_error_code(errc::busy));
    }
    asio::post(context_,
               [self = this->shared_from_this(), text = std::move(payload), until, bytes, done = std::move(done)]() mutable {
                   self->posted_requests_ -= 1;
                   self->posted_bytes_ -= bytes;
                   self->ask(text, until, {}, std::move(done));
               });
}

template <class P> void async_client_core<P>::send(std::string_view payload, error_out out) {
    if (may_send(payload, out)) connection_->send(correlation::request(room_, 0, payload), out);
}

template <class P>
void async_client_core<P>::send_with(std::string_view payload, std::span<const int> descriptors, error_out out) {
    if (may_send(payload, out)) connection_->send_with(correlation::request(room_, 0, payload), descriptors, out);
}

template <class P> bool async_client_core<P>::may_send(std::string_view payload, error_out out) const {
    if (!is_connected()) return out.fail<bool>(errc::closed, "send", where_.describe(), "there is no connection");
    const std::size_t queued = queued_bytes();
    if (queued > 0 && queued + payload.size() > options_.queued_bytes)
        return out.fail<bool>(errc::busy, "send", where_.describe(),
                              "the server has not read " + std::to_string(queued) + " bytes; send less or wait");
    return true;
}

template <class P> void async_client_core<P>::transmit(std::uint64_t number, std::string_view payload) {
    std::error_code refused;
    try {
        if constexpr (std::is_same_v<correlation, numbered>) // not copied into room_ first
            connection_->send(numbered::head(number), payload, refused);
        else
            connection_->send(correlation::request(room_, number, payload), refused);
    } catch (const std::bad_alloc&) {
        refused = {ENOMEM, std::system_category()};
    }
    if (room_.capacity() > keep_room_bytes) std::string().swap(room_);
    if (refused) requests_.take(number).done.post(context_, refused);
}

template <class P> void async_client_core<P>::send_waiting() {
    while (const std::uint64_t number = is_connected() ? requests_.first(list::waiting) : 0) {
        rare& waits = *requests_.find(number)->more;
        const std::string payload = std::exchange(waits.payload, {});
        waiting_bytes_ -= payload.size();
        if (waits.only_connects) {
            take(number).done.post(context_, {});
            continue;
        }
        requests_.mark_sent(number);
        transmit(number, payload);
    }
}

template <class P> void async_client_core<P>::on_frame(std::string_view frame) {
    if (!std::exchange(is_proved_, true)) backoff_ = typename P::backoff(); // the server works
    std::error_code bad;
    const correlated_frame got = correlation::read(frame, bad);
    if (bad) return refuse(frame);
    const std::uint64_t number = correlation::keeps_order ? requests_.first(list::sent) : got.number;
    if (number == 0) {
        if (on.on_frame) on.on_frame(got.body);
        return;
    }
    if (requests_.list_of(number) != list::sent) return; // given up before
    if (got.part == answer_part::more_follow) {
        const auto on_part = part_of(number);
        if (on_part) on_part(got.body);
        return;
    }
    auto done = requests_.take_part(number, [](request& old) {
        old.more.reset();
        return std::move(old.done);
    });
    if (done) std::move(done).run(std::string(got.body));
}

// Read again for the text of the failure, which costs more than the code.
template <class P> void async_client_core<P>::refuse(std::string_view frame) {
    failure why;
    static_cast<void>(correlation::read(frame, why));
    connection_->abort(std::move(why));
}

template <class P> auto async_client_core<P>::take(std::uint64_t number) -> request {
    request taken = requests_.take(number);
    if (taken.more) waiting_bytes_ -= taken.more->payload.size();
    return taken;
}

template <class P> void async_client_core<P>::give_up(std::uint64_t number, const std::error_code& why) {
    request* const what = requests_.find(number);
    if (!what || !what->done) return;
    if (correlation::keeps_order && requests_.list_of(number) == list::sent) { // its answer will come, and has its place
        if (what->more) what->more->on_part = {};
        return std::move(what->done).post(context_, why);
    }
    take(number).done.post(context_, why);
}

template <class P> void async_client_core<P>::fail_all(list which, const std::error_code& why) {
    while (const std::uint64_t number = requests_.first(which))
        if (auto done = take(number).done) std::move(done).post(context_, why);
}

// One timer for all requests. It is set earlier when a request with an earlier deadline comes, and never for each request:
// that would cost a system call.
template <class P> void async_client_core<P>::watch(clock::time_point until) {
    if (until >= next_look_) return;
    next_look_ = until;
    look_timer_->expires_at(until);
    look_timer_->async_wait([held = this->weak_from_this()](std::error_code cancelled) {
        const auto self = held.lock();
        if (!cancelled && self) self->look();
    });
}

template <class P> void async_client_core<P>::look() {
    const auto now = clock::now();
    auto earliest = clock::time_point::max();
    for (const list each : {list::sent, list::waiting})
        for (std::uint64_t number = requests_.first(each), next = 0; number != 0; number = next) {
            next = requests_.next(number);
            const request& what = *requests_.find(number);
            if (!what.done) continue;
            if (what.until <= now)
                give_up(number, make_error_code(errc::timed_out));
            else if (what.until < earliest)
                earliest = what.until;
        }
    next_look_ = clock::time_point::max();
    if (earliest != next_look_) watch(earliest < now + look_again ? now + look_again : earliest);
}

template <class P> void async_client_core<P>::cancel_all() {
    fail_all(list::waiting, operation_aborted());
    for (std::uint64_t number = requests_.first(list::sent), next = 0; number != 0; number = next) {
        next = requests_.next(number);
        give_up(number, operation_aborted());
    }
}

template <class P> void async_client_core<P>::close() {
    if (!look_timer_) return; // the loop was destroyed
    ++series_;
    state_ = state::idle;
    start_lock_ = {};
    pause_timer_->cancel();
    look_timer_->cancel();
    next_look_ = clock::time_point::max();
    fail_all(list::waiting, operation_aborted());
    fail_all(list::sent, operation_aborted());
    if (const auto old = std::exchange(connection_, nullptr)) {
        old->forget_callbacks();
        old->close({errc::stopping, "close", {}, {}}); // sends queued frames first
    }
}

template <class P> void async_client_core<P>::loop_ends() noexcept {
    const auto self = this->weak_from_this().lock(); // a handler may own the last reference
    ++series_;
    look_timer_.reset(); // first: a destroyed handler may close the client
    pause_timer_.reset();
    connection_.reset();
    on = {};
    launch_ = {};
    for (const list each : {list::waiting, list::sent})
        while (const std::uint64_t number = requests_.first(each)) static_cast<void>(requests_.take(number));
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato

#include "async_client_connecting.hpp"
