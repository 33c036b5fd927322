// SPDX-License-Identifier: MIT
#include "command_keys.hpp"

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
    if (from.attached_readonly) return from.screen->tell("this client was attached with --read-only");
    views_.set_readonly(from, !from.view.readonly);
    from.screen->tell(from.view.readonly ? "read-only: keys do not reach the program" : "keys reach the program again");
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
