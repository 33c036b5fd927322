// SPDX-License-Identifier: MIT
/// @file survive_many_kills_process_test.cpp: the daemon's process is killed again and again under an attached client.
///
/// MATO_TEST_ROUNDS: the kills of each test; without it 100 while the client draws, 300 while keys are typed.
#include "support/daemon_worker.hpp"
#include "support/outer_terminal.hpp"
#include "support/restless_daemon.hpp"

#include <algorithm>
#include <random>
#include <unistd.h>

using namespace support;

namespace {

int rounds(int usual) {
    const char* const asked = std::getenv("MATO_TEST_ROUNDS");
    return asked ? std::max(1, std::atoi(asked)) : sanitized ? usual / 10 : usual;
}

std::vector<std::string> attach_by(const std::string& path, const std::string& tab) {
    std::vector<std::string> words{"attach", tab};
    if (path == "relayed") words.emplace_back("--relay");
    return words;
}

bool is_attached(const mato_world& world, const std::string& path) {
    return wait_until([&] { return count_of(world.must({"clients"}), path) == 1; });
}

/// Draws another picture of several kilobytes at each key.
const std::string painter =
    "stty raw -echo; n=0; printf 'ready'; while dd bs=1 count=1 >/dev/null 2>&1; do n=$((n+1)); i=1; "
    "while [ $i -le 22 ]; do printf '\\033[%d;%dH\\033[1;3%dmline %d of picture %d \xe6\xbc\xa2\xe5\xad\x97\\033[m' "
    "$i $((n%30+1)) $((n%8)) $i $n; i=$((i+1)); done; done";

void require_vim() {
    if (::access("/usr/bin/vim", X_OK) != 0) FAIL("vim is not installed: sh example/install_packages.sh test");
}

} // namespace

TEST_CASE("survive_attached: vim's screen is the same after each of a hundred kills, in raw mode throughout",
          "[mato][survive][rounds]") {
    require_vim();
    const std::string path = GENERATE("direct", "relayed");
    INFO(path);
    mato_world world;
    child_process daemon = restless_daemon(world);
    REQUIRE(wait_until([&] { return world.run({"status"}).exit_code == 0; }));
    std::string text;
    for (int n = 1; n <= 400; ++n) text += "line " + std::to_string(n) + " \t漢字 é ─┼─\n";
    write_file(world.home() / "text.c", text);
    const std::string tab = world.open_tab({"exec vim -Nu NONE -n --cmd 'syntax on' --cmd 'set number ruler' text.c"});
    outer_terminal viewer(world, attach_by(path, tab), 90, 25);
    REQUIRE(viewer.comes_to_show("line 3 "));
    REQUIRE(viewer.comes_to_agree(tab));
    const auto raw = viewer.client().now();
    REQUIRE_FALSE(raw == viewer.client().before());
    const std::vector<std::string> keys{"\x04",   "ointerrupted 漢字\033", "\x15", ":split\r", "ggyyp", "\x17\x17", "u",
                                        ":only\r"};
    std::vector<std::chrono::milliseconds> took;
    std::minstd_rand random(4);
    for (int round = 0; round < rounds(100); ++round) {
        INFO("round " << round);
        viewer.type(keys[static_cast<std::size_t>(round) % keys.size()]);
        for (auto wait = random() % 60; wait > 0; --wait) ::sched_yield();
        const stopwatch since;
        kill_worker(daemon.pid());
        CHECK(viewer.client().now() == raw);
        REQUIRE(is_attached(world, path));
        REQUIRE(viewer.comes_to_agree(tab));
        took.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(since.elapsed()));
        CHECK(viewer.client().now() == raw);
    }
    std::sort(took.begin(), took.end());
    WARN(path << ": the screen agreed after " << took[took.size() / 2].count() << " ms, at most " << took.back().count());
    CHECK_FALSE(contains(viewer.client().shown(), "\033[?1049l")); // the alternate screen was never left
    viewer.command('d');
    CHECK(viewer.client().wait() == 0);
    CHECK(viewer.client().now() == viewer.client().before());
    world.must({"stop"});
    CHECK(daemon.wait() == 0);
}

