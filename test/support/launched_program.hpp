// SPDX-License-Identifier: MIT
/// @file launched_program.hpp: a program of this build that runs as a daemon with a keeper, and is upgraded on request.
#pragma once

#include <mato/client.hpp>

#include "catch.hpp"
#include "child_process.hpp"
#include "deadline.hpp"
#include "launched_daemon.hpp"
#include "process_facts.hpp"
#include "temp_directory.hpp"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

/// A program of this build that runs as a daemon in a directory of its own.
class launched {
public:
    explicit launched(std::string program = UPGRADABLE_DAEMON)
        : program_(std::move(program)), options_(options_in(directory.path())) {
        child_process starter([&] {
            ::execl(program_.c_str(), program_.c_str(), directory.path().c_str(), nullptr);
            return 1;
        });
        is_ready = starter.wait() == 0;
        keeper_ = std::atoi(read_file(options_.paths.lock).c_str());
    }
    launched(const launched&) = delete;
    ~launched() {
        if (keeper_ <= 1) return;
        const auto workers = children_of(keeper_);
        ::kill(keeper_, SIGKILL);
        for (const pid_t each : workers) ::kill(each, SIGKILL);
        ::waitpid(keeper_, nullptr, 0);
    }

    void let_next(std::string_view behaviour) const { std::ofstream(directory / "behaviour") << behaviour << "\n"; }
    [[nodiscard]] mato::client connect() const {
        mato::failure why;
        auto client = connect_to(options_, why);
        INFO(why.message());
        CHECK_FALSE(why);
        return client;
    }
    [[nodiscard]] std::string ask(std::string_view text) const { return support::ask(options_, text); }
    /// Requests an upgrade. @returns the daemon's answer; empty: the new program took over.
    [[nodiscard]] std::string upgrade(mato::client& client, std::string program = {},
                                      std::chrono::milliseconds within = std::chrono::seconds(20)) const {
        return request("upgrade ", client, std::move(program), within);
    }
    /// As `upgrade`, but only asks whether it could take over.
    [[nodiscard]] std::string check(mato::client& client, std::string program = {},
                                    std::chrono::milliseconds within = std::chrono::seconds(20)) const {
        return request("check ", client, std::move(program), within);
    }
    [[nodiscard]] std::string request(const char* word, mato::client& client, std::string program,
                                      std::chrono::milliseconds within) const {
        const std::string request =
            word + std::to_string(within.count()) + " " + (program.empty() ? program_ : std::move(program));
        mato::failure why;
        client.send(request, mato::deadline::in(std::chrono::seconds(20)), why);
        const auto answer = client.receive(mato::deadline::in(std::chrono::seconds(30)), why);
        return answer ? std::string(*answer) : std::string();
    }
    [[nodiscard]] std::vector<std::string> log() const {
        std::vector<std::string> lines;
        std::ifstream file(options_.paths.log);
        for (std::string line; std::getline(file, line);) lines.push_back(line);
        return lines;
    }
    [[nodiscard]] pid_t keeper() const noexcept { return keeper_; }
    [[nodiscard]] const mato::daemon_options& options() const noexcept { return options_; }
    /// Processes that the keeper started and that run.
    [[nodiscard]] std::vector<pid_t> workers() const {
        std::vector<pid_t> running;
        for (const pid_t each : children_of(keeper_))
            if (is_running(each)) running.push_back(each);
        return running;
    }
    [[nodiscard]] int stop() {
        ::kill(keeper_, SIGTERM);
        const mato::unique_fd watched(mato::sys::pidfd_open(keeper_));
        int status = 0;
        if (!await_readable(watched.get(), std::chrono::seconds(20)) || ::waitpid(keeper_, &status, 0) != keeper_) return -1;
        keeper_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }

    const temp_directory directory;
    bool is_ready = false;

private:
    const reaper adopt_;
    std::string program_;
    mato::daemon_options options_;
    pid_t keeper_ = 0;
};

} // namespace support
