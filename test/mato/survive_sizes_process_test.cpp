// SPDX-License-Identifier: MIT
/// @file survive_sizes_process_test.cpp: the sizes of tabs after a death of the daemon's process.
#include "support/daemon_worker.hpp"
#include "support/pty_client.hpp"

using namespace support;

namespace {

/// Counts the changes of its size, in the file `sizes`.
const std::string counting = "trap 'stty size >>sizes' WINCH; : >sizes; printf ready; while :; do sleep 0.02; done";

std::string size_of(const mato_world& world, const std::string& tab) {
    const std::string json = world.must({"capture", tab, "--json"});
    const auto number = [&](const char* name) {
        return std::to_string(std::atoi(json.c_str() + json.find(name) + std::string_view(name).size()));
    };
    return number("\"cols\": ") + "x" + number("\"rows\": ");
}

bool all_are_back(const mato_world& world, std::size_t count) {
    return wait_until([&] { return count_of(world.must({"clients"}), "  tab ") == count; });
}

} // namespace

TEST_CASE("after a death the clients come back in any order, and the program gets no other size", "[mato][survive]") {
    const auto given =
        GENERATE(table<std::string, std::string>({{"latest", "90x25"}, {"smallest", "60x20"}, {"largest", "100x30"}}));
    const std::string policy = std::get<0>(given), expected = std::get<1>(given); // clang 14 captures no structured binding
    INFO(policy);
    mato_world world;
    world.configure("window_size = \"" + policy + "\"\n");
    const std::string tab = world.open_tab({counting});
    pty_client large(world, {"attach", tab}, {.columns = 100, .rows = 30});
    REQUIRE(large.wait_for("ready"));
    pty_client latest(world, {"attach", tab}, {.columns = 90, .rows = 25});
    REQUIRE(latest.wait_for("ready"));
    pty_client small(world, {"attach", tab, "--relay"}, {.columns = 60, .rows = 20}); // attached last, but does not type
    REQUIRE(small.wait_for("ready"));
    const auto cross = expected.find('x');
    std::string line = expected.substr(cross + 1); // as stty says it
    line.append(" ").append(expected, 0, cross).append("\n");
    latest.type("x");
    REQUIRE(wait_until([&] { return size_of(world, tab) == expected && read_file(world.home() / "sizes").ends_with(line); }));
    const std::string sizes = read_file(world.home() / "sizes");
    for (int round = 0; round < 4; ++round) {
        INFO("round " << round);
        kill_worker(world.daemon_pid());
        REQUIRE(all_are_back(world, 3));
        CHECK(size_of(world, tab) == expected);
    }
    CHECK(read_file(world.home() / "sizes") == sizes);
    latest.resize(91, 26); // from here on each change counts, as before
    large.type("x");
    REQUIRE(wait_until([&] { return size_of(world, tab) == (policy == "smallest" ? "60x20" : "100x30"); }));
}

TEST_CASE("a client that does not come back keeps the size for a second", "[mato][survive]") {
    mato_world world;
    world.configure("window_size = \"smallest\"\n");
    const std::string tab = world.open_tab({counting});
    pty_client large(world, {"attach", tab}, {.columns = 100, .rows = 30});
    REQUIRE(large.wait_for("ready"));
    pty_client small(world, {"attach", tab}, {.columns = 60, .rows = 20});
    REQUIRE(small.wait_for("ready"));
    REQUIRE(wait_until([&] { return size_of(world, tab) == "60x20"; }));
    small.signal(SIGSTOP);
    REQUIRE(wait_until([&] { return process_state(small.pid()) == 'T'; }));
    kill_worker(world.daemon_pid());
    REQUIRE(all_are_back(world, 1));
    CHECK(wait_until([&] { return size_of(world, tab) == "100x30"; }));
    small.signal(SIGCONT);
    CHECK(wait_until([&] { return size_of(world, tab) == "60x20"; }));
}

TEST_CASE("a fixed size stays after a death", "[mato][survive]") {
    mato_world world;
    const std::string tab = world.open_tab({counting});
    pty_client client(world, {"attach", tab}, {.columns = 100, .rows = 30});
    REQUIRE(client.wait_for("ready"));
    world.must({"resize", tab, "70x22"});
    kill_worker(world.daemon_pid());
    REQUIRE(all_are_back(world, 1));
    CHECK(wait_until([&] { return size_of(world, tab) == "70x22"; })); // also if it was not applied yet
}
