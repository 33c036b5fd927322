// SPDX-License-Identifier: MIT
// The command prompt in a user's terminal: a colon after the prefix, and then any action by its name.
#include "support/outer_terminal.hpp"

using namespace support;
using namespace std::chrono_literals;

TEST_CASE("a colon after the prefix opens a row that does any action by name", "[mato][command]") {
    const std::string path = GENERATE("direct", "relayed");
    CAPTURE(path);
    mato_world world;
    world.must({"new", "-d", "-t", "web", "-n", "shell", "--", "printf ready; exec cat"});
    world.must({"new", "-d", "-t", "ops", "-n", "logs", "--", "printf 'the logs'; exec cat"});
    std::vector<std::string> words{"attach", "shell"};
    if (path == "relayed") words.emplace_back("--relay");
    outer_terminal user(world, words);
    REQUIRE(user.comes_to_show("ready"));
    user.type("\x1c:nwe-tab\r");
    REQUIRE(user.comes_to_show("no command 'nwe-tab'; did you mean 'new-tab'?"));
    user.type("\x15rename-tab two words\r");
    CHECK(wait_until([&] { return contains(world.must({"ls"}), "two words"); }));
    CHECK(user.comes_to_agree("1"));
    user.type("\x1c:move-t\top\t");
    REQUIRE(user.comes_to_show(" : move-tab ops"));
    user.type("\r");
    REQUIRE(user.comes_to_show("moved to ops"));
    user.type("\x1c:tab lo\t\r");
    CHECK(user.comes_to_show("the logs"));
    CHECK(user.comes_to_agree("2"));
    user.type("\x1c:find logs\r");
    REQUIRE(user.comes_to_show(" find  logs   1 of 1"));
    user.type("\x1b\x1c:find-all ready\r");
    REQUIRE(user.comes_to_show("1 of 1 in 1 tab"));
    user.type("\x1b");
    CHECK(user.comes_to_agree("2"));
    user.type("\x1c:\x1b[A\x1b[A"); // the line before the last one
    REQUIRE(user.comes_to_show(" : find logs"));
    user.type("\x1b");
    CHECK(user.comes_to_agree("2"));
    user.type("\x1c:detach\r");
    CHECK(user.client().wait() == 0);
}

TEST_CASE("a read-only client changes nothing by a command", "[mato][command]") {
    mato_world world;
    world.must({"new", "-d", "-n", "shell", "--", "printf ready; exec cat"});
    outer_terminal user(world, {"attach", "-r", "shell"});
    REQUIRE(user.comes_to_show("ready"));
    for (const char* const command : {"rename-tab other", "close-tab", "new-tab", "move-tab x"}) {
        user.type(std::string("\x1c:") + command + "\r");
        REQUIRE(user.comes_to_show("this client is read-only"));
        user.type("\x1c"); // ends the message
        user.type("?");
        REQUIRE(user.comes_to_show("any command"));
        user.type("q");
    }
    CHECK(count_of(world.must({"ls"}), "shell") == 1);
}
