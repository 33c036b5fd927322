// SPDX-License-Identifier: MIT
/// @file survive_attached_process_test.cpp: the daemon's worker is killed under an attached client, and the client comes back.
#include "support/daemon_worker.hpp"
#include "support/outer_terminal.hpp"

using namespace support;

namespace {

/// A full-screen program: colours, wide characters, modes, a region; then it echoes each byte.
const std::string program =
    "stty raw -echo; printf '\\033[?1049h\\033[?1000h\\033[?1006h\\033[?2004h\\033[?1h\\033[2J\\033[3;5H"
    "\\033[1;31mred 漢字\\033[m\\033[5;20r\\033[4 q\\033[10;3Hready'; exec cat -u";

std::vector<std::string> words_of(std::vector<std::string> words, const std::string& path) {
    if (path == "relayed") words.emplace_back("--relay");
    return words;
}

/// Once the client is attached to the next worker.
bool is_attached(const mato_world& world, const std::string& path, int clients = 1) {
    return wait_until([&] { return static_cast<int>(count_of(world.must({"clients"}), path)) == clients; });
}

/// A daemon with a worker, and a client that shows `program`.
struct attached_world {
    mato_world world;
    outer_terminal viewer;

    explicit attached_world(const std::string& path) : viewer(world, words_of({"attach", open_tab()}, path)) {
        REQUIRE(viewer.comes_to_show("ready"));
    }

private:
    std::string open_tab() {
        world.configure("survive = true\n");
        return world.open_tab({program});
    }
};

} // namespace

TEST_CASE("a killed worker: the client shows the same screen again, and its terminal stays raw", "[mato][survive]") {
    const std::string path = GENERATE("direct", "relayed");
    INFO(path);
    mato_world world;
    world.configure("survive = true\n");
    const std::string tab = world.open_tab({program});
    outer_terminal viewer(world, words_of({"attach", tab}, path), 90, 25);
    REQUIRE(viewer.comes_to_show("ready"));
    REQUIRE(viewer.comes_to_agree(tab));
    const auto raw = viewer.client().now();
    REQUIRE_FALSE(raw == viewer.client().before());
    std::string typed;
    for (const int signal : {SIGKILL, SIGABRT, SIGKILL}) { // AddressSanitizer handles SIGSEGV and exits
        INFO("after " << typed);
        kill_worker(world.daemon_pid(), signal);
        CHECK(viewer.client().now() == raw);
        REQUIRE(is_attached(world, path));
        CHECK(viewer.client().now() == raw);
        REQUIRE(viewer.comes_to_agree(tab));
        viewer.resize(90 + static_cast<int>(typed.size()), 26);
        typed += static_cast<char>('a' + typed.size());
        viewer.type(typed.substr(typed.size() - 1));
        REQUIRE(viewer.comes_to_show("ready" + typed));
        REQUIRE(viewer.comes_to_agree(tab));
    }
    CHECK_FALSE(contains(viewer.client().shown(), "\033[?1049l"));
    viewer.command('d');
    CHECK(viewer.client().wait() == 0);
    CHECK(viewer.client().last_line() == "[detached]");
    CHECK(viewer.client().now() == viewer.client().before());
    CHECK(viewer.client().left_alternate_screen());
}

TEST_CASE("keys that are typed while workers are killed arrive in order, and none arrives twice", "[mato][survive]") {
    const std::string path = GENERATE("direct", "relayed");
    INFO(path);
    mato_world world;
    world.configure("survive = true\n");
    const std::string got = (world.root() / "got").native();
    const std::string tab = world.open_tab({"stty raw -echo; printf ready; exec cat -u >" + got});
    outer_terminal viewer(world, words_of({"attach", tab}, path));
    REQUIRE(viewer.comes_to_show("ready"));
    constexpr int most = 300;
    for (int n = 1; n <= most; ++n) {
        viewer.type(std::to_string(n) + " ");
        if (n % 100 == 50) kill_worker(world.daemon_pid());
        viewer.look();
    }
    REQUIRE(is_attached(world, path));
    viewer.type("end ");
    REQUIRE(wait_until([&] { return contains(read_file(got), "end "); }));
    int before = 0, count = 0;
    std::istringstream all(read_file(got));
    for (std::string word; all >> word && word != "end"; ++count) {
        const int number = std::atoi(word.c_str());
        INFO("after " << before << " came " << word);
        CHECK(number <= most);
        if (number <= before) FAIL("a key arrived twice, or in another order");
        before = number;
    }
    CHECK(count > most / 2);
}

