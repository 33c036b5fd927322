// SPDX-License-Identifier: MIT
/// @file launched_daemon.hpp: a daemon in the background, whose end the test can wait for.
#pragma once

#include "child_process.hpp"
#include "temp_directory.hpp"

#include <mato/client.hpp>
#include <mato/daemon.hpp>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace support {

[[nodiscard]] inline mato::daemon_options options_in(const std::filesystem::path& directory) {
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(directory);
    return options;
}

/// A daemon's setup: echoes every frame.
inline const auto echo = [](auto& self) {
    self.server().on.on_frame = [](const auto& from, std::string_view payload) {
        from->established();
        from->send(payload);
    };
};

[[nodiscard]] inline mato::client connect_to(const mato::daemon_options& options, mato::failure& why) {
    return mato::client::connect(mato::owned_path(options.paths.socket), mato::deadline::in(std::chrono::seconds(10)), why);
}

/// The daemon's reply to `text`; empty if there is none.
[[nodiscard]] inline std::string ask(mato::client& client, std::string_view text) {
    mato::failure why;
    client.send(text, mato::deadline::in(std::chrono::seconds(10)), why);
    if (why) return {};
    const auto answer = client.receive(mato::deadline::in(std::chrono::seconds(10)), why);
    return answer ? std::string(*answer) : std::string();
}
[[nodiscard]] inline std::string ask(const mato::daemon_options& options, std::string_view text) {
    mato::failure why;
    auto client = connect_to(options, why);
    return why ? "no connection: " + why.message() : ask(client, text);
}

/// While in scope, daemons become children of this process when their starters have exited.
struct reaper {
    reaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
    reaper(const reaper&) = delete;
    ~reaper() {
        ::prctl(PR_SET_CHILD_SUBREAPER, 0);
        while (::waitpid(-1, nullptr, WNOHANG) > 0) {
        }
    }
};

/// Ends the daemon that `launch` started, found by its pid file. @pre a reaper is in scope
/// @returns its exit code; less than 0: there is no daemon, or a signal killed it.
inline int end_launched(const mato::daemon_options& options, int signal = SIGTERM) {
    const int pid = std::atoi(read_file(options.paths.pid).c_str());
    if (pid <= 1) return -1;
    ::kill(pid, signal);
    const mato::unique_fd watched(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
    if (!await_readable(watched.get())) return -2;
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1000 - WTERMSIG(status);
}

} // namespace support
