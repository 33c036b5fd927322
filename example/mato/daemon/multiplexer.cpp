// SPDX-License-Identifier: MIT
#include "multiplexer.hpp"

#include "past_restore.hpp"
#include "recovery.hpp"

#include <mato/version.hpp>

#include <algorithm>
#include <utility>

namespace mux {
namespace {

constexpr std::size_t most_greeting_text = 256; // bytes of the terminal's path, and of the client's name

constexpr std::size_t terminal_descriptors = 2; // an attaching client passes its terminal and the release pipe

} // namespace

multiplexer::multiplexer(multiplexer_daemon& host, multiplexer_options options)
    : state_(host, std::move(options),
             [this](event_snapshot& now) { now.tabs = inventory_.tabs(), now.clients = inventory_.clients(); }),
      inventory_(state_), views_(state_,
                                 [this](client& from, const pressed_action& what) {
                                     keys_.act(from, what);
                                     state_.kept.save(); // no message does, if the daemon itself has read the key
                                     saver_.note_layout();
                                 }),
      saver_(state_), tabs_(state_, views_, saver_, [this] { on_tab_removed(); }), keys_(state_, views_, tabs_),
      upgrading_(state_), requests_(state_, views_, tabs_, inventory_, upgrading_) {
    install();
    raise_descriptor_limit(most_descriptors);
    mato::failure logged;
    if (state_.host.generation().number > 1) state_.configuration.reload(logged); // it may have changed since the start
    apply_limits();
    if (logged) state_.host.log().error("read the configuration: " + logged.message() + "; the one of the start is used");
    take_back_tabs(state_, tabs_);
    show_past_tabs(state_, tabs_, saver_);
    if (state_.tabs.empty() && state_.configuration->exit_empty && !state_.stays_when_empty)
        static_cast<void>(tabs_.stays_for_undo()); // as the process before did
    views_.hold_sizes();
    views_.hold_pastes();
}

void multiplexer::install() {
    auto& server = state_.host.server();
    server.on.on_opened = [this](const multiplexer_daemon::session_ptr& session) {
        session->accept_descriptors(terminal_descriptors);
        state_.clients.add(session);
    };
    server.on.on_frame = [this](const multiplexer_daemon::session_ptr& session, std::string_view payload) {
        on_frame(session, payload);
    };
    server.on.on_closed = [this](const multiplexer_daemon::session_ptr& session, const mato::failure&) {
        forget(session->id());
    };
    server.on.on_refused = [this](const mato::peer_credentials&, const mato::failure& why) -> std::optional<std::string> {
        const int code = mato::exit_code_for(why.code);
        const bool is_full = code == mato::exit_code::unavailable; // otherwise the peer is another user; no setting admits it
        return encode<message::refused>(0, refusal{code, is_full ? why.message() + "; " + way_in() : why.message()});
    };
    auto& daemon = state_.host;
    daemon.on.on_reload = [this](mato::error_out out) { reload(out); };
    daemon.on.on_stop = [this] { begin_stop(); };
    daemon.on.on_force = [this] {
        for (auto& [id, each] : state_.tabs) each.program->kill_now();
        save_ended();
    };
    daemon.on.on_report = [this] { report(); };
    daemon.on.on_freeze = [this](mato::error_out out) { upgrading_.freeze(out); };
    daemon.on.on_thaw = [this] { upgrading_.thaw(); };
    daemon.on.on_child = [this] { tabs_.check_children(); };
    daemon.on.on_kept_child = [this](std::string_view name, mato::child_status status) {
        tabs_.kept_child_ended(name, status);
    };
}

// ---- settings ----

void multiplexer::apply_limits() {
    const settings& now = *state_.configuration;
    auto& server = state_.host.server();
    mato::server_limits limits;
    limits.clients = now.max_clients;
    server.set_limits(limits);
    mato::disconnect overflow;
    overflow.hard = now.client_queue_bytes;
    overflow.soft = overflow.hard / 2;
    server.set_overflow(overflow);
    state_.host.log().set_level(now.log_level);
    state_.host.log().sink().set_options({now.log_max_bytes, now.log_keep});
}

void multiplexer::reload(mato::error_out out) {
    mato::failure why;
    state_.configuration.reload(why);
    if (why) {
        state_.events.tell(
            {.kind = "config-error", .text = why.code == mato::errc::invalid_config ? why.detail : why.message()});
        return out.set(std::move(why));
    }
    apply_limits();
    views_.apply_settings();
    saver_.settings_changed();
    tabs_.settings_changed();
    state_.events.tell({.kind = "reloaded"});
}

// ---- clients ----

/// What to do when the limit of clients is reached. Not "mato reload": it would be refused too.
std::string multiplexer::way_in() {
    if (state_.host.server().size() < state_.configuration->max_clients)
        return "try again in a moment"; // clients that send nothing are closed soon
    return "end a client, or raise `clients` in [limits] of " + state_.configuration.path() + " and send SIGHUP to process " +
           std::to_string(pid_of(state_.host));
}

void multiplexer::forget(std::uint64_t id) {
    client* const gone = state_.clients.find(id);
    if (!gone) return;
    views_.leave(*gone);
    inventory_.forget(*gone);
    for (auto& [tab, each] : state_.tabs) each.program->cancel_input(id, std::nullopt);
    state_.pending.forget(id);
    state_.signals.forget(id);
    auto& streams = state_.streams;
    if (const auto at = streams.find(gone->recorded); at != streams.end() && !at->second.is_followed()) streams.erase(at);
    state_.clients.remove(id);
    state_.kept.save();
}

void multiplexer::on_frame(const multiplexer_daemon::session_ptr& session, std::string_view payload) {
    client* const from = state_.clients.find(session->id());
    if (!from) return;
    if (payload.size() > state_.configuration->frame_bytes)
        return session->abort({mato::errc::frame_too_large, "read message", {}, "the message is larger than frame_bytes"});
    const auto frame = parse_header(payload);
    if (!frame) return session->abort({mato::errc::malformed, "read message", {}, "the message has no header"});
    if (!from->greeted) return greet(*from, *frame);
    requests_.handle(*from, *frame);
    state_.kept.save(); // answers are sent after this call
    saver_.note_layout();
}

void multiplexer::greet(client& from, const header& frame) {
    const multiplexer_daemon::session_ptr session = from.session;
    const auto greeting = read_as<message::hello>(frame);
    if (!greeting || greeting->magic != hello_magic)
        return session->abort({mato::errc::malformed, "handshake", {}, "the first message is not a hello"});
    const auto pid = pid_of(state_.host);
    if (greeting->min_version > newest_version || greeting->max_version < oldest_version) {
        const std::string ours = std::to_string(oldest_version) + " to " + std::to_string(newest_version);
        const std::string theirs = std::to_string(greeting->min_version) + " to " + std::to_string(greeting->max_version);
        state_.clients.reply<message::refused>(
            from, frame.id,
            refusal{mato::exit_code::version_mismatch,
                    "protocol versions differ: the daemon (mato " MATO_VERSION_STRING ", pid " + std::to_string(pid) +
                        ") supports " + ours + ", the client " + theirs +
                        "; stop the daemon with a client of its version, or use that version"});
        return session->close({mato::errc::version_mismatch, "handshake", {}, "versions " + theirs});
    }
    std::vector<std::string> asked = state_.configuration->update_environment;
    asked.emplace_back("PATH"); // each client's PATH is used for the tabs that it opens
    from.greeting = *greeting;
    for (std::string* const text : {&from.greeting.tty, &from.greeting.program}) // they are stored, and shown in listings
        if (text->size() > most_greeting_text) text->resize(most_greeting_text), text->shrink_to_fit();
    from.greeted = true;
    session->established();
    state_.clients.reply<message::welcome>(from, frame.id,
                                           welcome{std::min(newest_version, greeting->max_version),
                                                   has_keeper(state_.host) ? tabs_survive : 0, static_cast<std::uint32_t>(pid),
                                                   session->id(), MATO_VERSION_STRING, std::move(asked),
                                                   static_cast<std::uint32_t>(state_.configuration->reconnect.count())});
    if (state_.host.is_stopping()) state_.clients.reply<message::stopping>(from, 0, nothing{});
}

// ---- the end ----

void multiplexer::on_tab_removed() {
    if (state_.host.is_stopping()) return check_stopped();
    if (!state_.tabs.empty() || !state_.configuration->exit_empty || state_.stays_when_empty) return;
    if (tabs_.stays_for_undo()) return state_.host.log().info("the last tab was closed; the daemon waits for `mato undo`");
    state_.host.log().info("the last tab has ended");
    begin_stop();
}

void multiplexer::begin_stop() {
    state_.events.tell({.kind = "stopping"});
    state_.clients.tell_all(message::stopping);
    saver_.save_all(); // a machine that is shut down ends the daemon this way
    tabs_.close(state_.tabs.all());
    check_stopped();
}

void multiplexer::check_stopped() {
    if (!state_.tabs.empty()) return;
    save_ended();
    state_.host.stopped();
}

/// For the next daemon, and for commands that run while there is none.
void multiplexer::save_ended() {
    mato::failure why;
    state_.ended.save(ended_tabs::path_next_to(state_.host.options().paths.socket), why);
    if (why) state_.host.log().warning("cannot keep the exit codes of ended tabs: " + why.message());
}

/// Writes the daemon's state to the log after SIGQUIT: at most a page.
void multiplexer::report() {
    constexpr std::size_t most_tabs = 100;
    auto& log = state_.host.log();
    const status_report all = inventory_.status();
    std::size_t tabs = 0;
    for (const task_count& each : all.tasks) tabs += each.tabs;
    log.info("state: " + std::to_string(tabs) + " tabs, " + std::to_string(state_.clients.count()) + " clients, " +
             std::to_string(all.memory_bytes >> 10) + " KiB, " + std::to_string(all.cpu_permille / 10) + " % of a processor, " +
             std::to_string(all.slowest_queue_bytes) + " bytes in the longest queue" +
             (state_.host.is_stopping() ? ", stopping" : ""));
    std::size_t told = 0;
    for (const tab_info& each : inventory_.tabs().tabs) {
        if (++told > most_tabs) break;
        log.info("state: tab " + std::to_string(each.id) + ": pid " + std::to_string(each.pid) +
                 (each.running ? ", running, " : ", ended, ") + std::to_string(each.clients) + " viewers, " +
                 std::to_string(each.memory_bytes >> 10) + " KiB, idle for " + std::to_string(each.idle_ms) + " ms");
    }
    if (tabs > told) log.info("state: and " + std::to_string(tabs - most_tabs) + " more tabs");
}

} // namespace mux
