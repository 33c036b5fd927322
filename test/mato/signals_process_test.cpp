// SPDX-License-Identifier: MIT
// The effect of TERM, INT, HUP and USR1 on a daemon with busy tabs, and what remains afterwards.
#include "support/mato_world.hpp"

using namespace support;

namespace {

constexpr int rounds = sanitized ? 5 : 20;

struct busy_daemon {
    mato_world world;
    running_program daemon = world.start({"daemon", "--foreground"}, {.limit = 60s});

    /// `program` runs in three tabs, and each has shown that it is running.
    explicit busy_daemon(const std::string& program = "echo up; while :; do echo busy; done") {
        world.configure("stop_grace = \"300ms\"\n");
        REQUIRE(wait_until([&] { return contains(world.log(), "started, pid"); }));
        for (int n = 0; n < 3; ++n) world.open_tab({program});
        CHECK(count_of(world.must({"ls"}), "running") == 3);
        CHECK(world.daemon_pid() == daemon.pid());
    }

    void check_nothing_left() {
        CHECK(wait_until([&] { return world.processes().empty(); }));
        CHECK(world.runtime_files() == std::vector<std::string>());
    }
};

} // namespace

TEST_CASE("TERM and INT stop a busy daemon with code 0 and leave nothing, twenty times each", "[mato][signals]") {
    for (const int signal : {SIGTERM, SIGINT})
        for (int round = 0; round < rounds; ++round) {
            INFO("signal " << signal << ", round " << round);
            busy_daemon busy;
            busy.daemon.signal(signal);
            CHECK(busy.daemon.wait().exit_code == 0);
            busy.check_nothing_left();
            CHECK(contains(busy.world.log(), signal == SIGTERM ? "SIGTERM: stopping" : "SIGINT: stopping"));
        }
}

TEST_CASE("a second TERM forces the stop with code 1 and leaves nothing, twenty times", "[mato][signals]") {
    for (int round = 0; round < rounds; ++round) {
        INFO("round " << round);
        busy_daemon busy("trap '' HUP TERM; while :; do echo busy; done");
        busy.world.configure("stop_grace = \"30s\"\n");
        busy.world.must({"reload"});
        busy.daemon.signal(SIGTERM);
        REQUIRE(wait_until([&] { return contains(busy.world.log(), "SIGTERM: stopping"); }));
        const stopwatch watch;
        busy.daemon.signal(SIGTERM);
        CHECK(busy.daemon.wait().exit_code == 1);
        CHECK(watch.elapsed() < 10s);
        busy.check_nothing_left();
        CHECK(contains(busy.world.log(), "stopped by force"));
    }
}

TEST_CASE("HUP keeps every tab, twenty times", "[mato][signals]") {
    busy_daemon busy;
    const std::string before = busy.world.must({"ls", "--json"});
    const auto pids = [](const std::string& json) {
        std::vector<std::string> result;
        for (auto at = json.find("\"pid\": "); at != std::string::npos; at = json.find("\"pid\": ", at + 1))
            result.push_back(json.substr(at, json.find(',', at) - at));
        return result;
    };
    for (int round = 1; round <= rounds; ++round) {
        busy.daemon.signal(SIGHUP);
        REQUIRE(wait_until([&] { return count_of(busy.world.log(), " reloaded") == static_cast<std::size_t>(round); }));
        CHECK(pids(busy.world.must({"ls", "--json"})) == pids(before));
    }
    CHECK(pids(before).size() == 3);
    busy.daemon.signal(SIGTERM);
    CHECK(busy.daemon.wait().exit_code == 0);
}

TEST_CASE("USR1 creates a removed socket again, and the tabs are still open", "[mato][signals]") {
    busy_daemon busy;
    REQUIRE(std::filesystem::remove(busy.world.socket()));
    busy.daemon.signal(SIGUSR1);
    REQUIRE(wait_until([&] { return std::filesystem::exists(busy.world.socket()); }));
    CHECK(mode_of(busy.world.socket()) == 0700);
    CHECK(count_of(busy.world.must({"ls"}), "running") == 3);
    CHECK(wait_until([&] { return contains(busy.world.log(), "SIGUSR1: socket published again"); }));
    busy.daemon.signal(SIGTERM);
    CHECK(busy.daemon.wait().exit_code == 0);
    busy.check_nothing_left();
}

TEST_CASE("a second daemon is refused with 75 and the first one's pid, and does not affect it", "[mato][signals]") {
    busy_daemon busy;
    for (const std::vector<std::string>& spelling :
         {std::vector<std::string>{"daemon"}, {"daemon", "--foreground"}, {"--daemon"}}) {
        const outcome second = busy.world.run(spelling);
        CHECK(second.exit_code == 75);
        CHECK(contains(second.err, std::to_string(busy.daemon.pid())));
    }
    CHECK(count_of(busy.world.must({"ls"}), "running") == 3);
    busy.daemon.signal(SIGTERM);
    CHECK(busy.daemon.wait().exit_code == 0);
}
