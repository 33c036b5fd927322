// SPDX-License-Identifier: MIT
/// @file completion.cpp: `completion`: scripts for shells, and the words for these.
#include "commands.hpp"

#include "client/completion.hpp"
#include "common.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <string>
#include <utility>

namespace mux {
namespace {

constexpr std::chrono::milliseconds completion_patience{500}; // a user waits, with a key pressed

void add_new(std::vector<completion>& to, completion one) {
    if (std::ranges::find(to, one.word, &completion::word) == to.end()) to.push_back(std::move(one));
}

/// Without a daemon, or if it does not answer in time: no names.
live_names names_for(value_kind kind, const path_options& options) {
    live_names names;
    if (kind != value_kind::tab && kind != value_kind::task && kind != value_kind::client) return names;
    invocation what;
    what.paths = options;
    const auto until = mato::deadline::in(completion_patience);
    try {
        remote daemon = remote::open(paths_of(what), start::never, until);
        if (kind == value_kind::client)
            for (const client_info& each : daemon.ask<message::list_clients>(nothing{}, until).clients) {
                if (each.id != daemon.daemon().client) names.clients.push_back({std::to_string(each.id), each.tty});
            }
        else
            for (const tab_info& each : daemon.ask<message::list_tabs>(nothing{}, until).tabs) {
                const std::string name = each.task + "/" + each.name;
                names.tabs.push_back({name, each.command});
                names.tabs.push_back({std::to_string(each.id), name});
                add_new(names.tasks, {each.task, {}});
            }
    } catch (const command_failure&) {
        return {};
    }
    return names;
}

} // namespace

int run_completion(const invocation& what) {
    const std::string& wanted = what.operands[0];
    if (wanted == "words") {
        const completion_place place = completion_place_of(std::span(what.operands).subspan(1));
        print(completion_lines(place, completions_of(place, names_for(place.kind, place.paths))));
        return 0;
    }
    const std::string_view script = completion_script(wanted);
    if (script.empty() || what.operands.size() > 1)
        throw command_failure{mato::exit_code::usage,
                              "completion takes bash, zsh or fish, not '" + wanted + "'; see 'mato help completion'"};
    print(std::string(script));
    return 0;
}

} // namespace mux