TEST_CASE("the process is killed a hundred times while it draws: each time the client shows the tab again, always in raw mode",
          "[mato][survive][rounds]") {
    const std::string path = GENERATE("direct", "relayed");
    INFO(path);
    mato_world world;
    child_process daemon = restless_daemon(world);
    REQUIRE(wait_until([&] { return world.run({"status"}).exit_code == 0; }));
    const std::string tab = world.open_tab({painter});
    outer_terminal viewer(world, attach_by(path, tab), 90, 25);
    REQUIRE(viewer.comes_to_show("ready"));
    REQUIRE(viewer.comes_to_agree(tab));
    const auto raw = viewer.client().now();
    REQUIRE_FALSE(raw == viewer.client().before());
    std::minstd_rand random(9);
    for (int round = 0; round < rounds(100); ++round) {
        INFO("round " << round);
        viewer.type("x");
        for (auto wait = random() % 40; wait > 0; --wait) ::sched_yield();
        kill_worker(daemon.pid());
        CHECK(viewer.client().now() == raw);
        REQUIRE(is_attached(world, path));
        REQUIRE(viewer.comes_to_agree(tab));
        CHECK(viewer.client().now() == raw);
    }
    CHECK_FALSE(contains(viewer.client().shown(), "\033[?1049l")); // the alternate screen was never left
    viewer.command('d');
    CHECK(viewer.client().wait() == 0);
    CHECK(viewer.client().now() == viewer.client().before());
    world.must({"stop"});
    CHECK(daemon.wait() == 0);
}

TEST_CASE("a counter is typed through three hundred kills, and no number arrives twice or out of order",
          "[mato][survive][rounds]") {
    const std::string path = GENERATE("direct", "relayed");
    INFO(path);
    mato_world world;
    child_process daemon = restless_daemon(world);
    REQUIRE(wait_until([&] { return world.run({"status"}).exit_code == 0; }));
    const std::string got = (world.root() / "got").native();
    const std::string tab = world.open_tab({"stty raw -echo; printf ready; exec cat -u >" + got});
    outer_terminal viewer(world, attach_by(path, tab));
    REQUIRE(viewer.comes_to_show("ready"));
    int typed = 0;
    for (int kills = 0; kills < rounds(300); ++kills) {
        const std::size_t before = viewer.client().shown().size();
        const pid_t victim = worker_of(daemon.pid());
        REQUIRE(victim > 1);
        for (int n = 0; n < 2; ++n) viewer.type(std::to_string(++typed) + " ");
        REQUIRE(wait_until([&] { return read_file(got).ends_with(std::to_string(typed) + " "); }));
        viewer.type(std::to_string(++typed) + " "); // this one, or the next one, may be lost
        ::kill(victim, SIGKILL);
        viewer.type(std::to_string(++typed) + " ");
        // The next process has drawn: it reads the keyboard.
        REQUIRE(wait_until([&] {
            viewer.look();
            const pid_t next = worker_of(daemon.pid());
            return next != 0 && next != victim && contains(viewer.client().shown().substr(before), "ready");
        }));
    }
    viewer.type("end ");
    REQUIRE(wait_until([&] { return contains(read_file(got), "end "); }));
    int last = 0, count = 0;
    std::istringstream all(read_file(got));
    for (std::string word; all >> word && word != "end"; ++count) {
        const int number = std::atoi(word.c_str());
        INFO("after " << last << " came " << word);
        CHECK(number <= typed);
        if (number <= last) FAIL("a number arrived twice, or in another order");
        last = number;
    }
    WARN(path << ": " << typed - count << " of " << typed << " numbers were lost in " << rounds(300) << " kills");
    CHECK(count >= typed / 2);
    world.must({"stop"});
    CHECK(daemon.wait() == 0);
}
