// SPDX-License-Identifier: MIT
/// @file multiplexer.hpp: the daemon's side of mato: connects its parts; clients that connect and leave, reload, stop.
/// Threads: the daemon's one.   Blocks: only while a program is started (see spawn.hpp).
/// Test: test/mato/ (real processes and terminals).
///
/// Events come from the daemon, its clients and its tabs. Each source has one entry point: `requests` for clients, `views` for
/// their terminals, `tab_programs` for programs. All three change `daemon_state`; they share nothing else.
#pragma once

#include "command_keys.hpp"
#include "inventory.hpp"
#include "past_saver.hpp"
#include "requests.hpp"
#include "state.hpp"
#include "tab_programs.hpp"
#include "upgrading.hpp"
#include "views.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace mux {

class multiplexer {
public:
    /// Installs its callbacks in the daemon; call it from `setup`. @pre It lives as long as the daemon runs.
    /// @throws mato::error if the tab counter in the state directory cannot be read or written.
    multiplexer(multiplexer_daemon& host, multiplexer_options options);
    multiplexer(const multiplexer&) = delete; // its parts refer to each other

private:
    void install();
    void apply_limits();
    void reload(mato::error_out out);

    // clients
    void on_frame(const multiplexer_daemon::session_ptr& session, std::string_view payload);
    void greet(client& from, const header& frame);
    void forget(std::uint64_t id);
    [[nodiscard]] std::string way_in();

    // the end
    void on_tab_removed();
    void begin_stop();
    void check_stopped();
    void save_ended();
    void report();

    daemon_state state_;
    inventory inventory_;
    views views_;
    past_saver saver_;
    tab_programs tabs_;
    command_keys keys_;
    upgrading upgrading_;
    requests requests_;
};

} // namespace mux
