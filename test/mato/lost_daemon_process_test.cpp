// SPDX-License-Identifier: MIT
// How an attached client ends: its last line, its exit code, and the restored terminal.
#include "support/pty_client.hpp"

using namespace support;

namespace {

/// Sets modes that a terminal must not keep, and says so.
const std::vector<std::string> untidy = {
    R"(printf '\033[?1000h\033[?2004h\033[?25l\033[31mready'; while read -r line; do case $line in end*) exit "${line#end}";; esac; done)"};

void check_restored(pty_client& client) {
    CHECK(client.now() == client.before());
    CHECK(client.left_alternate_screen());
    for (const char* reset : {"\033[?1000l", "\033[?2004l", "\033[?25h", "\033[0m"}) {
        INFO(reset + 1);
        CHECK(client.shown().rfind(reset) > client.shown().rfind("ready"));
    }
}

} // namespace

TEST_CASE("a killed daemon: every client restores its terminal and reports it, and the next command works", "[mato][attach]") {
    mato_world world;
    pty_client first(world, {"new", "--", untidy[0]});
    REQUIRE(first.wait_for("ready"));
    pty_client second(world, {"attach"});
    REQUIRE(second.wait_for("ready"));
    CHECK_FALSE(first.now() == first.before());
    world.kill_daemon();
    for (pty_client* each : {&first, &second}) {
        CHECK(each->wait() == 1);
        CHECK(each->last_line() == "[daemon lost]");
        check_restored(*each);
    }
    // The dead daemon's socket, pid file and lock file do not prevent anything.
    const stopwatch watch;
    const std::string id = world.open_tab();
    CHECK(watch.elapsed() < 5s);
    CHECK(world.run({"has", id}).exit_code == 0);
    pty_client next(world, {"attach", id});
    REQUIRE(next.wait_for("\033[?1049h"));
    next.command('d');
    CHECK(next.wait() == 0);
}

TEST_CASE("a killed client: the daemon and the other clients do not notice", "[mato][attach]") {
    mato_world world;
    pty_client first(world, {"new", "--", "cat"});
    REQUIRE(first.wait_for("\033[?1049h"));
    pty_client second(world, {"attach"});
    REQUIRE(second.wait_for("\033[?1049h"));
    const pid_t daemon = world.daemon_pid();
    first.signal(SIGKILL);
    CHECK(first.wait() == -SIGKILL);
    second.type("still here\r");
    CHECK(second.wait_for("still here\r\nstill here"));
    CHECK(world.daemon_pid() == daemon);
    CHECK(wait_until(
        [&] { return contains(world.must({"clients"}), "tab ") && count_of(world.must({"clients"}), "tab ") == 1; }));
    second.command('d');
    CHECK(second.wait() == 0);
    CHECK(second.last_line() == "[detached]");
}

TEST_CASE("the detach key ends with [detached] and 0, and the program keeps running", "[mato][attach]") {
    mato_world world;
    pty_client client(world, {"new", "--", untidy[0]});
    REQUIRE(client.wait_for("ready"));
    client.command('d');
    CHECK(client.wait() == 0);
    CHECK(client.last_line() == "[detached]");
    check_restored(client);
    CHECK(contains(world.must({"ls"}), "running"));
}

TEST_CASE("the program's end gives [exited N] and 0", "[mato][attach]") {
    mato_world world;
    world.configure("exit_empty = false\n"); // the daemon stays, and the viewer has no other tab to switch to
    for (const char* code : {"0", "7", "255"}) {
        pty_client client(world, {"new", "--", untidy[0]});
        REQUIRE(client.wait_for("ready"));
        client.type("end" + std::string(code) + "\r");
        CHECK(client.wait() == 0);
        CHECK(client.last_line() == "[exited " + std::string(code) + "]");
        check_restored(client);
    }
    pty_client killed(world, {"new", "--", "echo ready; kill -9 $$"});
    CHECK(killed.wait() == 0);
    CHECK(killed.last_line() == "[exited 137]");
    CHECK(killed.now() == killed.before());
}

TEST_CASE("a stop gives [daemon stopped] and 1, also when it ends the last tab's program", "[mato][attach]") {
    mato_world world;
    pty_client client(world, {"new", "--", untidy[0]});
    REQUIRE(client.wait_for("ready"));
    SECTION("by command") { world.must({"stop"}); }
    SECTION("by command, now") { world.must({"stop", "--now"}); }
    SECTION("by the seed's spelling") { world.must({"--kill"}); }
    SECTION("by signal") { ::kill(world.daemon_pid(), SIGTERM); }
    CHECK(client.wait() == 1);
    CHECK(client.last_line() == "[daemon stopped]");
    check_restored(client);
    CHECK(wait_until([&] { return world.is_clean(); }));
}

TEST_CASE("TERM at a client gives [terminated] and 1", "[mato][attach]") {
    mato_world world;
    pty_client client(world, {"new", "--", untidy[0]});
    REQUIRE(client.wait_for("ready"));
    client.signal(SIGTERM);
    CHECK(client.wait() == 1);
    CHECK(client.last_line() == "[terminated]");
    check_restored(client);
    CHECK(contains(world.must({"ls"}), "running"));
}

TEST_CASE("HUP at a client gives [terminal lost] and 1", "[mato][attach]") {
    mato_world world;
    pty_client client(world, {"new", "--", untidy[0]});
    REQUIRE(client.wait_for("ready"));
    client.signal(SIGHUP);
    CHECK(client.wait() == 1);
    CHECK(client.last_line() == "[terminal lost]");
    check_restored(client);
}

TEST_CASE("a lost terminal ends the client with 1, and nothing else", "[mato][attach]") {
    mato_world world;
    pty_client client(world, {"new", "--", untidy[0]});
    REQUIRE(client.wait_for("ready"));
    client.hang_up();
    CHECK(client.wait() == 1);
    CHECK(wait_until([&] { return world.must({"clients"}).empty(); }));
    CHECK(contains(world.must({"ls"}), "running"));
}

TEST_CASE("INT, QUIT and TSTP from other processes do not end a client, CONT redraws it", "[mato][attach]") {
    mato_world world;
    pty_client client(world, {"new", "--", untidy[0]});
    REQUIRE(client.wait_for("ready"));
    for (const int signal : {SIGINT, SIGQUIT, SIGTSTP}) client.signal(signal);
    client.signal(SIGCONT);
    CHECK(client.wait_for("ready"));
    client.signal(SIGSTOP);
    REQUIRE(wait_until([&] { return process_state(client.pid()) == 'T'; }));
    client.signal(SIGCONT);
    CHECK(client.wait_for("ready"));
    client.command('d');
    CHECK(client.wait() == 0);
}
