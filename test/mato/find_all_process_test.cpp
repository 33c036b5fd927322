// SPDX-License-Identifier: MIT
// Finding in all tabs in a user's terminal: what is found, where Enter goes, and that other tabs do not wait.
#include "support/mato_world.hpp"
#include "support/outer_terminal.hpp"

#include <string>

using namespace support;
using namespace std::chrono_literals;

namespace {

/// Tabs of 2 000 lines. Each 50th has a needle in one line, and tab 1 in its last one.
void open_tabs(const mato_world& world, int count) {
    for (int i = 1; i <= count; ++i) {
        const std::string number = std::to_string(i);
        const std::string needle = i % 50 == 0 || i == 1 ? "echo needle-" + number + ";" : "";
        world.must(
            {"new", "-d", "-t", "task" + std::to_string(i % 7), "-n", "tab" + number, "--",
             "seq -f 'some words and the number %g' 1000; " + needle + " seq 1001 2000; printf up; stty -echo; exec cat"});
    }
    for (int i = 1; i <= count; ++i) world.must({"wait", std::to_string(i), "--text", "up$", "--timeout", "60s"});
}

} // namespace

TEST_CASE("^A in the find row lists the hits in all tabs, and Enter goes to the line of one", "[mato][find]") {
    const std::string path = GENERATE("direct", "relayed");
    CAPTURE(path);
    mato_world world;
    constexpr int tabs = 100;
    open_tabs(world, tabs);
    world.must({"new", "-d", "-n", "untouched", "--emulator", "raw", "--", "echo needle-raw; exec cat"});
    std::vector<std::string> words{"attach", "2"};
    if (path == "relayed") words.emplace_back("--relay");
    outer_terminal user(world, words);
    REQUIRE(user.comes_to_show("up"));
    user.type("\x1c/needle-");
    REQUIRE(user.comes_to_show("not found"));
    user.type("\x01");
    REQUIRE(user.comes_to_show(" find  needle-   1 of 3 in 3 tabs"));
    CHECK(user.comes_to_show("100 tabs, 1 raw without text"));
    // What `mato find` prints, which reads each tab's text by itself.
    const std::string printed = world.must({"find", "needle-"}, {.limit = 60s});
    CHECK(count_of(printed, "\n") == 3);
    for (const char* each : {"needle-1", "needle-50", "needle-100"}) CHECK(user.comes_to_show(each));
    CHECK(user.comes_to_show("task1/tab1 "));
    user.type("50");
    REQUIRE(user.comes_to_show(" find  needle-50   1 of 1 in 1 tab"));
    user.type("\r");
    REQUIRE(user.comes_to_show(" history  "));
    CHECK(user.comes_to_show("needle-50"));
    CHECK(user.comes_to_show("some words and the number 1000")); // the line above it
    user.type("q");
    CHECK(user.comes_to_agree("50"));
    user.type("\x1c/need\x01");
    REQUIRE(user.comes_to_show("1 of 3 in 3 tabs"));
    user.type("\x1b"); // to the find row, then to the tab
    REQUIRE(user.comes_to_show("^R older"));
    CHECK(user.comes_to_show(" find  need   1 of 1"));
    user.type("\x1b");
    CHECK(user.comes_to_agree("50"));
}

TEST_CASE("while all tabs are searched, keys in another tab are answered", "[mato][find]") {
    mato_world world;
    open_tabs(world, 60);
    world.must({"new", "-d", "-n", "typed", "--", "printf ready; exec cat"});
    outer_terminal searcher(world, {"attach", "1"}), typist(world, {"attach", "typed"});
    REQUIRE(searcher.comes_to_show("up"));
    REQUIRE(typist.comes_to_show("ready"));
    searcher.type("\x1c/re:(w|u|o|r|e| )+s z\x01"); // costs much, and is not found
    REQUIRE(searcher.comes_to_show("searching"));
    std::string all = "ready";
    bool searched_on = false;
    for (int i = 0; i < 10; ++i) {
        const std::string key(1, static_cast<char>('a' + i));
        all += key;
        typist.type(key);
        CHECK(typist.comes_to_show(all));
        searcher.look();
        searched_on |= contains(searcher.screen().text(), "searching,");
    }
    CHECK(searched_on);
    CHECK(searcher.comes_to_show("not found"));
}
