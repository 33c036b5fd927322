// SPDX-License-Identifier: MIT
/// @file raw_survives_process_test.cpp: the daemon's process is killed under a tab without an emulator, which keeps its replay.
///
/// MATO_TEST_ROUNDS kills under output, 8 without; 3 under a sanitizer.
#include "support/daemon_worker.hpp"
#include "support/mato_world.hpp"
#include "support/pty_client.hpp"
#include "support/restless_daemon.hpp"

#include <random>

using namespace support;

namespace {

std::string open_raw(const mato_world& world, const std::string& program) {
    std::string id = world.must({"new", "-d", "--emulator", "raw", "--", program});
    id.pop_back();
    return id;
}

std::vector<std::string> attach_by(const std::string& path, const std::string& tab) {
    std::vector<std::string> words{"attach", tab};
    if (path == "relayed") words.emplace_back("--relay");
    return words;
}

/// Of `text`: the bytes before " END" that are the lines up to `last`, one after the other.
std::size_t bytes_of_lines(std::string_view text, int last) {
    const auto end = text.rfind(" END");
    REQUIRE(end != std::string_view::npos);
    text = text.substr(0, end);
    for (int number = last; number > 0; --number) {
        const std::string line = "line " + std::to_string(number) + "\n";
        if (!text.ends_with(line)) break;
        text.remove_suffix(line.size());
    }
    return end - text.size();
}

} // namespace

TEST_CASE("the process is killed under a flood of a tab without an emulator: the replay has its newest lines, each once",
          "[mato][raw][survive]") {
    mato_world world;
    world.configure("raw_replay_bytes = 65536\n");
    child_process daemon = restless_daemon(world);
    REQUIRE(wait_until([&] { return world.run({"status"}).exit_code == 0; }));
    const std::string end = (world.root() / "end").native(), count = (world.root() / "count").native();
    const std::string tab = open_raw(world, "stty -echo -opost; n=0; until [ -e " + end +
                                                " ] && [ $n -ge 20000 ]; do m=$((n+200)); "
                                                "while [ $n -lt $m ]; do n=$((n+1)); echo line $n; done; done; echo $n >" +
                                                count + ".new; mv " + count + ".new " + count + "; printf ' END'; exec cat");
    const char* const asked = std::getenv("MATO_TEST_ROUNDS");
    const int rounds = asked ? std::max(1, std::atoi(asked)) : sanitized ? 3 : 8;
    std::minstd_rand random(3);
    for (int round = 0; round < rounds; ++round) {
        world.must({"has", tab});
        for (auto wait = random() % 2000; wait > 0; --wait) ::sched_yield();
        kill_worker(daemon.pid());
    }
    write_file(end, "");
    REQUIRE(wait_until([&] { return std::filesystem::exists(count); }, 60s));
    kill_worker(daemon.pid()); // no client has seen its last output
    const int last = std::atoi(read_file(count).c_str());
    for (const char* path : {"direct", "relayed"}) {
        INFO(path);
        pty_client viewer(world, attach_by(path, tab));
        REQUIRE(viewer.wait_for(" END"));
        CHECK(bytes_of_lines(viewer.shown(), last) > 65'000); // all that the replay has
        viewer.command('d');
        CHECK(viewer.wait() == 0);
    }
    CHECK(contains(world.must({"status"}), "Kept: 1 of 1 tab\n"));
    CHECK_FALSE(contains(world.log(), "lost"));
    world.must({"stop"});
    CHECK(daemon.wait() == 0);
}

TEST_CASE("a client of a tab without an emulator shows it again after each death, and what was typed arrives",
          "[mato][raw][survive]") {
    const std::string path = GENERATE("direct", "relayed");
    INFO(path);
    mato_world world;
    world.configure("survive = true\n");
    const std::string tab =
        open_raw(world, "stty -echo; printf 'first\\033[1;31m red '; while read -r x; do printf \"got $x \"; "
                        "done");
    pty_client viewer(world, attach_by(path, tab));
    REQUIRE(viewer.wait_for("red "));
    const pid_t keeper = world.daemon_pid();
    for (int round = 1; round <= 3; ++round) {
        INFO("round " << round);
        kill_worker(keeper, round == 2 ? SIGABRT : SIGKILL);
        REQUIRE(viewer.wait_for("first\033[1;31m red "));
        for (int n = 1; n < round; ++n) REQUIRE(viewer.wait_for("got " + std::to_string(n) + " "));
        viewer.resize(static_cast<unsigned short>(80 + round), 24);
        viewer.type(std::to_string(round) + "\r");
        REQUIRE(viewer.wait_for("got " + std::to_string(round) + " "));
    }
    CHECK_FALSE(contains(viewer.shown(), "is lost"));
    world.must({"respawn", "-k", tab});
    REQUIRE(viewer.wait_for("first\033[1;31m red "));
    kill_worker(keeper);
    REQUIRE(viewer.wait_for("first\033[1;31m red ")); // of the new program
    viewer.command('d');
    CHECK(viewer.wait() == 0);
}

TEST_CASE("a tab without an emulator whose program has ended keeps what it showed", "[mato][raw][survive]") {
    mato_world world;
    world.configure("survive = true\nremain_on_exit = \"on\"\n");
    const std::string tab = open_raw(world, "echo last words; exit 3");
    CHECK(world.run({"wait", tab, "--exit"}).exit_code == 3);
    REQUIRE(wait_until([&] { return contains(world.must({"ls"}), "exited"); }));
    kill_worker(world.daemon_pid());
    world.must({"upgrade"});
    kill_worker(world.daemon_pid());
    pty_client viewer(world, {"attach", tab});
    REQUIRE(viewer.wait_for("last words"));
    REQUIRE(viewer.wait_for("[exited 3"));
    CHECK(count_of(viewer.shown(), "last words") == 1);
    viewer.command('d');
    CHECK(viewer.wait() == 0);
}
