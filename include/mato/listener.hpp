// SPDX-License-Identifier: MIT
/// @file listener.hpp: accepts clients that the peer policy allows, and reports why others are refused.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/listener_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
/// Fork: open it in the final process.   Source: accept(2).
///
/// It combines an endpoint and a peer policy, given as types. It includes neither header: any type with the same members works.
#pragma once

#include "error.hpp"
#include "sys.hpp"
#include "unique_fd.hpp"

#include <optional>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// Requires of its two policies: `Endpoint::publish(lock, options, out)`, `Endpoint::withdraw()`,
/// `Endpoint::describe()`, `Endpoint::named`, and `Peer::checks`.
///
/// A listening socket whose clients are checked by the peer policy. `basic_server` uses it; use it directly with another
/// event loop.
///
/// @threads distinct objects are independent; one object, one thread.
/// @fork open it in the final process.
/// @blocks never.
///
/// @code
/// auto listener = mato::basic_listener<mato::owned_path, mato::same_user>::open(
///     mato::owned_path(paths.file("other.sock")), {}, lock, mato::publish_options{}, why);
/// const auto check = [](int socket, const mato::same_user& policy, mato::error_out out) {
///     return mato::require_peer(socket, policy, mato::errc::peer_rejected, out);
/// };
/// const auto next = listener.try_accept(check, why);
/// if (next && !next->why) std::printf("pid %d connected\n", static_cast<int>(next->peer.pid));
/// @endcode
template <class Endpoint, class Peer> class basic_listener {
    static_assert(Endpoint::named || Peer::checks,
                  "mato: this endpoint has no file permissions, so the peer policy must check (any_peer does not)");

public:
    /// A connected client, allowed or refused; `why` has the reason of a refusal. Destroying it closes a refused client.
    template <class Credentials> struct accepted {
        unique_fd socket; ///< non-blocking, close-on-exec
        Credentials peer;
        failure why;
    };

    basic_listener() = default;
    basic_listener(basic_listener&&) noexcept = default;
    basic_listener& operator=(basic_listener&& other) noexcept {
        if (this == &other) return *this;
        close();
        endpoint_ = std::move(other.endpoint_);
        peer_ = std::move(other.peer_);
        socket_ = std::move(other.socket_);
        return *this;
    }
    ~basic_listener() { close(); }

    /// @errors as Endpoint::publish.
    template <class Lock, class Options> [[nodiscard]] static basic_listener
    open(Endpoint endpoint, Peer peer, const Lock& held, const Options& options, error_out out) {
        basic_listener listener;
        listener.endpoint_ = std::move(endpoint);
        listener.peer_ = std::move(peer);
        listener.socket_ = listener.endpoint_.publish(held, options, out);
        return listener;
    }

    /// Goes on with a socket that was published before, see adoptable_endpoint. @errors as Endpoint::adopt.
    template <class Name>
    [[nodiscard]] static basic_listener adopt(Endpoint endpoint, Peer peer, unique_fd socket, const Name& name, error_out out) {
        basic_listener listener;
        listener.endpoint_ = std::move(endpoint);
        listener.peer_ = std::move(peer);
        listener.socket_ = listener.endpoint_.adopt(std::move(socket), name, out);
        return listener;
    }

    /// Publishes again after the name was removed. Clients still waiting in the old socket's backlog are disconnected.
    /// @errors as Endpoint::publish; then the old socket stays open.
    template <class Lock, class Options> void republish(const Lock& held, const Options& options, error_out out) {
        unique_fd fresh = endpoint_.publish(held, options, out);
        if (fresh) socket_ = std::move(fresh);
    }

    /// The next client, or empty when none waits.
    /// `require(socket, policy, out)` reads and checks the credentials (`require_peer` in peer.hpp).
    /// @errors EMFILE, ENFILE, ENOBUFS, ENOMEM: try again later; the client waits in the backlog.
    template <class Require> auto try_accept(Require require, error_out out) {
        using credentials = decltype(require(0, std::as_const(peer_), out));
        std::optional<accepted<credentials>> result;
        unique_fd socket(sys::accept(socket_.get()));
        if (!socket) {
            const bool none = errno == EAGAIN || errno == EWOULDBLOCK || errno == ECONNABORTED;
            if (!none) out.set(last_error(), "accept", endpoint_.describe());
            return result;
        }
        result.emplace();
        result->socket = std::move(socket);
        result->peer = require(result->socket.get(), std::as_const(peer_), error_out(result->why));
        return result;
    }

    [[nodiscard]] int native_handle() const noexcept { return socket_.get(); } ///< readable when a client waits
    [[nodiscard]] const Endpoint& endpoint() const noexcept { return endpoint_; }

    /// Withdraws the name, then closes: clients still in the backlog see end-of-file.
    void close() noexcept {
        endpoint_.withdraw();
        socket_.reset();
    }

private:
    Endpoint endpoint_{};
    Peer peer_{};
    unique_fd socket_;
};

} // namespace MATO_ABI
} // namespace mato
