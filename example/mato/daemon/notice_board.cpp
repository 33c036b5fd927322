// SPDX-License-Identifier: MIT
#include "notice_board.hpp"

#include "protocol/short_text.hpp"

#include <algorithm>
#include <utility>

namespace mux {

notice_board::notice_board(daemon_state& state) : state_(state), held_(state.host.context()), silence_(state.host.context()) {
    apply_settings();
}

void notice_board::apply_settings() {
    watches_silence_ = state_.configuration->notify_silence > mato::milliseconds(0);
    if (watches_silence_) return;
    silence_.cancel();
    awaits_silence_ = false;
    for (auto& [id, each] : state_.tabs) each.is_active = false;
}

// ---- bells, notices, states ----

void notice_board::ask(tab_entry& which) {
    if (state_.clients.count_viewers(which.program->id()) > 0) return;
    const bool asked = which.says.asks();
    which.says.ask(mato::clock::now());
    if (asked) return;
    state_.tabs.changed();
    state_.kept.save();
}

void notice_board::came(tab_entry& which, tab_changed what) {
    what.tab = which.program->id();
    for (const reply_target& each : state_.pending.take_changes(what)) state_.clients.reply<message::change_came>(each, what);
    which.came.note(std::move(what));
}

void notice_board::ring(tab_entry& which) {
    came(which, {.what = tab_change::bell});
    const attention_use use = state_.configuration->notify_bell;
    if (use == attention_use::off || state_.clients.count_viewers(which.program->id()) > 0) return;
    ask(which);
    if (viewer* const latest = use == attention_use::pass ? latest_viewer() : nullptr) latest->ring();
}

void notice_board::read(tab_entry& which, const vt::event& notification) {
    if (auto notice = which.reads.read(notification)) tell(which, std::move(*notice));
}

void notice_board::tell(tab_entry& which, program_notice what) {
    came(which, {.what = tab_change::notice, .text = what.text});
    if (const auto told = which.says.notice(std::move(what), mato::clock::now())) return publish(which, *told);
    wait_for_held();
}

void notice_board::publish(tab_entry& which, const told_notice& what) {
    if (state_.configuration->notify_notice != attention_use::off) ask(which);
    state_.events.tell({.kind = "notice",
                        .tab = which.program->id(),
                        .text = what.newest.text,
                        .exit_code = static_cast<std::int32_t>(std::min<std::uint64_t>(what.count, 1u << 30))});
    if (state_.configuration->notify_notice == attention_use::pass) pass(which, what);
}

viewer* notice_board::latest_viewer() {
    client* latest = nullptr;
    const auto rank = [](const client& each) { return std::pair(!each.view.readonly, each.activity); };
    for (auto& [id, each] : state_.clients)
        if (each.screen && !each.suspended && (!latest || rank(each) > rank(*latest))) latest = &each;
    return latest ? latest->screen.get() : nullptr;
}

void notice_board::pass(const tab_entry& which, const told_notice& what) {
    viewer* const latest = latest_viewer();
    if (!latest) return;
    const tab_name name = state_.tabs.name_of(which.program->id());
    std::string text = what.newest.text;
    if (what.count > 1) text.append(" (and ").append(std::to_string(what.count - 1)).append(" more)");
    constexpr std::size_t most_title = 256; // two names
    latest->notify(what.newest.form, short_text(name.task + "/" + name.name, most_title), text);
}

/// One timer for all tabs: it fires when the first of them may tell what waits.
void notice_board::wait_for_held() {
    if (std::exchange(holds_, true)) return;
    std::optional<mato::clock::time_point> first;
    for (const auto& [id, each] : state_.tabs)
        if (const auto due = each.says.due(); due && (!first || *due < *first)) first = due;
    holds_ = first.has_value();
    if (!first) return;
    held_.expires_at(*first);
    held_.async_wait([this](std::error_code cancelled) {
        if (cancelled) return;
        holds_ = false;
        const auto now = mato::clock::now();
        for (auto& [id, each] : state_.tabs)
            if (const auto due = each.says.due(); due && *due <= now) publish(each, each.says.take(now));
        wait_for_held();
    });
}

void notice_board::say(tab_entry& which, said_state state, std::string note) {
    which.says.say(state, std::move(note), mato::clock::now());
    state_.tabs.changed();
    state_.events.tell(
        {.kind = "state", .tab = which.program->id(), .name = std::string(name_of(state)), .text = which.says.note()});
    came(which, {.what = tab_change::state, .text = which.says.note(), .state = state});
}

// ---- commands of shells ----

void notice_board::follow_command(tab_entry& which, const vt::event& mark) {
    if (!which.program->screen()) return;
    const auto what = which.commands.take(mark, *which.program->screen(), mato::clock::now());
    if (!what) return;
    const tab_id id = which.program->id();
    switch (what->what) {
    case command_watch::change::kind::prompt:
        if (what->is_news) state_.events.tell({.kind = "prompt", .tab = id});
        return came(which, {.what = tab_change::prompt});
    case command_watch::change::kind::started:
        if (what->is_news) state_.events.tell({.kind = "command-started", .tab = id, .text = which.commands.command()});
        return;
    case command_watch::change::kind::finished:
        if (what->is_news) end_command(which, *what);
        return came(which, {.what = tab_change::command,
                            .text = which.commands.command(),
                            .exit_code = what->exit_code.value_or(vt::prompt_mark::unknown_code),
                            .duration_ms = static_cast<std::uint64_t>(what->took.count())});
    }
}

/// What ran in it and said that it works or asks has ended, too.
void notice_board::end_command(tab_entry& which, const command_watch::change& how) {
    const settings& configured = *state_.configuration;
    const bool failed = how.exit_code.value_or(0) != 0;
    const bool was_long = configured.notify_command > mato::milliseconds(0) && how.took >= configured.notify_command;
    if (which.says.state() != said_state::done) which.says.forget_state();
    if (failed || was_long)
        which.says.end_command(failed ? tab_attention::command_end::failed : tab_attention::command_end::long_and_well,
                               mato::clock::now());
    const std::string& command = which.commands.command();
    state_.events.tell({.kind = "command-finished",
                        .tab = which.program->id(),
                        .text = command,
                        .exit_code = how.exit_code.value_or(vt::prompt_mark::unknown_code),
                        .duration_ms = static_cast<std::uint64_t>(how.took.count())});
    if (!was_long || configured.notify_command_ended != command_end_use::notice) return;
    if (state_.clients.count_viewers(which.program->id()) > 0) return;
    std::string text = command.empty() ? std::string("the command") : command;
    text += failed ? " ended with " + std::to_string(*how.exit_code) : " is done";
    tell(which, {short_text(text + " after " + span_text(how.took), notice_reader::most_text), notice_form::osc_9});
}

// ---- silence ----

void notice_board::await_silence(tab_entry& which) {
    which.is_active = true;
    wait_for_silence();
}

void notice_board::wait_for_silence() {
    if (awaits_silence_ || !watches_silence_) return;
    std::optional<mato::clock::time_point> first;
    for (const auto& [id, each] : state_.tabs)
        if (each.is_active && (!first || each.program->last_output() < *first)) first = each.program->last_output();
    if (!first) return;
    awaits_silence_ = true;
    silence_.expires_at(*first + state_.configuration->notify_silence);
    silence_.async_wait([this](std::error_code cancelled) {
        if (cancelled) return;
        awaits_silence_ = false;
        find_silent();
        wait_for_silence();
    });
}

void notice_board::find_silent() {
    const auto now = mato::clock::now();
    const mato::milliseconds span = state_.configuration->notify_silence;
    for (auto& [id, each] : state_.tabs) {
        if (!each.is_active || now - each.program->last_output() < span) continue;
        each.is_active = false;
        if (!each.program->is_running()) continue;
        state_.events.tell({.kind = "silence", .tab = id});
        if (state_.clients.count_viewers(id) > 0) continue;
        tell(each, {"quiet for " + span_text(now - each.program->last_output()), notice_form::osc_9});
    }
}

} // namespace mux
