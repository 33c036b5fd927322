// SPDX-License-Identifier: MIT
/// @file served_daemon.hpp: a daemon in the foreground of a forked child.
#pragma once

#include "child_process.hpp"

#include <mato/daemon.hpp>

#include <cstdio>
#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>
#include <utility>

namespace support {

/// A daemon in a forked child, after it has reported ready.
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

} // namespace support
