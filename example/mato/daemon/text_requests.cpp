// SPDX-License-Identifier: MIT
/// @file text_requests.cpp: requests for what a tab's program is sent and what it has written.
#include "requests.hpp"

#include "protocol/short_text.hpp"
#include "tab/capture.hpp"
#include "tab/key_encoding.hpp"
#include "tab/shell_marks.hpp"
#include "text_reading.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace mux {
namespace {

/// The text with its keys encoded in the program's current modes. `problem`: why a key cannot be encoded.
std::string bytes_of(const send_request& wanted, const keyboard_modes& modes, std::string& problem) {
    std::string bytes;
    std::size_t at = 0;
    if (wanted.keys.size() > most_keys_of_send)
        problem = "cannot type more than " + std::to_string(most_keys_of_send) + " keys at once into the program";
    for (const key_in_text& each : wanted.keys) {
        const auto pressed = parse_key_name(each.name);
        const std::string encoded = pressed ? encode_key(*pressed, modes) : std::string();
        if (encoded.empty()) problem = "the key '" + each.name + "' has no encoding in the keyboard mode";
        if (!problem.empty()) return {};
        const std::size_t before = std::min<std::uint64_t>(std::max<std::uint64_t>(each.before, at), wanted.bytes.size());
        bytes.append(wanted.bytes, at, before - at).append(encoded);
        at = before;
    }
    return bytes.append(wanted.bytes, at);
}

/// Its shell has marked a prompt or a command, or was started a moment ago and will do so. @pre it has a screen
bool knows_commands(const tab_entry& which, const settings& configured) {
    constexpr std::chrono::seconds until_first_prompt{10}; // start files take some seconds at most
    if (which.commands.is_known() || !which.program->screen()->prompt_marks().empty()) return true;
    return configured.shell_marks && mato::clock::now() < which.seen + until_first_prompt &&
           loads_shell_marks(which.program->program());
}

std::string without_marks(const tab_entry& which) {
    return named(which.program->id()) + " shows no marks of a shell (OSC 133), so its prompts and commands are not known";
}

} // namespace

void requests::send_keys(client& from, std::uint32_t id, const send_request& wanted) {
    tab_entry* const found = resolve_tab_or_task(from, id, wanted.which);
    if (!found) return;
    tab& to = *found->program;
    if (wanted.bytes.empty() && wanted.keys.empty()) return reply<message::sent>(from, id, sent{0});
    if (!to.is_running() || to.is_closing()) return refuse(from, id, "the program of " + named(to.id()) + " has ended");
    std::string problem;
    std::string bytes = bytes_of(wanted, keyboard_modes::of(to.screen()), problem);
    if (!problem.empty()) return refuse(from, id, problem + " of " + named(to.id()), mato::exit_code::usage);
    state_.tabs.touch(*found);
    typed_lines typed = found->typed;
    if (const vt::terminal* const screen = to.screen()) {
        text_mark cursor;
        if (typed.begins_line()) {
            if (screen->is_set(vt::mode::alternate_screen) || hides_lines(to.terminal())) typed.forget_line();
            cursor = cursor_of(*screen);
        }
        typed.type(bytes, cursor);
    }
    if (!to.type({from.id(), id}, std::move(bytes)))
        return refuse(from, id, named(to.id()) + " has too much unread input (the limit is paste_bytes in the configuration)");
    found->typed = std::move(typed);
}

void requests::cancel_send(client& from, std::uint32_t id) {
    std::size_t taken = 0;
    for (auto& [number, each] : state_.tabs) taken += each.program->cancel_input(from.id(), id);
    reply<message::sent>(from, id, sent{taken, true});
}

/// Null, and the client was told: there is no such tab, or it has no screen.
const tab_entry* requests::resolve_with_screen(client& from, std::uint32_t id, const target& wanted) {
    const tab_entry* const found = resolve_tab_or_task(from, id, wanted);
    if (!found || found->program->screen()) return found;
    refuse(from, id, named(found->program->id()) + " has no screen: its emulator is 'raw'", cannot_be_answered);
    return nullptr;
}

void requests::capture(client& from, std::uint32_t id, const capture_request& wanted) {
    if (const ended_tab* const gone = find_ended(wanted.which); gone && !gone->last_screen.empty()) {
        captured last;
        last.tab = gone->id;
        last.size = {gone->rows, gone->columns};
        last.running = false;
        last.text = gone->last_screen;
        return reply<message::captured>(from, id, std::move(last));
    }
    const tab_entry* const found = resolve_with_screen(from, id, wanted.which);
    if (!found) return;
    const tab& seen = *found->program;
    captured result = capture_screen(*seen.screen(), wanted);
    result.tab = seen.id();
    result.running = seen.is_running();
    result.idle_ms = idle_ms_of(seen);
    reply<message::captured>(from, id, std::move(result));
}

void requests::read_text(client& from, std::uint32_t id, const read_request& wanted) {
    if (const ended_tab* const gone = find_ended(wanted.which); gone && !gone->last_screen.empty()) {
        if (wanted.from == text_begin::mark)
            return refuse(from, id, named(gone->id) + " has ended: only its last screen is kept, without marks",
                          cannot_be_answered);
        text_read last;
        last.tab = gone->id;
        last.running = false;
        last.text = gone->last_screen;
        return reply<message::text_read>(from, id, std::move(last));
    }
    const tab_entry* const found = resolve_with_screen(from, id, wanted.which);
    if (!found) return;
    const tab& seen = *found->program;
    std::string problem;
    text_read result = text_from(*seen.screen(), wanted, problem);
    if (!problem.empty()) return refuse(from, id, named(seen.id()) + ": " + problem, cannot_be_answered);
    result.tab = seen.id();
    result.running = seen.is_running();
    result.idle_ms = idle_ms_of(seen);
    result.has_end = found->end.has_value();
    if (found->end) result.end_line = found->end->line, result.end_column = found->end->column;
    result.echoes = found->typed.echoes_in(result);
    reply<message::text_read>(from, id, std::move(result));
}

