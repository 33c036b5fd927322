// SPDX-License-Identifier: MIT
/// @file requests.cpp: what each message asks of the multiplexer.
#include "multiplexer.hpp"

#include "capture.hpp"

#include <mato/version.hpp>

#include <algorithm>
#include <ctime>
#include <filesystem>

namespace mux {

namespace {

constexpr char control_z = 0x1a;

/// Milliseconds since its program wrote last.
std::uint64_t idle_of(const tab& which) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<mato::milliseconds>(mato::clock::now() - which.last_output()).count());
}

} // namespace

template <class Body, class Handler> void multiplexer::with(client& from, const header& frame, Handler handler) {
    const auto body = decode<Body>(frame.body);
    if (!body)
        return from.session->abort({mato::errc::malformed,
                                    "read message",
                                    {},
                                    "message " + std::to_string(static_cast<std::uint32_t>(frame.type)) + " is cut"});
    handler(*body);
}

void multiplexer::dispatch(client& from, const header& frame) {
    const std::uint32_t id = frame.id;
    switch (frame.type) {
    case message::new_tab: return with<new_tab>(from, frame, [&](const auto& body) { open_tab(from, id, body); });
    case message::attach: return with<attach_request>(from, frame, [&](const auto& body) { attach(from, id, body); });
    case message::detach: return with<detach_request>(from, frame, [&](const auto& body) { detach(from, id, body); });
    case message::list_tabs: return reply(from, message::tabs, id, tabs_now());
    case message::list_clients: return reply(from, message::clients, id, clients_now());
    case message::find_tab:
        return with<target>(from, frame, [&](const auto& body) {
            if (const auto found = find_tab(from, id, body)) reply(from, message::done, id, nothing{});
        });
    case message::send: return with<send_request>(from, frame, [&](const auto& body) { send_keys(from, id, body); });
    case message::cancel_send: {
        std::size_t taken = 0;
        for (auto& [number, each] : tabs_) taken += each->cancel_input(from.session->id(), id);
        return reply(from, message::sent, id, sent{taken});
    }
    case message::kill: return with<kill_request>(from, frame, [&](const auto& body) { kill(from, id, body); });
    case message::rename: return with<rename_request>(from, frame, [&](const auto& body) { rename(from, id, body); });
    case message::respawn: return with<respawn_request>(from, frame, [&](const auto& body) { respawn(from, id, body); });
    case message::move_tab: return with<move_request>(from, frame, [&](const auto& body) { move(from, id, body); });
    case message::follow_events: return follow_events(from, id);
    case message::status: return report_status(from, id);
    case message::reload: {
        mato::failure why;
        daemon_.reload(why);
        if (why) return refuse(from, id, why.message(), mato::exit_code_for(why.code));
        return reply(from, message::done, id, nothing{});
    }
    case message::stop:
        return with<stop_request>(from, frame, [&](const stop_request& body) {
            reply(from, message::done, id, nothing{});
            daemon_.log().info("client " + std::to_string(from.session->id()) + " asked to stop");
            daemon_.request_stop();
            if (body.now) daemon_.request_stop();
        });
    case message::wait_exit: return with<target>(from, frame, [&](const auto& body) { wait_for_exit(from, id, body); });
    case message::capture: return with<capture_request>(from, frame, [&](const auto& body) { capture(from, id, body); });
    case message::wait_output:
        return with<wait_output>(from, frame, [&](const auto& body) { wait_for_output(from, id, body); });
    case message::resize_tab: return with<resize_request>(from, frame, [&](const auto& body) { resize_tab(from, id, body); });
    case message::record: return with<record_request>(from, frame, [&](const auto& body) { record(from, id, body); });
    case message::input: {
        mato::failure why;
        if (from.relay) from.relay->input(frame.body, why);
        if (why) from.session->abort(std::move(why));
        return;
    }
    case message::output_taken:
        return with<bytes_taken>(from, frame, [&](const bytes_taken& taken) {
            if (from.relay) from.relay->output_taken(taken.bytes);
        });
    case message::resize:
        return with<size_of_terminal>(from, frame, [&](const size_of_terminal& size) {
            from.view.size = size;
            const auto at = tabs_.find(from.attached);
            if (at == tabs_.end()) return;
            from.activity = ++now_;
            from.screen->resize({size.rows, size.cols});
            events_.tell({.kind = "client-resized", .tab = from.attached, .client = from.session->id(), .size = size});
            fit(*at->second);
        });
    case message::show:
        return with<show_request>(from, frame, [&](const show_request& body) {
            if (from.screen) from.screen->show(body.asked);
        });
    case message::hide: // the answer says that the terminal is let go of
        if (from.screen) from.screen->hide();
        return reply(from, message::done, id, nothing{});
    default:
        if (static_cast<std::uint32_t>(frame.type) & skippable) return;
        return refuse(from, id,
                      "this daemon (mato " MATO_VERSION_STRING ") does not know request " +
                          std::to_string(static_cast<std::uint32_t>(frame.type)));
    }
}

