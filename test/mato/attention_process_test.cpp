// SPDX-License-Identifier: MIT
// What tabs say to a person who looks elsewhere: marks in the bar and the Office, listings, events, the user's terminal.
#include "support/outer_terminal.hpp"

using namespace support;
using namespace std::chrono_literals;

namespace {

const std::string prefix = "\x1c";
const std::string bar = "[bar]\nshow = \"auto\"\n";

/// A tab that runs each line that it gets.
const std::string obeys = "stty -echo; echo ready; while read -r line; do eval \"$line\"; done";

void open_pair(const mato_world& world, const std::string& settings = {}) {
    world.configure(bar + settings);
    world.must({"new", "-d", "-t", "web", "-n", "shell", "--", "echo ready; exec cat"});
    world.must({"new", "-d", "-t", "web", "-n", "agent", "--", obeys});
    REQUIRE(wait_until([&] { return contains(world.must({"capture", "agent"}), "ready"); }));
}

void tell(const mato_world& world, const std::string& line) { world.must({"send", "agent", line, "Enter"}); }

/// `ls` has the text in time.
bool lists(const mato_world& world, const std::string& text) {
    std::string all;
    const bool has = wait_until([&] { return contains(all = world.must({"ls"}), text); });
    INFO(all);
    CHECK(has);
    return has;
}

bool lists_in_json(const mato_world& world, const std::string& text) {
    std::string all;
    const bool has = wait_until([&] { return contains(all = world.must({"ls", "--json"}), text); });
    INFO(all);
    CHECK(has);
    return has;
}

/// The user's terminal shows that tab in time.
bool comes_to_tab(const mato_world& world, outer_terminal& user, int id) {
    return wait_until([&] {
        user.look();
        return contains(world.must({"clients", "--json"}), "\"tab\": " + std::to_string(id) + ",");
    });
}

} // namespace

TEST_CASE("each form of a notice marks its tab and reaches the terminal with the tab's name", "[mato][attention]") {
    const std::string path = GENERATE("direct", "relayed");
    CAPTURE(path);
    mato_world world;
    open_pair(world);
    auto events = world.start({"events", "--json"});
    REQUIRE(events.wait_for_output("\"snapshot\""));
    std::vector<std::string> words{"attach", "shell"};
    if (path == "relayed") words.push_back("--relay");
    outer_terminal user(world, words);
    REQUIRE(user.comes_to_show(" web  1 shell  2 agent"));
    tell(world, R"(printf '\033]9;may I?\007')");
    CHECK(user.client().wait_for("\033]9;web/agent: may I?\033\\"));
    CHECK(user.comes_to_show("2 agent !"));
    CHECK(events.wait_for_output(R"("tab": 2, "notice": "may I?", "count": 1})"));
    CHECK(lists(world, "asks: may I?\n"));
    user.type(prefix + "a"); // to the tab that needs you
    REQUIRE(comes_to_tab(world, user, 2));
    CHECK(lists_in_json(world, R"("notice": null)"));
    user.type(prefix + "\t");
    REQUIRE(comes_to_tab(world, user, 1));
    CHECK(wait_until([&] { return user.look(), !contains(user.screen().text(), "agent !"); }));

    tell(world, R"(printf '\033]777;notify;tests;3 failed\033\\')");
    CHECK(user.client().wait_for("\033]777;notify;web/agent;tests: 3 failed\033\\"));
    CHECK(user.comes_to_show("2 agent !"));
    world.must({"rename", "agent", "a;b"});
    world.must({"notice", "--tab", "2", "by\033hand"});
    CHECK(user.client().wait_for("\033]9;web/a,b: by\\x1bhand\033\\"));
}

