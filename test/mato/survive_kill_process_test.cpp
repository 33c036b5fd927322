// SPDX-License-Identifier: MIT
/// @file survive_kill_process_test.cpp: the daemon's worker is killed, and the next one has the same tabs.
///
/// MATO_TEST_ROUNDS kills under output, 100 without; 5 under a sanitizer.
#include "support/daemon_worker.hpp"
#include "support/numbered_lines.hpp"
#include "support/restless_daemon.hpp"

#include <algorithm>

using namespace support;

namespace {

std::string field(const std::string& status, const std::string& name) {
    const auto at = status.find(name + ": ");
    if (at == std::string::npos) return {};
    const auto from = at + name.size() + 2;
    return status.substr(from, status.find('\n', from) - from);
}

void wait_for_text(const mato_world& world, const std::string& tab, const std::string& text) {
    INFO(text);
    CHECK(world.run({"wait", tab, "--text", text, "--timeout", "20s"}).exit_code == 0);
}

} // namespace

TEST_CASE("a killed worker: the next one has the same tabs, and their programs go on", "[mato][survive]") {
    mato_world world;
    world.configure("survive = true\nremain_on_exit = \"on\"\n");
    const std::string counting = world.open_tab({"echo first; read -r a; echo got $a; read -r b; echo got $b; exit 5"});
    const std::string other = world.open_tab({"printf 'one\\ntwo\\033[1;31mred'; exec cat"});
    const std::string ended = world.open_tab({"echo last words; exit 3"});
    world.must({"rename", counting, "counter"});
    world.must({"move", other, "elsewhere"});
    world.must({"resize", other, "100x30"});
    CHECK(world.run({"wait", ended, "--exit"}).exit_code == 3);
    for (const std::string& each : {counting, other}) wait_for_text(world, each, each == other ? "red" : "first");
    const pid_t keeper = world.daemon_pid();
    CHECK(field(world.must({"status"}), "Generation") == "1");
    const std::string tabs = world.must({"ls"});
    const std::string screen = world.must({"capture", "--ansi", other});

    const pid_t next = kill_worker(keeper);
    CHECK(world.must({"ls"}) == tabs);
    CHECK(world.must({"capture", "--ansi", other}) == screen);
    CHECK(contains(world.must({"capture", ended}), "last words"));
    CHECK(world.daemon_pid() == keeper);
    const std::string status = world.must({"status"});
    CHECK(field(status, "PID") == std::to_string(keeper));
    CHECK(field(status, "Generation") == "2");
    CHECK(field(status, "Worker") == std::to_string(next));
    CHECK(field(status, "Kept") == "3 of 3 tabs");
    CHECK(contains(field(status, "Last crash"), "signal 9"));
    CHECK(contains(world.must({"status", "--json"}), "\"generation\": 2"));

    world.must({"send", "counter", "abc", "Enter"});
    wait_for_text(world, counting, "got abc");
    kill_worker(keeper, SIGABRT); // AddressSanitizer handles SIGSEGV and exits
    world.must({"send", "counter", "def", "Enter"});
    CHECK(world.run({"wait", counting, "--exit"}).exit_code == 5); // a child of neither worker
    CHECK(contains(world.must({"capture", counting}), "got def"));
    world.must({"respawn", counting});
    wait_for_text(world, counting, "first");
    CHECK(world.open_tab() == std::to_string(std::stoi(ended) + 1)); // no number is used twice
    CHECK(field(world.must({"status"}), "Kept") == "4 of 4 tabs");
}

TEST_CASE("a program that ends while no worker lives has its output and its exit status", "[mato][survive]") {
    mato_world world;
    world.configure("survive = true\nexit_empty = false\n");
    const std::string go = (world.root() / "go").native();
    const std::string tab =
        world.open_tab({"echo $$ >" + go + ".pid; mkfifo " + go + "; read -r x <" + go + "; echo bye; exit 9"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(go); }));
    const pid_t keeper = world.daemon_pid(), victim = worker_of(keeper);
    ::kill(victim, SIGSTOP); // it reads nothing and reaps nothing from here on
    write_file(go, "x\n");
    const pid_t program = std::atoi(read_file(go + ".pid").c_str());
    REQUIRE(wait_until([&] { return !is_running(program); }));
    ::kill(victim, SIGKILL);
    CHECK(world.run({"wait", tab, "--exit"}).exit_code == 9);
    kill_worker(keeper);
    CHECK(world.run({"wait", tab, "--exit"}).exit_code == 9); // the list of ended tabs has it
    CHECK(contains(world.log(), "tab " + tab + " exited with code 9"));
}

TEST_CASE("a program in a tab without an emulator goes on, and reads what is typed", "[mato][survive]") {
    mato_world world;
    world.configure("survive = true\nemulator = \"raw\"\n");
    const std::string answer = (world.root() / "answer").native();
    const std::string tab = world.open_tab({"read -r a; echo $a >" + answer + "; exec cat"});
    kill_worker(world.daemon_pid());
    world.must({"send", tab, "still there", "Enter"});
    CHECK(wait_until([&] { return read_file(answer) == "still there\n"; }));
}

TEST_CASE("`stop` ends what was taken back, and leaves nothing", "[mato][survive]") {
    mato_world world;
    world.configure("survive = true\n");
    world.open_tab();
    world.open_tab({"trap '' HUP; while :; do read -r x; done"});
    kill_worker(world.daemon_pid());
    world.must({"stop"});
    CHECK(wait_until([&] { return world.is_clean(); }));
}

TEST_CASE("`stop --now` ends a daemon whose worker hangs", "[mato][survive]") {
    mato_world world;
    world.configure("survive = true\n");
    world.open_tab();
    const pid_t keeper = world.daemon_pid();
    ::kill(worker_of(keeper), SIGSTOP);
    CHECK(contains(world.must({"stop", "--now"}), "killed"));
    CHECK(wait_until([&] { return world.processes().empty() && worker_of(keeper) == 0; }));
    world.open_tab(); // the files of the killed daemon prevent nothing
}

TEST_CASE("survive_random_kill: killed at random under the output of 20 tabs, no tab has lost a line or has one twice",
          "[mato][survive][rounds]") {
    constexpr std::size_t count = sanitized ? 6 : 20;
    mato_world world;
    const std::string end = (world.root() / "end").native();
    world.configure("history_lines = 10000\n");
    child_process daemon = restless_daemon(world);
    REQUIRE(wait_until([&] { return world.run({"status"}).exit_code == 0; }));
    std::vector<std::string> tabs;
    for (std::size_t i = 0; i < count; ++i)
        tabs.push_back(
            world.open_tab({numbered_lines(end, 20 + static_cast<int>(i) * 3, i % 2 == 0 ? "sleep 0.02; " : "sleep 0.1; ")}));
    const char* const asked = std::getenv("MATO_TEST_ROUNDS");
    const int rounds = asked ? std::max(1, std::atoi(asked)) : sanitized ? 5 : 100;
    for (int round = 0; round < rounds; ++round) {
        const std::string& looked_at = tabs[static_cast<std::size_t>(round) % tabs.size()];
        check_numbered_lines(world, looked_at);
        if (round % 3 == 0) world.must({"resize", tabs[1], round % 2 == 0 ? "90x20" : "80x24"});
        kill_worker(daemon.pid());
    }
    write_file(end, "");
    for (const std::string& each : tabs) CHECK(check_all_numbered_lines(world, each) > 0);
    CHECK(field(world.must({"status"}), "Generation") == std::to_string(rounds + 1));
    world.must({"stop"});
    CHECK(daemon.wait() == 0);
}