std::shared_ptr<tab> multiplexer::last_used() const {
    std::shared_ptr<tab> best;
    std::uint64_t when = 0;
    for (const auto& [id, each] : tabs_)
        if (const auto at = used_.find(id); at != used_.end() && at->second > when) when = at->second, best = each;
    return best;
}

/// The tab meant, or null when the client has been told why not.
std::shared_ptr<tab> multiplexer::find_tab(client& from, std::uint32_t id, const target& wanted) {
    if (wanted.name.empty()) {
        auto best = last_used();
        if (!best) refuse(from, id, "there is no tab");
        return best;
    }
    const auto found = workspace_.resolve(wanted.name, wanted.current);
    const auto at = found.id == 0 ? tabs_.end() : tabs_.find(found.id);
    if (at != tabs_.end()) return at->second;
    refuse(from, id, found.problem);
    return nullptr;
}

void multiplexer::open_tab(client& from, std::uint32_t id, const new_tab& wanted) {
    if (daemon_.is_stopping()) return refuse(from, id, "the daemon is stopping", mato::exit_code::unavailable);
    for (const std::string& name : {wanted.task, wanted.name})
        if (!name.empty())
            if (const auto problem = workspace::check_name(name); !problem.empty())
                return refuse(from, id, "'" + name + "': " + problem, mato::exit_code::usage);
    if (!wanted.emulator.empty() && wanted.emulator != "vt" && wanted.emulator != "raw")
        return refuse(from, id, "there is no emulator '" + wanted.emulator + "'; there are 'vt' and 'raw'",
                      mato::exit_code::usage);
    if (!wanted.cwd.starts_with('/'))
        return refuse(from, id, "directory '" + wanted.cwd + "' is not an absolute path", mato::exit_code::usage);
    for (const auto& part : {&wanted.argv, &wanted.environment})
        for (const std::string& text : *part)
            if (text.find('\0') != std::string::npos)
                return refuse(from, id, "an argument or variable contains a NUL byte", mato::exit_code::usage);

    std::string task = wanted.task;
    if (task.empty()) { // the current tab's, else the one used last
        const workspace::task* where = workspace_.task_of(wanted.current);
        const auto recent = where ? nullptr : last_used();
        if (recent) where = workspace_.task_of(recent->id());
        task = where ? where->name : workspace_.fresh_task_name();
    }
    update(environment_, configuration_->update_environment, wanted.view.environment);
    mato::failure why;
    const auto made = start_program(wanted, task, why);
    if (!made) {
        daemon_.log().warning("no new tab: " + why.message());
        return refuse(from, id, why.message());
    }
    const auto* const named = workspace_.find(made->id());
    if (wanted.then == after_opening::wait) {
        waiting_.push_back({from.session->id(), id, made->id()});
    } else if (wanted.then == after_opening::attach) {
        reply(from, message::attached, id, view(from, *made, wanted.view));
    } else {
        reply(from, message::tab_opened, id, tab_name{made->id(), task, named->name});
    }
}

void multiplexer::attach(client& from, std::uint32_t id, const attach_request& wanted) {
    const auto found = find_tab(from, id, wanted.which);
    if (!found) return;
    update(environment_, configuration_->update_environment, wanted.view.environment);
    if (wanted.view.detach_others)
        for (client* each : viewers_of(found->id()))
            if (each != &from) part(*each, message::detached);
    reply(from, message::attached, id, view(from, *found, wanted.view));
}

void multiplexer::detach(client& from, std::uint32_t id, const detach_request& wanted) {
    std::vector<client*> leaving;
    for (auto& [number, each] : clients_)
        if (each.attached && (wanted.all || (wanted.client != 0 && number == wanted.client))) leaving.push_back(&each);
    if (!wanted.all && wanted.client == 0) { // this tab's current client; outside of a tab, the only one there is
        std::vector<client*> candidates;
        for (auto& [number, each] : clients_)
            if (each.attached && (wanted.current == 0 || each.attached == wanted.current)) candidates.push_back(&each);
        if (wanted.current == 0 && candidates.size() > 1)
            return refuse(from, id, "several clients are attached; name one (see 'mato clients'), or use -a");
        const auto latest =
            std::max_element(candidates.begin(), candidates.end(), [](auto* a, auto* b) { return a->activity < b->activity; });
        if (latest != candidates.end()) leaving.push_back(*latest);
    }
    if (leaving.empty() && !wanted.all)
        return refuse(from, id,
                      wanted.client ? "client " + std::to_string(wanted.client) + " is not attached" : "no client is attached");
    for (client* each : leaving) part(*each, message::detached);
    reply(from, message::done, id, nothing{});
}

