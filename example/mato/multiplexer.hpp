// SPDX-License-Identifier: MIT
/// @file multiplexer.hpp: the daemon's side: clients, tabs, and every request between them.
/// Threads: the daemon's one.   Blocks: only for the start of a program (see spawn.hpp).
/// Test: test/mato/ (real processes and terminals).
#pragma once

#include "environment.hpp"
#include "event_feed.hpp"
#include "multiplexer_daemon.hpp"
#include "output_stream.hpp"
#include "protocol.hpp"
#include "settings.hpp"
#include "tab.hpp"
#include "view/viewer.hpp"
#include "workspace.hpp"

#include <mato/config.hpp>
#include <mato/status.hpp>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace mux {

struct multiplexer_options {
    mato::config::reloadable<settings> configuration;
    std::vector<std::string> environment; ///< of whoever starts the daemon, "NAME=value"
    process_limits limits{};              ///< of whoever starts the daemon
    bool stays_when_empty = false;        ///< `daemon --foreground`: exit_empty does not apply
};

class multiplexer {
public:
    using daemon = multiplexer_daemon;
    using session_ptr = daemon::session_ptr;

    /// Installs its callbacks in the daemon; call it from `setup`. It must live as long as the daemon runs.
    /// @throws mato::error when the state directory's tab counter cannot be read or written.
    multiplexer(daemon& host, multiplexer_options options);

private:
    /// What was sent and what was not, since the beginning.
    struct traffic {
        std::uint64_t bytes_sent = 0, frames_dropped = 0, resyncs = 0;
        traffic& operator+=(const traffic& other) noexcept {
            bytes_sent += other.bytes_sent, frames_dropped += other.frames_dropped, resyncs += other.resyncs;
            return *this;
        }
    };
    /// One connected client. Attached: `screen` is its terminal.
    struct client {
        session_ptr session;
        hello greeting;
        bool greeted = false;
        tab_id attached = 0;
        tab_id recorded = 0; // whose output it copies
        view_options view;
        std::unique_ptr<viewer> screen;
        relayed_outlet* relay = nullptr; // of `screen`, when it is no direct one
        std::uint64_t activity = 0;      // when it last acted, by count
        std::uint64_t untaken = 0;       // typed bytes the program has not taken
        traffic left;                    // of screens it has left
    };
    struct waiting {
        std::uint64_t client;
        std::uint32_t request;
        tab_id tab;
    };
    struct output_wait {
        std::uint64_t client;
        std::uint32_t request;
        tab_id tab;
    };
    struct pending_respawn {
        std::uint64_t client;
        std::uint32_t request;
        tab_id tab;
    };
    struct pending_kill {
        std::uint64_t client;
        std::uint32_t request;
        std::vector<tab_id> tabs;
    };

    // clients
    void on_frame(const session_ptr& session, std::string_view payload);
    void greet(client& from, const header& frame);
    void forget(std::uint64_t id);
    [[nodiscard]] std::string way_in();
    client* find_client(std::uint64_t id);
    [[nodiscard]] static traffic traffic_of(const viewer& screen);
    [[nodiscard]] traffic traffic_of(const client& who) const;
    [[nodiscard]] std::optional<mato::subscriber_status> stream_status(const client& who) const;
    [[nodiscard]] static std::uint64_t queue_bytes(const client& who);
    void reply(client& to, message type, std::uint32_t id, auto body) { send(to, encode(type, id, std::move(body))); }
    void send(client& to, const std::string& payload);
    void refuse(client& to, std::uint32_t id, std::string text, int exit_code = 1);
    template <class Body, class Handler> void with(client& from, const header& frame, Handler handler);

    // requests
    void dispatch(client& from, const header& frame);
    void open_tab(client& from, std::uint32_t id, const new_tab& wanted);
    void attach(client& from, std::uint32_t id, const attach_request& wanted);
    void detach(client& from, std::uint32_t id, const detach_request& wanted);
    [[nodiscard]] tab_list tabs_now();
    [[nodiscard]] client_list clients_now() const;
    void type(client& from, std::string_view bytes);
    void send_keys(client& from, std::uint32_t id, const send_request& wanted);
    void kill(client& from, std::uint32_t id, const kill_request& wanted);
    void rename(client& from, std::uint32_t id, const rename_request& wanted);
    void respawn(client& from, std::uint32_t id, const respawn_request& wanted);
    void move(client& from, std::uint32_t id, const move_request& wanted);
    void follow_events(client& from, std::uint32_t id);
    void capture(client& from, std::uint32_t id, const capture_request& wanted);
    void wait_for_output(client& from, std::uint32_t id, const wait_output& wanted);
    void resize_tab(client& from, std::uint32_t id, const resize_request& wanted);
    void report_status(client& from, std::uint32_t id);
    void wait_for_exit(client& from, std::uint32_t id, const target& wanted);
    void record(client& from, std::uint32_t id, const record_request& wanted);

    // tabs
    std::shared_ptr<tab> start_program(const new_tab& wanted, const std::string& task, mato::failure& why);
    tab::handlers handlers_of(tab_id id);
    void start_again(tab& ended, mato::failure& why);
    void finish_respawn(tab_id id);
    std::shared_ptr<tab> find_tab(client& from, std::uint32_t id, const target& wanted);
    std::shared_ptr<tab> last_used() const;
    [[nodiscard]] attachment_info view(client& watcher, tab& shown, const view_options& options);
    void switch_to(client& watcher, tab& shown);
    void leave(client& watcher);
    void part(client& watcher, message why);
    void command_key(std::uint64_t id, char key);
    void on_output(tab_id id, bool flooding);
    void answer_output_waits(tab_id id);
    void on_events(tab_id id, std::vector<vt::event>& events);
    void on_input_taken(input_queue::source from, std::size_t bytes);
    void on_tab_ended(tab_id id);
    void remove_tab(tab_id id);
    void fit(tab& shown);
    void resize(tab& shown, terminal_size size);
    void read_keyboards(tab_id id);
    void tell_what_is_shown(tab& shown);
    std::vector<client*> viewers_of(tab_id id);

    // the daemon
    void reload(mato::error_out out);
    void apply_settings();
    void begin_stop();
    void check_stopped();
    void close_all_tabs();

    daemon& daemon_;
    mato::config::reloadable<settings> configuration_;
    environment environment_;
    const process_limits limits_;
    const bool stays_when_empty_;
    mato::usage_meter<> usage_;
    const std::time_t started_;
    mato::unique_fd counter_; // the last tab id, kept beside the socket
    workspace workspace_;
    std::map<std::uint64_t, client> clients_;
    traffic gone_; // of clients that have left
    event_feed events_;
    std::map<tab_id, std::shared_ptr<tab>> tabs_;
    std::map<tab_id, output_stream> streams_; // of tabs that are recorded; until the last reader has gone
    std::set<tab_id> fixed_;                  // their size was set by `resize`
    std::set<tab_id> rung_;                   // a bell nobody has seen
    std::map<tab_id, std::uint64_t> used_;    // when a tab was last attached or typed into, by count
    std::vector<waiting> waiting_;
    std::vector<output_wait> output_waits_;
    std::vector<pending_kill> kills_;
    std::vector<pending_respawn> respawns_; // their tabs' programs are being ended
    std::uint64_t now_ = 0;                 // counts actions of users
};

} // namespace mux
