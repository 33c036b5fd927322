// SPDX-License-Identifier: MIT
/// @file client_table.hpp: the clients that are connected, by number, and how they are answered.
/// Threads: the io_context's.   Blocks: never.
#pragma once

#include "asker.hpp"
#include "multiplexer_daemon.hpp"
#include "protocol/protocol.hpp"
#include "viewer.hpp"
#include "workspace.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mux {

/// What was sent and what was not, since the beginning.
struct traffic {
    std::uint64_t bytes_sent = 0, frames_dropped = 0, resyncs = 0;
    traffic& operator+=(const traffic& other) noexcept {
        bytes_sent += other.bytes_sent, frames_dropped += other.frames_dropped, resyncs += other.resyncs;
        return *this;
    }
};
/// Relayed bytes are not counted: they are the session's own.
[[nodiscard]] traffic traffic_of(const viewer& screen);

inline constexpr std::size_t most_before = 16; ///< tabs a client can go back to

/// One connected client. Attached: `screen` is its terminal. Who changes that is `views`.
struct client {
    multiplexer_daemon::session_ptr session;
    hello greeting;
    bool greeted = false;
    tab_id attached = 0;
    tab_id recorded = 0;        ///< whose output it copies
    std::vector<tab_id> before; ///< tabs it showed before, the latest last; at most `most_before`
    bool suspended = false;     ///< its terminal shows something else meanwhile
    view_options view;
    std::unique_ptr<viewer> screen;
    relayed_outlet* relay = nullptr; ///< of `screen`, when it is no direct one
    std::uint64_t activity = 0;      ///< when it last acted: tab_table::act
    std::uint64_t untaken = 0;       ///< typed bytes the program has not taken
    traffic left;                    ///< of screens it has left

    [[nodiscard]] std::uint64_t id() const { return session->id(); }
    [[nodiscard]] asker asks(std::uint32_t request) const { return {id(), request}; }
    /// Bytes that wait for it and for its terminal.
    [[nodiscard]] std::uint64_t queue_bytes() const;
};

class client_table {
public:
    explicit client_table(multiplexer_daemon& host) noexcept : host_(host) {}

    client& add(const multiplexer_daemon::session_ptr& session);
    void remove(std::uint64_t id) { clients_.erase(id); }
    [[nodiscard]] std::size_t count() const noexcept { return clients_.size(); }
    /// Null: it has left. A client stays where it is until then.
    [[nodiscard]] client* find(std::uint64_t id);
    [[nodiscard]] auto begin() noexcept { return clients_.begin(); }
    [[nodiscard]] auto end() noexcept { return clients_.end(); }
    [[nodiscard]] auto begin() const noexcept { return clients_.begin(); }
    [[nodiscard]] auto end() const noexcept { return clients_.end(); }

    /// Those whose terminal shows the tab, in the order they came.
    [[nodiscard]] std::vector<client*> viewers_of(tab_id tab);
    [[nodiscard]] std::size_t count_viewers(tab_id tab) const noexcept;

    /// An answer too large to send is replaced by an error that says so.
    void send(client& to, const std::string& payload);
    void reply(client& to, message type, std::uint32_t request, auto body) { send(to, encode(type, request, std::move(body))); }
    void refuse(client& to, std::uint32_t request, std::string text, int exit_code = 1);
    /// As above; nothing when who asked has left.
    void reply(asker to, message type, auto body) {
        if (client* const waiter = find(to.client)) reply(*waiter, type, to.request, std::move(body));
    }
    void refuse(asker to, std::string text) {
        if (client* const waiter = find(to.client)) refuse(*waiter, to.request, std::move(text));
    }
    /// One-way, to all that have been greeted.
    void tell_all(message type);

private:
    multiplexer_daemon& host_; // its log
    std::map<std::uint64_t, client> clients_;
};

} // namespace mux