tab_list multiplexer::tabs_now() {
    tab_list list;
    for (const auto& task : workspace_.tasks())
        for (const auto& named : task.tabs) {
            const tab& each = *tabs_.at(named.id);
            tab_info info;
            info.id = named.id;
            info.task = task.name;
            info.name = named.name;
            info.command = each.command();
            info.cwd = each.directory();
            info.emulator = each.screen() ? "vt" : "raw";
            if (const vt::terminal* const screen = each.screen()) {
                info.title = screen->title();
                info.history_lines = screen->history_lines();
            }
            info.bell = rung_.contains(named.id);
            info.pid = each.pid();
            info.size = {each.size().columns, each.size().rows};
            info.clients = static_cast<std::uint32_t>(viewers_of(named.id).size());
            info.running = each.is_running();
            info.exit_code = each.exit_code();
            info.idle_ms = idle_of(each);
            info.memory_bytes = each.memory_bytes();
            list.tabs.push_back(std::move(info));
        }
    return list;
}

client_list multiplexer::clients_now() const {
    client_list list;
    for (const auto& [number, each] : clients_)
        if (each.greeted) {
            client_info info;
            info.id = number;
            info.pid = each.greeting.pid;
            info.uid = static_cast<std::uint32_t>(each.session->peer().uid);
            info.tty = each.greeting.tty;
            info.size = each.view.size;
            info.tab = each.attached;
            info.readonly = each.view.readonly;
            const traffic all = traffic_of(each);
            info.bytes_sent = all.bytes_sent;
            info.frames_dropped = all.frames_dropped;
            info.queue_bytes = queue_bytes(each);
            info.direct = each.screen && each.screen->way().is_direct();
            if (const auto stream = stream_status(each)) {
                info.recorded = each.recorded;
                info.follows_events = events_.is_followed_by(each.session.get());
                info.delivered = stream->delivered;
                info.dropped = stream->dropped;
                info.superseded = stream->superseded;
                info.gaps = stream->gaps;
                info.resyncs = stream->resyncs;
                info.lag = stream->lag;
            }
            list.clients.push_back(std::move(info));
        }
    return list;
}

/// What came from a client's keyboard for the program.
void multiplexer::type(client& from, std::string_view bytes) {
    const auto at = tabs_.find(from.attached);
    if (at == tabs_.end() || from.view.readonly || bytes.empty()) return;
    const bool was_latest = from.activity == now_;
    from.activity = used_[from.attached] = ++now_;
    from.untaken += bytes.size();
    if (!at->second->type({from.session->id(), 0}, std::string(bytes))) from.untaken -= bytes.size(); // ended: nobody takes it
    if (from.untaken > input_window_bytes) from.screen->read_keyboard(false);
    if (!was_latest) fit(*at->second);
}

/// The keys after the prefix that move between tabs and leave.
void multiplexer::command_key(std::uint64_t id, char key) {
    client* const from = find_client(id);
    if (!from || !from->screen) return;
    if (key == 'd') return part(*from, message::detached);
    if (key == control_z) return reply(*from, message::suspend, 0, nothing{});
    const workspace::task* const task = workspace_.task_of(from->attached);
    if (!task) return from->screen->ring();
    if (key == 'c') {
        new_tab wanted;
        wanted.view = from->view;
        const auto here = tabs_.find(from->attached);
        wanted.cwd = here == tabs_.end() ? "/" : here->second->directory();
        mato::failure why;
        const auto made = daemon_.is_stopping() ? nullptr : start_program(wanted, std::string(task->name), why);
        if (why) daemon_.log().warning("no new tab: " + why.message());
        return made ? switch_to(*from, *made) : from->screen->ring();
    }
    const auto& tabs = task->tabs;
    const auto place = static_cast<std::size_t>(
        std::find_if(tabs.begin(), tabs.end(), [&](const auto& each) { return each.id == from->attached; }) - tabs.begin());
    std::size_t wanted = tabs.size();
    if (key == 'n') wanted = (place + 1) % tabs.size();
    if (key == 'p') wanted = (place + tabs.size() - 1) % tabs.size();
    if (key >= '1' && key <= '9') wanted = static_cast<std::size_t>(key - '1');
    if (key == '0') wanted = 9;
    if (wanted >= tabs.size()) return from->screen->ring();
    switch_to(*from, *tabs_.at(tabs[wanted].id));
}

