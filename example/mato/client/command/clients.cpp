// SPDX-License-Identifier: MIT
/// @file clients.cpp: `clients` and `detach`.
#include "commands.hpp"

#include "client/listings.hpp"
#include "common.hpp"

#include <mato/policies.hpp>

#include <charconv>

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
    detach_request wanted{what.all, 0, current_tab(paths)};
    if (!what.operands.empty()) {
        const std::string& text = what.operands[0];
        const auto [rest, why] = std::from_chars(text.data(), text.data() + text.size(), wanted.client);
        if (why != std::errc() || rest != text.data() + text.size() || wanted.client == 0 || what.all)
            throw command_failure{mato::exit_code::usage,
                                  "detach takes -a or a client's number, not '" + text + "'; see 'mato clients'"};
    }
    return wanted;
}

int run_detach(const invocation& what) {
    const auto paths = paths_of(what);
    const detach_request wanted = detach_of(what, paths);
    open_existing(paths).tell<message::detach>(wanted, soon());
    return 0;
}

} // namespace mux
