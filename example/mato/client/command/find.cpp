// SPDX-License-Identifier: MIT
/// @file find.cpp: `find`: the lines of all tabs in which a pattern matches.
#include "commands.hpp"

#include "common.hpp"
#include "protocol/text_pattern.hpp"
#include "watching.hpp"

#include <mato/printable.hpp>

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>

namespace mux {
namespace {

text_pattern pattern_of(const invocation& what) {
    std::string problem;
    const auto match = what.any_case ? text_pattern::letters::of_any_case : text_pattern::letters::exact;
    auto compiled = text_pattern::compile(what.operands[0], problem, match);
    if (!compiled)
        throw command_failure{mato::exit_code::usage, "'" + what.operands[0] + "' is not a valid pattern: " + problem};
    return std::move(*compiled);
}

/// Each line of the text in which a match begins, once.
std::string hits_of(const invocation& what, const text_pattern& pattern, const tab_info& in, const text_parts& text) {
    std::string hits;
    text_search search(pattern, text.text());
    for (;;) {
        auto state = search.step();
        while (state == text_search::state::searching) state = search.step();
        if (state == text_search::state::absent) return hits;
        const std::size_t at = search.found().begin;
        const text_mark place = text.mark_at(at);
        const std::string line = text.line_at(at);
        hits.append(what.json ? json::object()
                                    .add("tab", in.id)
                                    .add("task", in.task)
                                    .add("name", in.name)
                                    .add("line", place.line + 1)
                                    .add("mark", place.text())
                                    .add("text", line)
                                    .done()
                                    .text
                              : place.text() + " " + mato::printable(line));
        hits += '\n';
        search.go_on(std::min(text.text().find('\n', at), text.text().size() - 1) + 1);
    }
}

} // namespace

int run_find(const invocation& what) {
    const text_pattern pattern = pattern_of(what);
    const auto paths = paths_of(what);
    const tab_list list = ask_running_daemon(
        paths, [](remote& daemon) { return daemon.ask<message::list_tabs>(nothing{}, soon()); }, mato::exit_code::unavailable);
    std::size_t without_text = 0;
    bool is_task_known = what.task.empty(), is_found = false;
    for (const tab_info& each : list.tabs) {
        if (!what.task.empty() && each.task != what.task) continue;
        is_task_known = true;
        try {
            const std::string hits = ask_running_daemon(
                paths,
                [&](remote& daemon) {
                    reading all({std::to_string(each.id), 0}, {text_begin::oldest, 0, 0});
                    run_to_completion(daemon, all);
                    return hits_of(what, pattern, each, all.seen());
                },
                mato::exit_code::unavailable);
            is_found |= !hits.empty();
            print(hits);
        } catch (const command_failure& why) {
            if (why.exit_code == cannot_be_answered)
                ++without_text; // its emulator is raw
            else if (why.exit_code != 1)
                throw; // 1: it was closed meanwhile
        }
    }
    if (!is_task_known) throw command_failure{1, "no task is named '" + what.task + "'"};
    if (without_text > 0 && !what.quiet)
        std::fprintf(stderr, "mato: not searched, because the emulator is 'raw': %zu tab%s\n", without_text,
                     without_text == 1 ? "" : "s");
    return is_found ? 0 : 1;
}

} // namespace mux
