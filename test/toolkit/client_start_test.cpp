// SPDX-License-Identifier: MIT
/// @file client_start_test.cpp: one daemon is found or started for all clients at a time; no wait exceeds its deadline.
#include <mato/client.hpp>

#include <mato/daemon.hpp>

#include "support/bare_server.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/deadline.hpp"
#include "support/launched_daemon.hpp"
#include "support/temp_directory.hpp"

using namespace std::chrono_literals;
using mato::client;
using mato::deadline;
using mato::errc;
using outcome = support::launch_outcome;
using support::bare_server;
using support::contains;
using support::echo;
using support::end_launched;
using support::options_in;
using support::reaper;
using support::temp_directory;
using names = std::vector<std::string>;

// ---- the contract ----

TEST_CASE("a running daemon is found without starting one", "[client]") {
    const temp_directory directory;
    bare_server server(directory / "daemon.sock");
    mato::failure why;
    int launches = 0;
    const auto found = client::connect_or_start(
        mato::daemon_paths::in(directory.path()), deadline::in(10s), [&] { return ++launches, outcome{}; }, why);
    CHECK_FALSE(why);
    CHECK(found);
    CHECK(launches == 0);
}

TEST_CASE("without a daemon one is started, once, and serves the client", "[client]") {
    const reaper adopt;
    const temp_directory directory;
    const auto options = options_in(directory / "made" / "for it");
    mato::failure why;
    int launches = 0;
    const auto start = [&] { return ++launches, mato::daemon::launch(options, echo); };
    auto one = client::connect_or_start(options.paths, deadline::in(20s), start, why);
    INFO(why.message());
    REQUIRE(one);
    CHECK(launches == 1);
    CHECK(support::mode_of(options.paths.directory()) == 0700);
    auto two = client::connect_or_start(options.paths, deadline::in(20s), start, why);
    CHECK(launches == 1);
    for (auto* each : {&one, &two}) {
        each->send("x", deadline::in(10s), why);
        CHECK(each->receive(deadline::in(10s), why) == "x");
    }
    CHECK(end_launched(options) == mato::exit_code::ok);
}

TEST_CASE("connect_or_start takes a server policy, which decides before anything is sent or started", "[client]") {
    const temp_directory directory;
    bare_server server(directory / "daemon.sock");
    const auto paths = mato::daemon_paths::in(directory.path());
    mato::failure why;
    int launches = 0;
    const auto launch = [&] { return ++launches, outcome{}; };
    const mato::uid_set own{{::geteuid()}}, other{{::geteuid() + 4242}};
    CHECK(client::connect_or_start(paths, own, deadline::in(10s), launch, why));
    CHECK_FALSE(why);
    CHECK_FALSE(client::connect_or_start(paths, other, deadline::in(10s), launch, why));
    CHECK(why.code == errc::server_not_trusted);
    CHECK(launches == 0);
}

TEST_CASE("stop_daemon returns when the daemon has gone, or says that it still runs", "[client]") {
    const reaper adopt;
    const temp_directory directory;
    const auto options = options_in(directory.path());
    mato::failure why;
    CHECK(client::stop_daemon(options.paths, deadline::in(10s), why) == 0);
    CHECK(why.code == mato::cond::not_running);
    for (int round = 0; round < 3; ++round) {
        REQUIRE(mato::daemon::launch(options, echo));
        const pid_t pid = std::atoi(support::read_file(options.paths.pid).c_str());
        CHECK(client::stop_daemon(options.paths, deadline::in(20s), why) == pid);
        CHECK_FALSE(why);
        CHECK_FALSE(std::filesystem::exists(options.paths.socket));
        CHECK_FALSE(std::filesystem::exists(options.paths.lock));
    }
    REQUIRE(mato::daemon::launch(options, [](mato::daemon& self) {
        self.on.on_stop = [] {}; // takes until the end of the grace period
        self.set_shutdown(mato::graceful_then_force(std::chrono::milliseconds(500)));
    }));
    CHECK(client::stop_daemon(options.paths, deadline::in(20ms), why) == 0);
    CHECK(why.code == errc::timed_out);
    CHECK(support::wait_until([&] { return !std::filesystem::exists(options.paths.lock); }));
}