void multiplexer::send_keys(client& from, std::uint32_t id, const send_request& wanted) {
    const auto found = find_tab(from, id, wanted.which);
    if (!found) return;
    if (wanted.bytes.empty()) return reply(from, message::sent, id, sent{0});
    if (!found->is_running() || found->is_closing())
        return refuse(from, id, "the program of tab " + std::to_string(found->id()) + " has ended");
    used_[found->id()] = ++now_;
    if (!found->type({from.session->id(), id}, wanted.bytes))
        refuse(from, id, "tab " + std::to_string(found->id()) + " has as much unread input as it may (paste_bytes)");
}

void multiplexer::kill(client& from, std::uint32_t id, const kill_request& wanted) {
    std::vector<tab_id> doomed;
    if (!wanted.task.empty()) {
        const auto* const task = workspace_.find_task(wanted.task);
        if (!task) return refuse(from, id, "no task '" + wanted.task + "', or several begin so");
        for (const auto& each : task->tabs) doomed.push_back(each.id);
    } else {
        const auto found = find_tab(from, id, wanted.which);
        if (!found) return;
        doomed.push_back(found->id());
    }
    kills_.push_back({from.session->id(), id, doomed});
    const auto now = mato::clock::now();
    for (const tab_id each : doomed) {
        const auto victim = tabs_.at(each);
        if (victim->is_running())
            victim->close(configuration_->stop_grace, now);
        else
            remove_tab(each);
    }
}

void multiplexer::rename(client& from, std::uint32_t id, const rename_request& wanted) {
    if (const auto problem = workspace::check_name(wanted.name); !problem.empty())
        return refuse(from, id, "'" + wanted.name + "': " + problem, mato::exit_code::usage);
    const auto found = workspace_.resolve(wanted.which.name, wanted.which.current);
    if (found.id != 0) {
        const std::string before = workspace_.find(found.id)->name;
        workspace_.rename_tab(found.id, wanted.name);
        events_.tell({.kind = "tab-renamed",
                      .tab = found.id,
                      .task = workspace_.task_of(found.id)->name,
                      .name = wanted.name,
                      .text = before});
        return reply(from, message::done, id, nothing{});
    }
    const auto* const task = workspace_.find_task(wanted.which.name);
    if (!task) return refuse(from, id, found.problem);
    const std::string before = task->name;
    if (!workspace_.rename_task(before, wanted.name)) return refuse(from, id, "there is a task '" + wanted.name + "' already");
    events_.tell({.kind = "task-renamed", .task = wanted.name, .text = before});
    reply(from, message::done, id, nothing{});
}

void multiplexer::respawn(client& from, std::uint32_t id, const respawn_request& wanted) {
    const auto found = find_tab(from, id, wanted.which);
    if (!found) return;
    const std::string name = "tab " + std::to_string(found->id());
    if (daemon_.is_stopping()) return refuse(from, id, "the daemon is stopping", mato::exit_code::unavailable);
    if (std::any_of(respawns_.begin(), respawns_.end(), [&](const auto& each) { return each.tab == found->id(); }))
        return refuse(from, id, name + " is being respawned already");
    if (!found->is_running()) {
        mato::failure why;
        start_again(*found, why);
        return why ? refuse(from, id, why.message()) : reply(from, message::done, id, nothing{});
    }
    if (found->is_closing()) return refuse(from, id, name + " is being closed");
    if (!wanted.kill) return refuse(from, id, "the program of " + name + " runs; end it first, or with 'respawn -k'");
    respawns_.push_back({from.session->id(), id, found->id()});
    found->close(configuration_->stop_grace);
}

void multiplexer::move(client& from, std::uint32_t id, const move_request& wanted) {
    if (const auto problem = workspace::check_name(wanted.task); !problem.empty())
        return refuse(from, id, "'" + wanted.task + "': " + problem, mato::exit_code::usage);
    const auto found = find_tab(from, id, wanted.which);
    if (!found) return;
    const std::string before = workspace_.task_of(found->id())->name;
    if (before != wanted.task) {
        workspace_.move(found->id(), wanted.task);
        events_.tell({.kind = "tab-moved",
                      .tab = found->id(),
                      .task = wanted.task,
                      .name = workspace_.find(found->id())->name,
                      .text = before});
    }
    reply(from, message::done, id, nothing{});
}

