// SPDX-License-Identifier: MIT
// Starting a tab's program again: the same command, place, variables, size and id, and viewers stay.
#include "support/pty_client.hpp"

using namespace support;

namespace {

/// Counts its starts, and prints its directory and its variable.
const std::string counting = "n=$(($(cat count 2>/dev/null || echo 0) + 1)); echo $n > count; "
                             "printf 'start %d in %s with %s, %s\\n' $n \"${PWD##*/}\" \"$EXTRA\" \"$(stty size)\"; ";

std::string pid_in(const mato_world& world) {
    const std::string ls = world.must({"ls", "--json"});
    const auto at = ls.find("\"pid\": ") + 7;
    return ls.substr(at, ls.find(',', at) - at);
}

} // namespace

TEST_CASE("a tab that remained is started again with its command, directory, variables, size and id; history stays",
          "[mato][respawn]") {
    mato_world world;
    world.configure("remain_on_exit = \"on\"\n");
    std::filesystem::create_directory(world.home() / "place");
    world.must({"new", "-d", "-n", "mine", "-c", "place", "-e", "EXTRA=given", "-x", "60", "-y", "10", "--",
                counting + "seq 30; exit $n"});
    REQUIRE(world.run({"wait", "1", "--exit"}).exit_code == 1);
    const std::string was = pid_in(world);
    world.must({"respawn", "mine"}, {.variables = {{"EXTRA", "another"}}, .directory = world.home().native()});
    CHECK(world.run({"wait", "1", "--exit"}).exit_code == 2);
    CHECK(pid_in(world) != was);
    CHECK(contains(world.must({"ls"}), "  1  mine  60x10  exited 2"));
    const std::string all = world.must({"capture", "1", "-S", "100"});
    INFO(all);
    CHECK(contains(all, "start 1 in place with given, 10 60\n1\n2\n")); // what had scrolled off the screen of the first program
    CHECK(contains(all, "start 2 in place with given, 10 60\n1\n2\n"));
    CHECK(count_of(all, "\n30\n") == 1); // the last screen of the first program was cleared
}

TEST_CASE("a running program is ended only with -k", "[mato][respawn]") {
    mato_world world;
    world.open_tab({counting + "exec cat"});
    world.must({"wait", "1", "--text", "start 1"});
    const std::string was = pid_in(world);
    const outcome refused = world.run({"respawn", "1"});
    CHECK(refused.exit_code == 1);
    CHECK(contains(refused.err, "respawn -k"));
    CHECK(pid_in(world) == was);
    world.must({"respawn", "-k", "1"});
    world.must({"wait", "1", "--text", "start 2"});
    CHECK_FALSE(is_running(std::atoi(was.c_str())));
    CHECK(contains(world.must({"ls"}), "running"));
    world.must({"send", "1", "typed", "Enter"});
    world.must({"wait", "1", "--text", "typed\\ntyped"});
    CHECK(world.run({"respawn", "7"}).exit_code == 1);
}

TEST_CASE("viewers stay, see the new program and type into it, with and without an emulator", "[mato][respawn]") {
    const std::string emulator = GENERATE("vt", "raw"), way = GENERATE("direct", "relayed");
    mato_world world;
    world.configure("remain_on_exit = \"on\"\n");
    std::vector<std::string> attach{"new", "--emulator", emulator};
    if (way == "relayed") attach.push_back("--relay");
    attach.insert(attach.end(), {"--", counting + "stty -echo; read -r x; printf '\\033[?1049h\\033[31mgot %s' \"$x\""});
    pty_client client(world, attach);
    const auto shows = [&](const std::string& text) { // only the difference of the screens is drawn
        if (emulator == "raw") return client.wait_for(text);
        return wait_until([&] { return contains(world.run({"capture", "1"}).out, text); });
    };
    for (const char* n : {"1", "2", "3"}) {
        INFO(emulator << " " << way << " " << n);
        REQUIRE(shows(std::string("start ") + n));
        client.type(std::string("line") + n + "\r");
        REQUIRE(shows(std::string("got line") + n));
        REQUIRE(wait_until([&] { return contains(world.must({"ls"}), "exited 0  1 client"); }));
        world.must({"respawn", "1"});
    }
    REQUIRE(shows("start 4"));
    if (emulator == "vt") // neither its colour nor its alternate screen remain for the next program
        CHECK(world.must({"capture", "1", "--ansi"}).starts_with("start 4 in"));
    client.command('d');
    CHECK(client.wait() == 0);
    CHECK(client.last_line() == "[detached]");
}