TEST_CASE("a hook says what a tab does, and a blocked one asks until it says something else", "[mato][attention]") {
    mato_world world;
    open_pair(world);
    auto events = world.start({"events", "--json"});
    REQUIRE(events.wait_for_output("\"snapshot\""));
    outer_terminal user(world, {"attach", "shell"});
    REQUIRE(user.comes_to_show(" web  1 shell  2 agent"));
    tell(world, world.executable() + " state blocked --note 'wants to run the tests'"); // in the tab: it is meant
    CHECK(user.comes_to_show("2 agent !"));
    CHECK(events.wait_for_output(R"("tab": 2, "state": "blocked", "note": "wants to run the tests"})"));
    CHECK(lists(world, "asks: wants to run the tests\n"));
    CHECK(lists_in_json(world, R"("mark": "asks", "said": "blocked", "note": "wants to run the tests")"));
    user.type(prefix + " ");
    CHECK(user.comes_to_show("▸ 2 agent     asks"));
    CHECK(user.comes_to_show("1 needs you"));
    CHECK(user.comes_to_show("│ wants to run the tests"));
    user.type("\r");
    REQUIRE(comes_to_tab(world, user, 2));
    user.type(prefix + "\t");
    CHECK(user.comes_to_show("2 agent !")); // a look is no answer
    world.must({"state", "2", "working"});
    CHECK(wait_until([&] { return user.look(), !contains(user.screen().text(), "agent !"); }));
    user.type(prefix + " ");
    CHECK(user.comes_to_show("2 agent     working"));
    user.type("\x1b");
    world.must({"state", "2", "done"});
    CHECK(user.comes_to_show("2 agent ✓"));
    CHECK(lists(world, "  done\n"));
    world.must({"state", "2", "clear"});
    CHECK(events.wait_for_output(R"("state": "clear")"));
    CHECK(lists_in_json(world, R"("said": null, "note": null)"));
    const outcome wrong = world.run({"state", "2", "busy"});
    CHECK(wrong.exit_code == 64);
    CHECK(wrong.err == "mato: 'busy' is not a state of a tab; give working, blocked, done or clear\n");
    CHECK(world.run({"state", "done"}).exit_code == 1); // not in a tab
    CHECK(world.run({"state", "77", "done"}).exit_code == 1);
    CHECK(world.run({"notice", ""}).exit_code == 64);
}

