// SPDX-License-Identifier: MIT
/// @file ls.cpp: `ls`: lists tasks and tabs, once or after each change.
#include "commands.hpp"

#include "client/tab_columns.hpp"
#include "common.hpp"
#include "own_features.hpp"
#include "pty/spawn.hpp"

#include <mato/signals.hpp>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>

namespace mux {
namespace {

constexpr std::chrono::milliseconds redraw_pause{100}; ///< between two lists of `ls -w`

vt::screen_size size_of_output() {
    const auto size = size_of(STDOUT_FILENO);
    return size ? size->cells : vt::screen_size{24, 80};
}

std::string table_for_terminal(const tab_list& tabs, const program_paths& paths) {
    return tabs_in_columns(tabs, {size_of_output().columns, own_features().utf8, current_tab(paths)});
}

std::string listing_of(remote& daemon, const invocation& what, const program_paths& paths) {
    if (what.ended) return format_ended(daemon.ask<message::list_ended>(nothing{}, soon()), format_of(what));
    const tab_list tabs = daemon.ask<message::list_tabs>(nothing{}, soon());
    if (what.json || ::isatty(STDOUT_FILENO) == 0) return format_tabs(tabs, format_of(what));
    return table_for_terminal(tabs, paths);
}

/// Text on the terminal that is replaced by the next one. The last text stays there.
class replaced_text {
public:
    void show(const std::string& text) {
        const vt::screen_size size = size_of_output();
        const auto most = static_cast<std::size_t>(std::max(1, size.rows - 1));
        std::string out = rows_ == 0 ? "" : "\r\033[" + std::to_string(rows_) + "A\033[J";
        std::size_t from = 0;
        for (rows_ = 0; rows_ < most && from < text.size(); ++rows_) {
            const std::size_t end = text.find('\n', from) + 1;
            out.append(text, from, end - from);
            from = end;
        }
        print(out);
    }

private:
    std::size_t rows_ = 0;
};

/// Waits for an event of the daemon, or for another size of the terminal.
void wait_for_change(remote& daemon, mato::default_signal_source& resizes) {
    pollfd ready[] = {{daemon.connection().native_handle(), POLLIN, 0}, {resizes.native_handle(), POLLIN, 0}};
    static_cast<void>(mato::sys::poll(ready, 2, -1));
    while (resizes.try_next()) {
    }
    if (!ready[0].revents) return;
    // Events come in groups; one list shows them all.
    for (const auto until = mato::deadline::in(redraw_pause); !until.passed();) static_cast<void>(daemon.next(until));
}

void watch_list(const program_paths& paths) {
    mato::failure why;
    auto resizes = mato::default_signal_source::open(mato::make_signal_set({SIGWINCH}), why);
    if (why) throw command_failure{1, "ls -w: cannot wait for signals: " + why.message()};
    replaced_text shown;
    ask_process(paths, {.needs_tabs = true}, [&](remote& daemon) {
        daemon.tell<message::follow_events>(follow_request{}, soon());
        for (;;) {
            shown.show(table_for_terminal(daemon.ask<message::list_tabs>(nothing{}, soon()), paths));
            wait_for_change(daemon, resizes);
        }
    });
}

} // namespace

int run_ls(const invocation& what) {
    const auto paths = paths_of(what);
    if (what.follow) {
        if (::isatty(STDOUT_FILENO) == 0)
            throw command_failure{mato::exit_code::usage,
                                  "ls -w draws on a terminal, and standard output is none; use 'mato events' there"};
        watch_list(paths);
        return 0;
    }
    print(ask_running_daemon(paths, [&](remote& daemon) { return listing_of(daemon, what, paths); }));
    return 0;
}

} // namespace mux
