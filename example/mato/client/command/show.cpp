// SPDX-License-Identifier: MIT
/// @file show.cpp: `new`, `attach` and `mato` without a command: show a tab in this terminal.
#include "commands.hpp"

#include "client/attach.hpp"
#include "client/user_terminal.hpp"
#include "common.hpp"
#include "own_features.hpp"

#include <mato/sys.hpp>

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <span>
#include <utility>

namespace mux {
namespace {

view_options view_of(const invocation& what, const remote& daemon, vt::screen_size size) {
    view_options view;
    view.size = {what.rows ? what.rows : size.rows, what.columns ? what.columns : size.columns};
    view.readonly = what.readonly;
    view.detach_others = what.detached;
    view.ignore_size = what.ignore_size;
    view.environment = daemon.environment_for_daemon();
    view.terminal = own_features();
    return view;
}

void refuse_nesting(const program_paths& paths) {
    if (const tab_id tab = current_tab(paths))
        throw command_failure{1, "this terminal already shows tab " + std::to_string(tab) +
                                     "; switch to another tab with 'mato attach TAB', or open one with 'mato new'"};
}

/// Inside a tab: switches the terminal that shows it to another tab.
int switch_to(const invocation& what, const program_paths& paths, tab_id current) {
    if (what.readonly || what.ignore_size || what.relay)
        throw command_failure{
            mato::exit_code::usage,
            "-r, --ignore-size and --relay cannot be changed for the terminal that shows this tab; use them with --nest"};
    const std::string name = what.operands.empty() ? std::string() : what.operands[0];
    open_existing(paths).tell<message::switch_view>(switch_request{{name, current}, what.detached, {}}, soon());
    return 0;
}

/// `detach -E`: the command continues as the user's shell with that command.
[[noreturn]] void run_in_place(const std::string& command) {
    const std::string shell = variable("SHELL").value_or("/bin/sh");
    std::signal(SIGPIPE, SIG_DFL); // what main() ignores is not for other programs
    std::signal(SIGXFSZ, SIG_DFL);
    ::execl(shell.c_str(), shell.c_str(), "-c", command.c_str(), nullptr);
    throw command_failure{mato::exit_code::unavailable,
                          "cannot run '" + command + "' with " + shell + ": " + mato::last_error().message()};
}

user_terminal open_terminal() {
    mato::failure why;
    user_terminal tty = user_terminal::open(why);
    if (why) throw command_failure{1, why.message()};
    return tty;
}

/// Attaches to the tab again, through the daemon's next process; or asks how its program ended.
attached_again attach_to_next(const invocation& what, remote& daemon, user_terminal& tty, tab_id tab, const daemon_wait& wait) {
    return ask_process(paths_of(what), {.patience = daemon.patience(), .needs_tabs = true, .wait = wait}, [&](remote& next) {
        attach_request wanted;
        wanted.which.name = std::to_string(tab);
        wanted.view = view_of(what, next, tty.size());
        wanted.view.detach_others = false;
        wanted.view.passes_terminal = !what.relay;
        const int descriptors[] = {tty.native_handle(), tty.guardian().release_pipe()};
        const auto passed = what.relay ? std::span<const int>() : std::span<const int>(descriptors);
        attached_again how;
        how.size = wanted.view.size;
        const auto until = mato::deadline::in(reconnect_patience);
        try {
            const auto id = next.post_with<message::attach>(std::move(wanted), passed, until);
            how.drawing = next.await<message::attached>(id, until).direct ? drawn_by::daemon : drawn_by::client;
        } catch (const daemon_gone&) {
            throw;
        } catch (const wait_ended&) {
            throw;
        } catch (const command_failure& why) {
            if (why.exit_code == mato::exit_code::not_answering) throw;
            const target which{std::to_string(tab), 0};
            how.exit_code = next.ask<message::wait_exit>(which, until).code;
        }
        next.waits_itself();
        daemon = std::move(next);
        return how;
    });
}

/// Requests a tab with `view` inside `request`, and shows it until the attachment ends.
template <message Number>
requires answers<Number, message::attached>
int show(const invocation& what, remote& daemon, user_terminal& tty, body_of<Number> request,
         view_options body_of<Number>::*view) {
    mato::failure why;
    tty.prepare_guard(why);
    if (why) throw command_failure{1, why.message()};
    const auto until = mato::deadline::in(start_patience);
    (request.*view).passes_terminal = !what.relay;
    const std::string ask = questions((request.*view).terminal);
    if (!(request.*view).terminal.addresses)
        throw command_failure{1, "cannot show a tab on this terminal (TERM=" + variable("TERM").value_or("") +
                                     "): it cannot position its cursor; set TERM to the terminal's type"};
    const int descriptors[] = {tty.native_handle(), tty.guardian().release_pipe()};
    const auto passed = what.relay ? std::span<const int>() : std::span<const int>(descriptors);
    const auto id = daemon.post_with<Number>(std::move(request), passed, until);
    tty.guard(why); // while the daemon works; nothing is drawn before show_tab
    if (why)        // at the limit of processes: attaching may be the way to end some
        std::fprintf(stderr,
                     "mato: no process guards this terminal (%s); if this client is killed, run 'reset' to restore it\n",
                     why.message().c_str());
    const auto shown = daemon.await<message::attached>(id, until);
    if (!daemon.survives()) tty.guardian().release_pipe_is_passed(); // otherwise the next process gets it too
    const attach_result result = show_tab(daemon, tty, shown, ask, [&](remote& next, tab_id tab, const daemon_wait& wait) {
        return attach_to_next(what, next, tty, tab, wait);
    });
    tty.guardian().dismiss();
    print(result.last_line + "\n");
    if (result.then.hangs_up) mato::sys::kill(::getppid(), SIGHUP);
    if (!result.then.command.empty()) run_in_place(result.then.command);
    return result.exit_code;
}

bool exists(const program_paths& paths, const target& which) {
    try {
        ask_running_daemon(paths, [&](remote& daemon) { daemon.tell<message::find_tab>(which, soon()); });
        return true;
    } catch (const command_failure&) {
        return false; // whatever else is wrong is told when the tab is opened
    }
}

/// As ask_until_started. Looks at the terminal while the daemon starts.
template <class Request> int ask_for_tab(const invocation& what, const program_paths& paths, Request request) {
    return ask_until_started(what, paths, std::move(request), [] { static_cast<void>(own_features()); });
}

} // namespace

int run_new(const invocation& what) {
    const auto paths = paths_of(what);
    if (what.attaches) {
        const std::string named = what.name.empty() || what.task.empty() ? what.task + what.name : what.task + "/" + what.name;
        if (named.empty())
            throw command_failure{mato::exit_code::usage, "new -A needs the name of a tab or of a task: -n NAME or -t TASK"};
        if (exists(paths, {named, current_tab(paths)})) {
            invocation again = what;
            again.operands = {named};
            return run_attach(again);
        }
    }
    new_tab wanted = new_tab_of(what, paths);
    if (what.detached || what.wait) {
        wanted.then = what.wait ? after_opening::wait : after_opening::nothing;
        return ask_for_tab(what, paths, [&](remote& daemon) {
            wanted.view = view_of(what, daemon, {});
            if (what.wait) return static_cast<int>(daemon.ask<message::new_tab, message::exit_status>(wanted).code);
            const auto opened = daemon.ask<message::new_tab, message::tab_opened>(wanted, mato::deadline::in(start_patience));
            if (!what.quiet) print(std::to_string(opened.id) + "\n");
            return 0;
        });
    }
    if (wanted.current != 0 && !what.nest) {
        wanted.then = after_opening::switch_viewer;
        return ask_for_tab(what, paths, [&](remote& daemon) {
            wanted.view = view_of(what, daemon, {});
            daemon.ask<message::new_tab, message::tab_opened>(wanted, mato::deadline::in(start_patience));
            return 0;
        });
    }
    user_terminal tty = open_terminal();
    wanted.then = after_opening::attach;
    return ask_for_tab(what, paths, [&](remote& daemon) {
        wanted.view = view_of(what, daemon, tty.size());
        wanted.view.detach_others = false;
        return show<message::new_tab>(what, daemon, tty, wanted, &new_tab::view);
    });
}

int run_attach(const invocation& what) {
    const auto paths = paths_of(what);
    const tab_id current = current_tab(paths);
    if (current != 0 && !what.nest) return switch_to(what, paths, current);
    user_terminal tty = open_terminal();
    remote daemon = open_existing(paths, 1);
    attach_request wanted;
    wanted.which.current = current;
    if (!what.operands.empty()) wanted.which.name = what.operands[0];
    wanted.view = view_of(what, daemon, tty.size());
    try {
        return show<message::attach>(what, daemon, tty, wanted, &attach_request::view);
    } catch (const command_failure&) {
        if (!daemon.has_stopped_before_opening()) throw;
        print("[daemon stopped]\n");
        return 1;
    }
}

int run_attach_or_new(const invocation& what) {
    const auto paths = paths_of(what);
    refuse_nesting(paths);
    user_terminal tty = open_terminal();
    return ask_for_tab(what, paths, [&](remote& daemon) {
        const auto view = view_of(what, daemon, tty.size());
        if (daemon.ask<message::list_tabs>(nothing{}, soon()).tabs.empty()) {
            new_tab wanted = new_tab_of(what, paths);
            wanted.view = view;
            wanted.then = after_opening::attach;
            return show<message::new_tab>(what, daemon, tty, wanted, &new_tab::view);
        }
        attach_request latest;
        latest.view = view;
        return show<message::attach>(what, daemon, tty, latest, &attach_request::view);
    });
}

} // namespace mux
