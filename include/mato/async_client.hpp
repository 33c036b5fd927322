// SPDX-License-Identifier: MIT
/// @file async_client.hpp: requests to a daemon on an event loop: many in flight, deadlines, cancellation, reconnecting.
/// Layer: 4 (composition).  Test: test/toolkit/async_client_test.cpp, async_client_start_test.cpp.
/// Threads: the thread that runs the io_context, except `post_request`.   Blocks: never.
/// Fork: create it after the last fork.
///
/// It is a header of its own: daemon.hpp does not include it. client.hpp has the client for programs without an event loop.
#pragma once

#include "callback.hpp"
#include "clock.hpp"
#include "correlation.hpp"
#include "detail/asio_loop.hpp"
#include "detail/asio_token.hpp"
#include "detail/async_client_core.hpp"
#include "detail/completion.hpp"
#include "error.hpp"
#include "policies.hpp"
#include "unique_fd.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// A client of a daemon for programs with an event loop. Each function that begins with `async_` takes a completion token of
/// asio: a function, `asio::use_future`, or `asio::use_awaitable` where the compiler has coroutines. `async_client` has the
/// default policies.
///
/// Each request completes exactly once: with its answer, or with an error. The first request connects. A lost connection is
/// made again with the pauses of `policies::backoff`, until that policy gives up; an answer starts its time again. Requests
/// that were already sent fail with errc::closed, because only the program knows whether it may send them twice; requests that
/// still wait are sent on the next connection. The destructor completes all requests with asio::error::operation_aborted.
///
/// @threads only the thread that runs the io_context, except `post_request`.
/// @fork create it after the last fork; it must not be used in a child.
/// @blocks never.
///
/// @code
/// mato::async_client client(context, mato::owned_path(paths.socket));
/// client.async_request("status", [&](std::error_code failed, const std::string& answer) {
///     std::printf("%s\n", failed ? failed.message().c_str() : answer.c_str());
///     client.close(); // an open connection keeps run() from returning
/// });
/// @endcode
template <class Policies = default_policies> class basic_async_client {
    static_assert(detail::require_policies<Policies>::ok);
    using core = detail::async_client_core<Policies>;
    using answer_signature = void(std::error_code, std::string);

public:
    using framing = typename core::framing;
    using endpoint = typename core::endpoint;
    using server_policy = typename core::server_policy;
    using correlation = typename core::correlation;

    /// Connects with the first request, or with `async_connect`. `trusted`: which user the daemon must run as.
    basic_async_client(asio::io_context& context, endpoint where, const async_client_options& options = {},
                       server_policy trusted = {})
        : core_(std::make_shared<core>(context, std::move(where), std::move(trusted), options)), on(core_->on) {}
    basic_async_client(const basic_async_client&) = delete;
    basic_async_client& operator=(const basic_async_client&) = delete;
    ~basic_async_client() { core_->end(); }

private:
    std::shared_ptr<core> core_;

public:
    async_client_handlers& on; ///< set before the first request

    /// If no daemon runs, `launch` is called to start it, under the lock on `paths.directory()` that `connect_or_start` takes
    /// too: of several clients exactly one starts it. `launch` begins the start, for example with a mato::child, keeps the
    /// reply, and calls it when the daemon serves or has failed. The lock is held until then.
    void start_with(const daemon_paths& paths, callback<void(start_reply)> launch) {
        core_->start_with(paths.directory(), std::move(launch));
    }

    /// Connects if there is no connection. Signature: void(std::error_code).
    /// @errors as `async_request`; not answered by the server.
    template <class Token> auto async_connect(Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(
            [held = core_](auto handler) {
                const auto slot = detail::slot_of(handler);
                held->connect(slot, erased<detail::completes_with::code_alone>(*held, std::move(handler)));
            },
            token);
    }

    /// Sends a request and completes with its answer. Signature: void(std::error_code, std::string answer).
    ///
    /// `payload` must stay valid until the request begins: with a function or a future until this returns, with use_awaitable
    /// until it is awaited. The operation can be cancelled through the cancellation slot of its handler: then a late answer is
    /// dropped. @errors timed_out · busy: a limit of async_client_options · frame_too_large · closed: the connection ended
    /// after the request was sent · operation_aborted: cancelled, or the client was closed · those of connecting, when the
    /// back-off policy gave up: not_running, server_not_trusted, not_ready, any of connect(2).
    template <class Token> auto async_request(std::string_view payload, deadline until, Token&& token) {
        return asio::async_initiate<Token, answer_signature>(
            [held = core_](auto handler, std::string_view bytes, deadline latest) {
                const auto slot = detail::slot_of(handler);
                held->ask(bytes, latest, slot, erased<detail::completes_with::code_and_answer>(*held, std::move(handler)));
            },
            token, payload, until);
    }
    /// With the deadline of async_client_options::answer.
    template <class Token> auto async_request(std::string_view payload, Token&& token) {
        return async_request(payload, core_->usual_deadline(), std::forward<Token>(token));
    }

    /// As `async_request`, for an answer of several frames: `on_part` is called with each frame but the last, which completes
    /// the operation. The deadline is that of the whole answer; use deadline::never() for a subscription. Needs a correlation
    /// policy with parts, for example `numbered`.
    template <class Token>
    auto async_stream(std::string_view payload, deadline until, callback<void(std::string_view)> on_part, Token&& token) {
        return asio::async_initiate<Token, answer_signature>(
            [held = core_](auto handler, std::string_view bytes, deadline latest, callback<void(std::string_view)> part) {
                const auto slot = detail::slot_of(handler);
                held->ask(bytes, latest, slot, erased<detail::completes_with::code_and_answer>(*held, std::move(handler)),
                          std::move(part));
            },
            token, payload, until, std::move(on_part));
    }

    /// As `async_request`, and may be called by any thread; the completion runs on the executor of its handler, by default on
    /// the loop. Cancellation slots have no effect. @errors as `async_request`.
    template <class Token> auto post_request(std::string payload, deadline until, Token&& token) {
        return asio::async_initiate<Token, answer_signature>(
            [held = core_](auto handler, std::string bytes, deadline latest) {
                held->post(std::move(bytes), latest,
                           erased<detail::completes_with::code_and_answer>(*held, std::move(handler)));
            },
            token, std::move(payload), until);
    }

    /// Sends a frame that the server does not answer. @errors closed: there is no connection · busy · frame_too_large.
    void send(std::string_view payload, error_out out) { core_->send(payload, out); }
    /// As `send`, and passes descriptors with the frame. @errors as `send` · as basic_connection::send_with.
    void send_with(std::string_view payload, std::span<const int> descriptors, error_out out) {
        core_->send_with(payload, descriptors, out);
    }
    /// The next descriptor that the daemon has passed with the frame that is handled now: in a completion handler that runs on
    /// the loop, in `on_part` and in on_frame. Empty: there is none. Those that are not taken are closed when the handler
    /// returns. async_client_options::descriptors allows them.
    [[nodiscard]] unique_fd take_descriptor() noexcept { return core_->take_descriptor(); }

    /// Completes all requests with asio::error::operation_aborted. The connection stays; late answers are dropped.
    void cancel() { core_->cancel_all(); }
    /// As `cancel`, and closes the connection after queued frames were sent. The next request connects again.
    void close() { core_->close(); }

    [[nodiscard]] bool is_connected() const noexcept { return core_->is_connected(); }
    /// Requests that are not completed, and with `in_order` those whose late answer is still awaited.
    [[nodiscard]] std::size_t size() const noexcept { return core_->size(); }
    [[nodiscard]] std::size_t queued_bytes() const noexcept { return core_->queued_bytes(); } ///< not accepted by the kernel
    /// Who listens. Empty before the first connection.
    [[nodiscard]] const peer_credentials& server() const noexcept { return core_->server(); }

private:
    template <detail::completes_with Arguments, class Handler> static detail::completion erased(core& of, Handler handler) {
        return detail::completion::of<Arguments>(of.context(), std::move(handler));
    }
};

using async_client = basic_async_client<>;

} // namespace MATO_ABI
} // namespace mato
