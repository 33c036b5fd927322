// SPDX-License-Identifier: MIT
/// @file workspace_test.cpp: the names of tabs, and how users refer to them.
#include "daemon/workspace.hpp"
#include "protocol/names.hpp"

#include "support/catch.hpp"

using mux::check_name;
using mux::workspace;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// work: 1 vim, 2 shell, 3 vim2 · play: 4 shell, 5 my game
workspace example() {
    workspace tabs;
    for (const char* name : {"vim", "shell", "vim2"}) tabs.add("work", name);
    for (const char* name : {"shell", "my game"}) tabs.add("play", name);
    return tabs;
}

} // namespace

// ---- the contract ----

TEST_CASE("ids count from one and are never reused", "[workspace]") {
    workspace tabs;
    CHECK(tabs.add("t", "a") == 1);
    CHECK(tabs.add("t", "b") == 2);
    tabs.remove(2);
    CHECK(tabs.add("u", "c") == 3);
    CHECK(tabs.last_id() == 3);
    CHECK(workspace(41).add("t", "a") == 42);
    CHECK(workspace(41).last_id() == 41);
}

TEST_CASE("a task is created by its first tab and removed with its last; the order is that of creation", "[workspace]") {
    auto tabs = example();
    REQUIRE(tabs.tasks().size() == 2);
    CHECK(tabs.tasks()[0].name == "work");
    CHECK(tabs.tasks()[0].tabs.size() == 3);
    CHECK(tabs.tasks()[0].tabs[1].name == "shell");
    tabs.remove(4);
    CHECK(tabs.tasks().size() == 2);
    tabs.remove(5);
    REQUIRE(tabs.tasks().size() == 1);
    CHECK(tabs.tasks()[0].name == "work");
    CHECK(tabs.add("play", "again") == 6);
    CHECK(tabs.tasks()[1].name == "play");
}

TEST_CASE("a tab moves to the end of a task, which is created if needed; an empty task is removed", "[workspace]") {
    auto tabs = example(); // work: 1 2 3, play: 4 5
    tabs.move(2, "play");
    CHECK(tabs.task_of(2)->name == "play");
    CHECK(tabs.tasks()[1].tabs.back().id == 2);
    CHECK(tabs.find(2)->name == "shell");
    CHECK(tabs.tasks()[0].tabs.size() == 2);
    tabs.move(1, "new");
    tabs.move(3, "new");
    REQUIRE(tabs.tasks().size() == 2);
    CHECK(tabs.tasks()[0].name == "play");
    CHECK(tabs.tasks()[1].name == "new");
    CHECK(tabs.tasks()[1].tabs[0].id == 1);
    CHECK(tabs.tasks()[1].tabs[1].id == 3);
    CHECK(tabs.resolve("new/2", 0).id == 3);
    CHECK(tabs.last_id() == 5);
    const auto before = tabs.revision();
    tabs.move(99, "nowhere"); // unknown: nothing is created
    CHECK(tabs.tasks().size() == 2);
    CHECK(tabs.revision() == before);
}

TEST_CASE("every change has a revision", "[workspace]") {
    auto tabs = example();
    auto last = tabs.revision();
    const auto grew = [&] { return std::exchange(last, tabs.revision()) < tabs.revision(); };
    tabs.add("x", "y");
    CHECK(grew());
    tabs.rename_tab(1, "emacs");
    CHECK(grew());
    CHECK(tabs.rename_task("work", "job"));
    CHECK(grew());
    CHECK_FALSE(tabs.rename_task("nothing", "job2"));
    CHECK_FALSE(grew());
    tabs.remove(1);
    CHECK(grew());
}

TEST_CASE("a tab is found by id, whatever the names of others", "[workspace]") {
    const auto tabs = example();
    for (mux::tab_id id = 1; id <= 5; ++id) {
        CHECK(tabs.resolve(std::to_string(id), 0).id == id);
        REQUIRE(tabs.find(id));
        CHECK(tabs.find(id)->id == id);
    }
    CHECK(tabs.task_of(5)->name == "play");
    CHECK_FALSE(tabs.find(6));
    CHECK_FALSE(tabs.task_of(0));
}

TEST_CASE("TASK/TAB accepts names, unique prefixes and numbers on both sides", "[workspace]") {
    const auto tabs = example();
    for (const char* target : {"work/shell", "w/sh", "1/2", "work/2", "1/shell", "wor/s"}) {
        INFO(target);
        CHECK(tabs.resolve(target, 0).id == 2);
    }
    CHECK(tabs.resolve("play/my game", 0).id == 5);
    CHECK(tabs.resolve("2/2", 0).id == 5);
    CHECK(tabs.resolve("p/my", 0).id == 5);
}

TEST_CASE("a name alone, or its beginning, is searched in all tasks", "[workspace]") {
    const auto tabs = example();
    CHECK(tabs.resolve("my game", 0).id == 5);
    CHECK(tabs.resolve("my", 0).id == 5);
    CHECK(tabs.resolve("vim2", 0).id == 3);
    CHECK(tabs.resolve("vim", 0).id == 1); // a whole name takes precedence over the beginning of another
}

TEST_CASE("a dot is the tab in which the command runs", "[workspace]") {
    const auto tabs = example();
    CHECK(tabs.resolve(".", 3).id == 3);
    CHECK(has(tabs.resolve(".", 0).problem, "does not run in a tab"));
    CHECK(has(tabs.resolve(".", 9).problem, "no longer exists"));
}

