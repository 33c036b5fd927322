// SPDX-License-Identifier: MIT
/// @file surviving_daemon.hpp: a daemon with a keeper, in the foreground of a child or in the background, and its worker.
#pragma once

#include "deadline.hpp"
#include "launched_daemon.hpp"
#include "process_facts.hpp"
#include "served_daemon.hpp"

#include <mato/keeper.hpp>

#include <optional>
#include <string>

namespace support {

struct surviving_policies : mato::default_policies {
    using handover = mato::keeper;
};
using surviving = mato::basic_daemon<surviving_policies>;

enum class place { foreground, background };

[[nodiscard]] inline mato::daemon_options surviving_options(const temp_directory& directory) {
    auto options = options_in(directory.path());
    options.restarts = {mato::unlimited, std::chrono::seconds(60), std::chrono::milliseconds(0)};
    return options;
}

/// Serves once it is constructed. Its end is awaited at the latest by the destructor.
class surviving_daemon {
public:
    template <class Setup> surviving_daemon(place where, mato::daemon_options options, Setup setup) : options_(options) {
        if (where == place::foreground) {
            here_.emplace(options, setup);
            is_ready = here_->is_ready;
            keeper_ = here_->pid();
        } else {
            const auto outcome = surviving::launch(options, setup);
            is_ready = static_cast<bool>(outcome);
            keeper_ = std::atoi(read_file(options.paths.lock).c_str());
        }
    }
    surviving_daemon(const surviving_daemon&) = delete;
    ~surviving_daemon() {
        if (keeper_ <= 1) return;
        const pid_t last = worker();
        ::kill(keeper_, SIGKILL);
        if (last > 1) ::kill(last, SIGKILL);
        if (!here_) ::waitpid(keeper_, nullptr, 0);
    }

    [[nodiscard]] pid_t keeper() const noexcept { return keeper_; }
    /// The process that serves; 0: there is none.
    [[nodiscard]] pid_t worker() const {
        for (const pid_t each : children_of(keeper_))
            if (is_running(each)) return each;
        return 0;
    }
    /// The worker dies; returns once it is gone.
    void kill_worker(int signal = SIGKILL) const {
        const pid_t victim = worker();
        if (victim > 1 && ::kill(victim, signal) == 0) static_cast<void>(wait_until([&] { return !is_running(victim); }));
    }
    void signal(int number) const { ::kill(keeper_, number); }
    [[nodiscard]] std::string ask(std::string_view text) const { return support::ask(options_, text); }
    [[nodiscard]] std::string log() const { return read_file(options_.paths.log); }
    /// The keeper's exit code; less than 0: it did not exit.
    int wait() {
        int code = -1;
        if (here_) {
            code = here_->wait();
        } else {
            const mato::unique_fd watched(mato::sys::pidfd_open(keeper_));
            int status = 0;
            if (await_readable(watched.get()) && ::waitpid(keeper_, &status, 0) == keeper_ && WIFEXITED(status))
                code = WEXITSTATUS(status);
        }
        keeper_ = 0;
        return code;
    }

    bool is_ready = false;

private:
    const reaper adopt_;
    mato::daemon_options options_;
    std::optional<served<surviving>> here_;
    pid_t keeper_ = 0;
};

} // namespace support
