// SPDX-License-Identifier: MIT
/// @file survive_poison_process_test.cpp: output that aborts the emulator costs one tab these bytes, and the others nothing.
#include "support/daemon_worker.hpp"
#include "support/mato_world.hpp"

using namespace support;

namespace {

std::string field(const std::string& status, const std::string& name) {
    const auto at = status.find(name + ": ");
    if (at == std::string::npos) return {};
    const auto from = at + name.size() + 2;
    return status.substr(from, status.find('\n', from) - from);
}

/// Lines of 64 bytes with the terminal's CR LF, so that each is one piece.
std::string lines(int from, int to) {
    return "n=" + std::to_string(from) + "; while [ $n -le " + std::to_string(to) +
           " ]; do printf 'line %-56d|\\n' $n; n=$((n+1)); done; ";
}
const std::string poison = "printf '%-54s<POISON>\\n' bad; ";

std::string expected(int from, int to) {
    std::string text;
    for (int n = from; n <= to; ++n) {
        std::string number = std::to_string(n);
        number.resize(56, ' ');
        text += "line " + number + "|\n";
    }
    return text;
}

bool shows(const mato_world& world, const std::string& tab, const std::string& text) {
    return world.run({"wait", tab, "--text", text, "--timeout", "30s"}).exit_code == 0;
}

} // namespace

TEST_CASE("survive_poison: the tab loses the bytes that abort the emulator, the others lose nothing", "[mato][poison]") {
    mato_world world(MATO_POISONED);
    world.configure("survive = true\n");
    const std::string go = (world.root() / "go").native();
    const std::string before = world.open_tab({lines(1, 200) + "exec cat"});
    const std::string bad = world.open_tab({lines(1, 30) + "while [ ! -e " + go + " ]; do sleep 0.02; done; " + lines(31, 40) +
                                            poison + lines(41, 90) + "read -r x; echo got $x; exec cat"});
    const std::string after = world.open_tab({lines(1, 50) + "exec cat"});
    for (const std::string& each : {before, bad, after}) REQUIRE(shows(world, each, each == before ? "200" : "30"));
    REQUIRE(shows(world, after, "line 50"));
    const pid_t keeper = world.daemon_pid(), first = worker_of(keeper);
    const std::string other = world.must({"capture", "-S", "1000", before}),
                      last = world.must({"capture", "-S", "1000", after});
    write_file(go, "");
    REQUIRE(wait_until([&] { return worker_of(keeper) != first; }));
    REQUIRE(shows(world, bad, "line 90"));
    CHECK(world.must({"capture", "-S", "1000", bad}).starts_with(expected(1, 90))); // the poisoned line is not there
    CHECK(world.must({"capture", "-S", "1000", before}) == other);
    CHECK(world.must({"capture", "-S", "1000", after}) == last);
    CHECK(contains(world.log(), "tab " + bad + ": 64 bytes of output are left out"));
    CHECK(field(world.must({"status"}), "Generation") == "3");
    world.must({"send", bad, "text", "Enter"});
    CHECK(shows(world, bad, "got text"));
    kill_worker(keeper); // they stay left out
    CHECK(world.must({"capture", "-S", "1000", bad}).starts_with(expected(1, 90)));
    CHECK_FALSE(contains(world.must({"ls"}), "quarantined"));
}

TEST_CASE("survive_poison: a tab that does it again is quarantined, until it is started again", "[mato][poison]") {
    mato_world world(MATO_POISONED);
    world.configure("survive = true\n");
    const std::string go = (world.root() / "go").native();
    const std::string good = world.open_tab({"echo good; exec cat"});
    const std::string bad = world.open_tab({"if [ -e " + go + " ]; then echo clean; exec cat; fi; >" + go +
                                            "; echo start; while :; do " + poison + "read -r x; done"});
    const pid_t keeper = world.daemon_pid();
    REQUIRE(wait_until([&] { return contains(world.log(), "left out"); }, 30s));
    world.must({"send", bad, "Enter"});
    REQUIRE(wait_until([&] { return contains(world.run({"ls"}).out, "quarantined"); }, 30s));
    CHECK(contains(world.must({"ls", "--json"}), "\"state\": \"quarantined\""));
    CHECK(contains(world.log(), "tab " + bad + " is quarantined"));
    CHECK(contains(world.must({"capture", good}), "good"));
    const auto is_answering = [&] { return world.run({"has", bad}).exit_code == 0; };
    for (int i = 0; i < 3; ++i) world.must({"send", bad, "Enter"}); // its program runs, and its output ends nothing
    CHECK(is_answering());
    kill_worker(keeper);
    REQUIRE(wait_until(is_answering, 30s));
    CHECK(contains(world.must({"ls"}), "quarantined"));
    world.must({"respawn", "-k", bad});
    CHECK(shows(world, bad, "clean"));
    CHECK_FALSE(contains(world.must({"ls"}), "quarantined"));
    kill_worker(keeper);
    REQUIRE(wait_until(is_answering, 30s));
    CHECK(contains(world.must({"capture", bad}), "clean"));
    CHECK(contains(field(world.must({"status"}), "Kept"), "2 of 2"));
}

TEST_CASE("survive_poison: an upgrade to a program that can interpret the output lifts the quarantine", "[mato][poison]") {
    mato_world world(MATO_POISONED);
    world.configure("survive = true\n");
    const std::string bad =
        world.open_tab({"echo start; " + poison + "read -r x; " + poison + "read -r x; echo got $x; exec cat"});
    REQUIRE(wait_until([&] { return contains(world.log(), "left out"); }, 30s));
    world.must({"send", bad, "Enter"});
    REQUIRE(wait_until([&] { return contains(world.run({"ls"}).out, "quarantined"); }, 30s));
    const outcome went = world.run({"upgrade", "--program", MATO_EXECUTABLE});
    INFO(went.out << went.err);
    CHECK(went.exit_code == 0);
    CHECK_FALSE(contains(world.must({"ls"}), "quarantined"));
    CHECK(shows(world, bad, "<POISON>"));
    world.must({"send", bad, "text", "Enter"});
    CHECK(shows(world, bad, "got text"));
}
