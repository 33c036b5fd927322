// SPDX-License-Identifier: MIT
#include "commands.hpp"

#include "client/help.hpp"
#include "client/man_pages.hpp"
#include "common.hpp"

#include <mato/policies.hpp>
#include <mato/version.hpp>

namespace mux {

int run_command(const invocation& what) {
    switch (what.command) {
    case command::attach_or_new: return run_attach_or_new(what);
    case command::new_tab: return run_new(what);
    case command::attach: return run_attach(what);
    case command::detach: return run_detach(what);
    case command::switch_view: return run_switch(what);
    case command::buffer: return run_buffer(what);
    case command::channel: return run_channel(what);
    case command::ls: return run_ls(what);
    case command::clients: return run_clients(what);
    case command::has: return run_has(what);
    case command::send: return run_send(what);
    case command::capture: return run_capture(what);
    case command::read: return run_read(what);
    case command::run: return run_run(what);
    case command::find: return run_find(what);
    case command::record: return run_record(what);
    case command::resize: return run_resize(what);
    case command::wait: return run_wait(what);
    case command::kill: return run_kill(what);
    case command::respawn: return run_respawn(what);
    case command::undo: return run_undo(what);
    case command::state: return run_state(what);
    case command::notice: return run_notice(what);
    case command::rename: return run_rename(what);
    case command::move: return run_move(what);
    case command::events: return run_events(what);
    case command::control: return run_control(what);
    case command::status: return run_status(what);
    case command::upgrade: return run_upgrade(what);
    case command::restart: return run_restart(what);
    case command::reload: return run_reload(what);
    case command::stop: return run_stop(what);
    case command::daemon: return run_daemon(what);
    case command::log: return run_log(what);
    case command::completion: return run_completion(what);
    case command::shell: return run_shell(what);
    case command::help: {
        const command_entry* const one = what.operands.empty() ? nullptr : find_command(what.operands[0]);
        if (what.man)
            print(one ? man_page_of(*one) : man_page());
        else
            print(one ? help_of(*one) : help_text());
        return 0;
    }
    case command::version: print("mato " MATO_VERSION_STRING "\n"); return 0;
    }
    return mato::exit_code::usage;
}

} // namespace mux