TEST_CASE("a keyboard that was not read because its program did not read is read for the next program", "[mato][respawn]") {
    const std::string way = GENERATE("direct", "relayed");
    mato_world world;
    std::vector<std::string> words{
        "new", "--", "stty raw -echo; if [ -e up ]; then touch second; exec cat; fi; touch up; printf ready; exec sleep 1000"};
    if (way == "relayed") words.insert(words.begin() + 1, "--relay");
    pty_client client(world, words);
    REQUIRE(client.wait_for("ready"));
    constexpr std::size_t window = 256u << 10; // the window of a program; beyond it the buffers of two terminals
    client.type(std::string(window + 18'000, 'x'));
    world.must({"respawn", "-k", "1"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "second"); }));
    client.type("alive\n"); // after what was typed beyond the window: it scrolls everything else away
    world.must({"wait", "1", "--text", "alive"});
}

TEST_CASE("when a program cannot be started again, the reason is reported, and the tab stays for another attempt",
          "[mato][respawn]") {
    mato_world world;
    std::filesystem::create_directory(world.home() / "place");
    world.must({"new", "-d", "-c", "place", "--", counting + "exec cat"});
    world.must({"wait", "1", "--text", "start 1"});
    std::filesystem::remove_all(world.home() / "place");
    for (const char* option : {"-k", "--"}) {
        const outcome went = world.run({"respawn", option, "1"});
        CHECK(went.exit_code == 1);
        CHECK(contains(went.err, "No such file or directory"));
        CHECK(contains(world.must({"ls"}), "exited 129"));
    }
    std::filesystem::create_directory(world.home() / "place");
    world.must({"respawn", "1"});
    world.must({"wait", "1", "--text", "start 1 in place"});
}

TEST_CASE("a kill takes precedence over a respawn in progress, and a second respawn is refused", "[mato][respawn]") {
    mato_world world;
    world.configure("stop_grace = \"5s\"\nexit_empty = false\n"); // a busy machine may need seconds for the next request
    world.open_tab({"trap '' HUP; echo ready; while :; do sleep 0.1; done"});
    world.must({"wait", "1", "--text", "ready"});
    auto respawning = world.start({"respawn", "-k", "1"});
    REQUIRE(wait_until([&] { return contains(world.run({"respawn", "1"}).err, "is already being respawned"); }));
    world.must({"kill", "1"});
    const outcome went = respawning.wait();
    CHECK(went.exit_code == 1);
    CHECK(contains(went.err, "tab 1 was closed before it could be respawned"));
    CHECK(world.must({"ls"}).empty());
}

TEST_CASE("repeated respawns leave neither process nor descriptor", "[mato][respawn]") {
    mato_world world;
    world.configure("remain_on_exit = \"on\"\n");
    world.open_tab({"printf 'one line'; exit 5"});
    pty_client watcher(world, {"attach"});
    REQUIRE(watcher.wait_for("one line"));
    REQUIRE(world.run({"wait", "1", "--exit"}).exit_code == 5);
    REQUIRE(wait_until([&] { return world.connected() == 1; })); // the viewer
    const std::size_t before = descriptor_count(world.serving_pid());
    for (int n = 0; n < 50; ++n) world.must({"respawn", "-k", "1"});
    REQUIRE(world.run({"wait", "1", "--exit"}).exit_code == 5);
    CHECK(wait_until([&] { return descriptor_count(world.serving_pid()) == before; }));
    CHECK(children_of(world.serving_pid()).empty());
}
