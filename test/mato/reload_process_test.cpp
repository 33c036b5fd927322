// SPDX-License-Identifier: MIT
// A reload changes everything or nothing, and every requester gets the place of an error.
#include "support/json_reader.hpp"
#include "support/pty_client.hpp"

using namespace support;

TEST_CASE("a wrong configuration changes nothing, and its place is reported three times", "[mato][reload]") {
    const auto [toml, place] = GENERATE(table<std::string, std::string>({
        {"remain_on_exit = \"on\"\nprefix = 7\n", ":2:10"},
        {"remain_on_exit = \"on\"\n\nno_such_key = true\n", ":3:1"},
        {"remain_on_exit = \"on\"\n[log]\nlevel = \"loud\"\n", ":3:9"},
        {"remain_on_exit = \"on\"\n[limits]\nclients = 0\n", ":3:11"},
        {"remain_on_exit = \"on\"\n[limits\n", ":2:"},
        {"remain_on_exit = \"on\"\nstop_grace = \n", ":2:"},
    }));
    INFO(toml);
    mato_world world;
    world.configure("exit_empty = false\n");
    const std::string id = world.open_tab();
    world.configure(toml);
    const std::string where = world.config_file().native() + place;

    for (const char* spelling : {"reload", "--reload"}) {
        const outcome went = world.run({spelling});
        INFO(went.err);
        CHECK(went.exit_code == 78);
        CHECK(contains(went.err, where));
        CHECK(went.out.empty());
    }
    INFO(world.log());
    CHECK(contains(world.log(), "reload: "));
    CHECK(contains(world.log(), where));
    const std::string status = world.must({"status"});
    INFO(status);
    CHECK(contains(status, "\nConfig error: " + where));
    const std::string json = json_reader::compact(world.must({"status", "--json"}));
    CHECK(json_reader(json).whole());
    CHECK(contains(json, "\"error\":\"" + where));

    // HUP: the same.
    ::kill(world.daemon_pid(), SIGHUP);
    CHECK(wait_until([&] { return count_of(world.log(), where) >= 3; }));

    // No part of the file took effect: remain_on_exit is still off, and the daemon stays without tabs.
    CHECK(world.run({"has", id}).exit_code == 0);
    CHECK(world.run({"new", "-W", "--", "exit 4"}).exit_code == 4);
    CHECK(count_of(world.must({"ls"}), "\n") == 2);
    world.must({"kill", id});
    CHECK(world.must({"ls"}).empty());

    // A valid one works again.
    world.configure("remain_on_exit = \"on\"\nexit_empty = false\n");
    CHECK(contains(world.must({"reload"}), "reloaded"));
    CHECK_FALSE(contains(world.must({"status"}), "Config error"));
    CHECK(world.run({"new", "-W", "--", "exit 4"}).exit_code == 4);
    CHECK(contains(world.must({"ls"}), "exited 4"));
}

TEST_CASE("a new prefix applies immediately, also for attached clients", "[mato][reload]") {
    mato_world world;
    const std::string emulator = GENERATE("vt", "raw");
    CAPTURE(emulator);
    pty_client client(world, {"new", "--emulator", emulator, "--", "stty raw -echo; echo ready; exec cat -v"});
    REQUIRE(client.wait_for("ready"));
    world.configure("prefix = \"C-b\"\n");
    world.must({"-q", "reload"});
    client.type("\x1c"
                "dx"); // no longer a prefix: for the program
    CHECK(client.wait_for("^\\dx"));
    client.type("\x02?");
    CHECK(client.wait_for("after C-b"));
    client.type("q"); // returns
    client.type("\x02"
                "d");
    CHECK(client.wait() == 0);
    CHECK(client.last_line() == "[detached]");
}

TEST_CASE("reload without a daemon ends with 69", "[mato][reload]") {
    mato_world world;
    CHECK(world.run({"reload"}).exit_code == 69);
    CHECK(world.is_clean());
}

TEST_CASE("keys after the prefix change with a reload, also for attached clients", "[mato][reload][keys]") {
    mato_world world;
    const std::string emulator = GENERATE("vt", "raw");
    CAPTURE(emulator);
    pty_client client(world, {"new", "--emulator", emulator, "--", "stty raw -echo; echo ready; exec cat -v"});
    REQUIRE(client.wait_for("ready"));
    world.configure("[keys]\ndetach = [\"q\", \"F5\"]\n");
    world.must({"-q", "reload"});
    client.type("\x1c"
                "dx"); // no longer a key
    CHECK(client.wait_for("x"));
    client.type(emulator == "raw" ? "\x1cq" : "\x1c\033[15~"); // without an emulator a key is one byte
    CHECK(client.wait_for("[detached]"));

    const outcome wrong = [&] {
        world.configure("[keys]\ndetach = \"q\"\nhelp = \"q\"\n");
        return world.run({"reload"});
    }();
    CHECK(wrong.exit_code == 78);
    CHECK(contains(wrong.err, world.config_file().native() + ":3:1: 'keys.help': the key 'q' is given to 'detach' too"));
}
