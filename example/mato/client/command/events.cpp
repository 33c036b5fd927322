// SPDX-License-Identifier: MIT
/// @file events.cpp: `events`: prints the daemon's events until it is interrupted, its reader leaves, or the daemon stops.
#include "commands.hpp"

#include "client/event_text.hpp"
#include "common.hpp"

#include <poll.h>
#include <unistd.h>

namespace mux {
namespace {

/// Waits for the daemon's next message. @returns false when standard output no longer has a reader.
bool wait_for_message(remote& daemon) {
    for (;;) {
        pollfd ready[] = {{daemon.connection().native_handle(), POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
        if (mato::sys::poll(ready, 2, -1) == -1) continue;
        if (ready[0].revents) return true;
        if (ready[1].revents & (POLLERR | POLLHUP | POLLNVAL)) return false;
    }
}

/// As daemon_wait, which gives up when standard output has no reader.
bool wait_or_lose_reader(int connection, mato::deadline until) {
    pollfd ready[] = {{connection, POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
    static_cast<void>(mato::sys::poll(ready, 2, until.poll_timeout()));
    return !(ready[1].revents & (POLLERR | POLLHUP | POLLNVAL));
}

/// Follows the events of the daemon's next process.
remote follow_next(const program_paths& paths, mato::milliseconds patience, const follow_request& since) {
    return ask_process(paths, {.patience = patience, .needs_tabs = true, .wait = wait_or_lose_reader}, [&](remote& daemon) {
        daemon.tell<message::follow_events>(since, soon());
        daemon.waits_itself();
        return std::move(daemon);
    });
}

} // namespace

int run_events(const invocation& what) {
    const auto paths = paths_of(what);
    remote daemon = open_existing(paths);
    event_lines lines(format_of(what), what.since);
    daemon.tell<message::follow_events>(lines.go_on(), soon());
    bool stopping = false;
    for (;;) {
        auto& connection = daemon.connection();
        mato::failure why;
        std::string text;
        while (const auto payload = connection.next(why)) {
            const auto frame = parse_header(*payload).value_or(header{});
            stopping = stopping || frame.type == message::stopping;
            text += lines.of(frame);
        }
        if (!text.empty()) print(text); // a slow reader delays only this process
        if (why)
            throw command_failure{mato::exit_code::version_mismatch,
                                  "the daemon sent an invalid message; it may be of another version"};
        if (!wait_for_message(daemon)) return 0;
        connection.fill(why);
        if (!why) continue;
        while (const auto payload = connection.next(why)) print(lines.of(parse_header(*payload).value_or(header{})));
        if (stopping) return 0;
        if (daemon.survives()) { // the next process begins with a snapshot, whose number shows what was missed
            try {
                daemon = follow_next(paths, daemon.patience(), lines.go_on());
            } catch (const wait_ended&) {
                return 0;
            } catch (const command_failure&) {
                throw command_failure{1, "lost the connection to the daemon"};
            }
            continue;
        }
        throw command_failure{1, "lost the connection to the daemon"};
    }
}

} // namespace mux