TEST_CASE("a client that came back is still guarded: killed, its terminal is restored", "[mato][survive]") {
    const std::string path = GENERATE("direct", "relayed");
    INFO(path);
    attached_world here(path);
    mato_world& world = here.world;
    outer_terminal& viewer = here.viewer;
    kill_worker(world.daemon_pid());
    REQUIRE(is_attached(world, path));
    viewer.client().signal(SIGKILL);
    CHECK(viewer.client().wait() == -SIGKILL);
    CHECK(wait_until([&] {
        viewer.look();
        return viewer.client().now() == viewer.client().before() && viewer.client().left_alternate_screen();
    }));
}

TEST_CASE("keeper and worker are killed: the client says that the daemon is lost, and restores its terminal",
          "[mato][survive]") {
    const std::string path = GENERATE("direct", "relayed");
    INFO(path);
    attached_world here(path);
    mato_world& world = here.world;
    outer_terminal& viewer = here.viewer;
    const pid_t keeper = world.daemon_pid(), worker = worker_of(keeper);
    ::kill(worker, SIGSTOP);
    ::kill(keeper, SIGKILL);
    ::kill(worker, SIGKILL);
    CHECK(viewer.client().wait() == 1);
    CHECK(viewer.client().last_line() == "[daemon lost]");
    CHECK(viewer.client().now() == viewer.client().before());
    world.open_tab(); // the files of the killed daemon prevent nothing
}

TEST_CASE("the tab that the client had switched to is shown again; the end of its program is told", "[mato][survive]") {
    const std::string path = GENERATE("direct", "relayed");
    INFO(path);
    mato_world world;
    world.configure("survive = true\n");
    const std::string first = world.open_tab({"printf 'the first'; exec cat"});
    const std::string second = world.open_tab({"printf 'the second'; read -r x; exit 4"});
    outer_terminal viewer(world, words_of({"attach", first}, path));
    REQUIRE(viewer.comes_to_show("the first"));
    viewer.command('n');
    REQUIRE(viewer.comes_to_show("the second"));
    kill_worker(world.daemon_pid());
    REQUIRE(is_attached(world, path));
    CHECK(viewer.comes_to_show("the second"));
    CHECK(viewer.comes_to_agree(second));
    world.must({"kill", first});
    viewer.type("\r");
    CHECK(viewer.client().wait() == 0);
    CHECK(viewer.client().last_line() == "[exited 4]");
}

TEST_CASE("`events` goes on with the next worker, and its numbers continue", "[mato][survive]") {
    mato_world world;
    world.configure("survive = true\n");
    const std::string tab = world.open_tab();
    auto events = world.start({"events"});
    const auto comes = [&](const std::string& name) { // once it follows
        return wait_until([&] {
            world.must({"rename", tab, name});
            return events.wait_for_output(name, 200ms);
        });
    };
    REQUIRE(comes("before"));
    kill_worker(world.daemon_pid());
    REQUIRE(comes("after"));
    world.must({"stop"});
    const outcome went = events.wait();
    CHECK(went.exit_code == 0);
    CHECK(went.err.empty());
}

TEST_CASE("`wait --exit` asks the next worker", "[mato][survive]") {
    mato_world world;
    world.configure("survive = true\nexit_empty = false\n");
    const std::string tab = world.open_tab({"read -r x; exit 6"});
    auto waiting = world.start({"wait", tab, "--exit"});
    REQUIRE(wait_until([&] {
        return contains(world.must({"clients", "--json"}), "\"pid\": " + std::to_string(waiting.pid()) + ",");
    }));
    kill_worker(world.daemon_pid());
    world.must({"send", tab, "Enter"});
    CHECK(waiting.wait().exit_code == 6);
}
