// SPDX-License-Identifier: MIT
/// @file clients.cpp: `clients`, `detach` and `switch`.
#include "commands.hpp"

#include "client/listings.hpp"
#include "common.hpp"

#include <mato/policies.hpp>

namespace mux {

int run_clients(const invocation& what) {
    print(ask_running_daemon(paths_of(what), [&](remote& daemon) {
        auto list = daemon.ask<message::list_clients>(nothing{}, soon());
        std::erase_if(list.clients, [&](const client_info& each) { return each.id == daemon.daemon().client; }); // this command
        return format_clients(list, format_of(what));
    }));
    return 0;
}

detach_request detach_of(const invocation& what, const program_paths& paths) {
    detach_request wanted{what.all, what.client, current_tab(paths)};
    if (!what.operands.empty()) wanted.tab.value = what.operands[0];
    wanted.task.value = what.task;
    wanted.others.value = what.others;
    wanted.then.value = what.then;
    if (what.others && wanted.current == 0)
        throw command_failure{mato::exit_code::usage,
                              "detach --others works inside a tab; elsewhere use -a, or -c with a client's number"};
    return wanted;
}

int run_detach(const invocation& what) {
    const auto paths = paths_of(what);
    const detach_request wanted = detach_of(what, paths);
    open_existing(paths).tell<message::detach>(wanted, soon());
    return 0;
}

switch_request switch_of(const invocation& what, const program_paths& paths) {
    switch_request wanted;
    wanted.which = {what.operands[0] == "-" ? std::string() : what.operands[0], current_tab(paths)};
    wanted.client.value = what.client;
    return wanted;
}

int run_switch(const invocation& what) {
    const auto paths = paths_of(what);
    open_existing(paths).tell<message::switch_view>(switch_of(what, paths), soon());
    return 0;
}

} // namespace mux
