// SPDX-License-Identifier: MIT
#include "naming.hpp"

#include "protocol/names.hpp"

namespace mux {
namespace {

std::string problem_of(const std::string& name) {
    const std::string problem = check_name(name);
    return problem.empty() ? problem : "'" + name + "': " + problem;
}

} // namespace

std::string rename_tab(daemon_state& state, tab_id id, const std::string& name) {
    if (std::string problem = problem_of(name); !problem.empty()) return problem;
    workspace& names = state.tabs.names();
    const std::string before = names.find(id)->name;
    names.rename_tab(id, name);
    state.events.tell({.kind = "tab-renamed", .tab = id, .task = names.task_of(id)->name, .name = name, .text = before});
    return {};
}

std::string rename_task(daemon_state& state, const std::string& from, const std::string& name) {
    if (std::string problem = problem_of(name); !problem.empty()) return problem;
    const std::string before = from; // it may be the name that changes
    if (!state.tabs.names().rename_task(before, name)) return "a task '" + name + "' already exists";
    state.events.tell({.kind = "task-renamed", .task = name, .text = before});
    return {};
}

std::string move_tab(daemon_state& state, tab_id id, const std::string& task) {
    if (std::string problem = problem_of(task); !problem.empty()) return problem;
    const tab_name before = state.tabs.name_of(id);
    if (before.task == task) return {};
    state.tabs.names().move(id, task);
    state.events.tell({.kind = "tab-moved", .tab = id, .task = task, .name = before.name, .text = before.task});
    return {};
}

} // namespace mux
