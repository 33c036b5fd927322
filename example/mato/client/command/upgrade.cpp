// SPDX-License-Identifier: MIT
/// @file upgrade.cpp: `upgrade` and `restart`: the daemon's program is replaced, and every tab and client goes on.
#include "commands.hpp"

#include "common.hpp"

#include <mato/printable.hpp>
#include <mato/sys.hpp>

#include <fcntl.h>

#include <string>
#include <utility>

namespace mux {
namespace {

/// The daemon gives its new program 10 s, and answers then.
constexpr std::chrono::seconds upgrade_patience{20};

std::string count_of(std::uint32_t count, const std::string& noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

mato::unique_fd open_program(const invocation& what) {
    const std::string path = what.replacement.empty() ? "/proc/self/exe" : what.replacement;
    mato::unique_fd program(mato::sys::open(path.c_str(), O_RDONLY));
    if (!program) throw command_failure{1, "cannot open " + path + ": " + mato::last_error().message()};
    return program;
}

/// The daemon before and after.
struct served {
    std::string version; ///< "0.2.0"
    status_report status;
};

served ask_daemon(const program_paths& paths, mato::deadline until) {
    for (;;) {
        remote daemon = open_existing(paths, 1);
        try {
            auto status = daemon.ask<message::status>(nothing{}, until);
            return {daemon.daemon().program, std::move(status)};
        } catch (const daemon_gone&) {
            if (until.passed()) throw;
        }
    }
}

/// Requests it. @returns the daemon's answer; empty: its process ended without one, as after a success whose answer could not
/// be sent. @throws command_failure: refused, or rolled back.
std::optional<upgrade_report> request_upgrade(remote& daemon, const upgrade_request& wanted, const mato::unique_fd& program,
                                              mato::deadline until) {
    try {
        const int with[] = {program.get()};
        const auto id =
            program ? daemon.post_with<message::upgrade>(wanted, with, until) : daemon.post<message::upgrade>(wanted);
        return daemon.await<message::upgrade_report>(id, until);
    } catch (const daemon_gone&) {
        return std::nullopt;
    }
}

/// @throws command_failure: the process that serves now is not the new program.
int replace(const program_paths& paths, const upgrade_request& wanted, const mato::unique_fd& program, bool quiet) {
    const auto until = mato::deadline::in(upgrade_patience);
    const served before = ask_daemon(paths, until);
    remote daemon = open_existing(paths, 1);
    const auto answer = request_upgrade(daemon, wanted, program, until);
    const served after = ask_daemon(paths, until);
    if (after.status.upgraded == 0 || after.status.generation <= before.status.generation)
        throw command_failure{1, "the daemon's process died during the upgrade; generation " +
                                     std::to_string(after.status.generation) + " serves, mato " + after.version +
                                     " (see 'mato log')"};
    if (quiet) return 0;
    std::uint32_t tabs = 0;
    for (const task_count& each : after.status.tasks) tabs += each.tabs;
    const std::string versions =
        wanted.same_program ? "restarted: mato " + after.version : "upgraded: mato " + before.version + " → " + after.version;
    print(versions + ", " + count_of(tabs, "tab") + ", " +
          count_of(answer ? answer->clients : before.status.clients, "client") + ", " + std::to_string(after.status.gap_ms) +
          " ms\n");
    return 0;
}

/// Ends the process that serves, which does not answer. @throws command_failure: no daemon, or it is one process.
int kill_hanging(const program_paths& paths, bool quiet) {
    mato::failure why;
    const pid_t holder = mato::basic_client<policies>::signal_daemon(paths.daemon, SIGUSR2, why);
    if (why) throw command_failure{mato::exit_code::not_answering, "the daemon does not answer, and " + why.message()};
    const served after = ask_daemon(paths, mato::deadline::in(upgrade_patience));
    if (!quiet)
        print("killed: the process of daemon " + std::to_string(holder) + " did not answer; generation " +
              std::to_string(after.status.generation) + " serves\n");
    return 0;
}

} // namespace

int run_upgrade(const invocation& what) {
    const auto paths = paths_of(what);
    const mato::unique_fd program = open_program(what);
    if (!what.check) return replace(paths, {}, program, what.quiet);
    remote daemon = open_existing(paths, 1);
    const auto answer = request_upgrade(daemon, {.check = true}, program, mato::deadline::in(upgrade_patience));
    if (!answer) throw command_failure{1, "the daemon's process died during the check; see 'mato log'"};
    std::string text = "mato " + daemon.daemon().program + " can be upgraded: " + count_of(answer->tabs, "tab") + ", " +
                       count_of(answer->clients, "client") + "\n";
    for (const old_client& each : answer->too_old)
        text += "client " + std::to_string(each.id) + " (pid " + std::to_string(each.pid) + ", " +
                mato::printable(each.program) + ") is too old to come back by itself\n";
    if (!what.quiet) print(text);
    return 0;
}

int run_restart(const invocation& what) {
    const auto paths = paths_of(what);
    if (what.now) try {
            static_cast<void>(remote::open(paths, start::never, mato::deadline::in(status_patience)));
        } catch (const command_failure& why) {
            if (why.exit_code != mato::exit_code::not_answering) throw;
            return kill_hanging(paths, what.quiet);
        }
    return replace(paths, {.same_program = true}, {}, what.quiet);
}

} // namespace mux
