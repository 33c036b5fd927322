// SPDX-License-Identifier: MIT
/// @file server.hpp: accepts clients and manages their sessions.
/// Layer: 3 (asio).  Test: test/toolkit/server_test.cpp.
/// Threads: as connection.hpp.   Blocks: never.   Fork: create it after the last fork.
///
/// The peer policy is checked before a byte is read, the limits before a session is opened, and the handshake must be completed
/// before its deadline. When descriptors run out, accepting pauses and does not spin. Callbacks may throw, replace callbacks,
/// and destroy the server. Session pointers may be kept: after the server or the io_context is destroyed they are closed
/// sessions.
#pragma once

#include "callback.hpp"
#include "clock.hpp"
#include "connection.hpp"
#include "detail/asio_descriptor.hpp"
#include "detail/handler_memory.hpp"
#include "endpoint.hpp"
#include "listener.hpp"
#include "peer.hpp"
#include "session.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mato {
inline namespace MATO_ABI {

/// The limits of a server. Clients above a limit are refused with errc::too_many_clients, clients that are too slow are closed.
struct server_limits {
    std::size_t clients = 1024;              ///< sessions; with `unlimited`, the process's descriptor limit applies
    std::size_t unestablished = 256;         ///< sessions before `established`; more than connect at once in practice
    std::size_t clients_per_uid = unlimited; ///< sessions of one user
    milliseconds handshake{5000};            ///< from accept to `established`; long enough on a busy machine
    milliseconds frame{30'000};              ///< first to last byte of a frame: basic_connection::set_frame_deadline
    milliseconds accept_pause{100};          ///< pause after EMFILE and similar errors
    milliseconds idle = never;               ///< an established session that sends no frame for this long is closed (timed_out)
    read_limits read{};                      ///< of each session: when a client that sends too fast is not read
};

/// Counts events since the server was created.
///
/// Read them with `basic_server::counters`.
///
/// @threads a value.
/// @blocks never.
struct server_counters {
    std::uint64_t accepted = 0; ///< sessions opened
    std::uint64_t refused = 0;  ///< by the peer policy or a limit
    std::uint64_t pauses = 0;   ///< accepting was paused because descriptors or memory ran out
};

/// Accepts clients of an endpoint and manages their sessions, within limits. Set the callbacks in `on`, then call `listen`.
/// `server` has the default policies; `basic_daemon` contains one.
///
/// @threads only the thread that runs the io_context.
/// @fork create it after the last fork; it must not be used in a child.
/// @blocks never.
///
/// @code
/// mato::server server(context, {.clients = 100});
/// server.on.on_frame = [](const mato::server::session_ptr& session, std::string_view frame) {
///     session->established(); // the first frame completes the handshake
///     session->send(frame);
/// };
/// server.listen(mato::owned_path(paths.socket), {}, lock, {}, why);
/// @endcode
template <class Endpoint = owned_path, class Peer = same_user, class Framing = length_prefixed<>, class Overflow = disconnect>
class basic_server {
    static_assert(endpoint_policy<Endpoint>, "mato: the endpoint policy lacks a member, see endpoint.hpp");
    static_assert(peer_policy<Peer>, "mato: the peer policy needs `checks` and `bool allows(const peer_credentials&) const`");
    static_assert(framing_policy<Framing>, "mato: the framing policy lacks a member, see framing.hpp");
    static_assert(overflow_policy<Overflow>, "mato: the overflow policy needs on_queued and on_drained, see overflow.hpp");

public:
    using endpoint_type = Endpoint;
    using peer_type = Peer;
    using session = basic_session<Framing, Overflow>;
    using session_ptr = std::shared_ptr<session>;

    struct handlers {
        callback<void(const session_ptr&)> on_opened{};
        callback<void(const session_ptr&, std::string_view payload)> on_frame{};
        /// Called once for each opened session when it ends. `why`: errc::closed if the peer closed it, else the reason.
        callback<void(const session_ptr&, const failure& why)> on_closed{};
        callback<void(const session_ptr&)> on_drained{};
        /// A client was refused, by the peer policy (then nothing is sent to it) or by the limits (then the returned payload is
        /// sent as its last frame).
        callback<std::optional<std::string>(const peer_credentials&, const failure& why)> on_refused{};
        /// Accepting is paused because descriptors or memory ran out.
        callback<void(const failure& why)> on_accept_paused{};
        /// Another callback threw (failure::step names it), or memory ran out. `session` is null if none was involved. Called
        /// inside the catch block: `throw;` passes the exception on, out of run(), and the server continues. Not set: the
        /// session is closed with this failure. Set: nothing else is done.
        callback<void(const session_ptr& session, const failure& why)> on_exception{};
    };

    explicit basic_server(asio::io_context& context, server_limits limits = {}, Overflow overflow = {})
        : context_(context), limits_(limits), overflow_(std::move(overflow)), accept_fd_(context), pause_(context),
          drain_(context), shared_(std::make_shared<shared_state>()) {}
    basic_server(const basic_server&) = delete;
    basic_server& operator=(const basic_server&) = delete;
    /// Closes the sessions without calling the callbacks, whose owners may be destroyed already. To have them called, call
    /// `end` first.
    ~basic_server();

    /// Set before `start_accepting`.
    handlers on{};

    /// Publishes the endpoint: clients can connect, and wait in the backlog until `start_accepting`.
    /// @errors as Endpoint::publish.
    template <class Lock>
    void publish(Endpoint endpoint, Peer peer, const Lock& held, const publish_options& options, error_out out);
    /// As `publish`, with a socket that was published before. @errors as Endpoint::adopt.
    template <class Name> void adopt(Endpoint endpoint, Peer peer, unique_fd socket, const Name& name, error_out out) {
        listener_ = basic_listener<Endpoint, Peer>::adopt(std::move(endpoint), std::move(peer), std::move(socket), name, out);
        if (!out.failed()) watch_listener();
    }
    [[nodiscard]] const basic_listener<Endpoint, Peer>& listener() const noexcept { return listener_; }
    /// Accepts clients, from the next iteration of the loop on. No effect if nothing is published. Idempotent.
    void start_accepting();
    /// `publish`, then `start_accepting`. @errors as `publish`.
    template <class Lock>
    void listen(Endpoint endpoint, Peer peer, const Lock& held, const publish_options& options, error_out out) {
        publish(std::move(endpoint), std::move(peer), held, options, out);
        if (!out.failed()) start_accepting();
    }
    /// Publishes the endpoint again, for example after its file was removed.
    /// @errors as Endpoint::publish; then nothing changes.
    template <class Lock> void republish(const Lock& held, const publish_options& options, error_out out);
    /// Withdraws the endpoint. Sessions stay open.
    void stop_accepting() noexcept;

    /// Calls `done` when the kernel has accepted all queued bytes, or after `linger`. Sessions stay open: their peers see
    /// end-of-file when the server is destroyed. Each call has its own `done` and `linger`.
    void drain(milliseconds linger, std::function<void()> done);
    void close_all(const failure& why);
    /// Stops accepting and ends every session immediately; calls on_closed for each before it returns. Peers see end-of-file
    /// when the server is destroyed.
    void end(const failure& why);

    [[nodiscard]] std::size_t size() const noexcept { return sessions_.size(); }
    [[nodiscard]] const server_counters& counters() const noexcept { return counters_; }
    /// A copy, which stays valid while sessions open and close.
    [[nodiscard]] std::vector<session_ptr> sessions() const { return sessions_; }
    void set_limits(const server_limits& limits) noexcept { limits_ = limits; }
    void set_overflow(Overflow overflow) { overflow_ = std::move(overflow); } ///< for later sessions

private:
    /// State needed by pending waits and running callbacks after the server is destroyed.
    struct shared_state {
        bool is_destroyed = false;
        detail::exception_guard guard;
        detail::handler_memory accept, pause;
    };
    struct newcomer {
        session_ptr arrived;
        typename session::handlers callbacks;
    };

    void wait_for_clients();
    void pause_accepting();
    void accept();
    [[nodiscard]] bool accept_next(newcomer& fresh);
    void look_at_queues();
    void look_at_queues_soon();
    void cut_short_late_streams();
    void admit(unique_fd socket, const peer_credentials& peer, newcomer& fresh);
    [[nodiscard]] typename session::handlers callbacks_of(session& arrived);
    template <class Call> void guarded(const session_ptr& whose, const char* step, Call call);
    void tell_exception(const session_ptr& whose, const failure& why);
    [[nodiscard]] failure admission(const peer_credentials& peer) const;
    void watch_listener();

    static constexpr int accepts_per_turn = 32; // so that many connecting clients do not starve the sessions

    asio::io_context& context_;
    server_limits limits_;
    Overflow overflow_;
    basic_listener<Endpoint, Peer> listener_;
    asio::posix::stream_descriptor accept_fd_; // the listener owns this descriptor
    asio::steady_timer pause_, drain_;
    std::shared_ptr<asio::steady_timer> idle_timer_;
    std::vector<std::pair<deadline, std::function<void()>>> drains_;
    std::vector<session_ptr> sessions_, ended_; // ended_: on_closed was called, the socket is still open
    std::uint64_t last_id_ = 0;
    server_counters counters_;
    bool accept_waits_ = false; // a callback of `accept` may republish the endpoint, which then waits already
    bool is_paused_ = false;
    std::shared_ptr<shared_state> shared_;
};

using server = basic_server<>;

// ---- implementation ----

template <class E, class P, class F, class O> basic_server<E, P, F, O>::~basic_server() {
    shared_->is_destroyed = true;
    stop_accepting();
    for (const auto& held : sessions_) {
        held->forget_callbacks();
        if (held->handshake_) held->handshake_->cancel();
        held->abort({errc::stopping, "destroy server", {}, {}});
    }
    for (const auto& held : ended_) held->hang_up();
}

template <class E, class P, class F, class O> template <class Call>
void basic_server<E, P, F, O>::guarded(const session_ptr& whose, const char* step, Call call) {
    const auto held = shared_;
    held->guard(call, [&] {
        const failure why = current_failure(step);
        if (!held->is_destroyed) tell_exception(whose, why);
    });
}

template <class E, class P, class F, class O>
void basic_server<E, P, F, O>::tell_exception(const session_ptr& whose, const failure& why) {
    if (on.on_exception) return on.on_exception(whose, why);
    if (whose) whose->close(why);
}

template <class E, class P, class F, class O> template <class Lock>
void basic_server<E, P, F, O>::publish(E endpoint, P peer, const Lock& held, const publish_options& options, error_out out) {
    listener_ = basic_listener<E, P>::open(std::move(endpoint), std::move(peer), held, options, out);
    if (!out.failed()) watch_listener();
}

template <class E, class P, class F, class O> template <class Lock>
void basic_server<E, P, F, O>::republish(const Lock& held, const publish_options& options, error_out out) {
    if (accept_fd_.is_open()) accept_fd_.release(); // before its descriptor is closed; this cancels the pending wait
    pause_.cancel();                                // otherwise its end would start a second wait
    is_paused_ = false;
    listener_.republish(held, options, out);
    watch_listener();
    start_accepting();
}

template <class E, class P, class F, class O> void basic_server<E, P, F, O>::watch_listener() {
    if (listener_.native_handle() < 0) return;
    accept_fd_.assign(listener_.native_handle());
    accept_waits_ = false; // the wait on the former descriptor ends by itself
}

template <class E, class P, class F, class O> void basic_server<E, P, F, O>::start_accepting() {
    if (!accept_fd_.is_open()) return;
    if (!idle_timer_) idle_timer_ = std::make_shared<asio::steady_timer>(context_);
    wait_for_clients();
}

template <class E, class P, class F, class O> void basic_server<E, P, F, O>::stop_accepting() noexcept {
    if (accept_fd_.is_open()) accept_fd_.release();
    pause_.cancel();
    idle_timer_.reset();
    listener_.close();
}

// Its memory is reserved, so that running out of memory never ends accepting.
template <class E, class P, class F, class O> void basic_server<E, P, F, O>::wait_for_clients() {
    if (!accept_fd_.is_open() || is_paused_ || std::exchange(accept_waits_, true)) return;
    accept_fd_.async_wait(asio::posix::stream_descriptor::wait_read,
                          detail::handler_in(shared_->accept, [this, held = shared_](std::error_code why) {
                              if (held->is_destroyed || why == detail::operation_aborted()) return;
                              accept_waits_ = false;
                              if (why) return pause_accepting(); // the kernel had no memory for the wait
                              accept();
                          }));
}

template <class E, class P, class F, class O> void basic_server<E, P, F, O>::pause_accepting() {
    is_paused_ = true;
    try {
        pause_.expires_at(deadline::in(limits_.accept_pause).at());
        pause_.async_wait(detail::handler_in(shared_->pause, [this, held = shared_](std::error_code cancelled) {
            if (cancelled || held->is_destroyed) return;
            is_paused_ = false;
            wait_for_clients();
        }));
    } catch (const std::bad_alloc&) {
        is_paused_ = false; // wait for clients again without a pause
    }
}

template <class E, class P, class F, class O> void basic_server<E, P, F, O>::accept() {
    const auto held = shared_;
    const scope_exit again([&] {
        if (!held->is_destroyed) wait_for_clients();
    });
    bool more = true;
    for (int n = 0; n < accepts_per_turn && more && !held->is_destroyed && accept_fd_.is_open(); ++n) {
        newcomer fresh;
        scope_exit thrown([&] { // an exception that is passed on must leave a started session
            if (fresh.arrived && !held->is_destroyed) fresh.arrived->start(std::move(fresh.callbacks));
        });
        guarded({}, "accept", [&] { more = accept_next(fresh); });
        thrown.dismiss();
        if (fresh.arrived && !held->is_destroyed) fresh.arrived->start_now(std::move(fresh.callbacks));
    }
}

/// @returns whether to accept another client.
template <class E, class P, class F, class O> bool basic_server<E, P, F, O>::accept_next(newcomer& fresh) {
    failure why;
    auto next = listener_.try_accept(
        [](int socket, const P& peer, error_out out) { return require_peer(socket, peer, errc::peer_rejected, out); }, why);
    if (why) {
        ++counters_.pauses;
        pause_accepting();
        if (on.on_accept_paused) guarded({}, "on_accept_paused", [&] { on.on_accept_paused(why); });
        return false;
    }
    if (!next) return false;
    if (!next->why) {
        admit(std::move(next->socket), next->peer, fresh);
    } else {
        ++counters_.refused;
        if (on.on_refused) guarded({}, "on_refused", [&] { on.on_refused(next->peer, next->why); });
    }
    return true;
}

template <class E, class P, class F, class O> failure basic_server<E, P, F, O>::admission(const peer_credentials& peer) const {
    const auto refuse = [](const std::string& what, std::size_t limit) {
        return failure{errc::too_many_clients, "admit", {}, "too many " + what + ", the limit is " + std::to_string(limit)};
    };
    const auto count = [&](auto which) {
        std::size_t number = 0;
        for (const session_ptr& each : sessions_) number += which(each) ? 1 : 0;
        return number;
    };
    if (sessions_.size() >= limits_.clients) return refuse("clients", limits_.clients);
    if (count([](const session_ptr& s) { return !s->is_established(); }) >= limits_.unestablished)
        return refuse("clients that have not completed the handshake", limits_.unestablished);
    if (limits_.clients_per_uid < limits_.clients &&
        count([&](const session_ptr& s) { return s->peer().uid == peer.uid; }) >= limits_.clients_per_uid)
        return refuse("clients of uid " + std::to_string(peer.uid), limits_.clients_per_uid);
    return {};
}

template <class E, class P, class F, class O>
void basic_server<E, P, F, O>::admit(unique_fd socket, const peer_credentials& peer, newcomer& fresh) {
    const auto arrived = std::make_shared<session>(context_, std::move(socket), overflow_, ++last_id_, peer);
    if (auto why = admission(peer)) {
        ++counters_.refused;
        std::optional<std::string> last_words;
        if (on.on_refused) guarded({}, "on_refused", [&] { last_words = on.on_refused(peer, why); });
        std::error_code ignored;
        if (last_words) arrived->send(*last_words, ignored);
        return arrived->close(std::move(why));
    }
    arrived->idle_timer_ = idle_timer_;
    arrived->set_frame_deadline(limits_.frame);
    arrived->set_read_limits(limits_.read);
    arrived->idle_ = limits_.idle;
    auto callbacks = callbacks_of(*arrived);
    arrived->handshake_->expires_at(deadline::in(limits_.handshake).at());
    arrived->handshake_->async_wait([held = std::weak_ptr<session>(arrived)](std::error_code cancelled) {
        const auto late = held.lock();
        if (!cancelled && late && !late->is_established()) late->abort({errc::handshake_timeout, "handshake", {}, {}});
    });
    sessions_.push_back(arrived);
    ++counters_.accepted;
    fresh = {arrived, std::move(callbacks)}; // from here on on_closed is called when it ends
    if (on.on_opened) guarded(arrived, "on_opened", [&] { on.on_opened(arrived); });
}

template <class E, class P, class F, class O> auto basic_server<E, P, F, O>::callbacks_of(session& arrived) ->
    typename session::handlers {
    // The handlers are stored in the session: a shared_ptr in them would keep it alive for ever.
    const auto self = [raw = &arrived] { return std::static_pointer_cast<session>(raw->shared_from_this()); };
    return {[this, self, raw = &arrived](std::string_view payload) {
                raw->frame_came();
                if (on.on_frame) on.on_frame(self(), payload);
            },
            [this, self](const failure& why) {
                const session_ptr gone = self();
                gone->handshake_->cancel();
                std::erase(sessions_, gone);
                if (on.on_closed) on.on_closed(gone, why);
            },
            [this, self] {
                if (on.on_drained) on.on_drained(self());
            },
            [this, self, held = shared_](const failure& why) {
                if (!held->is_destroyed) tell_exception(self(), why);
            }};
}

template <class E, class P, class F, class O>
void basic_server<E, P, F, O>::drain(milliseconds linger, std::function<void()> done) {
    drains_.emplace_back(deadline::in(linger), std::move(done));
    look_at_queues();
}

template <class E, class P, class F, class O> void basic_server<E, P, F, O>::look_at_queues() {
    bool empty = true;
    for (const session_ptr& each : sessions_) empty = empty && each->queued_bytes() == 0;
    if (!empty) cut_short_late_streams();
    std::vector<std::function<void()>> over;
    std::erase_if(drains_, [&](auto& each) {
        const bool is_over = empty || each.first.passed();
        if (is_over) over.push_back(std::move(each.second));
        return is_over;
    });
    if (!drains_.empty()) look_at_queues_soon();
    for (const auto& done : over) done(); // last, because `done` may destroy the server
}

// Reports to a subscriber that did not read the whole stream in time which frames it loses.
template <class E, class P, class F, class O> void basic_server<E, P, F, O>::cut_short_late_streams() {
    bool is_late = false;
    for (const auto& each : drains_) is_late = is_late || each.first.passed();
    if (!is_late) return;
    const failure why{errc::slow_consumer, "drain", {}, "slow consumer: the peer did not read the rest of the stream in time"};
    for (const session_ptr& each : sessions()) {
        if (!each->is_open() || each->queued_bytes() == 0) continue;
        bool loses_frames = false;
        std::vector<std::string> words;
        each->box().each_stream([&](feed& stream) { loses_frames = stream.cut_short(why, words) || loses_frames; });
        if (loses_frames) each->fall_behind_with(why, words);
    }
}

template <class E, class P, class F, class O> void basic_server<E, P, F, O>::look_at_queues_soon() {
    static constexpr milliseconds look_again{2}; // only while stopping; callbacks in the sessions could outlive the server
    drain_.expires_after(look_again);            // one wait for all calls of `drain`
    drain_.async_wait([this, held = shared_](std::error_code cancelled) {
        if (!cancelled && !held->is_destroyed) guarded({}, "drain", [&] { look_at_queues(); });
    });
}

template <class E, class P, class F, class O> void basic_server<E, P, F, O>::close_all(const failure& why) {
    for (const auto& held : sessions()) held->close(why);
}

template <class E, class P, class F, class O> void basic_server<E, P, F, O>::end(const failure& why) {
    stop_accepting();
    const auto held = shared_;
    for (const auto& each : sessions()) {
        if (held->is_destroyed) return; // a callback destroyed the server
        ended_.push_back(each);
        each->end_now(why);
    }
}

} // namespace MATO_ABI
} // namespace mato
