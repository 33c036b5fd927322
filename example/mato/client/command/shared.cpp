// SPDX-License-Identifier: MIT
/// @file shared.cpp: `buffer` and `channel`: what scripts and users share by name.
#include "commands.hpp"

#include "client/listings.hpp"
#include "common.hpp"
#include "shared_exchanges.hpp"
#include "standard_input.hpp"
#include "waits.hpp"

namespace mux {

int run_buffer(const invocation& what) {
    const auto paths = paths_of(what);
    const buffer_use wanted = buffer_use_of(what, paths);
    remote daemon = open_existing(paths);
    switch (wanted.verb) {
    case buffer_verb::set:
        daemon.tell<message::set_buffer>({wanted.name, wanted.from_input ? standard_input() : wanted.text}, soon());
        break;
    case buffer_verb::get: print(daemon.ask<message::get_buffer>({wanted.name}, soon()).text); break;
    case buffer_verb::ls: print(format_buffers(daemon.ask<message::list_buffers>(nothing{}, soon()), format_of(what))); break;
    case buffer_verb::rm: daemon.tell<message::remove_buffer>({wanted.name}, soon()); break;
    case buffer_verb::paste: daemon.tell<message::paste_buffer>({wanted.name, wanted.which}, soon()); break;
    }
    return 0;
}

int run_channel(const invocation& what) {
    const auto paths = paths_of(what);
    if (signals_channel(what)) {
        open_existing(paths).tell<message::signal_channel>({what.operands[1]}, soon());
        return 0;
    }
    const auto until = deadline_of(what);
    return ask_process(paths, {.needs_tabs = true}, [&](remote& daemon) {
        awaiting_signal waits(what.operands[1], until);
        return run_to_completion(daemon, waits);
    });
}

} // namespace mux
