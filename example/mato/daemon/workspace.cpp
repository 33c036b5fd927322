// SPDX-License-Identifier: MIT
#include "workspace.hpp"

#include "protocol/utf8_length.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace mux {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [rest, why] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (why != std::errc() || rest != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Items named `name`; if there are none, those whose name begins with it.
template <class Item> std::vector<const Item*> matching(const std::vector<const Item*>& items, std::string_view name) {
    std::vector<const Item*> exact, prefix;
    for (const Item* item : items) {
        if (item->name == name) exact.push_back(item);
        if (std::string_view(item->name).starts_with(name)) prefix.push_back(item);
    }
    return exact.empty() ? prefix : exact;
}

template <class Item> std::vector<const Item*> pointers_to(const std::vector<Item>& items) {
    std::vector<const Item*> result;
    for (const Item& item : items) result.push_back(&item);
    return result;
}

} // namespace

workspace::task& workspace::find_or_make(const std::string& name) {
    const auto at = std::find_if(tasks_.begin(), tasks_.end(), [&](const task& t) { return t.name == name; });
    return at != tasks_.end() ? *at : tasks_.emplace_back(task{name, {}});
}

tab_id workspace::add(const std::string& task_name, std::string name) {
    ++revision_;
    find_or_make(task_name).tabs.push_back({++last_id_, std::move(name)});
    return last_id_;
}

void workspace::add_again(tab_id id, const std::string& task_name, std::string name) {
    ++revision_;
    find_or_make(task_name).tabs.push_back({id, std::move(name)});
    last_id_ = std::max(last_id_, id);
}

void workspace::move(tab_id id, const std::string& task_name) {
    const tab* const leaving = find(id);
    if (!leaving) return;
    tab moved = *leaving;
    remove(id); // if that empties a task of this name, it is created again at the end
    find_or_make(task_name).tabs.push_back(std::move(moved));
}

void workspace::remove(tab_id id) {
    ++revision_;
    for (task& each : tasks_) std::erase_if(each.tabs, [&](const tab& t) { return t.id == id; });
    std::erase_if(tasks_, [](const task& t) { return t.tabs.empty(); });
}

void workspace::rename_tab(tab_id id, std::string name) {
    ++revision_;
    for (task& each : tasks_)
        for (tab& t : each.tabs)
            if (t.id == id) t.name = name;
}

bool workspace::rename_task(std::string_view from, const std::string& to) {
    const auto with_name = [&](std::string_view name) {
        return std::find_if(tasks_.begin(), tasks_.end(), [&](const task& t) { return t.name == name; });
    };
    const auto at = with_name(from);
    if (at == tasks_.end() || (from != to && with_name(to) != tasks_.end())) return false;
    ++revision_;
    at->name = to;
    return true;
}

const workspace::task* workspace::find_task(std::string_view name) const {
    const auto matches = matching(pointers_to(tasks_), name);
    return matches.size() == 1 ? matches.front() : nullptr;
}

const workspace::task* workspace::task_of(tab_id id) const {
    for (const task& each : tasks_)
        for (const tab& t : each.tabs)
            if (t.id == id) return &each;
    return nullptr;
}

const workspace::tab* workspace::find(tab_id id) const {
    for (const task& each : tasks_)
        for (const tab& t : each.tabs)
            if (t.id == id) return &t;
    return nullptr;
}

workspace::found workspace::resolve(std::string_view target, tab_id current) const {
    const std::string shown(target);
    if (target == ".") {
        if (current == 0) return {0, "'.' means the current tab, but this command does not run in a tab"};
        if (!find(current)) return {0, "the tab in which this command runs no longer exists"};
        return {current, {}};
    }
    if (const auto id = number(target)) {
        if (find(*id)) return {*id, {}};
        return {0, "no tab " + shown};
    }
    std::vector<const tab*> candidates;
    std::string_view tab_part = target;
    if (const auto slash = target.find('/'); slash != std::string_view::npos) {
        const std::string_view task_part = target.substr(0, slash);
        tab_part = target.substr(slash + 1);
        std::vector<const task*> in;
        if (const auto n = number(task_part); n && *n >= 1 && *n <= tasks_.size())
            in = {&tasks_[*n - 1]};
        else
            in = matching(pointers_to(tasks_), task_part);
        if (in.empty()) return {0, "no task '" + std::string(task_part) + "'"};
        if (in.size() > 1) {
            std::string problem = "task '" + std::string(task_part) + "' is ambiguous:";
            for (const task* each : in) problem.append(" '").append(each->name).append("'");
            return {0, problem, true};
        }
        candidates = pointers_to(in.front()->tabs);
        if (const auto n = number(tab_part)) {
            if (*n >= 1 && *n <= candidates.size()) return {candidates[*n - 1]->id, {}};
            return {0, "no tab '" + shown + "'"};
        }
    } else {
        for (const task& each : tasks_)
            for (const tab& t : each.tabs) candidates.push_back(&t);
    }
    const auto matches = tab_part.empty() ? std::vector<const tab*>() : matching(candidates, tab_part);
    if (matches.size() == 1) return {matches.front()->id, {}};
    if (matches.empty()) return {0, "no tab '" + shown + "'"};
    std::string problem = "tab '" + shown + "' is ambiguous:";
    for (const tab* each : matches)
        problem.append(" ")
            .append(std::to_string(each->id))
            .append(" (")
            .append(task_of(each->id)->name)
            .append("/")
            .append(each->name)
            .append(")");
    return {0, problem, true};
}

std::string workspace::fresh_task_name() const {
    for (std::size_t n = 1;; ++n) {
        std::string name = "Task ";
        name += std::to_string(n);
        if (std::none_of(tasks_.begin(), tasks_.end(), [&](const task& t) { return t.name == name; })) return name;
    }
}

} // namespace mux
