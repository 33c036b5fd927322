// SPDX-License-Identifier: MIT
#include "command_keys.hpp"

#include "naming.hpp"
#include "screens/prompt.hpp"
#include "tab/shell.hpp"

#include <algorithm>

namespace mux {

void command_keys::act(client& from, const pressed_action& what) {
    switch (what.what) {
    case action::detach: return views_.detach(from, message::detached);
    case action::detach_others: return detach_others(from);
    case action::suspend: return state_.clients.reply<message::suspend>(from, 0, nothing{});
    case action::new_tab:
        if (const workspace::task* const task = state_.tabs.names().task_of(from.attached)) open(from, std::string(task->name));
        return;
    case action::new_task: return open(from, state_.tabs.names().fresh_task_name());
    case action::next_tab:
    case action::previous_tab:
    case action::tab_by_number: return go_to_tab(from, what);
    case action::tab_by_id:
        if (tab_entry* const there = state_.tabs.find(static_cast<tab_id>(what.number)))
            views_.switch_to(from, *there->program);
        return;
    case action::toggle_bar: return views_.toggle_bar(from);
    case action::last_tab: return go_back(from);
    case action::next_task: return go_to_task(from, 1);
    case action::previous_task: return go_to_task(from, -1);
    case action::toggle_readonly: return toggle_readonly(from);
    case action::rename_tab:
    case action::rename_task: return rename(from, what);
    case action::move_tab: return move(from, what);
    case action::close_tab: return close(from, what);
    case action::undo_close: return undo_close(from, what);
    case action::run_again: return run_again(from, what);
    case action::office: return views_.open_office(from);
    case action::tab_that_needs_you: return go_to_needy(from);
    case action::paste: return paste(from);
    case action::command: return views_.open_command_prompt(from);
    case action::find_all: return views_.open_find_list(from, what.answer.value_or(std::string()));
    case action::go_to_line:
        if (tab_entry* const there = state_.tabs.find(static_cast<tab_id>(what.number))) {
            views_.switch_to(from, *there->program);
            return from.screen->go_to_line(what);
        }
        return from.screen->tell("that tab is gone");
    case action::look_back:
    case action::find:
    case action::previous_prompt:
    case action::next_prompt:
    case action::copy_output:
    case action::help: return; // the viewer's own
    }
}

bool command_keys::may_change(client& from) {
    if (from.view.readonly) from.screen->tell("this client is read-only");
    return !from.view.readonly;
}

void command_keys::go_to_tab(client& from, const pressed_action& what) {
    const workspace::task* const task = state_.tabs.names().task_of(from.attached);
    if (!task) return from.screen->ring();
    const auto& tabs = task->tabs;
    const auto place = static_cast<std::size_t>(
        std::find_if(tabs.begin(), tabs.end(), [&](const auto& each) { return each.id == from.attached; }) - tabs.begin());
    const std::size_t wanted = what.what == action::next_tab       ? (place + 1) % tabs.size()
                               : what.what == action::previous_tab ? (place + tabs.size() - 1) % tabs.size()
                                                                   : static_cast<std::size_t>(what.number) - 1;
    if (wanted >= tabs.size())
        return from.screen->tell("no tab " + std::to_string(what.number) + " in this task; it has " +
                                 std::to_string(tabs.size()));
    if (tabs[wanted].id == from.attached) return from.screen->tell("this is the only tab of its task");
    views_.switch_to(from, state_.tabs.at(tabs[wanted].id));
}

/// To the tab of another task that this client used last, else to that task's first.
void command_keys::go_to_task(client& from, int steps) {
    const auto& tasks = state_.tabs.names().tasks();
    const workspace::task* const here = state_.tabs.names().task_of(from.attached);
    if (!here || tasks.size() < 2) return from.screen->tell("this is the only task");
    const auto place = here - tasks.data();
    const auto count = static_cast<std::ptrdiff_t>(tasks.size());
    const workspace::task& there = tasks[static_cast<std::size_t>((place + steps + count) % count)];
    tab_id wanted = there.tabs.front().id;
    for (auto at = from.before.begin(); at != from.before.end(); ++at)
        if (std::any_of(there.tabs.begin(), there.tabs.end(), [&](const auto& each) { return each.id == *at; })) wanted = *at;
    views_.switch_to(from, state_.tabs.at(wanted));
}

void command_keys::go_back(client& from) {
    const auto before = views_.tab_before(from);
    if (!before) return from.screen->tell("there is no other tab");
    views_.switch_to(from, *before);
}

void command_keys::detach_others(client& from) {
    if (!may_change(from)) return;
    std::vector<std::uint64_t> others;
    for (const auto& [id, each] : state_.clients)
        if (each.screen && id != from.id()) others.push_back(id);
    for (const std::uint64_t id : others)
        if (client* const other = state_.clients.find(id)) views_.detach(*other, message::detached);
    from.screen->tell(others.empty() ? "no other client is attached" : "detached clients: " + std::to_string(others.size()));
}

void command_keys::toggle_readonly(client& from) {
    if (from.attached_readonly) return from.screen->tell("this client was attached read-only (attach -r)");
    views_.set_access(from, from.view.readonly ? viewer_access::full : viewer_access::readonly);
    from.screen->tell(from.view.readonly ? "read-only: keys do not reach the program" : "keys reach the program again");
}

/// Tabs that ask come first, then those that failed, then those that wrote; of equal ones the next after this tab.
void command_keys::go_to_needy(client& from) {
    std::vector<tab_id> all;
    for (const workspace::task& task : state_.tabs.names().tasks())
        for (const auto& each : task.tabs) all.push_back(each.id);
    std::rotate(all.begin(), std::find(all.begin(), all.end(), from.attached), all.end());
    const auto best = std::max_element(all.begin(), all.end(),
                                       [&](tab_id a, tab_id b) { return views_.mark_of(from, a) < views_.mark_of(from, b); });
    if (best == all.end() || views_.mark_of(from, *best) == bar_mark::none)
        return from.screen->tell("no tab needs you: none asks, failed, is done or wrote unseen");
    views_.switch_to(from, state_.tabs.at(*best));
}

tab_entry* command_keys::subject_of(const client& from, const pressed_action& what) {
    return state_.tabs.find(what.number == 0 ? from.attached : static_cast<tab_id>(what.number));
}

void command_keys::rename(client& from, const pressed_action& what) {
    tab_entry* const subject = subject_of(from, what);
    if (!subject || !may_change(from)) return;
    const tab_name name = state_.tabs.name_of(subject->program->id());
    const bool is_tab = what.what == action::rename_tab;
    if (!what.answer) {
        pressed_action then{what.what, static_cast<std::int64_t>(name.id)};
        return from.screen->ask(std::make_unique<text_prompt>(is_tab ? "name of this tab" : "name of this task",
                                                              is_tab ? name.name : name.task, std::move(then)));
    }
    const std::string problem =
        is_tab ? rename_tab(state_, name.id, *what.answer) : rename_task(state_, name.task, *what.answer);
    if (!problem.empty()) from.screen->tell("not renamed: " + problem);
}

void command_keys::move(client& from, const pressed_action& what) {
    tab_entry* const subject = subject_of(from, what);
    if (!subject || !may_change(from)) return;
    const tab_name name = state_.tabs.name_of(subject->program->id());
    if (!what.answer) {
        pressed_action then{what.what, static_cast<std::int64_t>(name.id)};
        return from.screen->ask(std::make_unique<text_prompt>("move to task", "", std::move(then)));
    }
    const workspace::task* const known = state_.tabs.names().find_task(*what.answer);
    const std::string task = known ? known->name : *what.answer;
    const std::string problem = move_tab(state_, name.id, task);
    from.screen->tell(problem.empty() ? "moved to " + task : "not moved: " + problem);
}

/// Asks if more than an idle shell runs: the program may have work to lose.
void command_keys::close(client& from, const pressed_action& what) {
    tab_entry* const subject = subject_of(from, what);
    if (!subject || !may_change(from)) return;
    tab& doomed = *subject->program;
    const bool is_idle = !doomed.is_running() || (is_shell(doomed.command()) && !doomed.has_foreground_program());
    if (!what.answer && !is_idle) {
        pressed_action then{action::close_tab, static_cast<std::int64_t>(doomed.id())};
        return from.screen->ask(std::make_unique<question>(
            "close tab " + state_.tabs.name_of(doomed.id()).name + "? its program runs", std::move(then)));
    }
    subject->closed_by_key = true;
    tabs_.close({subject->program});
}

void command_keys::run_again(client& from, const pressed_action& what) {
    tab_entry* const subject = subject_of(from, what);
    if (!subject || !may_change(from)) return;
    tab& again = *subject->program;
    if (again.is_running()) return from.screen->tell("the program still runs");
    mato::failure why;
    tabs_.start_again(again, why);
    if (why) from.screen->tell("not started: " + why.message());
}

/// Of the tab that is meant, or else of the one closed last.
void command_keys::undo_close(client& from, const pressed_action& what) {
    if (!may_change(from)) return;
    const closed_tab* const last = tabs_.find_closed(what.number == 0 ? std::string() : std::to_string(what.number), 0);
    if (!last) return from.screen->tell(why_not_reopened(state_, {}));
    mato::failure why;
    const auto again = state_.host.is_stopping() ? nullptr : tabs_.reopen(last->name.id, why);
    if (again) return views_.switch_to(from, *again);
    from.screen->tell("not brought back: " + (why ? why.message() : "the daemon stops"));
}

void command_keys::paste(client& from) {
    if (!may_change(from)) return;
    const std::string* const copied = state_.buffers.find(paste_buffers::copied);
    if (!copied || copied->empty())
        return from.screen->tell("nothing was copied; " + state_.configuration->prefix + " [ selects and copies");
    if (!views_.paste(from, *copied)) from.screen->tell("not pasted: the program accepts no more input");
}

void command_keys::open(client& from, const std::string& task) {
    if (!may_change(from)) return;
    new_tab wanted;
    wanted.view = from.view;
    tab_entry* const here = state_.tabs.find(from.attached);
    wanted.cwd = here ? here->program->directory() : "/";
    wanted.may_fall_back = true;
    mato::failure why;
    const auto made = state_.host.is_stopping() ? nullptr : tabs_.open(wanted, task, why);
    if (why) state_.host.log().warning("no new tab: " + why.message());
    if (made) return views_.switch_to(from, *made);
    from.screen->tell(why ? "no new tab: " + why.message() : "no new tab: the daemon stops");
}

} // namespace mux
