// SPDX-License-Identifier: MIT
#include "protocol/ended_tabs.hpp"

#include "support/catch.hpp"
#include "support/temp_directory.hpp"

using mux::ended_tab;
using mux::ended_tabs;

TEST_CASE("an ended tab is found by number, by task and name, by name, and as the current one", "[ended]") {
    ended_tabs tabs;
    tabs.remember({3, 7, "Task 1", "build"});
    tabs.remember({4, 0, "Task 2", "build"});
    tabs.remember({5, 130, "Task 1", "test"});
    CHECK(tabs.find("3", 0)->exit_code == 7);
    CHECK(tabs.find("Task 1/build", 0)->id == 3);
    CHECK(tabs.find("build", 0)->id == 4); // the last one
    CHECK(tabs.find(".", 5)->exit_code == 130);
    for (const char* none :
         {"", "6", "buil", "Task 1/", "Task 1/buil", "Task 2/test", "/", ".", "3x", "18446744073709551616"}) {
        INFO(none);
        CHECK(tabs.find(none, 0) == nullptr);
    }
}

TEST_CASE("the last thousand tabs are remembered", "[ended]") {
    ended_tabs tabs;
    for (mux::tab_id id = 1; id <= ended_tabs::limit + 5; ++id) tabs.remember({id, static_cast<int>(id % 256), "Task 1", "sh"});
    CHECK(tabs.all().size() == ended_tabs::limit);
    CHECK(tabs.find("5", 0) == nullptr);
    CHECK(tabs.find("6", 0)->exit_code == 6);
    CHECK(tabs.find("sh", 0)->id == ended_tabs::limit + 5);
}

TEST_CASE("a last screen is kept if it is small", "[ended]") {
    ended_tabs tabs;
    tabs.remember({1, 0, "Task 1", "sh", std::string(ended_tabs::most_screen_bytes, 'x'), 80, 24});
    tabs.remember({2, 0, "Task 1", "sh", std::string(ended_tabs::most_screen_bytes + 1, 'x'), 80, 24});
    CHECK(tabs.find("1", 0)->last_screen.size() == ended_tabs::most_screen_bytes);
    CHECK(tabs.find("2", 0)->last_screen.empty());
}

TEST_CASE("saved tabs are loaded, with the longest names too; other lines are ignored", "[ended]") {
    const support::temp_directory place;
    const std::string path = ended_tabs::path_next_to((place / "daemon.sock").native());
    CHECK(path == (place / "daemon.ended.tabs").native());
    CHECK(ended_tabs::load(path).all().empty()); // there is no file
    ended_tabs tabs;
    tabs.remember({1, 0, "Task 1", "a b  c"});
    tabs.remember({18446744073709551615u, 255, std::string(64, 't'), std::string(64, 'n')});
    tabs.remember({9, -1, "größer", "é"});
    mato::failure why;
    tabs.save(path, why);
    REQUIRE_FALSE(why);
    CHECK(ended_tabs::load(path).all() == tabs.all());
    support::write_file(path, "1 2 three/four\nnonsense\n\n0 1 a/b\n7 x a/b\n8 1 ab\n5 9 a/b\n6 1 cut off");
    const auto read = ended_tabs::load(path);
    REQUIRE(read.all().size() == 2);
    CHECK(read.all()[0] == ended_tab{1, 2, "three", "four"});
    CHECK(read.all()[1] == ended_tab{5, 9, "a", "b"});
    ended_tabs().save((place / "no such directory/x").native(), why);
    CHECK(why);
}
