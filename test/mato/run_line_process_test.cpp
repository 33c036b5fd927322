// SPDX-License-Identifier: MIT
/// @file run_line_process_test.cpp: `run TAB`: exactly the output and the code of a line in a shell with marks.
#include "support/marked_shell.hpp"

using namespace support;

namespace {

outcome run_line(const mato_world& world, const std::string& id, const std::string& line) {
    return world.run({"run", id, "--timeout", "60s", "--", line}, {.limit = 120s});
}

} // namespace

TEST_CASE("the output and the code of a line, exactly", "[mato][run]") {
    mato_world world;
    const std::string id = open_marked_shell(world);
    const auto check = [&](const std::string& line, const std::string& output, int code = 0) {
        CAPTURE(line);
        const outcome went = run_line(world, id, line);
        CHECK(went.out == output);
        CHECK(went.err.empty());
        CHECK(went.exit_code == code);
    };
    check("echo one; echo two", "one\ntwo\n");
    check("true", "");
    check("false", "", 1);
    check("(exit 77)", "", 77);
    check("printf 'no newline'", "no newline");
    check("printf 'red: \\033[31mtext\\033[m  \\n\\033]0;title\\007done\\n'", "red: text  \ndone\n");
    check("printf '\\033[?1049hfull screen\\033[?1049lback\\n'", "back\n");
    check("cd /; x=5", "");
    check("echo $PWD $x", "/ 5\n"); // it is one shell
    check("echo 'ü € \"quotes\" !'", "ü € \"quotes\" !\n");
    check("echo " + std::string(5'000, 'y'), std::string(5'000, 'y') + "\n");
}

TEST_CASE("a megabyte, in many lines and in one", "[mato][run]") {
    mato_world world;
    const std::string id = open_marked_shell(world);
    std::string lines;
    for (int i = 1; lines.size() < (1u << 20); ++i) lines += "line " + std::to_string(i) + "\n";
    write_file(world.home() / "lines", lines);
    const outcome many = run_line(world, id, "cat ~/lines");
    CHECK(many.exit_code == 0);
    CHECK((many.out == lines));
    const outcome one = run_line(world, id, "head -c 1048576 /dev/zero | tr '\\0' x; (exit 3)");
    CHECK(one.exit_code == 3);
    CHECK((one.out == std::string(1u << 20, 'x')));
}

TEST_CASE("a line that reads its input, and one that is interrupted", "[mato][run]") {
    mato_world world;
    const std::string id = open_marked_shell(world);
    auto reading = world.start({"run", id, "--", "echo ask; read -r x; echo \"<$x>\"; (exit 5)"});
    REQUIRE(reading.wait_for_output("ask\n"));
    world.must({"send", id, "answer", "Enter"});
    const outcome answered = reading.wait();
    CHECK(answered.exit_code == 5);
    CHECK(answered.out == "ask\nanswer\n<answer>\n"); // the terminal's echo is output

    auto sleeping = world.start({"run", id, "--", "echo begun; sleep 1000"});
    REQUIRE(sleeping.wait_for_output("begun\n"));
    world.must({"send", id, "C-c"});
    const outcome interrupted = sleeping.wait();
    CHECK(interrupted.exit_code == 130);
    CHECK(interrupted.out.starts_with("begun\n^C"));
}

TEST_CASE("a script that dies in the middle leaves the tab usable, and so does a time-out", "[mato][run]") {
    mato_world world;
    const std::string id = open_marked_shell(world);
    auto dying = world.start({"run", id, "--", "echo begun; read -r x; echo got $x"});
    REQUIRE(dying.wait_for_output("begun\n"));
    dying.signal(SIGKILL);
    CHECK(dying.wait().exit_code == -SIGKILL);
    const outcome late = world.run({"run", id, "--timeout", "100ms", "--", "echo other"});
    CHECK(late.exit_code == 124); // the first one still runs
    CHECK(contains(late.err, "its shell showed no prompt in time; nothing was typed"));
    world.must({"send", id, "it", "Enter"});
    CHECK(run_line(world, id, "echo usable").out == "usable\n");

    const outcome cut = world.run({"run", id, "--timeout", "500ms", "--", "echo begun; read -r x"});
    CHECK(cut.exit_code == 124);
    CHECK(cut.out == "begun\n");
    CHECK(contains(cut.err, "the time is over; what was typed goes on in tab 1"));
    world.must({"send", id, "Enter"});
    CHECK(run_line(world, id, "echo usable").out == "usable\n");
}

TEST_CASE("what cannot be run is refused, and nothing is typed", "[mato][run]") {
    mato_world world;
    const std::string plain = world.open_tab(), id = open_marked_shell(world);
    const outcome unmarked = run_line(world, plain, "echo x");
    CHECK(unmarked.exit_code == 65);
    CHECK(contains(unmarked.err, "tab 1 shows no marks of a shell (OSC 133)"));
    CHECK(run_line(world, "77", "echo x").exit_code == 1);
    for (const char* line : {"", "a\nb", "a\tb", "\033[A"}) CHECK(run_line(world, id, line).exit_code == 64);
    CHECK(run_line(world, id, std::string(40'000, 'x')).exit_code == 64);
    CHECK(world.run({"run", id, "--", "echo", "x"}).exit_code == 64);
    CHECK(world.run({"run", "-t", "work", id, "--", "echo x"}).exit_code == 64);

    world.must({"send", id, "half a line"});
    world.must({"wait", id, "--text", "half a line$"});
    const outcome typed = run_line(world, id, "echo x");
    CHECK(typed.exit_code == 1);
    CHECK(contains(typed.err, "something is typed at the prompt already; nothing was typed"));
    world.must({"send", id, "C-c"});
    world.must({"wait", id, "--text", "half a line\\^C\nmarked\\$ $"});
    const outcome ended = run_line(world, id, "exit 6");
    CHECK(ended.exit_code == 6);
    CHECK(contains(ended.err, "the shell in tab 2 has ended"));
}

TEST_CASE("run TAB loses and doubles nothing while the daemon's process is killed", "[mato][run]") {
    mato_world world;
    const std::string id = open_marked_shell(world);
    auto running =
        world.start({"run", id, "--", "for i in $(seq 2000); do echo $i; [ $((i % 50)) -ne 0 ] || sleep 0.02; done; (exit 9)"},
                    {.limit = 120s});
    for (const int mark : {200, 1100}) {
        REQUIRE(running.wait_for_output(std::to_string(mark) + "\n"));
        const pid_t worker = world.serving_pid();
        ::kill(worker, SIGKILL);
        REQUIRE(wait_until([&] { return world.serving_pid() != worker && world.run({"has", id}).exit_code == 0; }));
    }
    const outcome went = running.wait();
    std::string all;
    for (int i = 1; i <= 2000; ++i) all += std::to_string(i) + "\n";
    CHECK(went.exit_code == 9);
    CHECK(went.out == all);
}
