// SPDX-License-Identifier: MIT
/// @file examples_process_test.cpp: the example programs 01 to 08, run as a user runs them.
#include "support/catch.hpp"
#include "support/example_program.hpp"

#include <csignal>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using support::ask;
using support::connect_to;
using support::contains;
using support::line_policies;
using support::program;
using support::raw_policies;
using support::receive;
using support::run;
using support::stop;
using support::temp_directory;

TEST_CASE("01: the second instance prints the pid of the first, which ends with its input or by a signal", "[examples]") {
    const temp_directory directory;
    program first({"01_single_instance", directory.path()});
    REQUIRE(first.says("this is the only instance"));
    const auto second = run({"01_single_instance", directory.path()});
    CHECK(second.exit_code == 75);
    CHECK(second.err == "already running, pid " + std::to_string(first.pid()) + "\n");
    first.signal(SIGKILL);
    CHECK(first.wait() == -SIGKILL);
    program third({"01_single_instance", directory.path()}); // files left by the killed one do not matter
    REQUIRE(third.says("this is the only instance"));
    third.end_input();
    CHECK(third.wait() == 0);
    CHECK(directory.names().empty());
    CHECK(contains(run({"01_single_instance", directory / "missing"}).err, "No such file or directory"));
}

TEST_CASE("02: the first signal stops gracefully, the second by force", "[examples]") {
    const bool polite = GENERATE(true, false);
    program worker({"02_graceful_stop"});
    REQUIRE(worker.says("working"));
    worker.signal(polite ? SIGTERM : SIGINT);
    REQUIRE(worker.says("stopping when the work is done"));
    if (polite)
        worker.end_input();
    else
        worker.signal(SIGTERM);
    CHECK(worker.wait() == (polite ? 0 : 1));
    CHECK(contains(worker.out, polite ? "stopped" : "forced"));
}

TEST_CASE("03: the start returns when the daemon is ready, with 0 or the daemon's error", "[examples]") {
    const temp_directory directory;
    CHECK(run({"03_background", directory.path()}).exit_code == 0);
    mato::failure why;
    const pid_t pid = mato::pid_file::read(directory / "app.pid", why);
    REQUIRE(pid > 1);
    const auto second = run({"03_background", directory.path()});
    CHECK(second.exit_code == mato::exit_code::already_running);
    CHECK(contains(second.err, "already running, pid " + std::to_string(pid)));
    CHECK(mato::instance_lock::signal_holder(directory / "app.lock", SIGTERM, why) == pid);
    CHECK(support::wait_until([&] { return directory.names().empty(); }));

    std::filesystem::create_directory(directory / "app.pid"); // it detaches, and then cannot write its pid file
    std::filesystem::create_directory(directory / "app.pid/x");
    const auto failed = run({"03_background", directory.path()});
    CHECK(failed.exit_code == mato::exit_code::unavailable);
    CHECK(contains(failed.err, "rename pid file " + (directory / "app.pid").native()));
    CHECK(support::wait_until([&] { return directory.names() == std::vector<std::string>{"app.pid"}; }));
}

TEST_CASE("04: the echo daemon serves when its start returns, starts only once, echoes, and leaves no file", "[examples]") {
    const temp_directory directory;
    REQUIRE(run({"04_echo_daemon", directory.path()}).exit_code == mato::exit_code::ok);
    CHECK(run({"04_echo_daemon", directory.path()}).exit_code == mato::exit_code::already_running);
    auto client = connect_to<mato::client>(directory.path());
    CHECK(ask(client, "to and fro") == "to and fro");
    stop(directory.path());
}

TEST_CASE("04: the echo daemon reports to its starter why it cannot start", "[examples]") {
    const temp_directory directory;
    std::filesystem::permissions(directory.path(), std::filesystem::perms::all);
    const auto open_to_all = run({"04_echo_daemon", directory.path()});
    CHECK(open_to_all.exit_code == mato::exit_code::not_permitted);
    CHECK(contains(open_to_all.err, "chmod 700"));
    std::filesystem::permissions(directory.path(), std::filesystem::perms::owner_all);
    const auto too_long = run({"04_echo_daemon", directory / std::string(120, 'x')});
    CHECK(too_long.exit_code == mato::exit_code::unavailable);
    CHECK(contains(too_long.err, "use 1 to 107 bytes"));
}

