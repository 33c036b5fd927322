// SPDX-License-Identifier: MIT
/// @file run_process_test.cpp: `run`: the lines and the exit code of a program in a tab, and `new --keep`.
#include "support/mato_world.hpp"

using namespace support;

namespace {

outcome run(const mato_world& world, std::vector<std::string> words) {
    words.insert(words.begin(), "run");
    return world.run(words, {.limit = 120s});
}

std::string counted(int from, int to) {
    std::string all;
    for (int i = from; i <= to; ++i) all += std::to_string(i) + "\n";
    return all;
}

std::string tabs(const mato_world& world) { return world.must({"ls", "--json"}); }

} // namespace

TEST_CASE("run prints what a program writes, and ends with its code", "[mato][run]") {
    mato_world world;
    world.configure("exit_empty = false\n");
    const auto script = [&](const std::string& text) { return run(world, {"--", "sh", "-c", text}); };
    SECTION("nothing") {
        const outcome went = script("true");
        CHECK(went.exit_code == 0);
        CHECK(went.out.empty());
        CHECK(went.err.empty());
        CHECK(tabs(world) == "[]\n"); // a program that succeeds leaves no tab
    }
    SECTION("one line, with and without its newline") {
        CHECK(script("echo one").out == "one\n");
        CHECK(script("printf one").out == "one\n");
        CHECK(script("printf '\\n\\none\\n'").out == "\n\none\n");
    }
    SECTION("more than a screen, and more than one answer carries") {
        CHECK(script("seq 1 100").out == counted(1, 100));
        CHECK(script("seq 1 9000").out == counted(1, 9000));
        const std::string wide = script("for i in 1 2 3; do head -c 10000 /dev/zero | tr '\\0' x; echo; done").out;
        CHECK(wide == std::string(10'000, 'x') + "\n" + std::string(10'000, 'x') + "\n" + std::string(10'000, 'x') + "\n");
    }
    SECTION("text without its escapes, wrapped lines as one, blanks as they are") {
        CHECK(script("printf '\\033[1;32mgreen\\033[m\\n  two  words\\n'").out == "green\n  two  words\n");
        CHECK(script("printf 'progress 10%%\\rprogress 99%%\\ndone\\n'").out == "progress 99%\ndone\n");
    }
    SECTION("a code, and a signal") {
        const outcome failed = script("echo so; exit 3");
        CHECK(failed.exit_code == 3);
        CHECK(failed.out == "so\n");
        CHECK(contains(failed.err, "tab 1 stays: 'mato attach 1' shows it, 'mato kill 1' removes it"));
        CHECK(contains(world.must({"ls"}), "exited 3"));
        CHECK(script("kill -9 $$").exit_code == 137);
        CHECK(script("exit 124").exit_code == 124);
    }
    SECTION("a program that cannot be run, and none") {
        CHECK(run(world, {"--", "/no/such/program", "x"}).exit_code == 1);
        CHECK(run(world, {"--", "/no/such/program"}).exit_code == 127); // one word is a command line of the shell
        CHECK(run(world, {}).exit_code == 64);
        CHECK(contains(run(world, {"--timeout", "1s"}).err, "usage: mato run"));
    }
    SECTION("the words of the program are its own") {
        CHECK(run(world, {"--", "printf", "%s|%s\n", "-t", "a b"}).out == "-t|a b\n");
        CHECK(run(world, {"echo", "-n", "x"}).out == "x\n");
        CHECK(run(world, {"-c", "/", "-e", "NAME=value", "--", "sh", "-c", "echo $NAME $PWD"}).out == "value /\n");
    }
}

TEST_CASE("lines are printed as they end, and the last one when the program has ended", "[mato][run]") {
    mato_world world;
    auto running = world.start({"run", "-n", "job", "--", "sh", "-c", "echo first; printf half; read -r x; echo $x; exit 7"});
    REQUIRE(running.wait_for_output("first\n"));
    world.must({"wait", "job", "--text", "half", "--timeout", "20s"});
    CHECK_FALSE(running.wait_for_output("half", 0ms));
    world.must({"send", "job", "rest", "Enter"});
    const outcome went = running.wait();
    CHECK(went.exit_code == 7);
    CHECK(went.out == "first\nhalfrest\nrest\n");
}

TEST_CASE("after --timeout the program goes on in its tab", "[mato][run]") {
    mato_world world;
    const outcome went = run(world, {"--timeout", "300ms", "--", "sh", "-c", "echo begun; exec sleep 1000"});
    CHECK(went.exit_code == 124);
    CHECK(went.out == "begun\n");
    CHECK(contains(went.err, "the time is over; the program goes on in tab 1"));
    CHECK(contains(world.must({"ls"}), "running"));
}

TEST_CASE("a tab that is closed while run reads it ends the command", "[mato][run]") {
    mato_world world;
    world.configure("exit_empty = false\n");
    auto running = world.start({"run", "-n", "job", "--", "sh", "-c", "echo begun; exec sleep 1000"});
    REQUIRE(running.wait_for_output("begun\n"));
    world.must({"kill", "job"});
    const outcome went = running.wait();
    CHECK(went.exit_code >= 129); // HUP or KILL
    CHECK(contains(went.out, "begun\n"));
    CHECK(tabs(world) == "[]\n");
}

TEST_CASE("run loses and doubles no line while the daemon's process is killed", "[mato][run]") {
    mato_world world;
    constexpr int lines = 3000;
    auto running = world.start({"run", "-n", "job", "--", "sh", "-c",
                                "i=0; while [ $i -lt " + std::to_string(lines) +
                                    " ]; do i=$((i+1)); echo $i; [ $((i % 50)) -ne 0 ] || sleep 0.02; done; exit 5"},
                               {.limit = 120s});
    for (const int mark : {200, 900, 1700}) {
        REQUIRE(running.wait_for_output(std::to_string(mark) + "\n"));
        const pid_t worker = world.serving_pid();
        ::kill(worker, SIGKILL);
        REQUIRE(wait_until([&] { return world.serving_pid() != worker && world.run({"has", "job"}).exit_code == 0; }));
    }
    const outcome went = running.wait();
    CHECK(went.exit_code == 5);
    CHECK(went.out == counted(1, lines));
}

TEST_CASE("new --keep: the tab stays after its program's end, over a crash too", "[mato][run]") {
    mato_world world;
    const std::string open = world.open_tab({"exec cat"});
    world.must({"new", "-d", "-n", "gone", "--", "true"});
    world.must({"new", "-d", "-n", "stays", "--keep", "--", "sh", "-c", "touch up; read -r x; exit 4"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
    const pid_t worker = world.serving_pid();
    ::kill(worker, SIGKILL);
    REQUIRE(wait_until([&] { return world.serving_pid() != worker && world.run({"has", "stays"}).exit_code == 0; }));
    world.must({"send", "stays", "Enter"});
    CHECK(world.run({"wait", "stays", "--exit"}).exit_code == 4);
    CHECK(contains(world.must({"ls"}), "exited 4"));
    CHECK(world.run({"has", "gone"}).exit_code == 1);
    world.must({"kill", "stays"});
    CHECK(world.run({"has", "stays"}).exit_code == 1);
}
