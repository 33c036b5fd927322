// SPDX-License-Identifier: MIT
// Moving tabs from one task to another; viewers do not notice.
#include "support/pty_client.hpp"

using namespace support;

TEST_CASE("a tab moves to another task, which is created if needed; an empty task is removed", "[mato][move]") {
    mato_world world;
    for (const char* name : {"a", "b"}) world.must({"new", "-d", "-t", "first", "-n", name, "--", "exec cat"});
    world.must({"move", "first/a", "second"});
    CHECK(world.run({"has", "second/a"}).exit_code == 0);
    CHECK(world.run({"has", "first/a"}).exit_code == 1);
    CHECK(world.run({"has", "first/b"}).exit_code == 0);
    world.must({"move", "2", "second"});
    CHECK_FALSE(contains(world.must({"ls"}), "first"));
    CHECK(world.run({"has", "second/2"}).exit_code == 0); // after the existing ones
    CHECK(contains(world.must({"status"}), "  second: 2 tabs\n  Total: 2 tabs\n"));
    world.must({"move", "2", "second"}); // its current task
    CHECK(world.run({"has", "second/2"}).exit_code == 0);
}

TEST_CASE("the viewers of a moved tab stay, and switch among its new neighbours", "[mato][move]") {
    const std::string way = GENERATE("direct", "relayed");
    mato_world world;
    world.must({"new", "-d", "-t", "far", "-n", "neighbour", "--", "printf 'next door'; exec cat"});
    std::vector<std::string> attach{"new", "-t", "near", "--", "printf 'here I am'; exec cat"};
    if (way == "relayed") attach.insert(attach.begin() + 1, "--relay");
    pty_client client(world, attach);
    REQUIRE(client.wait_for("here I am"));
    world.must({"move", "2", "far"});
    CHECK_FALSE(contains(world.must({"ls"}), "near"));
    client.type("typed\r");
    CHECK(client.wait_for("typed"));
    client.command('n');
    CHECK(client.wait_for("next door"));
    client.command('2');
    CHECK(client.wait_for("here I am"));
    client.command('d');
    CHECK(client.wait() == 0);
}

TEST_CASE("an unknown tab and an invalid name are refused, and nothing moves", "[mato][move]") {
    mato_world world;
    world.must({"new", "-d", "-t", "first", "-n", "a", "--", "exec cat"});
    CHECK(world.run({"move", "9", "second"}).exit_code == 1);
    for (const char* name : {"12", "a/b", ".", "a\nb"}) CHECK(world.run({"move", "1", name}).exit_code == 64);
    CHECK(world.must({"ls"}).starts_with("first\n  1  a"));
    CHECK(count_of(world.must({"ls"}), "\n") == 2);
}
