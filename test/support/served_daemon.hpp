// SPDX-License-Identifier: MIT
/// @file served_daemon.hpp: a daemon of the toolkit in a child of the test or in the background, and clients that ask it.
#pragma once

#include <mato/client.hpp>
#include <mato/daemon.hpp>

#include "child_process.hpp"
#include "deadline.hpp"
#include "temp_directory.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace support {

using namespace std::chrono_literals;

inline mato::daemon_options options_in(const std::filesystem::path& directory) {
    mato::daemon_options options;
    options.paths = mato::daemon_paths::in(directory);
    return options;
}

/// Answers every frame with the same, and keeps nothing.
inline const auto echo = [](auto& self) {
    self.server().on.on_frame = [](const auto& from, std::string_view payload) {
        from->established();
        from->send(payload);
    };
};

inline mato::client connect_to(const mato::daemon_options& options, mato::failure& why) {
    return mato::client::connect(mato::owned_path(options.paths.socket), mato::deadline::in(10s), why);
}

/// What a daemon answers to `text`; empty when it does not.
inline std::string ask(mato::client& client, std::string_view text) {
    mato::failure why;
    client.send(text, mato::deadline::in(10s), why);
    if (why) return {};
    const auto answer = client.receive(mato::deadline::in(10s), why);
    return answer ? std::string(*answer) : std::string();
}
inline std::string ask(const mato::daemon_options& options, std::string_view text) {
    mato::failure why;
    auto client = connect_to(options, why);
    return why ? "no connection: " + why.message() : ask(client, text);
}

/// A daemon in a forked child, once it has said that it is ready.
template <class Daemon = mato::daemon> class served {
public:
    template <class Setup> served(mato::daemon_options options, Setup setup)
        : process_([this, &options, &setup] {
              ::close(ends_[0]);
              options.notification_fd = ends_[1];
              mato::failure why;
              const int code = Daemon::serve(options, setup, why);
              if (why) std::fprintf(stderr, "%s\n", why.message().c_str());
              return why ? 100 : code;
          }) {
        ::close(std::exchange(ends_[1], -1));
        char byte = 0;
        is_ready = await_readable(ends_[0]) && ::read(ends_[0], &byte, 1) == 1 && byte == '\n';
    }
    served(const served&) = delete;
    ~served() { ::close(ends_[0]); }
    void signal(int number) const { process_.signal(number); }
    int wait() { return process_.wait(); }
    [[nodiscard]] pid_t pid() const { return process_.pid(); }

    bool is_ready = false;

private:
    struct pipe_first {
        explicit pipe_first(int (&ends)[2]) {
            if (::pipe2(ends, O_CLOEXEC) == -1) throw std::runtime_error("pipe2");
        }
    };
    int ends_[2]{-1, -1};
    pipe_first made_{ends_};
    child_process process_;
};

/// Ends what `launch` started, found by its pid file. @returns its exit code, as this process is its reaper.
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

struct reaper {
    reaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
    ~reaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 0); }
};

} // namespace support
