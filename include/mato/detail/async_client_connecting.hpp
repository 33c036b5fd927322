// SPDX-License-Identifier: MIT
/// @file async_client_connecting.hpp: how an async client connects, starts the daemon, and connects again.
/// Layer: 4 (composition).  Test: test/toolkit/async_client_start_test.cpp.
/// Threads: the thread of the loop.   Blocks: never.
///
/// Members of async_client_core; async_client_core.hpp includes this file.
#pragma once

#include "asio_loop.hpp"
#include "async_client_core.hpp"

#include <memory>
#include <utility>

/// @cond members that are not public
namespace mato {
inline namespace MATO_ABI {
namespace detail {

template <class P> void async_client_core<P>::want_connection() {
    if (state_ == state::connecting || state_ == state::starting || (connection_ && state_ == state::connected)) return;
    ++series_;
    state_ = state::connecting;
    has_started_ = false;
    backoff_ = typename P::backoff();
    asio::post(context_, in_this_series([](async_client_core& self) { self.attempt(); }));
}

template <class P> failure async_client_core<P>::try_connect() {
    failure why;
    unique_fd socket = where_.connect(why);
    if (!why) server_ = require_peer(socket.get(), trusted_, errc::server_not_trusted, why);
    if (!why) connected(std::move(socket));
    return why;
}

template <class P> void async_client_core<P>::attempt() {
    const failure why = try_connect();
    if (!why) return;
    if (why.code == cond::not_running && launch_ && !has_started_) return start();
    if (why.code == cond::not_running || why.code == cond::transient) return pause(why);
    give_up_connecting(why);
}

template <class P> void async_client_core<P>::connected(unique_fd socket) {
    connection_ = std::make_shared<connection_type>(context_, std::move(socket));
    state_ = state::connected;
    is_proved_ = false;
    connected_at_ = clock::now();
    const auto self = this->shared_from_this();
    connection_->set_most_read_bytes(most_read_bytes);
    connection_->accept_descriptors(options_.descriptors);
    connection_->start({.on_frame = [self](std::string_view frame) { self->on_frame(frame); },
                        .on_closed = [self](const failure& why) { self->lost(why); },
                        .on_drained = {},
                        .on_exception = [](const failure&) { throw; }}); // out of run(), as from every handler
    try {
        if (on.on_connected) on.on_connected();
    } catch (...) {
        send_waiting();
        throw;
    }
    send_waiting();
}

template <class P> void async_client_core<P>::lost(const failure& why) {
    const auto self = this->shared_from_this();
    connection_.reset();
    const bool is_end = why.code == std::errc::connection_reset || why.code == std::errc::broken_pipe;
    fail_all(list::sent, is_end ? make_error_code(errc::closed) : why.code);
    if (clock::now() - connected_at_ >= stable) backoff_ = typename P::backoff();
    ++series_;
    has_started_ = false;
    const auto wait = backoff_.next(clock::now());
    if (!wait) return give_up_connecting(why);
    attempt_after(*wait);
    if (on.on_disconnected) on.on_disconnected(why);
}

template <class P> void async_client_core<P>::attempt_after(milliseconds wait) {
    state_ = state::connecting;
    pause_timer_->expires_after(wait);
    pause_timer_->async_wait(in_this_series([](async_client_core& self) { self.attempt(); }));
}

/// Another attempt later, unless the back-off policy gives up.
template <class P> void async_client_core<P>::pause(const failure& why) {
    const auto wait = backoff_.next(clock::now());
    return wait ? attempt_after(*wait) : give_up_connecting(why);
}

template <class P> void async_client_core<P>::give_up_connecting(const failure& why) {
    ++series_;
    state_ = state::idle;
    fail_all(list::waiting, why.code);
    if (on.on_disconnected) on.on_disconnected(why);
}

template <class P> void async_client_core<P>::start() {
    failure refused;
    make_directory_for<endpoint>(directory_, refused);
    if (refused) return give_up_connecting(refused);
    auto lock = instance_lock::acquire_directory(directory_, deadline(clock::time_point::min()), refused);
    if (refused.code == errc::timed_out) return attempt_after(try_again); // another client starts it, in its own time
    if (refused) return give_up_connecting(refused);
    const failure why = try_connect(); // the previous holder of the lock may have started the daemon
    if (!why) return;
    if (why.code != cond::not_running) return pause(why);
    state_ = state::starting;
    has_started_ = true;
    start_lock_ = std::move(lock);
    const auto tell = [held = this->weak_from_this(), series = series_](const failure& how) {
        const auto self = held.lock();
        if (!self || self->series_ != series) return;
        asio::post(self->context_, self->in_this_series([how](async_client_core& all) { all.started(how); }));
    };
    const start_reply reply(tell);
    try {
        const auto launch = launch_;
        launch(reply);
    } catch (...) {
        reply(current_failure("start the daemon"));
    }
}

template <class P> void async_client_core<P>::started(const failure& why) {
    start_lock_ = {};
    if (why && why.code != cond::already_running) return give_up_connecting(why);
    if (!why) return attempt();
    has_started_ = false; // the other daemon does not listen yet, or not any more
    pause(why);
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
/// @endcond