TEST_CASE("a flood of notices is told once a second, with their number", "[mato][attention]") {
    mato_world world;
    open_pair(world);
    auto events = world.start({"events", "--json"});
    REQUIRE(events.wait_for_output("\"snapshot\""));
    outer_terminal user(world, {"attach", "shell"});
    REQUIRE(user.comes_to_show(" web  1 shell  2 agent"));
    const stopwatch watch;
    tell(world, R"(i=0; while [ $i -lt 10000 ]; do printf '\033]9;flood\007'; i=$((i+1)); done; printf '\033]9;last one\007')");
    REQUIRE(events.wait_for_output("\"notice\": \"last one\""));
    const auto seconds = static_cast<std::size_t>(watch.elapsed() / 1s);
    user.look();
    REQUIRE(user.client().wait_for("last one"));
    world.must({"stop"});
    const outcome all = events.wait();
    const std::size_t told = count_of(all.out, "\"event\": \"notice\"");
    CHECK(told <= seconds + 2);
    CHECK(count_of(user.client().shown(), "\033]9;") == told);
    std::size_t sum = 0;
    for (auto from = all.out.find("\"count\": "); from != std::string::npos; from = all.out.find("\"count\": ", from + 1))
        sum += static_cast<std::size_t>(std::atoi(all.out.c_str() + from + 9));
    CHECK(sum == 10'001);
}

TEST_CASE("the settings decide what becomes of bells and notices", "[mato][attention]") {
    mato_world world;
    open_pair(world, "[notify]\nbell = \"pass\"\nnotice = \"off\"\n");
    auto events = world.start({"events", "--json"});
    REQUIRE(events.wait_for_output("\"snapshot\""));
    outer_terminal user(world, {"attach", "shell"});
    REQUIRE(user.comes_to_show(" web  1 shell  2 agent"));
    tell(world, R"(printf '\033]9;quiet please\007')");
    REQUIRE(events.wait_for_output("quiet please"));
    CHECK_FALSE(contains(world.must({"ls"}), "asks"));
    CHECK_FALSE(contains(user.client().shown(), "quiet please"));
    tell(world, R"(printf '\007')");
    CHECK(user.client().wait_for("\a"));
    CHECK(user.comes_to_show("2 agent !"));
    user.type(prefix + "a" + prefix + "\t");
    REQUIRE(comes_to_tab(world, user, 1));
    world.configure(bar + "[notify]\nbell = \"off\"\nsilence = \"1s\"\n");
    world.must({"reload"});
    tell(world, R"(printf '\007'; echo again)");
    CHECK(events.wait_for_output("\"event\": \"silence\"")); // by then the bell was handled
    CHECK(user.client().wait_for("\033]9;web/agent: quiet for "));
    CHECK(user.comes_to_show("2 agent !"));
}

TEST_CASE("a command that fails, or takes long, while its tab is not shown marks the tab", "[mato][attention]") {
    mato_world world;
    open_pair(world, "[notify]\ncommand = \"300ms\"\n");
    auto events = world.start({"events", "--json"});
    REQUIRE(events.wait_for_output("\"snapshot\""));
    // What shells send with their integration for terminals.
    world.must({"new", "-d", "-t", "web", "-n", "bash", "-e", R"(PS1=\[\e]133;A\a\]$ \[\e]133;B\a\])", "-e",
                R"(PS0=\e]133;C\a)", "-e", R"(PROMPT_COMMAND=printf "\033]133;D;%s\a" $?)", "--", "bash", "--norc",
                "--noprofile"});
    REQUIRE(events.wait_for_output("\"event\": \"prompt\""));
    outer_terminal user(world, {"attach", "shell"});
    REQUIRE(user.comes_to_show("3 bash"));
    world.must({"send", "bash", "false", "Enter"});
    CHECK(events.wait_for_output(R"("tab": 3, "command": "false"})"));
    CHECK(events.wait_for_output(R"("tab": 3, "command": "false", "exit_code": 1, "duration_ms": )"));
    CHECK(user.comes_to_show("3 bash ✗"));
    CHECK(lists_in_json(world, R"("mark": "failed")"));
    user.type(prefix + "3");
    REQUIRE(comes_to_tab(world, user, 3));
    user.type(prefix + "\t");
    REQUIRE(comes_to_tab(world, user, 1));
    CHECK(wait_until([&] { return user.look(), !contains(user.screen().text(), "✗"); }));
    world.must({"send", "bash", "sleep 0.6", "Enter"});
    CHECK(events.wait_for_output(R"("command": "sleep 0.6"})"));
    user.type(prefix + " ");
    CHECK(user.comes_to_show("3 bash      sleep 0 s"));
    user.type("\x1b");
    CHECK(user.comes_to_show("3 bash ✓"));
    world.configure(bar + "[notify]\ncommand = \"300ms\"\ncommand_ended = \"notice\"\n");
    world.must({"reload"});
    world.must({"send", "bash", "sleep 0.5; (exit 3)", "Enter"});
    CHECK(user.client().wait_for("\033]9;web/bash: sleep 0.5; (exit 3) ended with 3 after 0 s\033\\"));
    CHECK(user.comes_to_show("3 bash !"));
    world.must({"state", "bash", "blocked"}); // by a program that has ended by the next prompt
    world.must({"send", "bash", "true", "Enter"});
    CHECK(lists_in_json(world, R"("said": null)"));
}

TEST_CASE("a tab that asks still does after the daemon's process has died", "[mato][attention]") {
    mato_world world;
    open_pair(world);
    tell(world, R"(printf '\033]9;may I?\007')");
    CHECK(lists(world, "asks"));
    world.must({"state", "shell", "working", "--note", "step 3"});
    kill_worker(world.daemon_pid());
    CHECK(lists(world, "asks"));
    CHECK(lists(world, "working: step 3\n"));
}
