// SPDX-License-Identifier: MIT
/// @file read_process_test.cpp: marks, `read`, and `wait --text` over all of a tab's text: scripts without races.
#include "support/mato_world.hpp"

using namespace support;

namespace {

/// A tab whose program does what its input says: cat without echo.
std::string echoless_cat(const mato_world& world) {
    std::string id = world.open_tab({"stty -echo; touch up; exec cat"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
    std::filesystem::remove(world.home() / "up");
    return id;
}

std::string without_newline(std::string text) {
    REQUIRE(text.ends_with('\n'));
    text.pop_back();
    return text;
}

} // namespace

TEST_CASE("a text that has scrolled away long ago is found, and its line and mark are told", "[mato][read][wait]") {
    mato_world world;
    const std::string id = world.open_tab({"echo NEEDLE one; seq 5000; touch up; exec sleep 1000"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
    CHECK(world.must({"wait", id, "--text", "NEEDLE", "--timeout", "20s"}) == "1.6@" + id + " NEEDLE one\n");
    CHECK(world.must({"wait", id, "--text", "^4999$", "--json", "--timeout", "20s"}) ==
          "{\"tab\": " + id + ", \"line\": 5000, \"mark\": \"5000.4@" + id + "\", \"text\": \"4999\"}\n");
}

TEST_CASE("--since and --new do not see what was there before", "[mato][read][wait]") {
    mato_world world;
    const std::string id = echoless_cat(world);
    world.must({"send", id, "ready", "Enter"});
    world.must({"wait", id, "--text", "^ready$", "--timeout", "20s"});
    CHECK(world.run({"wait", id, "--text", "ready", "--new", "--timeout", "100ms"}).exit_code == 124);

    const std::string mark = without_newline(world.must({"send", id, "--mark", "ready", "Enter"}));
    const std::string found = world.must({"wait", id, "--text", "ready", "--since", mark, "--timeout", "20s"});
    CHECK(found == "2.5@" + id + " ready\n");
    CHECK(world.must({"read", id, "--since", mark}) == "ready\n");
    const std::string after = found.substr(0, found.find(' '));
    CHECK(world.run({"wait", id, "--text", "ready", "--since", after, "--timeout", "100ms"}).exit_code == 124);

    auto waiting = world.start({"wait", id, "--text", "^end$", "--since", after, "--timeout", "20s"});
    for (int i = 0; i < 50; ++i) world.must({"send", id, "line " + std::to_string(i), "Enter"}); // the mark scrolls away
    world.must({"send", id, "end", "Enter"});
    CHECK(waiting.wait().exit_code == 0);
}

TEST_CASE("a wait goes on when a flood evicts its mark", "[mato][read][wait]") {
    mato_world world;
    world.configure("history_lines = 20\n");
    const std::string id = world.open_tab({"read x; seq 20000; echo done; exec sleep 1000"});
    const std::string mark = without_newline(world.must({"send", id, "--mark", "x"}));
    auto control =
        world.start({"control"}, {.input = "wait " + id + " --text ^done$ --since " + mark + " --timeout 30s\nhas " + id + "\n",
                                  .limit = 60s});
    REQUIRE(control.wait_for_output("{\"reply\": 2, \"ok\": true",
                                    20s)); // the wait has looked once: requests are answered in order
    world.must({"send", id, "Enter"});
    CHECK(control.wait_for_output("\"text\": \"done\"", 30s));
}

TEST_CASE("read prints lines as the program wrote them", "[mato][read]") {
    mato_world world;
    const std::string line = "a line that is longer than the terminal is wide";
    const std::string id = without_newline(
        world.must({"new", "-d", "-x", "20", "-y", "5", "--", "stty -echo; seq 100; echo " + line + "; touch up; exec cat"}));
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
    world.must({"wait", id, "--text", "is wide$", "--timeout", "20s"});
    CHECK(world.must({"read", id, "--last", "3"}) == "100\n" + line + "\n");
    CHECK(contains(world.must({"read", id, "--all"}), "\n50\n51\n"));
    CHECK(world.must({"read", id}) == "100\n" + line + "\n"); // a line of three rows, one before, and the cursor's
    CHECK(world.must({"read", id, "--json"}) == "{\"tab\": " + id + ", \"from\": \"100.0@" + id + "\", \"mark\": \"102.0@" +
                                                    id + "\", \"running\": true, \"lines\": [\"100\", \"" + line + "\"]}\n");
}

TEST_CASE("marks of other tabs, of lines that are gone, and of lines to come are told apart", "[mato][read]") {
    mato_world world;
    world.configure("history_lines = 20\n");
    const std::string id = world.open_tab({"seq 5000; touch up; exec sleep 1000"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
    world.must({"wait", id, "--text", "^5000$", "--timeout", "20s"});
    const auto error_of = [&](const std::string& mark) {
        const outcome went = world.run({"read", id, "--since", mark});
        CHECK(went.exit_code == 65);
        return went.err;
    };
    CHECK(error_of("1.0").find("the text at mark 1.0 is no longer kept: its oldest line is ") != std::string::npos);
    CHECK(error_of("9000.0").find("there is no text at mark 9000.0 yet: its last line is ") != std::string::npos);
    CHECK(error_of("4999.0@77") == "mato: mark 4999.0@77 is a place in tab 77, not in tab " + id + "\n");
    CHECK(world.run({"read", id, "--since", "4999"}).exit_code == 64);
    CHECK(world.run({"wait", id, "--idle", "1s", "--new"}).exit_code == 64);
    CHECK(world.run({"wait", id, "--text", "x", "--new", "--since", "4999.0"}).exit_code == 64);
}

TEST_CASE("control reads, waits and sends with marks", "[mato][read][control]") {
    mato_world world;
    const std::string id = echoless_cat(world);
    auto control =
        world.start({"control"}, {.input = "send --mark " + id + " hello Enter\nwait " + id + " --text ^hello$ --timeout 20s\n",
                                  .limit = 60s});
    CHECK(control.wait_for_output("\"mark\": \"1.0@" + id + "\"", 20s));
    CHECK(control.wait_for_output("\"mark\": \"1.5@" + id + "\", \"text\": \"hello\"", 20s));
}
