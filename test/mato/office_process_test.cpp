// SPDX-License-Identifier: MIT
// The Office over a tab: it lists, finds, previews other tabs as they change, and leaves the tab as it was.
#include "support/outer_terminal.hpp"

using namespace support;
using namespace std::chrono_literals;

namespace {

const std::string prefix = "\x1c";

void make_tabs(const mato_world& world) {
    world.must({"new", "-d", "-t", "web", "-n", "shell", "--", "printf ready; exec cat"});
    world.must({"new", "-d", "-t", "ops", "-n", "logs", "--", "printf 'first line\\n'; while read -r x; do echo log-$x; done"});
    world.must({"new", "-d", "-t", "ops", "-n", "failing", "--", "printf '\\033[31mred text\\033[m'; exec cat"});
}

} // namespace

TEST_CASE("the Office lists all tabs, shows one as it changes, and goes there", "[mato][office]") {
    const std::string path = GENERATE("direct", "relayed");
    CAPTURE(path);
    mato_world world;
    make_tabs(world);
    std::vector<std::string> words{"attach", "shell"};
    if (path == "relayed") words.push_back("--relay");
    outer_terminal user(world, words);
    REQUIRE(user.comes_to_show("ready"));
    user.type(prefix + " ");
    REQUIRE(user.comes_to_show("2 tasks"));
    REQUIRE(user.comes_to_show("3 tabs"));
    CHECK(user.comes_to_show("web/shell"));
    user.type("log");
    REQUIRE(user.comes_to_show("ops/logs"));
    CHECK(user.comes_to_show("first line"));
    CHECK_FALSE(contains(user.screen().text(), "failing"));
    world.must({"send", "logs", "one", "Enter"});
    CHECK(user.comes_to_show("log-one")); // while the Office is open
    user.type("\r");
    REQUIRE(user.comes_to_agree("logs"));
    user.type("two\n");
    CHECK(user.comes_to_show("log-two"));
    CHECK_FALSE(contains(world.must({"capture", "shell"}), "log")); // what was typed in the Office reached no program
    user.type(prefix + "w");
    REQUIRE(user.comes_to_show("2 tasks"));
    user.type("\x1b");
    CHECK(user.comes_to_agree("logs"));
}

TEST_CASE("the Office names, closes and opens tabs", "[mato][office]") {
    mato_world world;
    make_tabs(world);
    outer_terminal user(world, {"attach", "shell"});
    REQUIRE(user.comes_to_show("ready"));
    user.type(prefix + " logs\x12"); // C-r
    REQUIRE(user.comes_to_show("name of this tab  logs"));
    user.type("2\r");
    CHECK(wait_until([&] { return contains(world.must({"ls"}), "logs2"); }));
    user.type(prefix + " failing\x18"); // C-x
    REQUIRE(user.comes_to_show("close tab failing? its program runs"));
    user.type("y");
    CHECK(wait_until([&] { return !contains(world.must({"ls"}), "failing"); }));
    CHECK(user.comes_to_agree("shell"));
    user.type(prefix + " \x1a"); // C-z
    REQUIRE(user.comes_to_show("started again"));
    CHECK(contains(world.must({"ls"}), "failing"));
    user.type(prefix + " failing\x1a");
    REQUIRE(user.comes_to_show("no tab was closed"));
    user.type(prefix + "n");     // hides the message
    user.type(prefix + " \x0e"); // C-n
    CHECK(wait_until([&] {
        return contains(world.must({"ls"}), "web") && world.must({"ls", "--json"}).find("\"id\": 4") != std::string::npos;
    }));
}

TEST_CASE("the Office stays right when terminals are resized, tabs end and their viewer is read-only", "[mato][office]") {
    mato_world world;
    make_tabs(world);
    outer_terminal user(world, {"attach", "-r", "shell"});
    REQUIRE(user.comes_to_show("ready"));
    user.type(prefix + "s");
    REQUIRE(user.comes_to_show("3 tabs"));
    user.resize(40, 10);
    CHECK(user.comes_to_show("logs"));
    user.resize(100, 30);
    CHECK(user.comes_to_show("web/shell"));
    world.must({"kill", "failing"});
    CHECK(user.comes_to_show("2 tabs"));
    user.type("logs\x18"); // a read-only client closes nothing
    CHECK(user.comes_to_show("this client is read-only"));
    CHECK(contains(world.must({"ls"}), "logs"));
}

TEST_CASE("what is typed after Tab in the Office goes to the previewed tab, in the modes of its program", "[mato][office]") {
    const std::string path = GENERATE("direct", "relayed");
    CAPTURE(path);
    mato_world world;
    make_tabs(world);
    // In application cursor mode (DECCKM) Up is ESC O A.
    world.must({"new", "-d", "-t", "ops", "-n", "keys", "--", "stty raw -echo; printf '\\033[?1hwaits'; exec cat -v"});
    std::vector<std::string> words{"attach", "shell"};
    if (path == "relayed") words.push_back("--relay");
    outer_terminal user(world, words);
    REQUIRE(user.comes_to_show("ready"));
    user.type(prefix + " keys");
    REQUIRE(user.comes_to_show("waits"));
    user.type("\t");
    REQUIRE(user.comes_to_show("back to the list; all other keys go to ops/keys"));
    user.type("yes\t\x03\xc3\xa9");
    user.type("\033[A");
    CHECK(wait_until([&] {
        return contains(world.must({"capture", "keys"}), "waitsyes\t^CM-CM-)^[OA") ||
               contains(world.must({"capture", "keys"}), "^CM-CM-)^[OA");
    }));
    CHECK(user.comes_to_show("waitsyes"));
    CHECK_FALSE(contains(world.must({"capture", "shell"}), "yes"));
    user.type(prefix + "\t");
    REQUIRE(user.comes_to_show("Enter go"));
    user.type("x"); // finds again
    CHECK(user.comes_to_show("keysx"));
    CHECK_FALSE(contains(world.must({"capture", "keys"}), "keysx"));
    user.type("\x1b");
    user.type("\x1b");
    CHECK(user.comes_to_agree("shell"));
}

TEST_CASE("the Office lists closed tabs, and Enter brings the chosen one back", "[mato][office]") {
    mato_world world;
    make_tabs(world);
    world.must({"kill", "logs"});
    world.must({"kill", "failing"});
    outer_terminal user(world, {"attach", "shell"});
    REQUIRE(user.comes_to_show("ready"));
    user.type(prefix + " ");
    REQUIRE(user.comes_to_show("ops/logs"));
    user.type("logs\r");
    REQUIRE(user.comes_to_show("started again"));
    CHECK(contains(world.must({"ls"}), "logs"));
    CHECK_FALSE(contains(world.must({"ls"}), "failing"));
}
