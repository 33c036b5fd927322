// SPDX-License-Identifier: MIT
// Keys that change tabs: names, tasks, closing with a question, starting again, and the tab that needs its user.
#include "support/outer_terminal.hpp"

using namespace support;
using namespace std::chrono_literals;

namespace {

const std::string prefix = "\x1c";

bool lists(const mato_world& world, const std::string& text) {
    return wait_until([&] { return contains(world.must({"ls"}), text); });
}

} // namespace

TEST_CASE("keys rename a tab and its task, and say why a name is refused", "[mato][keys]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    world.must({"new", "-d", "-t", "web", "-n", "shell", "--", "printf ready; exec cat"});
    world.must({"new", "-d", "-t", "ops", "-n", "logs", "--", "exec cat"});
    std::vector<std::string> words{"attach", "shell"};
    if (path == "relayed") words.push_back("--relay");
    outer_terminal user(world, words);
    REQUIRE(user.comes_to_show("ready"));
    user.type(prefix + ",");
    REQUIRE(user.comes_to_show("name of this tab  shell"));
    user.type("\x15"
              "vim\r");
    CHECK(lists(world, "vim"));
    CHECK_FALSE(contains(world.must({"capture", "vim"}), "vim")); // the program got none of it
    user.type(prefix + "$");
    REQUIRE(user.comes_to_show("name of this task  web"));
    user.type("\x15ops\r");
    CHECK(user.comes_to_show("a task 'ops' already exists"));
    user.type(prefix + "$");
    REQUIRE(user.comes_to_show("name of this task  web"));
    user.type("/\r");
    CHECK(user.comes_to_show("not renamed: 'web/'"));
    user.type(prefix + "m");
    REQUIRE(user.comes_to_show("move to task"));
    user.type("ops\r");
    CHECK(user.comes_to_show("moved to ops"));
    CHECK_FALSE(contains(world.must({"ls"}), "web"));
    user.type("echo\n");
    CHECK(user.comes_to_show("echo")); // the keyboard is the program's again
}

TEST_CASE("a tab is closed by a key; if more than an idle shell runs that asks first", "[mato][keys]") {
    mato_world world;
    world.configure("exit_empty = false\n");
    world.must({"new", "-d", "-n", "idle", "--", "printf ready; exec cat"});
    world.must({"new", "-d", "-n", "busy"}); // a shell
    outer_terminal user(world, {"attach", "busy"});
    user.type("printf 'go%s' on; cat\n");
    REQUIRE(user.comes_to_show("goon"));
    REQUIRE(wait_until([&] { return contains(world.must({"ls"}), "busy"); }));
    user.type(prefix + "x");
    REQUIRE(user.comes_to_show("close tab busy? its program runs"));
    user.type("n");
    user.type("still\n");
    REQUIRE(user.comes_to_show("still"));
    user.type(prefix + "&");
    REQUIRE(user.comes_to_show("close tab busy? its program runs"));
    user.type("y");
    CHECK(user.comes_to_show("ready")); // the other tab
    CHECK(wait_until([&] { return !contains(world.must({"ls"}), "busy"); }));
    user.type(prefix + "x"); // no shell
    REQUIRE(user.comes_to_show("close tab idle? its program runs"));
    user.type("\r");
    CHECK(wait_until([&] { return !contains(world.must({"ls"}), "idle"); }));
    world.must({"new", "-d", "-n", "shell"});
    outer_terminal other(world, {"attach", "shell"});
    other.type("printf 'is%s' up\n"); // the shell's own command
    REQUIRE(other.comes_to_show("isup"));
    other.type(prefix + "x"); // an idle shell: no question
    CHECK(wait_until([&] { return !contains(world.must({"ls"}), "shell"); }));
}

TEST_CASE("keys go to the tab that needs its user, and start an ended program again", "[mato][keys]") {
    mato_world world;
    world.configure("remain_on_exit = \"on\"\n");
    world.must({"new", "-d", "-n", "here", "--", "printf ready; exec cat"});
    world.must({"new", "-d", "-n", "asks", "--", "read -r x; printf 'asking\\a'; exec cat"});
    world.must({"new", "-d", "-n", "fails", "--", "read -r x; echo run-$x; exit 3"});
    outer_terminal user(world, {"attach", "here"});
    REQUIRE(user.comes_to_show("ready"));
    user.type(prefix + "a");
    CHECK(user.comes_to_show("no tab needs you"));
    world.must({"send", "fails", "one", "Enter"});
    REQUIRE(lists(world, "exited 3"));
    world.must({"send", "asks", "Enter"});
    REQUIRE(wait_until([&] { return contains(world.must({"capture", "asks"}), "asking"); }));
    user.type(prefix + "a");
    CHECK(user.comes_to_show("asking")); // before what failed
    user.type(prefix + "a");
    CHECK(user.comes_to_show("run-one"));
    user.type(prefix + "r");
    CHECK(wait_until([&] { return !contains(world.must({"ls"}), "exited 3"); }));
    user.type("two\n");
    CHECK(user.comes_to_show("run-two"));
}

TEST_CASE("a read-only client changes nothing by keys", "[mato][keys]") {
    mato_world world;
    world.must({"new", "-d", "-n", "only", "--", "printf ready; exec cat"});
    outer_terminal user(world, {"attach", "-r", "only"});
    REQUIRE(user.comes_to_show("ready"));
    for (const char* key : {",", "$", "x", "m", "r"}) {
        user.type(prefix + key);
        CHECK(user.comes_to_show("this client is read-only"));
        user.type(prefix + "?"); // hides the message
        CHECK(user.comes_to_show("Keys"));
        user.type("q");
        CHECK(user.comes_to_show("ready"));
    }
    CHECK(contains(world.must({"ls"}), "only"));
}
