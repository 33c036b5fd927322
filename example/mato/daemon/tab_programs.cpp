// SPDX-License-Identifier: MIT
#include "tab_programs.hpp"

#include "tab/capture.hpp"
#include "tab/shell.hpp"
#include "tab/shell_marks.hpp"
#include "tab_command.hpp"
#include "text_reading.hpp"
#include "view/mirror.hpp"

#include <mato/sys_process.hpp>

#include <asio/post.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

namespace mux {
namespace {

/// What is kept of a removed tab.
ended_tab remains_of(const tab& ended, const tab_name& name) {
    ended_tab gone{name.id, ended.exit_code(), name.task, name.name};
    if (!ended.screen()) return gone;
    captured last = capture_screen(*ended.screen(), {});
    gone.last_screen = std::move(last.text);
    while (gone.last_screen.ends_with("\n\n")) gone.last_screen.pop_back(); // empty rows below the text
    gone.columns = static_cast<std::uint16_t>(last.size.columns), gone.rows = static_cast<std::uint16_t>(last.size.rows);
    return gone;
}

/// Adds a line to the notes that a tab shows first.
void add_line(std::string& note, const std::string& what, const std::string& why, const std::string& instead) {
    if (!note.empty()) note += "\r\n";
    std::string line = "[mato: " + what + ": " + why + "; using " + instead + "]";
    std::replace_if(
        line.begin(), line.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?'); // file names may contain them
    note += line;
}

/// As spawn. If the directory cannot be entered, uses HOME, or else /, and adds a line to `note`.
spawned spawn_somewhere(spawn_request& request, std::string& note, mato::failure& why) {
    auto program = spawn(request, why);
    if (why.step != enter_directory) return program;
    const std::string reason = why.code.message(), gone = request.directory;
    std::string home;
    for (const std::string& variable : request.environment)
        if (variable.starts_with("HOME=/")) home = variable.substr(5);
    for (const std::string& next : {home, std::string("/")}) {
        if (next.empty()) continue;
        why = {};
        request.directory = next;
        program = spawn(request, why);
        if (why.step == enter_directory) continue;
        add_line(note, "cannot enter directory " + gone, reason, next);
        break;
    }
    return program;
}

/// Whether the command is a shell or is run by one.
bool needs_shell(const new_tab& wanted, const spawn_request& program) {
    return wanted.argv.empty() || (wanted.argv.size() == 1 && program.argv.size() == 3);
}

} // namespace

// ---- programs ----

/// `note`: if given, another directory is used where that of the request cannot be entered, and a line added to it.
spawned tab_programs::start(spawn_request& request, std::string* note, mato::failure& why) {
    if (!state_.configuration->shell_marks) return note ? spawn_somewhere(request, *note, why) : spawn(request, why);
    spawn_request marked = request; // what is kept of the tab is its command as the user gave it
    load_shell_marks(marked, std::filesystem::path(state_.host.options().paths.socket).replace_extension(".zsh.tabs").native());
    auto program = note ? spawn_somewhere(marked, *note, why) : spawn(marked, why);
    request.directory = std::move(marked.directory);
    return program;
}

std::shared_ptr<tab> tab_programs::open(const new_tab& wanted, const std::string& task, mato::failure& why) {
    const settings& configured = *state_.configuration;
    std::string missing, note;
    tab_command command = command_of(wanted, runnable_shell(configured.shell, state_.variables, missing));
    spawn_request& request = command.program;
    if (!missing.empty() && needs_shell(wanted, request) && request.program != missing)
        add_line(note, "cannot run shell " + missing, "it is not an executable file", request.program);
    const tab_id id = state_.tabs.next_id();
    request.limits = state_.limits;
    environment variables = state_.variables;
    update(variables, {"PATH"}, wanted.view.environment); // the command is looked up as the client would
    request.environment = to_strings(
        for_tab(std::move(variables), state_.host.options().paths.socket, pid_of(state_.host), id, wanted.environment));
    state_.counter.advance_to(id, why);
    if (why) return nullptr;
    auto program = start(request, wanted.may_fall_back ? &note : nullptr, why);
    if (why) return nullptr;
    if (!note.empty()) state_.host.log().warning(named(id) + ": " + note);

    tab_options options{id, command.shown, request.size};
    const std::string& emulator = wanted.emulator.empty() ? configured.emulator : wanted.emulator;
    options.emulator = emulator == "raw" ? emulator_kind::raw : emulator_kind::vt;
    options.history_lines = configured.history_lines;
    options.replay_bytes = configured.raw_replay_bytes;
    options.input_bytes = configured.paste_bytes;
    options.clipboard = configured.clipboard;
    options.remains = wanted.remains.value;
    options.survive = has_keeper(state_.host);
    options.program = std::move(request);
    return add(std::move(program), std::move(options), {id, task, command.name}, std::move(note), {});
}

/// `note` and, before it, what another tab has saved are shown before the program's output.
std::shared_ptr<tab> tab_programs::add(spawned program, tab_options options, const tab_name& name, std::string note,
                                       std::string_view shown) {
    tab_record::birth birth{options, name.task, name.name};
    const auto made = std::make_shared<tab>(state_.host.context(), std::move(program), std::move(options));
    if (!shown.empty() && !made->show_saved(shown))
        state_.host.log().error(named(name.id) + ": what it showed before it was closed cannot be shown again");
    mato::failure not_kept;
    state_.kept.keep(*made, birth, not_kept);
    if (not_kept) made->give_up_store(std::move(not_kept)); // `start` tells why
    stays_for_undo_ = false;
    state_.tabs.touch(state_.tabs.add(name.task, name.name, made));
    state_.kept.save(); // before any client is told of it
    saver_.note_layout();
    made->start(handlers_of(name.id), note);
    state_.host.log().info(named(name.id) + " opened, pid " + std::to_string(made->pid()));
    state_.events.tell({.kind = "tab-opened", .tab = name.id, .task = name.task, .name = name.name, .text = made->command()});
    return made;
}

std::shared_ptr<tab> tab_programs::show_past(const past_place& place, tab_options options, std::string_view text,
                                             const std::string& note) {
    tab_record::birth birth{options, place.task, place.name};
    const auto made = std::make_shared<tab>(state_.host.context(), spawned{}, std::move(options));
    made->show_past(text);
    mato::failure not_kept;
    state_.kept.keep(*made, birth, not_kept);
    if (not_kept) made->give_up_store(std::move(not_kept)); // `start` tells why
    tab_entry& entry = state_.tabs.add(place.task, place.name, made);
    entry.used = place.used, entry.touched = place.touched;
    made->start(handlers_of(place.id), note);
    return made;
}

const closed_tab* tab_programs::find_closed(std::string_view target, tab_id current) {
    forget_closed();
    return state_.closed.find(target, current);
}

std::shared_ptr<tab> tab_programs::reopen(tab_id id, mato::failure& why) {
    const closed_tab* const found = state_.closed.find(std::to_string(id), 0);
    if (!found) return nullptr;
    tab_options options = found->options;
    std::string note;
    auto program = start(options.program, &note, why);
    if (why) return nullptr;
    if (!note.empty()) state_.host.log().warning(named(id) + ": " + note);
    std::string line = "[mato: this tab was closed; its program was started again]";
    if (!note.empty()) line.append("\r\n").append(note);
    // A death between the two leaves both, and the next process keeps the open one.
    auto again = add(std::move(program), std::move(options), found->name, std::move(line), found->text());
    state_.closed.forget(id);
    return again;
}

tab::handlers tab_programs::handlers_of(tab_id id) {
    return {[this, id](output_rate rate) { on_output(id, rate); },
            [this, id](std::vector<vt::event>& events) { views_.on_events(id, events); },
            [this](reply_target from, std::size_t bytes) {
                if (from.request == 0) return views_.on_typed_taken(from.client, bytes);
                state_.clients.reply<message::sent>(from, sent{bytes});
            },
            [this](reply_target from, std::size_t taken) { on_input_lost(from, taken); },
            [this, id] { on_ended(id); },
            [this, id](const mato::failure& why) { tell_not_kept(id, why); },
            [this, id](int exit_code) { state_.kept.program_ended(id, exit_code); }};
}

void tab_programs::tell_not_kept(tab_id id, const mato::failure& why) {
    state_.kept.note_missing(id, why);
    state_.host.log().warning(named(id) + " does not survive the daemon: " + why.message());
}

void tab_programs::take_back(const tab_place& place, tab_remains left, tab_options options, tab_record record,
                             const handed_over::tab_part* handed) {
    const bool is_closing = record.is_closing(), was_quarantined = record.cause() != quarantine::none;
    const bool had_ring = static_cast<bool>(left.ring);
    const auto made = std::make_shared<tab>(state_.host.context(), std::move(left), std::move(options));
    tab_entry& entry = state_.tabs.add(place.task, place.name, made);
    entry.has_fixed_size = place.has_fixed_size;
    entry.says.restore(place.has_rung, place.said, place.note, mato::clock::now());
    entry.used = place.used;
    entry.touched = place.touched;
    state_.kept.take_back(place.id, std::move(record));
    if (!handed) state_.last_restart.input_bytes_lost += made->found().unread_input;
    if (made->found().was_interpreting) state_.last_restart.tab = place.id;
    if (made->is_ring_new()) keep_ring(*made);
    if (had_ring && !made->ring()) state_.kept.drop_ring(place.id); // it has an emulator again
    tell_of_output(*made, was_quarantined);
    if (handed) {
        if (!made->ring() || made->is_ring_new()) made->replay(handed->output);
        made->idle_since(mato::clock::time_point(std::chrono::microseconds(handed->idle_since)));
    } else if (made->lost() && !made->is_quarantined()) {
        state_.host.log().error(named(place.id) + ": what it showed is lost: " + made->lost().message());
        made->note("[mato: the daemon's process died; what this tab showed before is lost]");
    }
    made->go_on(handlers_of(place.id));
    if (made->screen()) entry.commands.restore(*made->screen(), mato::clock::now());
    if (place.has_fixed_size) made->resize({place.size, {}});
    if (handed && !handed->typed.empty() && !made->type({}, handed->typed))
        state_.host.log().warning(named(place.id) + ": " + std::to_string(handed->typed.size()) + " typed bytes are lost");
    if (is_closing) close({made});
}

void tab_programs::go_on_recording(tab_id id, const handed_over::recorded_part* handed) {
    const tab_entry* const entry = state_.tabs.find(id);
    if (!entry) return;
    const std::shared_ptr<tab> again = entry->program;
    std::string output = again->take_replayed();
    if (!handed && !again->found().was_recorded) return;
    std::uint64_t begin = again->output_bytes() - output.size();
    if (handed) { // also what was read before the last checkpoint, or what a tab without an emulator wrote
        const std::uint64_t end = handed->offset + handed->output.size();
        const bool continues = end >= begin && end - begin <= output.size();
        output = continues ? handed->output + output.substr(static_cast<std::size_t>(end - begin)) : handed->output;
        begin = handed->offset;
    }
    state_.streams.try_emplace(id, state_.host.context(), again).first->second.go_on(begin, output);
    recorders_.expires_after(recorder_patience);
    recorders_.async_wait([this](std::error_code cancelled) {
        if (!cancelled) std::erase_if(state_.streams, [](const auto& each) { return !each.second.is_followed(); });
    });
}

/// Of a tab that was taken back: what of its output was not interpreted.
void tab_programs::tell_of_output(tab& again, bool was_quarantined) {
    const tab_id id = again.id();
    if (const std::size_t bytes = again.left_out(); bytes > 0) {
        state_.last_restart.skipped_bytes += bytes;
        state_.host.log().error(named(id) + ": " + std::to_string(bytes) +
                                " bytes of output are left out: they ended the daemon's process");
        state_.events.tell({.kind = "output-left-out", .tab = id, .exit_code = static_cast<std::int32_t>(bytes)});
    }
    if (!again.is_quarantined()) return;
    const bool is_poison = again.cause() == quarantine::poison;
    if (!was_quarantined || !again.ring() || again.is_ring_new())
        again.note(std::string("[mato: ") +
                   (is_poison ? "this tab's output has ended the daemon's process three times; it"
                              : "what this tab showed could not be restored; what it writes from here on") +
                   " is shown without an emulator until 'mato respawn -k " + std::to_string(id) + "' or 'mato upgrade']");
    if (was_quarantined) return; // it is known
    state_.host.log().error(named(id) + " is quarantined: " +
                            (is_poison ? "its output has ended the daemon's process three times" : again.lost().message()));
    state_.kept.set_quarantine(id, again.cause());
    state_.events.tell({.kind = "tab-quarantined", .tab = id});
}

/// Of a tab that was taken back.
void tab_programs::keep_ring(tab& again) {
    mato::failure why;
    state_.kept.keep_ring(again, why);
    if (why) again.give_up_store(std::move(why)); // `go_on` tells why
}

/// Before another program starts in it.
void tab_programs::lift_quarantine(tab& ended) {
    mato::failure why;
    ended.leave_quarantine();
    state_.kept.keep_store(ended, why);
    if (why) return tell_not_kept(ended.id(), why);
    views_.show_again(ended);
}

void tab_programs::kept_child_ended(std::string_view name, mato::child_status status) {
    constexpr std::string_view kind = "tab/";
    tab_id id = 0;
    if (!name.starts_with(kind)) return;
    std::from_chars(name.data() + kind.size(), name.data() + name.size(), id);
    if (tab_entry* const entry = state_.tabs.find(id)) {
        const std::shared_ptr<tab> ended = entry->program; // its end may remove it
        ended->child_ended(exit_code_of(status));
    }
}

void tab_programs::start_again(tab& ended, mato::failure& why) {
    const bool is_past = ended.is_past();
    std::string note;
    spawn_request request = ended.program(); // with its original values, so without a fallback, unless they are old
    auto program = start(request, is_past ? &note : nullptr, why);
    if (why) return;
    if (ended.is_quarantined()) lift_quarantine(ended);
    // CAN ends an unfinished sequence of the last program. Without an emulator only the viewers' terminals are reset.
    std::string clear = "\x18";
    if (ended.screen() && is_past)
        clear += "\033[m";
    else if (ended.screen())
        clear += "\033c";
    else
        clear.append(reset_sequence()).append(select_cursor_style(0)).append("\033[H\033[2J");
    state_.tabs.find(ended.id())->end.reset();
    ended.start_again(std::move(program), clear, handlers_of(ended.id()));
    if (!note.empty()) ended.note(note);
    mato::failure not_kept;
    state_.kept.keep_program(ended, not_kept);
    if (not_kept) tell_not_kept(ended.id(), not_kept);
    tab_entry& again = *state_.tabs.find(ended.id());
    again.says.forget_state();
    again.commands.forget();
    state_.tabs.touch(again);
    state_.host.log().info(named(ended.id()) + " respawned, pid " + std::to_string(ended.pid()));
    state_.events.tell({.kind = "tab-respawned", .tab = ended.id()});
}

void tab_programs::respawn(tab& running, reply_target who) {
    state_.pending.await_respawn(running.id(), who);
    running.close(state_.configuration->stop_grace);
}

/// The program has ended, and the handler that reported it has returned.
void tab_programs::finish_respawn(tab_id id) {
    const auto who = state_.pending.take_respawn(id);
    if (!who) return; // the tab was removed in the meantime
    mato::failure why;
    start_again(state_.tabs.at(id), why);
    if (why) end_recordings(id);
    if (why) return state_.clients.refuse(*who, why.message());
    state_.clients.reply<message::done>(*who, nothing{});
}

// ---- ends of programs ----

void tab_programs::check_children() {
    for (const auto& each : state_.tabs.all()) each->check_child(); // a copy: an end removes its tab
    reap_orphans();
}

/// As pid 1 of a container, or as child subreaper (prctl(2)), this process is the parent of all orphaned descendants. waitid(2)
/// shows only the first ended child: while that is the child of a closing tab, the others wait for the tab's end.
void tab_programs::reap_orphans() {
    constexpr int most = 256; // per turn of the loop, so that programs that fork in a loop cannot occupy it
    const auto is_of_a_tab = [this](pid_t child) {
        for (const auto& [id, each] : state_.tabs)
            if (each.program->owns(child)) return true;
        return false;
    };
    for (int n = 0; n < most; ++n) {
        const pid_t ended = mato::sys::ended_child();
        if (ended <= 0 || is_of_a_tab(ended)) return;
        int ignored = 0;
        mato::sys::waitpid(ended, &ignored, WNOHANG);
    }
    asio::post(state_.host.context(), [this] { reap_orphans(); });
}

void tab_programs::on_output(tab_id id, output_rate rate) {
    views_.on_output(id, rate);
    saver_.note_output();
    if (tab_entry* const wrote = state_.tabs.find(id))
        if (const auto refused = wrote->program->take_refused_images(); refused > 0)
            state_.host.log().debug(named(id) + ": dropped " + std::to_string(refused) + " images larger than the limits");
    answer_output(id);
}

void tab_programs::end_recordings(tab_id id) {
    const auto stream = state_.streams.find(id);
    if (stream == state_.streams.end()) return;
    const std::string end = stream->second.finish();
    for (auto& [number, each] : state_.clients)
        if (each.recorded == id) state_.clients.send(each, end);
}

void tab_programs::answer_output(tab_id id) {
    for (const reply_target& each : state_.pending.take_outputs(id))
        state_.clients.reply<message::output_came>(each, nothing{});
}

void tab_programs::on_input_lost(reply_target from, std::size_t taken) {
    if (from.request == 0) return;
    state_.clients.refuse(from, "the program ended after it had read " + std::to_string(taken) + " bytes of the input");
}

void tab_programs::on_ended(tab_id id) {
    tab_entry* const entry = state_.tabs.find(id);
    if (!entry) return;
    const std::shared_ptr<tab> ended = entry->program;
    const int code = ended->exit_code();
    entry->says.forget_state();
    entry->commands.forget();
    state_.host.log().info(named(id) + " exited with code " + std::to_string(code));
    state_.events.tell({.kind = "tab-exited", .tab = id, .exit_code = code});
    for (const reply_target& each : state_.pending.take_exits(id))
        state_.clients.reply<message::exit_status>(each, exit_status{id, code});
    answer_output(id);
    for (const reply_target& each : state_.pending.take_changes(id))
        state_.clients.refuse(each, "the program of " + named(id) + " has ended");
    reap_orphans(); // while the tab was closing, waitid(2) showed its child first
    views_.forget_typed(id);
    if (state_.pending.is_respawning(id) && !state_.pending.awaits_removal(id) && !state_.host.is_stopping())
        return asio::post(state_.host.context(), [this, id] { finish_respawn(id); }); // recordings continue
    end_recordings(id);
    const auto policy = state_.configuration->remain_on_exit;
    const bool remains = !ended->is_closing() && (ended->options().remains || policy == remain_on_exit::on ||
                                                  (policy == remain_on_exit::failed && code != 0));
    if (!remains) return remove(id);
    if (ended->screen()) entry->end = end_of(*ended->screen());
    ended->note("[exited " + std::to_string(code) + "; 'mato respawn " + std::to_string(id) + "' starts it again]");
    state_.kept.drop_program(id);
    on_output(id, output_rate::ordinary);
}

void tab_programs::close(const std::vector<std::shared_ptr<tab>>& tabs) {
    const auto now = mato::clock::now();
    for (const auto& each : tabs) {
        state_.kept.closes(each->id());
        if (tab_entry* const entry = state_.tabs.find(each->id()); entry && !state_.host.is_stopping())
            entry->directory = each->start_directory(); // its program has none once it has ended
        if (each->is_running())
            each->close(state_.configuration->stop_grace, now);
        else
            remove(each->id());
    }
}

/// So that it can be brought back.
void tab_programs::remember_closed(const tab& closed, const tab_entry& entry, const tab_name& name) {
    const auto patience = state_.configuration->undo_close;
    if (patience.count() == 0 || state_.host.is_stopping()) return;
    closed_tab gone{name, closed.options(), closed.save_shown(closed_tabs::most_shown), mato::clock::now()};
    gone.options.size = gone.options.program.size = closed.dimensions();
    gone.options.survive = has_keeper(state_.host);
    gone.by_key = entry.closed_by_key;
    if (!entry.directory.empty()) gone.options.program.directory = entry.directory;
    if (closed_tab* const kept = state_.closed.remember(std::move(gone))) {
        mato::failure why;
        state_.kept.keep_closed(*kept, why);
        if (why) state_.host.log().warning(named(name.id) + " can be brought back by this process only: " + why.message());
    }
    forget_closed();
}

void tab_programs::take_back_closed(std::vector<closed_tab> all) {
    std::ranges::sort(all, {}, &closed_tab::at);
    for (closed_tab& each : all)
        if (state_.tabs.find(each.name.id))
            state_.kept.drop_closed(each.name.id);
        else
            state_.closed.remember(std::move(each));
    // The process before stayed for it, and its time may be over by now: `undo_close` may have become shorter.
    stays_for_undo_ = state_.tabs.empty() && state_.closed.is_newest_by_key();
    forget_closed();
}

bool tab_programs::stays_for_undo() {
    forget_closed();
    return stays_for_undo_ = state_.closed.is_newest_by_key();
}

/// Those whose time is over. Waits for the next one.
void tab_programs::forget_closed() {
    const auto patience = state_.configuration->undo_close;
    state_.closed.forget_before(mato::clock::now() - patience);
    if (stays_for_undo_ && !state_.closed.is_newest_by_key()) {
        stays_for_undo_ = false;
        asio::post(state_.host.context(), [this] { on_removed_(); });
    }
    const auto oldest = state_.closed.oldest();
    if (!oldest) return;
    closed_.expires_at(*oldest + patience);
    closed_.async_wait([this](std::error_code cancelled) {
        if (!cancelled) forget_closed();
    });
}

void tab_programs::remove(tab_id id) {
    const tab_entry* const entry = state_.tabs.find(id);
    if (!entry) return;
    const std::shared_ptr<tab> ended = entry->program;
    views_.end(*ended);
    const tab_name name = state_.tabs.name_of(id);
    state_.ended.remember(remains_of(*ended, name));
    remember_closed(*ended, *entry, name);
    state_.tabs.remove(id);
    state_.kept.save_ended();
    state_.kept.save();
    state_.kept.drop(id);
    saver_.forget(id);
    state_.events.tell({.kind = "tab-closed", .tab = id});
    if (const auto who = state_.pending.take_respawn(id)) {
        end_recordings(id);
        state_.clients.refuse(*who, named(id) + " was closed before it could be respawned");
    }
    if (const std::size_t left = ended->survivors(); left > 0) {
        const std::string text = named(id) + ": " + std::to_string(left) + (left == 1 ? " process has" : " processes have") +
                                 " not ended after SIGKILL";
        state_.host.log().warning(text);
        state_.pending.note_trouble(id, text);
    }
    for (const auto& each : state_.pending.take_removals(id))
        if (each.trouble.empty())
            state_.clients.reply<message::done>(each.who, nothing{});
        else
            state_.clients.refuse(each.who, each.trouble);
    on_removed_();
}

} // namespace mux
