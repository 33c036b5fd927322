// SPDX-License-Identifier: MIT
/// @file workspace.hpp: tasks and their tabs: names, order, ids, and how users refer to them.
/// Pure.  Test: test/mato/workspace_test.cpp.
#pragma once

#include "protocol/ids.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mux {

class workspace {
public:
    struct tab {
        tab_id id = 0;
        std::string name;
    };
    struct task {
        std::string name;
        std::vector<tab> tabs;
    };
    /// The result of `resolve`: one tab, or the reason why there is none.
    struct found {
        tab_id id = 0;       ///< 0: see `problem`
        std::string problem; ///< one line; for an ambiguous name it lists the candidates
        bool is_ambiguous = false;
    };

    /// Ids continue after `last`, the highest id recorded in the state directory.
    explicit workspace(tab_id last = 0) noexcept : last_id_(last) {}

    /// Adds a tab to the task of that name, which is created if needed.
    tab_id add(const std::string& task, std::string name);
    /// Adds a tab that a process before this one had, under its number.
    void add_again(tab_id id, const std::string& task, std::string name);
    /// Removes a tab, and its task if that becomes empty.
    void remove(tab_id id);
    /// Moves a tab to the end of the task of that name, which is created if needed. Its old task is removed if that becomes
    /// empty.
    void move(tab_id id, const std::string& task);
    void rename_tab(tab_id id, std::string name);
    /// False if the task does not exist or the new name is taken.
    bool rename_task(std::string_view from, const std::string& to);

    /// `target`: an id; TASK/TAB, each by name, unique prefix or number (1-based); a name or its unique prefix; "." for
    /// `current` (0: not inside a tab).
    [[nodiscard]] found resolve(std::string_view target, tab_id current) const;
    /// A task by name or unique prefix; null if there is none or more than one.
    [[nodiscard]] const task* find_task(std::string_view name) const;
    [[nodiscard]] const task* task_of(tab_id id) const;
    [[nodiscard]] const tab* find(tab_id id) const;

    /// "Task N" with the lowest unused N.
    [[nodiscard]] std::string fresh_task_name() const;

    [[nodiscard]] const std::vector<task>& tasks() const noexcept { return tasks_; }
    [[nodiscard]] tab_id last_id() const noexcept { return last_id_; }
    [[nodiscard]] std::uint64_t revision() const noexcept { return revision_; } ///< grows with every change

private:
    task& find_or_make(const std::string& name);

    std::vector<task> tasks_;
    tab_id last_id_;
    std::uint64_t revision_ = 0;
};

} // namespace mux
