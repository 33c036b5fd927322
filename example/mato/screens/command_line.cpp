// SPDX-License-Identifier: MIT
#include "command_line.hpp"

#include "protocol/likely_name.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace mux {
namespace {

enum class argument : std::uint8_t { none, tab, task, text };

argument argument_of(action what) noexcept {
    switch (what) {
    case action::tab_by_number: return argument::tab;
    case action::move_tab: return argument::task;
    case action::rename_tab:
    case action::rename_task:
    case action::find:
    case action::find_all: return argument::text;
    default: return argument::none;
    }
}

struct words {
    std::string_view name, rest;
    bool has_blank = false; // after the name
};

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

words split_first(std::string_view line) {
    while (line.starts_with(' ')) line.remove_prefix(1);
    const std::size_t end = std::min(line.find(' '), line.size());
    return {line.substr(0, end), trimmed(line.substr(end)), end < line.size()};
}

std::string with_suggestion(std::string problem, const std::string& meant) {
    return meant.empty() ? problem : problem.append("; did you mean '").append(meant).append("'?");
}

std::vector<std::string> names_of(const command_names& known) {
    std::vector<std::string> all;
    for (const auto& each : known.tabs) all.push_back(each.name);
    for (const auto& each : known.tabs) all.push_back(each.task + "/" + each.name);
    return all;
}

parsed_command parse_tab(std::string_view word, const command_names& known) {
    if (word.empty()) return {{}, "'tab' needs the number or the name of a tab"};
    std::int64_t number = 0;
    const auto [end, bad] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (bad == std::errc() && end == word.data() + word.size() && number > 0)
        return {pressed_action{action::tab_by_number, number}, {}};
    const command_names::tab* found = nullptr;
    for (const bool whole : {true, false}) {
        for (const auto& each : known.tabs) {
            const std::string full = each.task + "/" + each.name;
            const bool fits = whole ? each.name == word || full == word : each.name.starts_with(word) || full.starts_with(word);
            if (!fits) continue;
            if (found)
                return {{}, "several tabs fit '" + std::string(word) + "': " + found->task + "/" + found->name + ", " + full};
            found = &each;
        }
        if (found) return {pressed_action{action::tab_by_id, static_cast<std::int64_t>(found->id)}, {}};
    }
    return {{}, with_suggestion("no tab '" + std::string(word) + "'", likely_name(word, names_of(known)))};
}

} // namespace

parsed_command parse_command(std::string_view line, const command_names& known) {
    const words typed = split_first(line);
    if (typed.name.empty()) return {};
    const action_entry* const entry = entry_named(typed.name);
    if (!entry) {
        std::vector<std::string> names;
        for (const action_entry& each : all_actions) names.emplace_back(each.name);
        return {{}, with_suggestion("no command '" + std::string(typed.name) + "'", likely_name(typed.name, names))};
    }
    switch (argument_of(entry->what)) {
    case argument::tab: return parse_tab(typed.rest, known);
    case argument::none:
        if (!typed.rest.empty()) return {{}, "'" + std::string(typed.name) + "' takes nothing after it"};
        break;
    case argument::task:
    case argument::text:
        if (!typed.rest.empty()) return {pressed_action{entry->what, 0, std::string(typed.rest)}, {}};
        break;
    }
    return {pressed_action{entry->what}, {}};
}

std::vector<std::string> completions_of(std::string_view line, const command_names& known) {
    const words typed = split_first(line);
    std::vector<std::string> all;
    if (!typed.has_blank) {
        for (const action_entry& each : all_actions)
            if (each.name.starts_with(typed.name))
                all.push_back(std::string(each.name) + (argument_of(each.what) == argument::none ? "" : " "));
    } else if (const action_entry* const entry = entry_named(typed.name)) {
        const argument takes = argument_of(entry->what);
        const std::vector<std::string> names = takes == argument::tab    ? names_of(known)
                                               : takes == argument::task ? known.tasks
                                                                         : std::vector<std::string>();
        for (const std::string& each : names)
            if (each.starts_with(typed.rest)) all.push_back(std::string(typed.name) + " " + each);
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

} // namespace mux
