// SPDX-License-Identifier: MIT
#include "multiplexer.hpp"

#include "key_names.hpp"
#include "shell.hpp"
#include "view/mirror.hpp"
#include "window_size.hpp"

#include <mato/version.hpp>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <filesystem>

namespace mux {
namespace {

constexpr rlim_t most_descriptors = 65'536; // tabs and clients; tables larger than that cost memory for nothing

constexpr std::size_t terminal_descriptors = 2; // an attaching client passes its terminal and the leash

constexpr std::size_t most_shown = 256; // bytes of a command line in listings: thousands of tabs fit in one answer

/// The counter file: the last tab id in decimal. A missing or unreadable number counts from 0.
mato::unique_fd open_counter(const std::filesystem::path& path, tab_id& last) {
    mato::unique_fd fd(mato::sys::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
    if (!fd) throw mato::error({mato::last_error(), "open tab counter", path.native(), {}});
    char text[32];
    const ssize_t got = mato::sys::pread(fd.get(), text, sizeof text, 0);
    if (got < 0) throw mato::error({mato::last_error(), "read tab counter", path.native(), {}});
    std::from_chars(text, text + got, last);
    return fd;
}

tab_id read_counter(mato::unique_fd& fd, const mato::daemon_paths& paths) {
    tab_id last = 0;
    std::filesystem::path path = paths.socket;
    fd = open_counter(path.replace_extension(".tabs"), last);
    return last;
}

terminal_size as_terminal_size(size_of_terminal size) { return {size.rows, size.cols, 0, 0}; }

/// Pixels of a cell; none has so many that a larger number is true.
std::uint16_t as_cell(int pixels) { return pixels < 1000 ? static_cast<std::uint16_t>(std::max(pixels, 0)) : std::uint16_t{0}; }

} // namespace

multiplexer::multiplexer(daemon& host, multiplexer_options options)
    : daemon_(host), configuration_(std::move(options.configuration)), environment_(parse_environment(options.environment)),
      limits_(options.limits), stays_when_empty_(options.stays_when_empty), started_(std::time(nullptr)),
      workspace_(read_counter(counter_, host.options().paths)), events_(host.context(), [this](event_snapshot& now) {
          now.tabs = tabs_now();
          now.clients = clients_now();
      }) {
    auto& server = daemon_.server();
    server.on.on_opened = [this](const session_ptr& session) {
        session->accept_descriptors(terminal_descriptors);
        clients_[session->id()].session = session;
    };
    server.on.on_frame = [this](const session_ptr& session, std::string_view payload) { on_frame(session, payload); };
    server.on.on_closed = [this](const session_ptr& session, const mato::failure&) { forget(session->id()); };
    server.on.on_refused = [this](const mato::peer_credentials&, const mato::failure& why) -> std::optional<std::string> {
        return encode(message::refused, 0, refusal{mato::exit_code::unavailable, why.message() + "; " + way_in()});
    };
    daemon_.on.on_reload = [this](mato::error_out out) { reload(out); };
    daemon_.on.on_stop = [this] { begin_stop(); };
    daemon_.on.on_force = [this] {
        for (auto& [id, each] : tabs_) each->kill_now();
    };
    daemon_.on.on_child = [this] {
        const auto all = tabs_; // an end removes its tab
        for (auto& [id, each] : all) each->check_child();
    };
    raise_descriptor_limit(most_descriptors);
    apply_settings();
}

void multiplexer::apply_settings() {
    mato::server_limits limits;
    limits.clients = configuration_->max_clients;
    daemon_.server().set_limits(limits);
    mato::disconnect overflow;
    overflow.hard = configuration_->client_queue_bytes;
    overflow.soft = overflow.hard / 2;
    daemon_.server().set_overflow(overflow);
    daemon_.log().set_level(configuration_->log_level);
    daemon_.log().sink().set_options({configuration_->log_max_bytes, configuration_->log_keep});
}

void multiplexer::reload(mato::error_out out) {
    mato::failure why;
    configuration_.reload(why);
    if (why) {
        events_.tell({.kind = "config-error", .text = why.code == mato::errc::invalid_config ? why.detail : why.message()});
        return out.set(std::move(why));
    }
    apply_settings();
    for (auto& [id, each] : tabs_) fit(*each);
    for (auto& [id, each] : clients_)
        if (each.screen)
            each.screen->set_keys(parse_prefix(configuration_->prefix).value_or('\x1c'), configuration_->prefix,
                                  configuration_->mouse);
    events_.tell({.kind = "reloaded"});
}

// ---- clients ----

/// What a client can do that the limits keep out. Not "mato reload": it would be kept out, too.
std::string multiplexer::way_in() {
    if (daemon_.server().size() < configuration_->max_clients) return "try again in a moment"; // silent ones are closed soon
    return "end one, or raise `clients` in [limits] of " + configuration_.path() + " and send SIGHUP to " +
           std::to_string(mato::sys::getpid());
}

multiplexer::client* multiplexer::find_client(std::uint64_t id) {
    const auto at = clients_.find(id);
    return at == clients_.end() ? nullptr : &at->second;
}

void multiplexer::send(client& to, const std::string& payload) {
    mato::failure why;
    to.session->send(payload, why);
    if (!why) return;
    daemon_.log().error("client " + std::to_string(to.session->id()) + ": " + why.message());
    if (const auto answer = parse_header(payload); answer && answer->id != 0) // whoever asked is told, not left waiting
        refuse(to, answer->id, "the answer is too large: " + why.message());
}

void multiplexer::refuse(client& to, std::uint32_t id, std::string text, int exit_code) {
    reply(to, message::error, id, refusal{exit_code, std::move(text)});
}

void multiplexer::forget(std::uint64_t id) {
    client* const gone = find_client(id);
    if (!gone) return;
    leave(*gone);
    gone_ += traffic_of(*gone);
    for (auto& [tab, each] : tabs_) each->cancel_input(id, std::nullopt);
    std::erase_if(waiting_, [&](const waiting& each) { return each.client == id; });
    std::erase_if(kills_, [&](const pending_kill& each) { return each.client == id; });
    std::erase_if(output_waits_, [&](const output_wait& each) { return each.client == id; });
    if (const auto at = streams_.find(gone->recorded); at != streams_.end() && !at->second.is_followed()) streams_.erase(at);
    clients_.erase(id);
}

// ---- what they were sent ----

/// Relayed bytes are the session's own.
multiplexer::traffic multiplexer::traffic_of(const viewer& screen) {
    return {screen.way().is_direct() ? screen.way().sent_bytes() : 0, screen.skipped(), screen.resyncs()};
}

multiplexer::traffic multiplexer::traffic_of(const client& who) const {
    traffic all = who.left;
    all.bytes_sent += who.session->sent_bytes();
    if (who.screen) all += traffic_of(*who.screen);
    if (const auto stream = stream_status(who)) all += {0, stream->dropped + stream->superseded, stream->resyncs};
    return all;
}

std::optional<mato::subscriber_status> multiplexer::stream_status(const client& who) const {
    if (auto events = events_.status(who.session.get())) return events;
    const auto at = streams_.find(who.recorded);
    return at == streams_.end() ? std::nullopt : at->second.status(who.session.get());
}

std::uint64_t multiplexer::queue_bytes(const client& who) {
    return who.session->queued_bytes() + (who.screen ? who.screen->way().pending_bytes() : 0);
}

void multiplexer::on_frame(const session_ptr& session, std::string_view payload) {
    client* const from = find_client(session->id());
    if (!from) return;
    if (payload.size() > configuration_->frame_bytes)
        return session->abort({mato::errc::frame_too_large, "read message", {}, "a message over frame_bytes"});
    const auto frame = parse_header(payload);
    if (!frame) return session->abort({mato::errc::malformed, "read message", {}, "a message without a header"});
    if (!from->greeted) return greet(*from, *frame);
    dispatch(*from, *frame);
}

void multiplexer::greet(client& from, const header& frame) {
    const session_ptr session = from.session;
    const auto greeting = frame.type == message::hello ? decode<hello>(frame.body) : std::nullopt;
    if (!greeting || greeting->magic != hello_magic)
        return session->abort({mato::errc::malformed, "handshake", {}, "its first message is no hello"});
    if (greeting->min_version > newest_version || greeting->max_version < oldest_version) {
        const std::string ours = std::to_string(oldest_version) + " to " + std::to_string(newest_version);
        const std::string theirs = std::to_string(greeting->min_version) + " to " + std::to_string(greeting->max_version);
        reply(from, message::refused, frame.id,
              refusal{mato::exit_code::version_mismatch,
                      "protocol versions do not meet: the daemon (mato " MATO_VERSION_STRING ", pid " +
                          std::to_string(mato::sys::getpid()) + ") speaks " + ours + ", the client " + theirs +
                          "; stop the daemon with its own version, or use that version"});
        return session->close({mato::errc::version_mismatch, "handshake", {}, "versions " + theirs});
    }
    from.greeting = *greeting;
    from.greeted = true;
    session->established();
    reply(from, message::welcome, frame.id,
          welcome{std::min(newest_version, greeting->max_version), 0, static_cast<std::uint32_t>(mato::sys::getpid()),
                  session->id(), MATO_VERSION_STRING, configuration_->update_environment});
    if (daemon_.is_stopping()) reply(from, message::stopping, 0, nothing{});
}

// ---- what a terminal shows ----

std::vector<multiplexer::client*> multiplexer::viewers_of(tab_id id) {
    std::vector<client*> result;
    for (auto& [number, each] : clients_)
        if (each.attached == id) result.push_back(&each);
    return result;
}

/// Takes the client's terminal, if it passed one that can be used, else talks to it through the client.
attachment_info multiplexer::view(client& watcher, tab& shown, const view_options& options) {
    leave(watcher);
    watcher.view = options;
    std::unique_ptr<outlet> way;
    mato::unique_fd terminal = watcher.session->take_descriptor(), leash = watcher.session->take_descriptor();
    if (options.passes_terminal) {
        mato::failure why;
        way = direct_outlet::open(daemon_.context(), std::move(terminal), std::move(leash), why);
        if (why)
            daemon_.log().info("client " + std::to_string(watcher.session->id()) + " relays its terminal: " + why.message());
    }
    const bool direct = way != nullptr;
    if (!direct) {
        auto relay = std::make_unique<relayed_outlet>(watcher.session);
        watcher.relay = relay.get();
        way = std::move(relay);
    }
    viewer_options wanted;
    wanted.size = {options.size.rows, options.size.cols};
    wanted.features = options.terminal;
    wanted.prefix = parse_prefix(configuration_->prefix).value_or('\x1c');
    wanted.prefix_name = configuration_->prefix;
    wanted.readonly = options.readonly;
    wanted.mouse = configuration_->mouse;
    const std::uint64_t id = watcher.session->id();
    watcher.screen =
        std::make_unique<viewer>(daemon_.context(), std::move(way), std::move(wanted),
                                 viewer::handlers{[this, id](std::string_view bytes) {
                                                      if (client* const typist = find_client(id)) type(*typist, bytes);
                                                  },
                                                  [this, id](char key) { command_key(id, key); },
                                                  [this, id] {
                                                      client* const asked = find_client(id);
                                                      if (!asked) return;
                                                      reply(*asked, message::answered, 0, nothing{});
                                                      if (const auto at = tabs_.find(asked->attached); at != tabs_.end())
                                                          fit(*at->second);
                                                  },
                                                  [this, id] {
                                                      if (client* const gone = find_client(id))
                                                          part(*gone, message::terminal_lost);
                                                  }});
    switch_to(watcher, shown);
    const auto* const named = workspace_.find(shown.id());
    return {{shown.id(), workspace_.task_of(shown.id())->name, named->name}, direct};
}

void multiplexer::switch_to(client& watcher, tab& shown) {
    const tab_id before = std::exchange(watcher.attached, shown.id());
    watcher.activity = used_[shown.id()] = ++now_;
    watcher.untaken = 0;
    rung_.erase(shown.id());
    fit(shown);
    watcher.screen->read_keyboard(true);
    watcher.screen->watch(shown.shared_from_this());
    if (before == shown.id()) return;
    events_.tell(
        {.kind = before == 0 ? "client-attached" : "client-switched", .tab = shown.id(), .client = watcher.session->id()});
    if (const auto at = tabs_.find(before); at != tabs_.end()) fit(*at->second);
}

void multiplexer::leave(client& watcher) {
    if (watcher.screen) { // it may be one of its callbacks that asks
        watcher.left += traffic_of(*watcher.screen);
        watcher.screen->close();
        watcher.relay = nullptr;
        asio::post(daemon_.context(), [gone = std::shared_ptr<viewer>(std::move(watcher.screen))] {});
    }
    const tab_id left = std::exchange(watcher.attached, 0);
    watcher.untaken = 0;
    if (left == 0) return;
    events_.tell({.kind = "client-detached", .tab = left, .client = watcher.session->id()});
    if (const auto at = tabs_.find(left); at != tabs_.end()) {
        at->second->cancel_input(watcher.session->id(), 0);
        fit(*at->second);
    }
}

/// The attachment ends, and the client is told, who then has its terminal back.
void multiplexer::part(client& watcher, message why) {
    leave(watcher);
    reply(watcher, why, 0, nothing{});
}

void multiplexer::on_output(tab_id id, bool flooding) {
    for (client* each : viewers_of(id)) each->screen->update(flooding);
    if (const auto at = tabs_.find(id); at != tabs_.end())
        if (const auto refused = at->second->take_refused_images(); refused > 0)
            daemon_.log().debug("tab " + std::to_string(id) + ": images over the bound, dropped: " + std::to_string(refused));
    answer_output_waits(id);
}

void multiplexer::answer_output_waits(tab_id id) {
    if (output_waits_.empty()) return;
    for (const output_wait& each : std::exchange(output_waits_, {})) {
        client* const waiter = find_client(each.client);
        if (each.tab != id)
            output_waits_.push_back(each);
        else if (waiter)
            reply(*waiter, message::output_came, each.request, nothing{});
    }
}

void multiplexer::on_events(tab_id id, std::vector<vt::event>& events) {
    const auto viewers = viewers_of(id);
    const vt::event *title = nullptr, *directory = nullptr, *bell = nullptr; // of those that came in one read the last
    for (const vt::event& each : events) {
        if (each.kind == vt::event_kind::title) title = &each;
        if (each.kind == vt::event_kind::directory) directory = &each;
        if (each.kind == vt::event_kind::bell) {
            bell = &each;
            if (viewers.empty()) rung_.insert(id);
            for (client* watcher : viewers) watcher->screen->ring();
        } else if (each.kind == vt::event_kind::clipboard_set && configuration_->clipboard) {
            for (client* watcher : viewers)
                if (watcher->view.terminal.strings && !watcher->view.readonly)
                    watcher->screen->pass("\033]52;" + each.target + ";" + each.text + "\033\\");
        }
    }
    if (title) events_.tell({.kind = "title", .tab = id, .text = title->text});
    if (directory) events_.tell({.kind = "cwd", .tab = id, .text = directory->text});
    if (bell) events_.tell({.kind = "bell", .tab = id});
}

void multiplexer::fit(tab& shown) {
    tell_what_is_shown(shown);
    if (fixed_.contains(shown.id())) return;
    std::vector<viewer_size> sizes;
    for (client* each : viewers_of(shown.id())) {
        terminal_size size = as_terminal_size(each->view.size);
        const vt::pixel_size cell = each->screen->cell_size();
        size.cell_width = as_cell(cell.width), size.cell_height = as_cell(cell.height);
        sizes.push_back({size, each->activity, !each->view.readonly && !each->view.ignore_size});
    }
    resize(shown, choose_size(configuration_->window_size, shown.size(), sizes));
}

void multiplexer::resize(tab& shown, terminal_size size) {
    const terminal_size before = shown.size();
    shown.resize(size);
    if (const terminal_size now = shown.size(); now.columns != before.columns || now.rows != before.rows)
        events_.tell({.kind = "tab-resized", .tab = shown.id(), .size = {now.columns, now.rows}});
}

/// What was typed and not taken is gone with a program.
void multiplexer::read_keyboards(tab_id id) {
    for (client* each : viewers_of(id)) {
        each->untaken = 0;
        each->screen->read_keyboard(true);
    }
}

/// An image that no viewer can show is as unknown to the tab's terminal as to theirs; without viewers all are kept.
void multiplexer::tell_what_is_shown(tab& shown) {
    const auto viewers = viewers_of(shown.id());
    if (viewers.empty()) return shown.know_pictures({true, true, true, false});
    vt::picture_protocols all;
    for (const client* each : viewers) {
        const vt::picture_protocols own = each->screen->pictures();
        all.kitty |= own.kitty, all.sixel |= own.sixel, all.iterm |= own.iterm;
        all.announces_sixel |= own.announces_sixel;
    }
    shown.know_pictures(all);
}

// ---- tabs ----

std::shared_ptr<tab> multiplexer::start_program(const new_tab& wanted, const std::string& task, mato::failure& why) {
    spawn_request request;
    const std::string shell = login_shell(configuration_->shell, environment_);
    std::string shown;
    if (wanted.argv.empty()) {
        request.program = shell;
        request.argv = {"-" + base_name(shell)};
        shown = base_name(shell);
    } else if (wanted.argv.size() == 1 && !needs_no_shell(wanted.argv[0])) {
        request.program = shell;
        request.argv = {base_name(shell), "-c", wanted.argv[0]};
        shown = wanted.argv[0];
    } else {
        request.program = wanted.argv[0];
        request.argv = wanted.argv;
        for (const std::string& word : wanted.argv) shown += (shown.empty() ? "" : " ") + word;
    }
    if (shown.size() > most_shown) shown.resize(most_shown);
    request.directory = wanted.cwd;
    request.limits = limits_;
    request.size = as_terminal_size(wanted.view.size);
    if (request.size.rows == 0 || request.size.columns == 0) request.size = {};

    const std::string name = !wanted.name.empty() ? wanted.name : tab_name_for(wanted.argv.empty() ? shell : wanted.argv[0]);
    const tab_id id = workspace_.last_id() + 1;
    request.environment =
        to_strings(for_tab(environment_, daemon_.options().paths.socket, mato::sys::getpid(), id, wanted.environment));
    const std::string counter = std::to_string(id) + "\n";
    if (mato::sys::pwrite(counter_.get(), counter.data(), counter.size(), 0) != static_cast<ssize_t>(counter.size())) {
        why = {mato::last_error(), "write tab counter", daemon_.options().paths.directory(), {}};
        return nullptr;
    }
    auto program = spawn(request, why);
    if (why) return nullptr;
    workspace_.add(task, name);
    tab_options options{id, shown, request.size};
    const std::string& emulator = wanted.emulator.empty() ? configuration_->emulator : wanted.emulator;
    options.emulator = emulator == "raw" ? emulator_kind::raw : emulator_kind::vt;
    options.history_lines = configuration_->history_lines;
    options.replay_bytes = configuration_->raw_replay_bytes;
    options.input_bytes = configuration_->paste_bytes;
    options.program = std::move(request);
    const auto made = std::make_shared<tab>(daemon_.context(), std::move(program), std::move(options));
    tabs_[id] = made;
    used_[id] = ++now_;
    made->start(handlers_of(id));
    daemon_.log().info("tab " + std::to_string(id) + " opened, pid " + std::to_string(made->pid()));
    events_.tell({.kind = "tab-opened", .tab = id, .task = task, .name = name, .text = shown});
    return made;
}

tab::handlers multiplexer::handlers_of(tab_id id) {
    return {[this, id](bool flooding) { on_output(id, flooding); },
            [this, id](std::vector<vt::event>& events) { on_events(id, events); },
            [this](input_queue::source from, std::size_t bytes) { on_input_taken(from, bytes); },
            [this](input_queue::source from, std::size_t taken) {
                client* const sender = from.request ? find_client(from.client) : nullptr;
                if (sender) refuse(*sender, from.request, "the program ended after " + std::to_string(taken) + " bytes of it");
            },
            [this, id] { on_tab_ended(id); }};
}

/// The tab's program once more. What it showed last is cleared, its history stays.
void multiplexer::start_again(tab& ended, mato::failure& why) {
    auto program = spawn(ended.program(), why);
    if (why) return;
    // CAN ends what the last program had begun. Without an emulator it is the viewers' terminals that are reset, for no longer.
    const std::string clear = ended.screen() ? "\x18\033c" : "\x18" + std::string(reset_sequence()) + "\033[H\033[2J";
    ended.start_again(std::move(program), clear, handlers_of(ended.id()));
    used_[ended.id()] = ++now_;
    daemon_.log().info("tab " + std::to_string(ended.id()) + " respawned, pid " + std::to_string(ended.pid()));
    events_.tell({.kind = "tab-respawned", .tab = ended.id()});
}

/// Its program has ended; the handler that said so has returned.
void multiplexer::finish_respawn(tab_id id) {
    const auto asked = std::find_if(respawns_.begin(), respawns_.end(), [&](const auto& each) { return each.tab == id; });
    if (asked == respawns_.end()) return; // the tab was removed meanwhile
    const pending_respawn request = *asked;
    respawns_.erase(asked);
    mato::failure why;
    start_again(*tabs_.at(id), why);
    client* const asker = find_client(request.client);
    if (!asker) return;
    if (why) return refuse(*asker, request.request, why.message());
    reply(*asker, message::done, request.request, nothing{});
}

void multiplexer::on_input_taken(input_queue::source from, std::size_t bytes) {
    client* const typist = find_client(from.client);
    if (!typist) return;
    if (from.request != 0) return reply(*typist, message::sent, from.request, sent{bytes});
    typist->untaken -= std::min<std::uint64_t>(typist->untaken, bytes);
    if (typist->screen && typist->untaken <= input_window_bytes / 2) typist->screen->read_keyboard(true);
}

void multiplexer::on_tab_ended(tab_id id) {
    const auto at = tabs_.find(id);
    if (at == tabs_.end()) return;
    const std::shared_ptr<tab> ended = at->second;
    const int code = ended->exit_code();
    daemon_.log().info("tab " + std::to_string(id) + " ended with " + std::to_string(code));
    events_.tell({.kind = "tab-exited", .tab = id, .exit_code = code});
    for (const waiting& each : std::exchange(waiting_, {})) {
        client* const waiter = find_client(each.client);
        if (each.tab != id)
            waiting_.push_back(each);
        else if (waiter)
            reply(*waiter, message::exit_status, each.request, exit_status{id, code});
    }
    answer_output_waits(id);
    if (const auto stream = streams_.find(id); stream != streams_.end()) {
        const std::string end = stream->second.finish();
        for (auto& [number, each] : clients_)
            if (each.recorded == id) send(each, end);
    }
    read_keyboards(id);
    const auto is_of_this = [&](const auto& each) { return each.tab == id; };
    const bool killed = std::any_of(kills_.begin(), kills_.end(), [&](const pending_kill& each) {
        return std::find(each.tabs.begin(), each.tabs.end(), id) != each.tabs.end();
    });
    if (!killed && !daemon_.is_stopping() && std::any_of(respawns_.begin(), respawns_.end(), is_of_this))
        return asio::post(daemon_.context(), [this, id] { finish_respawn(id); });
    const auto policy = configuration_->remain_on_exit;
    const bool remains =
        !ended->is_closing() && (policy == remain_on_exit::on || (policy == remain_on_exit::failed && code != 0));
    if (!remains) remove_tab(id);
}

void multiplexer::remove_tab(tab_id id) {
    const auto ended = tabs_.at(id);
    for (client* each : viewers_of(id)) {
        each->screen->finish();
        leave(*each);
        reply(*each, message::tab_exited, 0, exit_status{id, ended->exit_code()});
    }
    tabs_.erase(id);
    used_.erase(id);
    rung_.erase(id);
    fixed_.erase(id);
    workspace_.remove(id);
    events_.tell({.kind = "tab-closed", .tab = id});
    for (const pending_respawn& each : std::exchange(respawns_, {})) {
        client* const asker = find_client(each.client);
        if (each.tab != id)
            respawns_.push_back(each);
        else if (asker)
            refuse(*asker, each.request, "tab " + std::to_string(id) + " was closed meanwhile");
    }
    for (pending_kill& each : kills_) {
        std::erase(each.tabs, id);
        if (client* const asker = each.tabs.empty() ? find_client(each.client) : nullptr)
            reply(*asker, message::done, each.request, nothing{});
    }
    std::erase_if(kills_, [](const pending_kill& each) { return each.tabs.empty(); });
    if (daemon_.is_stopping()) return check_stopped();
    if (tabs_.empty() && configuration_->exit_empty && !stays_when_empty_) {
        daemon_.log().info("the last tab has ended");
        begin_stop();
    }
}

// ---- stopping ----

void multiplexer::begin_stop() {
    events_.tell({.kind = "stopping"});
    for (auto& [id, each] : clients_)
        if (each.greeted) reply(each, message::stopping, 0, nothing{});
    close_all_tabs();
    check_stopped();
}

void multiplexer::close_all_tabs() {
    const auto all = tabs_;
    const auto now = mato::clock::now();
    for (auto& [id, each] : all) {
        if (each->is_running())
            each->close(configuration_->stop_grace, now);
        else
            remove_tab(id);
    }
}

void multiplexer::check_stopped() {
    if (tabs_.empty()) daemon_.stopped();
}

} // namespace mux