TEST_CASE("of many clients at a time exactly one starts the daemon, and all are served", "[client]") {
    const reaper adopt;
    for (int round = 0; round < 3; ++round) {
        constexpr int count = 24;
        const temp_directory directory;
        const auto options = options_in(directory.path());
        const support::mailbox<int> launches;
        support::gate go;
        std::vector<support::child_process> all;
        for (int i = 0; i < count; ++i)
            all.emplace_back([&] {
                go.pass();
                mato::failure why;
                auto self = client::connect_or_start(
                    options.paths, deadline::in(30s),
                    [&] {
                        launches.put(1);
                        return mato::daemon::launch(options, echo);
                    },
                    why);
                if (why) return std::fprintf(stderr, "%s\n", why.message().c_str()), 1;
                self.send("x", deadline::in(20s), why);
                return self.receive(deadline::in(20s), why) == "x" ? 0 : 2;
            });
        go.open();
        for (auto& each : all) CHECK(each.wait(40s) == 0);
        CHECK(launches.take(0ms) == 1);
        CHECK_FALSE(launches.take(0ms));
        CHECK(end_launched(options) == mato::exit_code::ok);
        CHECK(directory.names() == names{"daemon.log"}); // the lock of the start left no file
    }
}

// ---- the refusals ----

TEST_CASE("a daemon that accepts no clients is not treated as dead", "[client]") {
    const temp_directory directory;
    bare_server server(directory / "daemon.sock", 0);
    std::vector<mato::unique_fd> waiting;
    for (std::error_code busy; busy != mato::cond::busy && waiting.size() < 100;)
        waiting.push_back(mato::owned_path(directory / "daemon.sock").connect(busy));
    mato::failure why;
    int launches = 0;
    CHECK_FALSE(client::connect_or_start(
        mato::daemon_paths::in(directory.path()), deadline::in(50ms), [&] { return ++launches, outcome{}; }, why));
    CHECK(why.code == errc::timed_out);
    CHECK(launches == 0);
    CHECK(std::filesystem::exists(directory / "daemon.sock"));
}

TEST_CASE("a failed start is reported with the daemon's own error", "[client]") {
    const reaper adopt;
    const temp_directory directory;
    const auto options = options_in(directory.path());
    mato::failure why;
    int launches = 0;
    const auto start = [&] {
        ++launches;
        return mato::daemon::launch(options, [](mato::daemon&) {
            throw mato::error({errc::invalid_config, "read", "/c.toml", "c.toml:3:4: no such key"});
        });
    };
    CHECK_FALSE(client::connect_or_start(options.paths, deadline::in(10s), start, why));
    CHECK(why.code == errc::invalid_config);
    CHECK(why.message() == "read /c.toml: c.toml:3:4: no such key");
    CHECK(launches == 1);
}

TEST_CASE("a lock holder that never listens is waited for until the deadline", "[client]") {
    const temp_directory directory;
    mato::failure why;
    int launches = 0;
    CHECK_FALSE(client::connect_or_start(
        mato::daemon_paths::in(directory.path()), deadline::in(80ms),
        [&] {
            return ++launches, outcome{false, {errc::already_running, "lock", "/l", "already running, pid 1"}};
        },
        why));
    CHECK(why.code == errc::not_ready);
    CHECK(contains(why.message(), "already running, pid 1"));
    CHECK(launches >= 1);
    CHECK(directory.names().empty());
}

TEST_CASE("a start that reports ready but does not listen is an error", "[client]") {
    const temp_directory directory;
    mato::failure why;
    CHECK_FALSE(client::connect_or_start(
        mato::daemon_paths::in(directory.path()), deadline::in(50ms),
        [] {
            return outcome{true, {}};
        },
        why));
    CHECK(why.code == errc::not_ready);
}

TEST_CASE("while one client starts the daemon, no other does, and the wait has its deadline", "[client]") {
    const temp_directory directory;
    const support::mailbox<int> held;
    support::gate release;
    support::child_process starter([&] {
        std::error_code why;
        const auto lock = mato::instance_lock::acquire_directory(directory.path(), deadline::in(10s), why);
        held.put(why ? 1 : 0);
        return release.pass() ? 0 : 1;
    });
    REQUIRE(held.take() == 0);
    mato::failure why;
    int launches = 0;
    CHECK_FALSE(client::connect_or_start(
        mato::daemon_paths::in(directory.path()), deadline::in(120ms), [&] { return ++launches, outcome{}; }, why));
    CHECK(why.code == errc::not_ready);
    CHECK(launches == 0);
    release.open();
    CHECK(starter.wait() == 0);
}

TEST_CASE("a directory open to others is refused, and nothing is started", "[client]") {
    const temp_directory directory;
    ::chmod(directory.path().c_str(), 0770);
    mato::failure why;
    int launches = 0;
    CHECK_FALSE(client::connect_or_start(
        mato::daemon_paths::in(directory.path()), deadline::in(10s), [&] { return ++launches, outcome{}; }, why));
    CHECK(why.code == errc::unsafe_directory);
    CHECK(launches == 0);
}