void requests::find_output(client& from, std::uint32_t id, const output_request& wanted) {
    const tab_entry* const found = resolve_with_screen(from, id, wanted.which);
    if (!found) return;
    const tab& seen = *found->program;
    auto there = mux::find_output(*seen.screen(), wanted.back);
    if (!there && !knows_commands(*found, *state_.configuration))
        return refuse(from, id, without_marks(*found), cannot_be_answered);
    if (!there)
        return refuse(from, id,
                      named(seen.id()) + ": the output of " +
                          (wanted.back == 1 ? std::string("the last command")
                                            : "command " + std::to_string(wanted.back) + " from the end") +
                          " is not kept, or there was none",
                      cannot_be_answered);
    there->tab = seen.id();
    reply<message::output_found>(from, id, *there);
}

void requests::wait_for_output(client& from, std::uint32_t id, const wait_output& wanted) {
    const tab_entry* const found = resolve_with_screen(from, id, wanted.which);
    if (!found) return;
    const tab& seen = *found->program;
    if (!seen.is_running() || seen.screen()->revision() != wanted.revision)
        return reply<message::output_came>(from, id, nothing{});
    state_.pending.await_output(seen.id(), from.reply_to(id));
}

void requests::wait_for_change(client& from, std::uint32_t id, const change_wait& wanted) {
    if (const ended_tab* const gone = find_ended(wanted.which))
        return refuse(from, id, "the program of " + named(gone->id) + " has ended");
    const bool needs_screen =
        wanted.what == tab_change::prompt || wanted.what == tab_change::command || wanted.what == tab_change::bell;
    const tab_entry* const found =
        needs_screen ? resolve_with_screen(from, id, wanted.which) : resolve_tab_or_task(from, id, wanted.which);
    if (!found) return;
    const tab& seen = *found->program;
    const auto came = [&](tab_changed what) {
        what.tab = seen.id();
        what.what = wanted.what;
        reply<message::change_came>(from, id, std::move(what));
    };
    if (wanted.what == tab_change::state && found->says.state() == wanted.state)
        return came({.text = found->says.note(), .state = wanted.state});
    if (!seen.is_running()) return refuse(from, id, "the program of " + named(seen.id()) + " has ended");
    if (wanted.what == tab_change::prompt && found->commands.is_at_prompt())
        return came({.text = typed_at_prompt(*seen.screen())});
    if (const tab_changed* const last = wanted.again ? found->came.last(wanted.what) : nullptr;
        last && wanted.what != tab_change::prompt && wanted.what != tab_change::state)
        return came(*last);
    if ((wanted.what == tab_change::prompt || wanted.what == tab_change::command) &&
        !knows_commands(*found, *state_.configuration))
        return refuse(from, id, without_marks(*found), cannot_be_answered);
    state_.pending.await_change(seen.id(), wanted.what, wanted.state, from.reply_to(id));
}

void requests::wait_for_exit(client& from, std::uint32_t id, const target& wanted) {
    if (const ended_tab* const gone = find_ended(wanted))
        return reply<message::exit_status>(from, id, exit_status{gone->id, gone->exit_code});
    const auto* const found = resolve_tab_or_task(from, id, wanted);
    if (!found) return;
    const tab& seen = *found->program;
    if (!seen.is_running()) return reply<message::exit_status>(from, id, exit_status{seen.id(), seen.exit_code()});
    state_.pending.await_exit(seen.id(), from.reply_to(id));
}

void requests::record(client& from, std::uint32_t id, const record_request& wanted) {
    const auto* const found = resolve_tab_or_task(from, id, wanted.which);
    if (!found) return;
    const std::shared_ptr<tab> source = found->program;
    if (from.recorded != 0) return refuse(from, id, "this client already records tab " + std::to_string(from.recorded));
    if (state_.events.is_followed_by(from.session.get())) return refuse(from, id, "this client already follows events");
    output_stream& stream = state_.streams.try_emplace(source->id(), state_.host.context(), source).first->second;
    const bool goes_on = wanted.goes_on && stream.has(wanted.offset);
    if (wanted.goes_on && !goes_on && (wanted.exact || !stream.knows_offsets())) {
        if (!stream.is_followed()) state_.streams.erase(source->id());
        return refuse(from, id,
                      "output of " + named(source->id()) +
                          " is missing: the daemon's process was replaced, and this one does not " +
                          "have what the recording had not received");
    }
    from.recorded = source->id();
    const tab_name name = state_.tabs.name_of(source->id());
    reply<message::recording>(from, id,
                              recording_info{source->id(), name.task + "/" + name.name,
                                             source->screen() ? source->screen()->title() : std::string(), source->command(),
                                             source->size(), has_keeper(state_.host)});
    const on_gap then = wanted.exact ? on_gap::end : on_gap::screen;
    if (goes_on)
        stream.subscribe_from(wanted.offset, from.session, then);
    else
        stream.subscribe(from.session, then);
    if (!source->is_running()) state_.clients.send(from, stream.finish());
}

void requests::follow_events(client& from, std::uint32_t id, std::string_view body) { // older clients send no body
    if (from.recorded != 0) return refuse(from, id, "this client already records tab " + std::to_string(from.recorded));
    done(from, id);
    const auto wanted = decode<follow_request>(body).value_or(follow_request{});
    state_.events.subscribe(from.session, state_.configuration->client_queue_bytes, wanted.since);
}

} // namespace mux