TEST_CASE("a task is found by name or unique prefix", "[workspace]") {
    auto tabs = example();
    REQUIRE(tabs.find_task("work"));
    CHECK(tabs.find_task("work")->name == "work");
    REQUIRE(tabs.find_task("p"));
    CHECK(tabs.find_task("p")->name == "play");
    CHECK_FALSE(tabs.find_task("x"));
    tabs.add("workshop", "a");
    REQUIRE(tabs.find_task("work"));
    CHECK(tabs.find_task("work")->name == "work");
    CHECK_FALSE(tabs.find_task("wo"));
}

TEST_CASE("renames are seen by the next lookup", "[workspace]") {
    auto tabs = example();
    tabs.rename_tab(2, "console");
    CHECK(tabs.resolve("console", 0).id == 2);
    CHECK(tabs.resolve("shell", 0).id == 4); // no longer ambiguous
    CHECK(tabs.rename_task("work", "job one"));
    CHECK(tabs.resolve("job one/vim", 0).id == 1);
    CHECK(tabs.resolve("work/vim", 0).id == 0);
    CHECK(tabs.rename_task("play", "play")); // its own name is allowed
}

TEST_CASE("a new task gets the lowest unused number", "[workspace]") {
    workspace tabs;
    CHECK(tabs.fresh_task_name() == "Task 1");
    tabs.add("Task 1", "a");
    tabs.add("Task 3", "b");
    CHECK(tabs.fresh_task_name() == "Task 2");
    tabs.add("Task 2", "c");
    CHECK(tabs.fresh_task_name() == "Task 4");
    tabs.remove(1);
    CHECK(tabs.fresh_task_name() == "Task 1");
}

// ---- the refusals ----

TEST_CASE("an ambiguous name is reported with its candidates", "[workspace]") {
    auto tabs = example();
    const auto both = tabs.resolve("shell", 0);
    CHECK(both.id == 0);
    CHECK(has(both.problem, "ambiguous"));
    CHECK(has(both.problem, "2 (work/shell)"));
    CHECK(has(both.problem, "4 (play/shell)"));
    CHECK_FALSE(has(both.problem, "vim"));
    const auto prefixes = tabs.resolve("work/v", 0);
    CHECK(has(prefixes.problem, "1 (work/vim)"));
    CHECK(has(prefixes.problem, "3 (work/vim2)"));
    tabs.add("workshop", "x");
    const auto tasks = tabs.resolve("wo/x", 0);
    CHECK(has(tasks.problem, "'work'"));
    CHECK(has(tasks.problem, "'workshop'"));
    CHECK_FALSE(has(tasks.problem, "play"));
}

TEST_CASE("the missing part is named", "[workspace]") {
    const auto tabs = example();
    for (const char* target :
         {"6", "0", "unknown", "work/unknown", "work/0", "work/4", "99999999999999999999", "work/", "", "-1"}) {
        INFO(target);
        const auto found = tabs.resolve(target, 0);
        CHECK(found.id == 0);
        CHECK(has(found.problem, "no tab"));
        CHECK(has(found.problem, target));
    }
    CHECK(has(tabs.resolve("none/x", 0).problem, "no task 'none'"));
    CHECK(has(tabs.resolve("9/1", 0).problem, "no task '9'"));
    CHECK(workspace().resolve("a", 0).id == 0);
}

TEST_CASE("a task cannot take another's name", "[workspace]") {
    auto tabs = example();
    CHECK_FALSE(tabs.rename_task("work", "play"));
    CHECK_FALSE(tabs.rename_task("none", "new"));
    CHECK(tabs.tasks()[0].name == "work");
}

TEST_CASE("names that are ambiguous or would garble a terminal are refused", "[workspace]") {
    for (const std::string& bad :
         {std::string(), std::string("."), std::string("0"), std::string("42"), std::string("99999999999999999999999"),
          std::string("a/b"), std::string("/"), std::string("a\nb"), std::string("\033[31m"), std::string("a\0b", 3),
          std::string("\x7f"), std::string("\xff"), std::string("a\xc3"), std::string("\xed\xa0\x80"), std::string("\xc0\xaf"),
          std::string("\xc2\x9b"), std::string(65, 'a')}) {
        CAPTURE(bad);
        CHECK_FALSE(check_name(bad).empty());
    }
}

// ---- the edges ----

TEST_CASE("names of 1 and of 64 bytes, with spaces and letters of any script", "[workspace]") {
    for (const std::string& good :
         {std::string("a"), std::string(64, 'a'), std::string("my game"), std::string("1a"), std::string(".."),
          std::string("-x"), std::string("ü日本語🙂"), std::string("a.b:c")}) {
        CAPTURE(good);
        CHECK(check_name(good).empty());
    }
}

TEST_CASE("a task's number takes precedence over the beginning of a name, and an invalid number is a prefix", "[workspace]") {
    workspace tabs;
    tabs.add("2nd", "a");
    tabs.add("other", "b");
    CHECK(tabs.resolve("2/1", 0).id == 2);
    CHECK(tabs.resolve("2n/1", 0).id == 1);
}

TEST_CASE("removing or renaming an unknown tab changes only the revision", "[workspace]") {
    auto tabs = example();
    tabs.remove(99);
    tabs.rename_tab(99, "x");
    CHECK(tabs.tasks().size() == 2);
    CHECK(tabs.resolve("x", 0).id == 0);
}
