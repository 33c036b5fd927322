// SPDX-License-Identifier: MIT
/// @file daemon.cpp: commands about the daemon: `status`, `reload`, `stop`, `daemon`, `log`.
#include "commands.hpp"

#include "client/launch.hpp"
#include "client/listings.hpp"
#include "common.hpp"

#include <mato/lock.hpp>
#include <mato/sys.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

namespace mux {
namespace {

/// Ends the daemon that holds the lock and does not answer. A keeper (mato/keeper.hpp) kills its hanging worker at SIGUSR2, and
/// the next worker ends the programs. A daemon that is one process, or whose keeper hangs too, ignores that and is killed.
/// @returns its pid. @errors as client::signal_daemon
pid_t end_silent_daemon(const mato::daemon_paths& paths, mato::error_out out) {
    using client = mato::basic_client<policies>;
    constexpr auto patience = std::chrono::seconds(2);
    const pid_t holder = client::signal_daemon(paths, SIGTERM, out);
    const mato::unique_fd watched(out.failed() || holder <= 1 ? -1 : mato::sys::pidfd_open(holder));
    const auto has_ended = [&] {
        pollfd asked{watched.get(), POLLIN, 0};
        for (const auto until = mato::deadline::in(patience); !until.passed();)
            if (mato::sys::poll(&asked, 1, until.poll_timeout()) == 1) return true;
        return false;
    };
    for (int attempt = 0; watched && attempt < 2; ++attempt) { // the second worker may hang too
        std::error_code gone;
        if (client::signal_daemon(paths, SIGUSR2, gone) != holder || has_ended()) return holder;
    }
    return client::signal_daemon(paths, SIGKILL, out);
}

} // namespace

int run_status(const invocation& what) {
    const auto paths = paths_of(what);
    const auto until = mato::deadline::in(status_patience);
    for (;;) try {
            remote daemon = remote::open(paths, start::never, until);
            try {
                print(format_status(daemon.ask<message::status>(nothing{}, until), format_of(what)));
            } catch (const daemon_gone&) {
                if (until.passed()) throw;
                continue; // ask the next daemon, or report that none is running
            }
            return 0;
        } catch (const command_failure& why) {
            if (why.exit_code == 1)
                print(format_no_daemon(format_of(what)));
            else if (why.exit_code == mato::exit_code::not_answering)
                print(format_silent_daemon(format_of(what)));
            else
                throw;
            return why.exit_code;
        }
}

int run_reload(const invocation& what) {
    open_existing(paths_of(what)).tell<message::reload>(nothing{}, soon());
    if (!what.quiet) print("reloaded\n");
    return 0;
}

/// End-of-file from the daemon means that socket, pid file and lock are gone.
int run_stop(const invocation& what) {
    const auto paths = paths_of(what);
    constexpr auto patience = std::chrono::seconds(80); // the longest grace, a minute, and what the daemon adds to it
    try {
        const auto greeting_patience = what.now ? mato::deadline::in(status_patience) : mato::deadline::in(answer_patience);
        remote daemon = remote::open(paths, start::never, greeting_patience);
        std::error_code unproved;
        const pid_t pid = mato::instance_lock::signal_holder(paths.daemon.lock, 0, unproved); // as `status` tells it
        daemon.tell<message::stop>(stop_request{what.now}, soon());
        const auto until = mato::deadline::in(patience);
        try {
            while (daemon.next(until)) {
            }
        } catch (const command_failure&) {
            if (!what.quiet) print(pid > 0 ? "stopped: daemon " + std::to_string(pid) + "\n" : std::string("stopped\n"));
            return 0;
        }
    } catch (const command_failure& why) {
        if (why.exit_code != mato::exit_code::not_answering || !what.now) throw;
        mato::failure problem;
        const pid_t pid = end_silent_daemon(paths.daemon, problem);
        if (problem)
            throw command_failure{mato::exit_code::not_answering, "the daemon does not answer, and " + problem.message()};
        if (!what.quiet) print("killed: daemon " + std::to_string(pid) + " did not answer\n");
        return 0;
    }
    throw command_failure{mato::exit_code::not_answering,
                          "the daemon is still stopping; wait, or end it with 'mato stop --now'"};
}

int run_daemon(const invocation& what) {
    const auto paths = paths_of(what);
    if (what.foreground) return serve_in_foreground(paths);
    const auto outcome = launch_daemon(paths);
    if (outcome.what == mato::start_outcome::kind::already_running)
        throw command_failure{mato::exit_code::already_running,
                              "the daemon is already running, pid " + std::to_string(outcome.holder)};
    if (!outcome) throw command_failure{mato::exit_code_for(outcome.why.code), outcome.why.message()};
    if (!what.quiet) print("the daemon is running (" + paths.daemon.socket + ")\n");
    return 0;
}

int run_log(const invocation& what) {
    constexpr long look_again_ms = 200;
    const auto paths = paths_of(what);
    const std::string path = paths.daemon.log;
    mato::unique_fd file(mato::sys::open(path.c_str(), O_RDONLY | O_NOFOLLOW));
    if (!file) throw command_failure{1, "cannot read " + path + ": " + mato::last_error().message()};
    char buffer[65'536];
    for (;;) {
        const ssize_t got = mato::sys::read(file.get(), buffer, sizeof buffer);
        if (got < 0) throw command_failure{1, "cannot read " + path + ": " + mato::last_error().message()};
        if (got > 0) {
            print(std::string(buffer, static_cast<std::size_t>(got)));
            continue;
        }
        if (!what.follow) return 0;
        struct ::stat mine {
        }, named{};
        const bool rotated = mato::sys::fstat(file.get(), &mine) == 0 && mato::sys::lstat(path.c_str(), &named) == 0 &&
                             mine.st_ino != named.st_ino;
        if (mato::unique_fd next(rotated ? mato::sys::open(path.c_str(), O_RDONLY | O_NOFOLLOW) : -1); next)
            file = std::move(next);
        else
            mato::sys::sleep_ms(look_again_ms);
    }
}

} // namespace mux
