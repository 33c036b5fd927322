// SPDX-License-Identifier: MIT
/// @file switch_process_test.cpp: the tab that a terminal shows: at the start, at a tab's end, by commands inside a tab.
#include "support/json_reader.hpp"
#include "support/pty_client.hpp"

using namespace support;

namespace {

void detach(pty_client& client) {
    client.command('d');
    CHECK(client.wait() == 0);
}

/// The tab that each attached client shows, in the order of attaching.
std::string shown_tabs(const mato_world& world) {
    const std::string all = json_reader::compact(world.must({"clients", "--json"}));
    std::string result;
    for (auto at = all.find("\"tab\":"); at != std::string::npos; at = all.find("\"tab\":", at + 1)) {
        const std::string tab = all.substr(at + 6, all.find_first_of(",}", at) - at - 6);
        if (tab != "null") result += (result.empty() ? "" : ",") + tab;
    }
    return result;
}
bool comes_to_show(const mato_world& world, const std::string& tabs) {
    return wait_until([&] { return shown_tabs(world) == tabs; });
}

std::string inside(const mato_world& world) { return "env -u XDG_STATE_HOME " + world.executable() + " "; }

} // namespace

TEST_CASE("mato alone attaches to the tab that a person used last, not to one that a command opened or typed into",
          "[mato][switch]") {
    mato_world world;
    world.must({"new", "-d", "-n", "first", "--", "exec cat"});
    world.must({"new", "-d", "-n", "mine", "--", "printf MINE; exec cat"});
    {
        pty_client person(world, {"attach", "mine"});
        REQUIRE(person.wait_for("MINE"));
        detach(person);
    }
    world.must({"new", "-d", "-n", "script", "--", "printf SCRIPT; exec cat"});
    world.must({"send", "script", "x", "Enter"});
    {
        pty_client reader(world, {"attach", "-r", "first"}); // read-only
        REQUIRE(comes_to_show(world, "1"));
        detach(reader);
    }
    pty_client again(world, {});
    CHECK(again.wait_for("MINE"));
    CHECK(comes_to_show(world, "2"));
}

TEST_CASE("switch takes a terminal to a tab, to a task's tab used last, and back", "[mato][switch]") {
    mato_world world;
    world.must({"new", "-d", "-t", "work", "-n", "one", "--", "printf ONE; exec cat"});
    world.must({"new", "-d", "-t", "work", "-n", "two", "--", "printf TWO; exec cat"});
    world.must({"new", "-d", "-t", "play", "-n", "three", "--", "printf THREE; exec cat"});
    CHECK(contains(world.run({"switch", "one"}).err, "no client is attached"));
    pty_client person(world, {"attach", "one"});
    REQUIRE(person.wait_for("ONE"));
    world.must({"switch", "two"}); // the only client
    CHECK(comes_to_show(world, "2"));
    world.must({"switch", "play"});
    CHECK(comes_to_show(world, "3"));
    world.must({"switch", "work"});
    CHECK(comes_to_show(world, "2"));
    world.must({"switch", "-"});
    CHECK(comes_to_show(world, "3"));
    CHECK(world.run({"switch", "nothing"}).exit_code == 1);

    pty_client other(world, {"attach", "one"});
    REQUIRE(comes_to_show(world, "3,1"));
    CHECK(contains(world.run({"switch", "two"}).err, "several clients are attached; name one with -c"));
    const std::string clients = world.must({"clients"});
    world.must({"switch", "-c", clients.substr(0, clients.find(' ')), "two"});
    CHECK(comes_to_show(world, "2,1"));
    CHECK(world.run({"switch", "-c", "4711", "two"}).exit_code == 1);
    world.must({"new", "-d", "-n", "inner", "--", "read x; " + inside(world) + "switch three; exec cat"});
    world.must({"switch", "-c", clients.substr(0, clients.find(' ')), "inner"});
    REQUIRE(comes_to_show(world, "4,1"));
    world.must({"send", "inner", "Enter"}); // the terminal that shows the tab of the command
    CHECK(comes_to_show(world, "3,1"));
    CHECK(world.must({"has", "play"}).empty()); // a task
}

