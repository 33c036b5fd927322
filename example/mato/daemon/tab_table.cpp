// SPDX-License-Identifier: MIT
#include "tab_table.hpp"

#include <utility>

namespace mux {

tab_entry& tab_table::add(const std::string& task, std::string name, std::shared_ptr<tab> program) {
    const tab_id id = program->id();
    names_.add_again(id, task, std::move(name));
    tab_entry& added = tabs_[id];
    added.program = std::move(program);
    added.seen = added.program->last_output();
    return added;
}

void tab_table::remove(tab_id id) {
    tabs_.erase(id);
    names_.remove(id);
}

tab_entry* tab_table::find(tab_id id) noexcept {
    const auto at = tabs_.find(id);
    return at == tabs_.end() ? nullptr : &at->second;
}

std::vector<std::shared_ptr<tab>> tab_table::all() const {
    std::vector<std::shared_ptr<tab>> result;
    for (const auto& [id, each] : tabs_) result.push_back(each.program);
    return result;
}

std::shared_ptr<tab> tab_table::last_used(tab_id except) const {
    const tab_entry* best = nullptr;
    for (const auto& [id, each] : tabs_) {
        if (id == except || each.program->is_closing()) continue;
        if (!best || std::pair(each.used, each.touched) > std::pair(best->used, best->touched)) best = &each;
    }
    return best ? best->program : nullptr;
}

bar_mark mark_of(const tab_entry& which, mato::clock::time_point looked) {
    if (which.says.asks()) return bar_mark::asks;
    if (which.program->is_past()) return bar_mark::none;
    if (!which.program->is_running() && which.program->exit_code() != 0) return bar_mark::failed;
    const bar_mark said = which.says.mark(looked);
    return said == bar_mark::none && which.program->last_output() > looked ? bar_mark::wrote : said;
}

tab_name tab_table::name_of(tab_id id) const { return {id, names_.task_of(id)->name, names_.find(id)->name}; }

} // namespace mux
