// SPDX-License-Identifier: MIT
#include "command_keys.hpp"

#include <algorithm>

namespace mux {
namespace {

constexpr char control_z = 0x1a;

} // namespace

void command_keys::press(client& from, char key) {
    if (key == 'd') return views_.detach(from, message::detached);
    if (key == control_z) return state_.clients.reply<message::suspend>(from, 0, nothing{});
    const workspace::task* const task = state_.tabs.names().task_of(from.attached);
    if (!task) return from.screen->ring();
    if (key == 'c' && from.view.readonly) return from.screen->ring();
    if (key == 'c') return open_beside(from, std::string(task->name));
    const auto& tabs = task->tabs;
    const auto place = static_cast<std::size_t>(
        std::find_if(tabs.begin(), tabs.end(), [&](const auto& each) { return each.id == from.attached; }) - tabs.begin());
    std::size_t wanted = tabs.size();
    if (key == 'n') wanted = (place + 1) % tabs.size();
    if (key == 'p') wanted = (place + tabs.size() - 1) % tabs.size();
    if (key >= '1' && key <= '9') wanted = static_cast<std::size_t>(key - '1');
    if (key == '0') wanted = 9;
    if (wanted >= tabs.size()) return from.screen->ring();
    views_.switch_to(from, state_.tabs.at(tabs[wanted].id));
}

void command_keys::open_beside(client& from, const std::string& task) {
    new_tab wanted;
    wanted.view = from.view;
    tab_entry* const here = state_.tabs.find(from.attached);
    wanted.cwd = here ? here->program->directory() : "/";
    wanted.may_fall_back = true;
    mato::failure why;
    const auto made = state_.host.is_stopping() ? nullptr : tabs_.open(wanted, task, why);
    if (why) state_.host.log().warning("no new tab: " + why.message());
    return made ? views_.switch_to(from, *made) : from.screen->ring();
}

} // namespace mux