TEST_CASE("if no person has used a tab, mato alone attaches to the tab opened last", "[mato][switch]") {
    mato_world world;
    world.open_tab();
    world.open_tab({"printf NEWEST; exec cat"});
    pty_client person(world, {});
    CHECK(person.wait_for("NEWEST"));
}

TEST_CASE("when a tab's program ends, its viewers switch to the tab shown before; after the last tab they detach",
          "[mato][switch]") {
    const std::string way = GENERATE("direct", "--relay");
    CAPTURE(way);
    mato_world world;
    for (int n = 1; n <= 3; ++n) world.open_tab({"printf READY; read -r x; exit $x"});
    std::vector<std::string> words{"attach", "1"};
    if (way != "direct") words.push_back(way);
    pty_client one(world, words);
    REQUIRE(comes_to_show(world, "1"));
    REQUIRE(one.wait_for("READY")); // before it is raw, the prefix would be its terminal's signal
    one.command('3');
    REQUIRE(comes_to_show(world, "3"));
    one.command('2');
    REQUIRE(comes_to_show(world, "2"));
    pty_client two(world, {"attach", "2"});
    REQUIRE(comes_to_show(world, "2,2"));
    REQUIRE(two.wait_for("READY"));
    one.type("5\r");
    REQUIRE(comes_to_show(world, "3,3")); // `two` has shown no other tab: the one used last
    world.must({"kill", "3"});
    REQUIRE(comes_to_show(world, "1,1"));
    one.type("6\r");
    CHECK(one.wait() == 0);
    CHECK(one.last_line() == "[exited 6]");
    CHECK(two.wait() == 0);
    CHECK(two.last_line() == "[exited 6]");
}

TEST_CASE("a stop switches no viewer to another tab", "[mato][switch]") {
    mato_world world;
    world.open_tab();
    pty_client viewer(world, {"new", "--", "exec cat"});
    REQUIRE(comes_to_show(world, "2"));
    world.must({"stop"});
    CHECK(viewer.wait() == 1);
    CHECK(viewer.last_line() == "[daemon stopped]");
}

TEST_CASE("attach and new inside a tab switch its terminal to the other tab", "[mato][switch]") {
    mato_world world;
    world.must({"new", "-d", "-n", "other", "--", "printf OTHER; exec cat"});
    pty_client viewer(world, {"new", "-n", "shell", "--", "exec sh -i"}, {.columns = 250, .rows = 30});
    REQUIRE(viewer.wait_for("$ "));
    viewer.type(inside(world) + "attach other; echo code=$?\r");
    REQUIRE(comes_to_show(world, "1"));
    viewer.command('2');
    REQUIRE(comes_to_show(world, "2"));
    CHECK(viewer.wait_for("code=0"));
    viewer.type(inside(world) + "attach\r"); // the previous one
    REQUIRE(comes_to_show(world, "1"));
    viewer.command('2');
    REQUIRE(comes_to_show(world, "2"));
    viewer.type(inside(world) + "new -n fresh -- 'stty size; exec cat'\r");
    REQUIRE(comes_to_show(world, "3"));
    CHECK(viewer.wait_for("30 250"));
    CHECK(contains(world.must({"ls"}), "  3  fresh  250x30"));
    viewer.command('2');
    REQUIRE(comes_to_show(world, "2"));

    viewer.type(inside(world) + "attach no-tab; echo code=$?\r");
    CHECK(viewer.wait_for("code=1"));
    viewer.type(inside(world) + "attach -r other; echo code=$?\r");
    CHECK(viewer.wait_for("code=64"));
    viewer.type(inside(world) + "attach --nest .; echo code=$?\r");
    CHECK(viewer.wait_for("cannot show itself"));
    CHECK(viewer.wait_for("code=1"));
    viewer.type(inside(world) + "attach --nest other\r");
    REQUIRE(comes_to_show(world, "2,1"));
    CHECK(viewer.wait_for("OTHER"));
}

TEST_CASE("in a tab that no terminal shows there is none to switch", "[mato][switch]") {
    mato_world world;
    world.open_tab();
    const std::string id = world.open_tab({inside(world) + "attach 1; " + inside(world) + "new -- true; exec cat"});
    CHECK(wait_until([&] { return count_of(world.must({"capture", id}), "no terminal shows tab 2") == 2; }));
    CHECK(count_of(world.must({"ls"}), "running") == 2);
}