void multiplexer::follow_events(client& from, std::uint32_t id) {
    if (from.recorded != 0) return refuse(from, id, "this client records tab " + std::to_string(from.recorded));
    reply(from, message::done, id, nothing{});
    events_.subscribe(from.session, configuration_->client_queue_bytes);
}

void multiplexer::capture(client& from, std::uint32_t id, const capture_request& wanted) {
    const auto found = find_tab(from, id, wanted.which);
    if (!found) return;
    if (!found->screen())
        return refuse(from, id, "tab " + std::to_string(found->id()) + " has no screen: its emulator is 'raw'");
    captured result = capture_screen(*found->screen(), wanted);
    result.tab = found->id();
    result.running = found->is_running();
    result.idle_ms = idle_of(*found);
    reply(from, message::captured, id, std::move(result));
}

void multiplexer::wait_for_output(client& from, std::uint32_t id, const wait_output& wanted) {
    const auto found = find_tab(from, id, wanted.which);
    if (!found) return;
    if (!found->screen())
        return refuse(from, id, "tab " + std::to_string(found->id()) + " has no screen: its emulator is 'raw'");
    if (!found->is_running() || found->screen()->revision() != wanted.revision)
        return reply(from, message::output_came, id, nothing{});
    output_waits_.push_back({from.session->id(), id, found->id()});
}

void multiplexer::resize_tab(client& from, std::uint32_t id, const resize_request& wanted) {
    const auto found = find_tab(from, id, wanted.which);
    if (!found) return;
    fixed_.insert(found->id());
    resize(*found, {wanted.size.rows, wanted.size.cols});
    reply(from, message::done, id, nothing{});
}

void multiplexer::report_status(client& from, std::uint32_t id) {
    status_report report;
    const auto usage = usage_.ask();
    report.pid = mato::sys::getpid();
    report.version = MATO_VERSION_STRING;
    report.started = started_;
    report.uptime_seconds = static_cast<std::uint64_t>(usage.uptime.count());
    report.socket = daemon_.options().paths.socket;
    std::error_code none;
    if (std::filesystem::exists(configuration_.path(), none)) report.config_path = configuration_.path();
    if (configuration_.last_error())
        report.config_error = configuration_.last_error().code == mato::errc::invalid_config
                                  ? configuration_.last_error().detail
                                  : configuration_.last_error().message();
    for (const auto& each : workspace_.tasks())
        report.tasks.push_back({each.name, static_cast<std::uint32_t>(each.tabs.size())});
    report.clients = static_cast<std::uint32_t>(
        std::count_if(clients_.begin(), clients_.end(), [](const auto& each) { return each.second.attached != 0; }));
    report.memory_bytes = usage.usage.memory_bytes;
    report.cpu_permille = static_cast<std::uint32_t>(usage.cpu_percent * 10);
    traffic all = gone_;
    for (const auto& [number, each] : clients_) {
        all += traffic_of(each);
        report.slowest_queue_bytes = std::max(report.slowest_queue_bytes, queue_bytes(each));
        const auto stream = stream_status(each);
        if (!stream) continue;
        if (each.recorded != 0) ++report.recorders;
        report.slowest_lag_frames = std::max(report.slowest_lag_frames, stream->lag);
    }
    report.bytes_sent = all.bytes_sent;
    report.frames_dropped = all.frames_dropped;
    report.resyncs = all.resyncs;
    reply(from, message::status_report, id, std::move(report));
}

void multiplexer::wait_for_exit(client& from, std::uint32_t id, const target& wanted) {
    const auto found = find_tab(from, id, wanted);
    if (!found) return;
    if (!found->is_running()) return reply(from, message::exit_status, id, exit_status{found->id(), found->exit_code()});
    waiting_.push_back({from.session->id(), id, found->id()});
}

void multiplexer::record(client& from, std::uint32_t id, const record_request& wanted) {
    const auto found = find_tab(from, id, wanted.which);
    if (!found) return;
    if (from.recorded != 0) return refuse(from, id, "this client records tab " + std::to_string(from.recorded) + " already");
    if (events_.is_followed_by(from.session.get())) return refuse(from, id, "this client follows events");
    from.recorded = found->id();
    const auto* const named = workspace_.find(found->id());
    reply(from, message::recording, id,
          recording_info{found->id(),
                         workspace_.task_of(found->id())->name + "/" + named->name,
                         found->screen() ? found->screen()->title() : std::string(),
                         found->command(),
                         {found->size().columns, found->size().rows}});
    output_stream& stream = streams_.try_emplace(found->id(), daemon_.context(), found).first->second;
    stream.subscribe(from.session, wanted.exact);
    if (!found->is_running()) send(from, stream.finish());
}

} // namespace mux
