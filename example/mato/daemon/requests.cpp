// SPDX-License-Identifier: MIT
#include "requests.hpp"

#include "naming.hpp"
#include "protocol/names.hpp"
#include "protocol/short_text.hpp"

#include <mato/version.hpp>

#include <algorithm>
#include <utility>

namespace mux {
namespace {

/// Why the tab cannot be opened; empty: it can.
std::string problem_of_new_tab(const new_tab& wanted) {
    for (const std::string& name : {wanted.task, wanted.name})
        if (!name.empty())
            if (const auto problem = check_name(name); !problem.empty()) return "'" + name + "': " + problem;
    if (!wanted.emulator.empty() && wanted.emulator != "vt" && wanted.emulator != "raw")
        return "unknown emulator '" + wanted.emulator + "'; use 'vt' or 'raw'";
    if (!wanted.cwd.starts_with('/')) return "directory '" + wanted.cwd + "' is not an absolute path";
    for (const auto& part : {&wanted.argv, &wanted.environment})
        for (const std::string& text : *part)
            if (text.find('\0') != std::string::npos) return "an argument or environment variable contains a NUL byte";
    return {};
}

/// Requests whose answer may wait for a change of a tab.
bool waits(message type) noexcept {
    return type == message::wait_exit || type == message::wait_output || type == message::wait_change ||
           type == message::kill || type == message::respawn || type == message::new_tab;
}

} // namespace

template <message Number>
void requests::with(client& from, const header& frame, void (requests::*act)(client&, std::uint32_t, const body_of<Number>&)) {
    if (const auto body = read_as<Number>(frame)) return (this->*act)(from, frame.id, *body);
    from.session->abort({mato::errc::malformed,
                         "read message",
                         {},
                         "message " + std::to_string(static_cast<std::uint32_t>(frame.type)) + " is truncated"});
}

void requests::handle(client& from, const header& frame) {
    const std::uint32_t id = frame.id;
    if (waits(frame.type) && !state_.pending.has_room(from.id()))
        return refuse(from, id,
                      "too many requests are waiting: at most " + std::to_string(pending_requests::most_of_client) +
                          " of a client and " + std::to_string(pending_requests::most_in_all) + " of all; try again later",
                      mato::exit_code::unavailable);
    switch (frame.type) {
    case message::attach: return with<message::attach>(from, frame, &requests::attach);
    case message::detach: return with<message::detach>(from, frame, &requests::detach);
    case message::switch_view: return with<message::switch_view>(from, frame, &requests::switch_view);
    case message::input: return input(from, frame.body);
    case message::output_taken: return with<message::output_taken>(from, frame, &requests::output_taken);
    case message::resize: return with<message::resize>(from, frame, &requests::resize);
    case message::show: return with<message::show>(from, frame, &requests::show);
    case message::hide: return hide(from, id);

    case message::new_tab: return with<message::new_tab>(from, frame, &requests::open_tab);
    case message::undo_close: return with<message::undo_close>(from, frame, &requests::undo_close);
    case message::find_tab: return with<message::find_tab>(from, frame, &requests::find_tab);
    case message::kill: return with<message::kill>(from, frame, &requests::kill);
    case message::rename: return with<message::rename>(from, frame, &requests::rename);
    case message::respawn: return with<message::respawn>(from, frame, &requests::respawn);
    case message::move_tab: return with<message::move_tab>(from, frame, &requests::move);
    case message::resize_tab: return with<message::resize_tab>(from, frame, &requests::resize_tab);

    case message::set_state: return with<message::set_state>(from, frame, &requests::set_state);
    case message::post_notice: return with<message::post_notice>(from, frame, &requests::post_notice);

    case message::list_buffers: return list_buffers(from, id);
    case message::set_buffer: return with<message::set_buffer>(from, frame, &requests::set_buffer);
    case message::get_buffer: return with<message::get_buffer>(from, frame, &requests::get_buffer);
    case message::remove_buffer: return with<message::remove_buffer>(from, frame, &requests::remove_buffer);
    case message::paste_buffer: return with<message::paste_buffer>(from, frame, &requests::paste_buffer);
    case message::wait_channel: return with<message::wait_channel>(from, frame, &requests::wait_for_channel);
    case message::signal_channel: return with<message::signal_channel>(from, frame, &requests::signal_channel);

    case message::send: return with<message::send>(from, frame, &requests::send_keys);
    case message::cancel_send: return cancel_send(from, id);
    case message::capture: return with<message::capture>(from, frame, &requests::capture);
    case message::read_text: return with<message::read_text>(from, frame, &requests::read_text);
    case message::find_output: return with<message::find_output>(from, frame, &requests::find_output);
    case message::wait_output: return with<message::wait_output>(from, frame, &requests::wait_for_output);
    case message::wait_change: return with<message::wait_change>(from, frame, &requests::wait_for_change);
    case message::wait_exit: return with<message::wait_exit>(from, frame, &requests::wait_for_exit);
    case message::record: return with<message::record>(from, frame, &requests::record);
    case message::follow_events: return follow_events(from, id, frame.body);

    case message::list_tabs: return answer<message::list_tabs>(from, id, inventory_.tabs());
    case message::list_ended: return answer<message::list_ended>(from, id, inventory_.ended());
    case message::list_clients: return answer<message::list_clients>(from, id, inventory_.clients());
    case message::status: return answer<message::status>(from, id, inventory_.status());
    case message::reload: return reload(from, id);
    case message::stop: return with<message::stop>(from, frame, &requests::stop);
    case message::upgrade: return with<message::upgrade>(from, frame, &requests::upgrade);
    default:
        if (static_cast<std::uint32_t>(frame.type) & skippable) return;
        return refuse(from, id,
                      "this daemon (mato " MATO_VERSION_STRING ") does not know request " +
                          std::to_string(static_cast<std::uint32_t>(frame.type)));
    }
}

/// The tab that `wanted` names, or null after the client was told why there is none.
tab_entry* requests::resolve(client& from, std::uint32_t id, const target& wanted) {
    if (wanted.name.empty()) {
        const auto best = state_.tabs.last_used();
        if (best) return state_.tabs.find(best->id());
        refuse(from, id, "no tab is open");
        return nullptr;
    }
    const auto found = state_.tabs.names().resolve(wanted.name, wanted.current);
    if (tab_entry* const there = found.id == 0 ? nullptr : state_.tabs.find(found.id)) return there;
    refuse(from, id, found.problem);
    return nullptr;
}

/// As `resolve`; the exact name of a task, or what names no tab, is the tab of that task that was used last.
tab_entry* requests::resolve_tab_or_task(client& from, std::uint32_t id, const target& wanted) {
    const workspace& names = state_.tabs.names();
    const auto found = names.resolve(wanted.name, wanted.current);
    const workspace::task* const task = names.find_task(wanted.name);
    const workspace::tab* const by_name = found.id == 0 ? nullptr : names.find(found.id);
    const bool means_task = task && (!by_name || (task->name == wanted.name && by_name->name != wanted.name));
    if (wanted.name.empty() || !means_task) return resolve(from, id, wanted);
    const auto latest = std::max_element(task->tabs.begin(), task->tabs.end(), [&](const auto& a, const auto& b) {
        const tab_entry &left = state_.tabs.entry(a.id), &right = state_.tabs.entry(b.id);
        return std::pair(left.used, left.touched) < std::pair(right.used, right.touched);
    });
    return state_.tabs.find(latest->id); // a task without tabs does not exist
}

/// An ended tab that is still remembered, if `wanted` names no open tab.
const ended_tab* requests::find_ended(const target& wanted) const {
    if (wanted.name.empty()) return nullptr;
    const auto live = state_.tabs.names().resolve(wanted.name, wanted.current);
    return live.id != 0 || live.is_ambiguous ? nullptr : state_.ended.find(wanted.name, wanted.current);
}

// ---- terminals ----

void requests::attach(client& from, std::uint32_t id, const attach_request& wanted) {
    const auto* const found = resolve_tab_or_task(from, id, wanted.which);
    if (!found) return;
    tab& shown = *found->program;
    if (wanted.which.current == shown.id())
        return refuse(from, id, named(shown.id()) + " cannot show itself; name another tab");
    if (!wanted.view.readonly) update(state_.variables, state_.configuration->update_environment, wanted.view.environment);
    if (wanted.view.detach_others)
        for (client* each : state_.clients.viewers_of(shown.id()))
            if (each != &from) views_.detach(*each, message::detached);
    reply<message::attached>(from, id, views_.attach(from, shown, wanted.view));
}

/// The terminal last typed in, of those that show the tab. Null: the client was told that there is none.
client* requests::viewer_of(client& from, std::uint32_t id, tab_id current) {
    const auto viewers = state_.clients.viewers_of(current);
    const auto latest = std::max_element(viewers.begin(), viewers.end(), [](const client* a, const client* b) {
        return std::pair(!a->view.readonly, a->activity) < std::pair(!b->view.readonly, b->activity);
    });
    if (latest != viewers.end()) return *latest;
    refuse(from, id, "no terminal shows tab " + std::to_string(current) + ", so there is none to switch to another tab");
    return nullptr;
}

client* requests::viewer_to_switch(client& from, std::uint32_t id, const switch_request& wanted) {
    if (wanted.client.value != 0) {
        client* const named = state_.clients.find(wanted.client.value);
        if (named && named->screen) return named;
        refuse(from, id, "client " + std::to_string(wanted.client.value) + " is not attached; see 'mato clients'");
        return nullptr;
    }
    if (wanted.which.current != 0) return viewer_of(from, id, wanted.which.current);
    std::vector<client*> attached;
    for (auto& [number, each] : state_.clients)
        if (each.screen) attached.push_back(&each);
    if (attached.size() == 1) return attached[0];
    refuse(from, id,
           attached.empty() ? "no client is attached" : "several clients are attached; name one with -c (see 'mato clients')");
    return nullptr;
}

void requests::switch_view(client& from, std::uint32_t id, const switch_request& wanted) {
    client* const viewer = viewer_to_switch(from, id, wanted);
    if (!viewer) return;
    std::shared_ptr<tab> next;
    if (wanted.which.name.empty()) {
        next = views_.tab_before(*viewer);
        if (!next) return refuse(from, id, "there is no other tab");
    } else {
        const auto* const found = resolve_tab_or_task(from, id, wanted.which);
        if (!found) return;
        next = found->program;
    }
    if (wanted.detach_others)
        for (client* each : state_.clients.viewers_of(next->id()))
            if (each != viewer) views_.detach(*each, message::detached);
    views_.switch_to(*viewer, *next);
    done(from, id);
}

/// Without any the client was refused, unless all were named.
std::vector<client*> requests::clients_to_detach(client& from, std::uint32_t id, const detach_request& wanted) {
    const auto attached_if = [&](const auto& matches) {
        std::vector<client*> found;
        for (auto& [number, each] : state_.clients)
            if (each.attached != 0 && matches(each)) found.push_back(&each);
        return found;
    };
    const auto some = [&](std::vector<client*> found, const std::string& problem) {
        if (found.empty()) refuse(from, id, problem);
        return found;
    };
    const auto latest_of = [](const std::vector<client*>& found) {
        return *std::max_element(found.begin(), found.end(), [](auto* a, auto* b) { return a->activity < b->activity; });
    };
    if (wanted.all) return attached_if([](const client&) { return true; });
    if (wanted.client != 0)
        return some(attached_if([&](const client& each) { return each.id() == wanted.client; }),
                    "client " + std::to_string(wanted.client) + " is not attached");
    if (!wanted.tab.value.empty()) {
        const tab_entry* const found = resolve(from, id, {wanted.tab.value, wanted.current});
        if (!found) return {};
        const tab_id shown = found->program->id();
        return some(attached_if([&](const client& each) { return each.attached == shown; }), "no client shows " + named(shown));
    }
    if (!wanted.task.value.empty()) {
        const auto* const task = state_.tabs.names().find_task(wanted.task.value);
        const auto is_in = [&](const client& each) { return state_.tabs.names().task_of(each.attached) == task; };
        return some(task ? attached_if(is_in) : std::vector<client*>(),
                    task ? "no client shows a tab of task '" + task->name + "'"
                         : "no task '" + wanted.task.value + "', or several task names begin with it");
    }
    auto here = attached_if([&](const client& each) { return wanted.current == 0 || each.attached == wanted.current; });
    if (wanted.current == 0 && here.size() > 1) {
        refuse(from, id, "several clients are attached; name one with -c (see 'mato clients'), or use -a");
        return {};
    }
    if (some(here, "no client is attached").empty()) return {};
    const client* const own = latest_of(here);
    if (!wanted.others.value) return {latest_of(here)};
    return some(attached_if([&](const client& each) { return &each != own; }), "no other client is attached");
}

void requests::detach(client& from, std::uint32_t id, const detach_request& wanted) {
    const auto leaving = clients_to_detach(from, id, wanted);
    if (leaving.empty() && !wanted.all) return;
    const after_detaching& then = wanted.then.value;
    for (client* each : leaving) {
        if (!then.command.empty() || then.hangs_up) reply<message::run_instead>(*each, 0, then);
        views_.detach(*each, message::detached);
    }
    done(from, id);
}

void requests::input(client& from, std::string_view bytes) {
    mato::failure why;
    from.received += bytes.size();
    if (from.relay) from.relay->input(bytes, why);
    if (why) from.session->abort(std::move(why));
}

void requests::output_taken(client& from, std::uint32_t, const bytes_taken& taken) {
    if (from.relay) from.relay->output_taken(taken.bytes);
}

void requests::resize(client& from, std::uint32_t, const resized_terminal& now) { views_.resize_terminal(from, now.size); }

void requests::show(client& from, std::uint32_t, const show_request& wanted) {
    views_.resume(from);
    if (from.screen) from.screen->show(wanted.asked ? terminal_queries::sent : terminal_queries::none);
    views_.tell_if_cut(from);
}

void requests::hide(client& from, std::uint32_t id) { // the answer says that the terminal is released
    if (from.screen) from.screen->hide();
    views_.suspend(from);
    done(from, id);
}

// ---- tabs ----

void requests::open_tab(client& from, std::uint32_t id, const new_tab& wanted) {
    if (state_.host.is_stopping()) return refuse(from, id, "the daemon is stopping", mato::exit_code::unavailable);
    if (const std::string problem = problem_of_new_tab(wanted); !problem.empty())
        return refuse(from, id, problem, mato::exit_code::usage);
    const std::string task = task_for(wanted);
    update(state_.variables, state_.configuration->update_environment, wanted.view.environment);
    const bool switches = wanted.then == after_opening::switch_viewer;
    client* const viewer = switches ? viewer_of(from, id, wanted.current) : nullptr;
    if (switches && !viewer) return;
    new_tab sized = wanted;
    if (viewer) sized.view.size = viewer->view.size;
    mato::failure why;
    const auto made = tabs_.open(sized, task, why);
    if (!made) {
        state_.host.log().warning("no new tab: " + why.message());
        return refuse(from, id, why.message());
    }
    switch (wanted.then) {
    case after_opening::wait: // reported immediately: if the daemon stops, the client knows whether to send it again
        reply<message::tab_opened>(from, 0, state_.tabs.name_of(made->id()));
        return state_.pending.await_exit(made->id(), from.reply_to(id));
    case after_opening::attach: return reply<message::attached>(from, id, views_.attach(from, *made, wanted.view));
    case after_opening::switch_viewer: views_.switch_to(*viewer, *made); break;
    case after_opening::nothing: break;
    }
    reply<message::tab_opened>(from, id, state_.tabs.name_of(made->id()));
}

/// The named task, else the current tab's, else that of the tab last used, else a new one.
std::string requests::task_for(const new_tab& wanted) const {
    if (!wanted.task.empty()) return wanted.task;
    const workspace& names = state_.tabs.names();
    const workspace::task* where = names.task_of(wanted.current);
    const auto recent = where ? nullptr : state_.tabs.last_used();
    if (recent) where = names.task_of(recent->id());
    return where ? where->name : names.fresh_task_name();
}

void requests::find_tab(client& from, std::uint32_t id, const target& wanted) {
    if (resolve_tab_or_task(from, id, wanted)) done(from, id);
}

void requests::undo_close(client& from, std::uint32_t id, const target& wanted) {
    if (state_.host.is_stopping()) return refuse(from, id, "the daemon is stopping", mato::exit_code::unavailable);
    const closed_tab* const found = tabs_.find_closed(wanted.name, wanted.current);
    if (!found) return refuse(from, id, why_not_reopened(state_, wanted.name));
    const tab_id closed = found->name.id;
    mato::failure why;
    if (!tabs_.reopen(closed, why)) return refuse(from, id, why.message());
    reply<message::tab_opened>(from, id, state_.tabs.name_of(closed));
}

/// Without any the client was told why.
std::vector<std::shared_ptr<tab>> requests::tabs_to_kill(client& from, std::uint32_t id, const kill_request& wanted) {
    std::vector<std::shared_ptr<tab>> doomed;
    if (!wanted.task.empty()) {
        const auto* const task = state_.tabs.names().find_task(wanted.task);
        if (!task) return refuse(from, id, "no task '" + wanted.task + "', or several task names begin with it"), doomed;
        for (const auto& each : task->tabs) doomed.push_back(state_.tabs.find(each.id)->program);
        return doomed;
    }
    const auto* const found = resolve(from, id, wanted.which);
    if (!found) return doomed;
    if (!wanted.others.value) return {found->program};
    for (const auto& each : state_.tabs.all())
        if (each != found->program) doomed.push_back(each);
    if (doomed.empty()) done(from, id);
    return doomed;
}

void requests::kill(client& from, std::uint32_t id, const kill_request& wanted) {
    const auto doomed = tabs_to_kill(from, id, wanted);
    if (doomed.empty()) return;
    std::vector<tab_id> numbers;
    for (const auto& each : doomed) numbers.push_back(each->id());
    state_.pending.await_removal(std::move(numbers), from.reply_to(id));
    tabs_.close(doomed);
}

void requests::rename(client& from, std::uint32_t id, const rename_request& wanted) {
    // The name is checked before its tab is looked for: that is the same mistake for any tab.
    if (const auto problem = check_name(wanted.name); !problem.empty())
        return refuse(from, id, "'" + wanted.name + "': " + problem, mato::exit_code::usage);
    const auto found = state_.tabs.names().resolve(wanted.which.name, wanted.which.current);
    const auto* const task = found.id == 0 ? state_.tabs.names().find_task(wanted.which.name) : nullptr;
    if (found.id == 0 && !task) return refuse(from, id, found.problem);
    const std::string problem = task ? rename_task(state_, task->name, wanted.name) : rename_tab(state_, found.id, wanted.name);
    return problem.empty() ? done(from, id) : refuse(from, id, problem);
}

void requests::respawn(client& from, std::uint32_t id, const respawn_request& wanted) {
    const auto* const found = resolve(from, id, wanted.which);
    if (!found) return;
    tab& again = *found->program;
    if (state_.host.is_stopping()) return refuse(from, id, "the daemon is stopping", mato::exit_code::unavailable);
    if (state_.pending.is_respawning(again.id())) return refuse(from, id, named(again.id()) + " is already being respawned");
    if (!again.is_running()) {
        mato::failure why;
        tabs_.start_again(again, why);
        return why ? refuse(from, id, why.message()) : done(from, id);
    }
    if (again.is_closing()) return refuse(from, id, named(again.id()) + " is being closed");
    if (!wanted.kill)
        return refuse(from, id, "the program of " + named(again.id()) + " is still running; use 'respawn -k' to end it first");
    tabs_.respawn(again, from.reply_to(id));
}

void requests::move(client& from, std::uint32_t id, const move_request& wanted) {
    if (const auto problem = check_name(wanted.task); !problem.empty())
        return refuse(from, id, "'" + wanted.task + "': " + problem, mato::exit_code::usage);
    const auto* const found = resolve(from, id, wanted.which);
    if (!found) return;
    const std::string problem = move_tab(state_, found->program->id(), wanted.task);
    return problem.empty() ? done(from, id) : refuse(from, id, problem);
}

void requests::resize_tab(client& from, std::uint32_t id, const resize_request& wanted) {
    tab_entry* const found = resolve(from, id, wanted.which);
    if (!found) return;
    if (wanted.size.columns == 0)
        views_.free_size(*found);
    else
        views_.fix_size(*found, wanted.size);
    done(from, id);
}

void requests::set_state(client& from, std::uint32_t id, const state_request& wanted) {
    tab_entry* const found = resolve(from, id, wanted.which);
    if (!found) return;
    if (!found->program->is_running()) return refuse(from, id, "the program of " + named(found->program->id()) + " has ended");
    views_.board().say(*found, wanted.state, wanted.note);
    done(from, id);
}

void requests::post_notice(client& from, std::uint32_t id, const notice_request& wanted) {
    tab_entry* const found = resolve(from, id, wanted.which);
    if (!found) return;
    if (wanted.text.empty()) return refuse(from, id, "the notice has no text", mato::exit_code::usage);
    views_.board().tell(*found, {short_text(wanted.text, notice_reader::most_text), notice_form::osc_9});
    done(from, id);
}

// ---- the daemon ----

void requests::reload(client& from, std::uint32_t id) {
    mato::failure why;
    state_.host.reload(why);
    if (why) return refuse(from, id, why.message(), mato::exit_code_for(why.code));
    done(from, id);
}

void requests::stop(client& from, std::uint32_t id, const stop_request& wanted) {
    done(from, id);
    state_.host.log().info("client " + std::to_string(from.id()) + " asked to stop");
    state_.host.request_stop();
    if (wanted.now) state_.host.request_stop();
}

} // namespace mux