TEST_CASE("a read-only viewer opens no tab: it is told so", "[mato][switch]") {
    mato_world world;
    world.open_tab({"printf SHARED; exec cat"});
    pty_client reader(world, {"attach", "-r", "1"});
    REQUIRE(reader.wait_for("SHARED"));
    reader.command('c');
    CHECK(reader.wait_for("this client is read-only"));
    CHECK(count_of(world.must({"ls"}), "running") == 1);
    detach(reader);
}

TEST_CASE("a suspended client's size does not count", "[mato][switch]") {
    mato_world world;
    world.configure("window_size = \"smallest\"\n");
    world.open_tab();
    pty_client large(world, {"attach", "1"}, {.columns = 100, .rows = 40});
    pty_client small(world, {"attach", "1"}, {.columns = 60, .rows = 20});
    const auto has_size = [&](const std::string& size) {
        return wait_until([&] { return contains(world.must({"ls"}), size); });
    };
    REQUIRE(has_size("60x20"));
    small.command('\x1a');
    CHECK(has_size("100x40"));
    REQUIRE(wait_until([&] { return process_state(small.pid()) == 'T'; }));
    small.signal(SIGCONT);
    CHECK(has_size("60x20"));
    detach(small);
    CHECK(has_size("100x40"));
}

TEST_CASE("a single --ignore-size viewer sets the tab's size; resize auto follows the viewers again", "[mato][switch]") {
    mato_world world;
    world.open_tab();
    const auto has_size = [&](const std::string& size) {
        return wait_until([&] { return contains(world.must({"ls"}), size); });
    };
    pty_client quiet(world, {"attach", "--ignore-size", "1"}, {.columns = 50, .rows = 10});
    CHECK(has_size("50x10"));
    pty_client other(world, {"attach", "1"}, {.columns = 70, .rows = 20});
    CHECK(has_size("70x20"));
    quiet.resize(44, 11);
    world.must({"resize", "1", "90x33"});
    CHECK(has_size("90x33"));
    other.resize(71, 21);
    CHECK(wait_until([&] { return contains(world.must({"clients"}), "71x21"); }));
    CHECK(contains(world.must({"ls"}), "90x33"));
    world.must({"resize", "1", "auto"});
    CHECK(has_size("71x21"));
    detach(other);
    CHECK(has_size("44x11"));
    CHECK(world.run({"resize", "1", "automatic"}).exit_code == 64);
}

TEST_CASE("a single read-only viewer that sees a part gets a notice, for a moment or until a key", "[mato][switch]") {
    mato_world world;
    world.open_tab({"printf '\\033[24;1HLAST'; exec cat"});
    pty_client reader(world, {"attach", "-r", "1"}, {.columns = 40, .rows = 10});
    CHECK(reader.wait_for("80x24 tab: this terminal shows a part"));
    reader.type("x");
    CHECK(reader.wait_for("LAST"));
    CHECK(contains(world.must({"ls"}), "80x24"));
    reader.command('?');
    CHECK(reader.wait_for("Keys"));
    reader.type("q");
    CHECK(reader.wait_for("LAST"));
    detach(reader);

    pty_client again(world, {"attach", "-r", "1"}, {.columns = 40, .rows = 10});
    CHECK(again.wait_for("shows a part"));
    CHECK(again.wait_for("LAST")); // after a time
    pty_client large(world, {"attach", "-r", "1"}, {.columns = 80, .rows = 24});
    CHECK(large.wait_for("LAST"));
    CHECK_FALSE(contains(large.shown(), "a part"));
}

TEST_CASE("an ended tab that remains shows that on its screen", "[mato][switch]") {
    const std::string emulator = GENERATE("vt", "raw");
    CAPTURE(emulator);
    mato_world world;
    world.configure("remain_on_exit = \"on\"\n");
    pty_client viewer(world, {"new", "--emulator", emulator, "--", "printf 'last \033[2;3r\033[31mline\033[5'; exit 3"});
    CHECK(viewer.wait_for("[exited 3; 'mato respawn 1' starts it again]"));
    if (emulator == "vt") CHECK(contains(world.must({"capture", "1"}), "[exited 3; "));
    pty_client later(world, {"attach", "1"});
    CHECK(later.wait_for("[exited 3; "));
}
