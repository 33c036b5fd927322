// SPDX-License-Identifier: MIT
#include "waits.hpp"

#include "client/option_values.hpp"
#include "common.hpp"
#include "exchanges.hpp"
#include "watching.hpp"

#include <mato/printable.hpp>

#include <algorithm>
#include <utility>

namespace mux {
namespace {

exchange::result as_result(const tab_changed& came) {
    auto all = json::object().add("tab", came.tab);
    const auto done = [&all](std::string text) { return exchange::result{0, {}, all.done(), std::move(text)}; };
    switch (came.what) {
    case tab_change::command: {
        all.add("what", "command").add("exit_code", marked_code(came.exit_code));
        all.add("command", came.text).add("duration_ms", came.duration_ms);
        return done(came.exit_code >= 0 ? std::to_string(came.exit_code) : std::string("unknown"));
    }
    case tab_change::notice: all.add("what", "notice").add("notice", came.text); return done(mato::printable(came.text));
    case tab_change::state: {
        all.add("what", "state").add("state", name_of(came.state)).add("note", came.text);
        const std::string name(name_of(came.state));
        return done(came.text.empty() ? name : name + " " + mato::printable(came.text));
    }
    case tab_change::prompt: all.add("what", "prompt"); break;
    case tab_change::active: all.add("what", "active"); break;
    case tab_change::bell: all.add("what", "bell"); break;
    }
    return done({});
}

std::unique_ptr<exchange> wait_for(const invocation& what, target which, mato::deadline until, bool again) {
    if (what.exit) return std::make_unique<awaiting_exit>(std::move(which), until);
    if (what.change)
        return std::make_unique<awaiting_change>(change_wait{std::move(which), *what.change, what.awaited, again}, until);
    const text_origin from = what.mark ? origin_since(*what.mark, which)
                                       : text_origin{what.only_new ? text_begin::cursor : text_begin::oldest, 0, 0};
    return std::make_unique<watching>(std::move(which), watching::condition{what.pattern, from, what.idle}, until);
}

} // namespace

// ---- one tab ----

void awaiting_change::wake(remote&) { finish(timed_out(wanted_.which)); }

void awaiting_change::on_answer(remote&, const header& answer) {
    if (const auto came = read<message::change_came>(answer)) finish(as_result(*came));
}

// ---- several tabs ----

mato::deadline deadline_of(const invocation& what) {
    return what.timeout.count() > 0 ? mato::deadline::in(what.timeout) : remote::patient();
}

waiting::waiting(const invocation& what, tab_id current, mato::deadline until, report on_result, wait_progress* kept)
    : names_(what.operands), is_any_(what.any), done_(kept ? *kept : own_), on_result_(std::move(on_result)) {
    if (!what.pattern && (what.mark || what.only_new)) usage_error("--new and --since need --text");
    if (what.mark && what.only_new) usage_error("use only one of --new and --since");
    const bool again = std::exchange(done_.was_asked, true);
    done_.results.resize(names_.size());
    for (std::size_t i = 0; i < names_.size(); ++i)
        tabs_.push_back(done_.results[i] ? nullptr : wait_for(what, {names_[i], current}, until, again));
}

void waiting::begin(remote& daemon) {
    for (std::size_t i = 0; i < tabs_.size() && !outcome(); ++i) {
        if (!tabs_[i]) continue;
        tabs_[i]->begin(daemon);
        note(i);
    }
    finish_with_all();
}

void waiting::hear(remote& daemon, const header& answer) {
    for (std::size_t i = 0; i < tabs_.size(); ++i) {
        if (!tabs_[i] || !tabs_[i]->awaits(answer.id)) continue;
        tabs_[i]->hear(daemon, answer);
        return note(i);
    }
}

void waiting::wake(remote& daemon) {
    for (std::size_t i = 0; i < tabs_.size() && !outcome(); ++i) {
        if (!tabs_[i] || tabs_[i]->outcome() || !tabs_[i]->due().passed()) continue;
        tabs_[i]->wake(daemon);
        note(i);
    }
}

bool waiting::awaits(std::uint32_t request) const {
    return std::any_of(tabs_.begin(), tabs_.end(),
                       [request](const auto& each) { return each && !each->outcome() && each->awaits(request); });
}

mato::deadline waiting::due() const noexcept {
    mato::deadline first = remote::patient();
    for (const auto& each : tabs_)
        if (each && !each->outcome() && each->due().at() < first.at()) first = each->due();
    return first;
}

void waiting::note(std::size_t which) {
    if (!tabs_[which]->outcome()) return;
    const result& how = *tabs_[which]->outcome();
    const bool has_failed = !how.error.empty();
    if (has_failed && is_any_ &&
        std::any_of(tabs_.begin(), tabs_.end(), [](const auto& each) { return each && !each->outcome(); }))
        return; // another one may be first
    if (has_failed) return finish(how);
    done_.results[which] = how;
    if (on_result_) on_result_(names_[which], how);
    if (is_any_) return finish(how);
    finish_with_all();
}

void waiting::finish_with_all() {
    if (!std::all_of(done_.results.begin(), done_.results.end(), [](const auto& each) { return each.has_value(); })) return;
    if (done_.results.size() == 1) return finish(*done_.results[0]);
    result all;
    for (const auto& each : done_.results) {
        if (all.exit_code == 0) all.exit_code = each->exit_code;
        all.value.text = (all.value.text == "null" ? "[" : all.value.text + ", ") + each->value.text;
    }
    all.value.text += "]";
    finish(std::move(all));
}

} // namespace mux
