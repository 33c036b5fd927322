// SPDX-License-Identifier: MIT
/// @file state.hpp: the daemon's whole state; the parts that change it are above it.
/// Threads: the io_context's.
#pragma once

#include "channels.hpp"
#include "client_table.hpp"
#include "closed_tabs.hpp"
#include "event_feed.hpp"
#include "kept_tabs.hpp"
#include "multiplexer_daemon.hpp"
#include "output_stream.hpp"
#include "paste_buffers.hpp"
#include "pending_requests.hpp"
#include "protocol/ended_tabs.hpp"
#include "restart_facts.hpp"
#include "settings.hpp"
#include "tab/environment.hpp"
#include "tab_counter.hpp"
#include "tab_table.hpp"

#include <mato/config.hpp>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mux {

struct multiplexer_options {
    mato::config::reloadable<settings> configuration;
    std::vector<std::string> environment; ///< of the process that starts the daemon, "NAME=value"
    process_limits limits{};              ///< of the process that starts the daemon
    bool stays_when_empty = false;        ///< `daemon --foreground`: exit_empty does not apply
};

struct daemon_state {
    /// @throws mato::error as tab_counter.
    daemon_state(multiplexer_daemon& daemon, multiplexer_options options, std::function<void(event_snapshot&)> snapshot)
        : host(daemon), configuration(std::move(options.configuration)), variables(parse_environment(options.environment)),
          limits(options.limits), stays_when_empty(options.stays_when_empty),
          counter(tab_counter::path_beside(daemon.options().paths.socket)), clients(daemon),
          events(daemon.context(), std::move(snapshot)), tabs(counter.last()),
          ended(ended_tabs::load(ended_tabs::path_next_to(daemon.options().paths.socket))),
          kept(daemon, tabs, clients, ended, events) {}
    daemon_state(const daemon_state&) = delete; // its parts refer to each other

    multiplexer_daemon& host;
    mato::config::reloadable<settings> configuration;
    environment variables; ///< for new tabs; clients update them
    const process_limits limits;
    const bool stays_when_empty;
    tab_counter counter;
    client_table clients;
    event_feed events;
    tab_table tabs;
    std::map<tab_id, output_stream> streams; ///< of recorded tabs; until the last reader has left
    pending_requests pending;
    ended_tabs ended;
    closed_tabs closed;
    kept_tabs kept;
    returning_clients returning;
    paste_buffers buffers;
    channels signals; ///< of `mato channel`
    restart_facts last_restart;
};

/// What a user is told who wants a closed tab back that is not remembered. `name`: empty for the one closed last
[[nodiscard]] inline std::string why_not_reopened(const daemon_state& state, const std::string& name) {
    if (state.configuration->undo_close.count() == 0)
        return "closed tabs are not remembered: undo_close is 0 in the configuration";
    if (name.empty()) return "no tab was closed within the time `undo_close` of the configuration";
    return "no tab '" + name + "' was closed within the time `undo_close` of the configuration";
}

} // namespace mux
