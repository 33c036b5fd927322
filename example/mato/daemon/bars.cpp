// SPDX-License-Identifier: MIT
#include "bars.hpp"

#include <algorithm>
#include <utility>

namespace mux {
namespace {

constexpr int least_rows = 3; // of a terminal that has room for a bar

} // namespace

bars::bars(daemon_state& state, std::function<void(client&)> on_rows)
    : state_(state), on_rows_(std::move(on_rows)), timer_(state.host.context()) {
    state_.events.on_told = [this] { renew_soon(); };
}

bool bars::is_wanted(const client& watcher) const {
    if (watcher.bar) return *watcher.bar;
    switch (state_.configuration->bar) {
    case bar_use::never: return false;
    case bar_use::always: return true;
    case bar_use::automatic: return state_.tabs.count() > 1;
    }
    return false;
}

bool bars::is_any() const {
    if (has_exceptions_) return true;
    switch (state_.configuration->bar) {
    case bar_use::never: return false;
    case bar_use::always: return true;
    case bar_use::automatic: return had_several_ || state_.tabs.count() > 1;
    }
    return true;
}

int bars::rows_of(const client& watcher, const tab& shown) const {
    return shown.screen() && watcher.view.size.rows >= least_rows && is_wanted(watcher) ? 1 : 0;
}

bar_mark bars::mark_of(const client& watcher, tab_id id) const {
    const tab_entry& entry = state_.tabs.entry(id);
    if (id == watcher.attached) return bar_mark::none;
    const auto seen = watcher.seen.find(id);
    return mux::mark_of(entry, seen == watcher.seen.end() ? entry.seen : seen->second);
}

bar_state bars::state_of(const client& watcher) const {
    bar_state result;
    const workspace::task* const here = state_.tabs.names().task_of(watcher.attached);
    for (const workspace::task& task : state_.tabs.names().tasks()) {
        if (&task == here) {
            result.task = task.name;
            for (const auto& each : task.tabs) {
                if (each.id == watcher.attached) result.shown = result.tabs.size();
                result.tabs.push_back({each.id, each.name, mark_of(watcher, each.id)});
            }
            continue;
        }
        bar_task other{task.tabs.front().id, task.name};
        for (const auto& each : task.tabs) {
            const bar_mark mark = mark_of(watcher, each.id);
            other.asks += mark == bar_mark::asks;
            other.failed += mark == bar_mark::failed;
            other.done += mark == bar_mark::done;
            other.wrote += mark == bar_mark::wrote;
        }
        if (other.asks + other.failed + other.done + other.wrote > 0) result.others.push_back(std::move(other));
    }
    if (watcher.view.readonly) result.note = "read only";
    if (const auto recorded = state_.streams.find(watcher.attached); recorded != state_.streams.end())
        result.note += result.note.empty() ? "rec" : "  rec";
    result.prefix = state_.configuration->prefix;
    return result;
}

void bars::toggle(client& watcher) {
    const bool wanted = !is_wanted(watcher);
    watcher.bar.reset();
    has_exceptions_ = true;
    if (is_wanted(watcher) != wanted) watcher.bar = wanted; // otherwise it follows the configuration again
    state_.tabs.changed();                                  // the next process keeps it
    on_rows_(watcher);
}

void bars::choose(client& watcher, std::optional<bool> wanted) noexcept {
    watcher.bar = wanted;
    has_exceptions_ = has_exceptions_ || wanted;
}

void bars::renew(client& watcher) {
    tab_entry* const shown = state_.tabs.find(watcher.attached);
    if (!watcher.screen || !shown) return;
    const tab_name name = state_.tabs.name_of(watcher.attached);
    watcher.screen->set_title(name.name + (watcher.view.terminal.utf8 ? " · " : " - ") + name.task);
    if (rows_of(watcher, *shown->program) > 0)
        watcher.screen->set_bar(state_of(watcher));
    else
        watcher.screen->set_bar(std::nullopt);
}

void bars::renew_soon() {
    if (std::exchange(waits_, true)) return;
    const auto now = mato::clock::now();
    timer_.expires_at(std::max(timer_.expiry() + bar_interval, now));
    timer_.async_wait([this](std::error_code cancelled) {
        if (cancelled) return;
        waits_ = false;
        renew_all();
    });
}

void bars::renew_all() {
    had_several_ = state_.tabs.count() > 1;
    for (auto& [id, each] : state_.clients) {
        tab_entry* const shown = each.screen ? state_.tabs.find(each.attached) : nullptr;
        if (!shown) continue;
        std::erase_if(each.seen, [&](const auto& of) { return !state_.tabs.find(of.first); });
        if (each.screen->bar_rows() != rows_of(each, *shown->program)) on_rows_(each);
        renew(each);
    }
}

void bars::note_first_output(tab_entry& which) {
    if (which.program->last_output() <= which.seen) return; // its size has changed
    which.has_written = true;
    if (is_any()) renew_soon();
}

void bars::note_seen(client& watcher, tab_entry& which) {
    const auto now = which.program->last_output();
    watcher.seen[which.program->id()] = now;
    if (!watcher.view.readonly) which.seen = now;
    which.has_written = false; // so that its next output is noted
}

} // namespace mux