TEST_CASE("05: every client gets every tick from its first on, and a late one can join", "[examples]") {
    const temp_directory directory;
    REQUIRE(run({"05_ticker", directory.path()}).exit_code == mato::exit_code::ok);
    using watcher = mato::basic_client<line_policies>;
    std::vector<watcher> watchers;
    for (int i = 0; i < 10; ++i) {
        watchers.push_back(connect_to<watcher>(directory.path()));
        CHECK(contains(receive(watchers.back()), "tick "));
    }
    for (auto& each : watchers) {
        long last = 0;
        for (int i = 0; i < 5; ++i) {
            const std::string said = receive(each);
            REQUIRE(said.starts_with("tick "));
            const long tick = std::atol(said.c_str() + 5);
            CHECK((last == 0 || tick == last + 1)); // none is lost
            last = tick;
        }
    }
    stop<watcher>(directory.path());
}

// The statements of docs/daemon.md about configuration, reload, errors and exit codes.
TEST_CASE("06: a daemon with a reloadable configuration and a status command", "[examples]") {
    const temp_directory directory;
    const auto command = [&](const std::string& word) { return run({"06_reload_and_status", directory.path(), word}); };
    const auto configure = [&](std::string_view text) { support::write_file(directory / "config.toml", text); };

    CHECK(command("status").exit_code == mato::exit_code::unavailable); // no daemon yet
    configure("greeting = 7\n");
    const auto broken = command("start");
    CHECK(broken.exit_code == mato::exit_code::bad_config); // in the starter
    CHECK(contains(broken.err, "config.toml:1:12: "));

    configure("greeting = \"good day\"\n");
    REQUIRE(command("start").exit_code == 0);
    CHECK(command("start").exit_code == mato::exit_code::already_running);
    CHECK(command("Ada").out == "good day, Ada\n");
    CHECK(contains(command("status").out, "greeted 1\n"));

    configure("greeting = \"hi\"\nmost = 2\n");
    CHECK(command("reload").out == "reloaded\n");
    CHECK(command("Bob").out == "hi, Bob\n");
    configure("greeting = \"hey\"\nmots = 3\n");
    const auto refused = command("reload");
    CHECK(contains(refused.out, "config.toml:2:"));
    CHECK(contains(refused.out, "mots"));
    CHECK(command("Eve").out == "enough\n"); // two were greeted: the old limit applies
    mato::failure why;
    configure("most = 3\n");
    CHECK(mato::instance_lock::signal_holder(directory / "daemon.lock", SIGHUP, why) > 0);
    CHECK(support::wait_until([&] { return command("Eve").out == "hello, Eve\n"; }));

    CHECK(command("stop").exit_code == 0);
    CHECK(directory.names() == std::vector<std::string>{"config.toml", "daemon.log"});
}

TEST_CASE("07: a user's framing works for any split of the bytes, and invalid bytes end the connection", "[examples]") {
    const temp_directory directory;
    REQUIRE(run({"07_own_policy", directory.path()}).exit_code == 0);
    using bytes = mato::basic_client<raw_policies>;
    auto client = connect_to<bytes>(directory.path());
    CHECK(ask(client, "5:hello,") == "5:olleh,");
    std::error_code ignored;
    for (const char* piece : {"1", "0", ":", "netstr", "ings", ","}) client.send(piece, mato::deadline::in(10s), ignored);
    CHECK(receive(client) == "10:sgnirtsten,");
    CHECK(ask(client, "0:,") == "0:,");
    for (const char* wrong : {"x", "5hello,", "5:hello!", "99999:", "-1:", ":,"}) {
        auto other = connect_to<bytes>(directory.path());
        CHECK(contains(ask(other, wrong), "closed"));
    }
    stop<bytes>(directory.path());
}

TEST_CASE("08: many clients at a time start exactly one daemon", "[examples]") {
    const temp_directory directory;
    std::vector<std::unique_ptr<program>> clients;
    for (int i = 0; i < 20; ++i)
        clients.push_back(std::make_unique<program>(std::vector<std::string>{"08_connect_or_start", directory.path(), "word"}));
    for (auto& each : clients) {
        CHECK(each->wait() == 0);
        CHECK(each->out == "WORD\n");
    }
    stop(directory.path());
}
