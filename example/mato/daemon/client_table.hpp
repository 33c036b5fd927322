// SPDX-License-Identifier: MIT
/// @file client_table.hpp: the connected clients, by number, and answers to them.
/// Threads: the io_context's.   Blocks: never.
#pragma once

#include "multiplexer_daemon.hpp"
#include "protocol/messages.hpp"
#include "protocol/reply_target.hpp"
#include "viewer.hpp"
#include "workspace.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mux {

/// Counts of what was sent and what was skipped, since the start.
struct traffic {
    std::uint64_t bytes_sent = 0, frames_dropped = 0, resyncs = 0;
    traffic& operator+=(const traffic& other) noexcept {
        bytes_sent += other.bytes_sent, frames_dropped += other.frames_dropped, resyncs += other.resyncs;
        return *this;
    }
};
/// Relayed bytes are not counted here; the session counts them.
[[nodiscard]] traffic traffic_of(const viewer& screen);

inline constexpr std::size_t most_before = 16; ///< tabs that a client can return to

/// One connected client. If it is attached, `screen` is its terminal; only `views` changes that.
struct client {
    multiplexer_daemon::session_ptr session;
    hello greeting;
    bool greeted = false;
    tab_id attached = 0;
    tab_id recorded = 0;        ///< the tab whose output it records
    std::vector<tab_id> before; ///< previously shown tabs, the latest last; at most `most_before`
    bool suspended = false;     ///< its terminal currently shows something else
    view_options view;
    bool attached_readonly = false;                 ///< as it asked to be; `view.readonly` can change
    std::optional<bool> bar;                        ///< as its user chose it; nothing: as configured
    std::map<tab_id, mato::clock::time_point> seen; ///< when this client last showed a tab
    /// Typed in its command prompt: command_prompt::history.
    std::shared_ptr<std::deque<std::string>> commands = std::make_shared<std::deque<std::string>>();
    std::unique_ptr<viewer> screen;
    relayed_outlet* relay = nullptr; ///< the outlet of `screen`, unless it is direct
    std::uint64_t activity = 0;      ///< when it was last active: tab_table::act
    std::uint64_t received = 0;      ///< bytes of `input`, of this connection
    std::uint64_t untaken = 0;       ///< typed bytes that the program has not read
    traffic left;                    ///< of screens that were closed

    [[nodiscard]] std::uint64_t id() const { return session->id(); }
    [[nodiscard]] reply_target reply_to(std::uint32_t request) const { return {id(), request}; }
    /// Bytes queued for it and for its terminal.
    [[nodiscard]] std::uint64_t queue_bytes() const;
};

class client_table {
public:
    explicit client_table(multiplexer_daemon& host) noexcept : host_(host) {}

    client& add(const multiplexer_daemon::session_ptr& session);
    void remove(std::uint64_t id) { clients_.erase(id); }
    [[nodiscard]] std::size_t count() const noexcept { return clients_.size(); }
    /// Null: it has disconnected. A client's address does not change until then.
    [[nodiscard]] client* find(std::uint64_t id);
    [[nodiscard]] auto begin() noexcept { return clients_.begin(); }
    [[nodiscard]] auto end() noexcept { return clients_.end(); }
    [[nodiscard]] auto begin() const noexcept { return clients_.begin(); }
    [[nodiscard]] auto end() const noexcept { return clients_.end(); }

    /// The clients whose terminal shows the tab, in the order of their connection.
    [[nodiscard]] std::vector<client*> viewers_of(tab_id tab);
    [[nodiscard]] std::size_t count_viewers(tab_id tab) const noexcept;

    /// An answer that is too large to send is replaced by an error.
    void send(client& to, const std::string& payload);
    template <message Number> void reply(client& to, std::uint32_t request, body_of<Number> body) {
        send(to, encode<Number>(request, std::move(body)));
    }
    void refuse(client& to, std::uint32_t request, std::string text, int exit_code = 1);
    /// As above; no effect if the client has disconnected.
    template <message Number> void reply(reply_target to, body_of<Number> body) {
        if (client* const waiter = find(to.client)) reply<Number>(*waiter, to.request, std::move(body));
    }
    void refuse(reply_target to, std::string text, int exit_code = 1) {
        if (client* const waiter = find(to.client)) refuse(*waiter, to.request, std::move(text), exit_code);
    }
    /// Sends a one-way message without fields.
    void tell(client& to, message type) { send(to, encode_bytes(type, 0, {})); }
    /// As `tell`, to all clients that have been greeted.
    void tell_all(message type);

private:
    multiplexer_daemon& host_; // for its log
    std::map<std::uint64_t, client> clients_;
};

} // namespace mux
