// SPDX-License-Identifier: MIT
// Input reaches its program once, in order, and no other program: during floods, at the start, and not later.
#include "support/pty_client.hpp"

using namespace support;

namespace {

const std::string prefix = "\x1c"; // C-backslash

std::vector<std::string> attach_by(const std::string& way, const std::string& tab) {
    if (way == "relayed") return {"attach", "--relay", tab};
    return {"attach", tab};
}

/// Whether the client has its terminal in raw mode.
bool is_shown(pty_client& client) { return client.wait_for("\033[?1049h"); }

} // namespace

TEST_CASE("with twenty flooding tabs every key is echoed, in order, and none is lost", "[mato][typed]") {
    const std::string way = GENERATE("direct", "relayed");
    mato_world world;
    for (int n = 0; n < 20; ++n) world.must({"new", "-d", "--", "exec yes flood"});
    world.must({"new", "-d", "-n", "quiet", "-x", "80", "-y", "24", "--", "stty raw -echo; printf ready; exec cat"});
    pty_client client(world, attach_by(way, "quiet"));
    REQUIRE(client.wait_for("ready"));
    std::string typed;
    for (int n = 0; n < 400; ++n) {
        typed += static_cast<char>('!' + (n * 7 + n / 94) % 94);
        client.type(std::string_view(typed).substr(typed.size() - 1));
        if (n % 40 == 39) REQUIRE(client.wait_for_bytes(1)); // some together, some after an echo
    }
    std::string shown;
    CHECK(wait_until([&] {
        shown = world.must({"capture", "quiet"});
        std::erase(shown, '\n');
        return shown == "ready" + typed;
    }));
    INFO(shown);
    CHECK(count_of(world.must({"ls"}), "running") == 21);
    client.type(prefix + "d");
    CHECK(client.wait() == 0);
}

TEST_CASE("input at the very start is for the program, and ends nothing", "[mato][typed]") {
    const std::string way = GENERATE("direct", "relayed");
    mato_world world;
    world.open_tab({"stty raw -echo; printf ready; exec cat -v"});
    world.must({"wait", "1", "--text", "ready"});
    pty_client client(world, attach_by(way, "1"));
    client.type("q"); // before anything is visible
    REQUIRE(is_shown(client));
    client.type("!\n");
    world.must({"wait", "1", "--text", "readyq!"});
    client.type(prefix + "d");
    CHECK(client.wait() == 0);
}

TEST_CASE("input that was not read is dropped with its sender, and not typed later", "[mato][typed]") {
    const auto [way, end] = GENERATE(table<std::string, std::string>(
        {{"direct", "killed"}, {"direct", "detached"}, {"relayed", "killed"}, {"relayed", "detached"}}));
    INFO(way << ", " << end);
    mato_world world;
    world.open_tab(
        {"stty raw -echo; printf ready; until [ -e go ]; do sleep 0.02; done; sed -u /END/q >got; touch over; exec cat"});
    std::string typed; // more than the program's terminal accepts, less than a client's window
    for (int n = 0; typed.size() < 200'000; ++n) typed += "line " + std::to_string(n) + "\n";
    {
        pty_client client(world, attach_by(way, "1"));
        REQUIRE(client.wait_for("ready"));
        client.type(typed);
        if (end == "killed") {
            client.signal(SIGKILL);
            CHECK(client.wait() == -SIGKILL);
        } else {
            client.type(prefix + "d");
            CHECK(client.wait() == 0);
        }
    }
    REQUIRE(wait_until([&] { return contains(world.must({"ls"}), "  0 clients"); }));
    pty_client later(world, attach_by(way, "1"));
    REQUIRE(later.wait_for("ready"));
    later.type("END\n");
    write_file(world.home() / "go", "");
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "over"); }));
    const std::string got = read_file(world.home() / "got");
    const auto taken = got.find("END");
    REQUIRE(taken != std::string::npos);
    CHECK(taken > 0);
    CHECK(taken < typed.size());
    CHECK(got.substr(0, taken) == typed.substr(0, taken)); // what the terminal had accepted, and nothing after it
    CHECK(got.substr(taken) == "END\n");
}

TEST_CASE("input while there is no daemon reaches no program", "[mato][typed]") {
    const std::string way = GENERATE("direct", "relayed");
    mato_world world;
    world.open_tab();
    pty_client client(world, attach_by(way, "1"));
    REQUIRE(is_shown(client));
    client.type("before\r");
    REQUIRE(client.wait_for("before"));
    ::kill(world.serving_pid(), SIGSTOP);
    client.type("lost\r");
    world.kill_daemon();
    CHECK(client.wait() == 1);
    CHECK(client.last_line() == "[daemon lost]");
    const std::string id = world.open_tab();
    pty_client later(world, attach_by(way, id));
    REQUIRE(is_shown(later));
    later.type("after\r");
    world.must({"wait", id, "--text", "after\\nafter"});
    CHECK_FALSE(contains(world.must({"capture", id}), "lost"));
}
