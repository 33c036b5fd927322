// SPDX-License-Identifier: MIT
// `mato control`: every line gets exactly one answer, by its number, for any line and any slow party.
#include "support/json_reader.hpp"
#include "support/pty_client.hpp"

using namespace support;

namespace {

/// The answer to line `number`, after that position; empty if there is none or more than one.
std::string reply(const std::string& out, int number) {
    const std::string begin = "{\"reply\": " + std::to_string(number) + ", ";
    if (count_of(out, begin) != 1) return {};
    const auto at = out.find(begin) + begin.size();
    return out.substr(at, out.find('\n', at) - at);
}

void check_all_are_json(const std::string& out) {
    for (std::size_t at = 0; at < out.size();) {
        const std::size_t end = out.find('\n', at);
        REQUIRE(end != std::string::npos);
        const std::string line = out.substr(at, end - at);
        INFO(line.substr(0, 200));
        CHECK(is_json(line));
        at = end + 1;
    }
}

constexpr std::string_view done = R"("ok": true, "result": null})";

} // namespace

// ---- the contract ----

TEST_CASE("each command is answered by its number, with its output as JSON", "[mato][control]") {
    mato_world world;
    world.configure("remain_on_exit = \"on\"\n");
    const outcome went = world.run({"control"}, {.input = "new -n 'my tab' -x 40 -y 5 -- cat\n"
                                                          "new -d -t 'other task' -- 'read x; exit 3'\n"
                                                          "has 'my tab'\n"
                                                          "send 1 -l 'two  words' \" \\\"quoted\\\"\"\n"
                                                          "send 1 Enter\n"
                                                          "wait 1 --text 'two  words \"quoted\"\\n.*words' --timeout 20s\n"
                                                          "send 2 x Enter\n"
                                                          "wait 2 --exit\n"
                                                          "new -W -- 'exit 7'\n"
                                                          "rename 2 renamed\n"
                                                          "move 2 'Task 1'\n"
                                                          "resize 1 30x4\n"
                                                          "detach -a\n"
                                                          "status\n"
                                                          "reload\n"
                                                          "wait 1 --idle 10ms"});
    INFO(went.out << went.err);
    CHECK(went.exit_code == 0);
    CHECK(went.err.empty());
    check_all_are_json(went.out);
    CHECK(reply(went.out, 1) == R"("ok": true, "result": {"tab": 1, "task": "Task 1", "name": "my tab"}})");
    CHECK(reply(went.out, 2) == R"("ok": true, "result": {"tab": 2, "task": "other task", "name": "read"}})");
    CHECK(reply(went.out, 4) == R"("ok": true, "result": {"bytes": 19}})");
    CHECK(reply(went.out, 5) == R"("ok": true, "result": {"bytes": 1}})");
    CHECK(reply(went.out, 8) == R"("ok": true, "result": {"tab": 2, "exit_code": 3}})");
    CHECK(reply(went.out, 9) == R"("ok": true, "result": {"tab": 3, "exit_code": 7}})");
    CHECK(reply(went.out, 6) == // the typed line, its copy by cat
          R"("ok": true, "result": {"tab": 1, "line": 2, "mark": "2.10@1", "text": "two  words \"quoted\""}})");
    CHECK(reply(went.out, 16).starts_with(R"("ok": true, "result": {"tab": 1, "what": "idle", "idle_ms": )"));
    for (const int number : {3, 10, 11, 12, 13, 15}) {
        INFO(number);
        CHECK(reply(went.out, number) == done);
    }
    CHECK(reply(went.out, 14).starts_with(R"("ok": true, "result": {"running": true, "pid": )"));
    CHECK(went.out.starts_with("{\"event\": \"snapshot\", ")); // the state comes first, then the events
    CHECK(contains(went.out, "\"event\": \"tab-moved\""));

    const std::string lists = world.must({"control"}, {.input = "ls\nclients\ncapture 1\nrespawn 2\nrespawn -k 1\nkill 3\n"});
    INFO(lists);
    check_all_are_json(lists);
    CHECK(reply(lists, 1).starts_with(R"("ok": true, "result": [{"id": 1, "task": "Task 1", "name": "my tab")"));
    CHECK(reply(lists, 2).starts_with(R"("ok": true, "result": [{"id": )"));
    CHECK(reply(lists, 3).starts_with(R"("ok": true, "result": {"tab": 1, "cols": 30, "rows": 4, )"));
    CHECK(contains(reply(lists, 3), R"("lines": [)"));
    for (const int number : {4, 5, 6}) CHECK(reply(lists, number) == done);
    CHECK(world.run({"has", "3"}).exit_code == 1);
}

TEST_CASE("a command that waits does not delay later commands", "[mato][control]") {
    mato_world world;
    world.open_tab();
    pty_client client(world, {"control"}, {.columns = 2000});
    REQUIRE(client.wait_for("\"snapshot\""));
    client.type("wait 1 --text never-here\nwait 1 --exit\nwait 1 --idle 1000s --timeout 1500ms\nhas 1\n");
    CHECK(client.wait_for("{\"reply\": 4, \"ok\": true"));
    CHECK(
        client.wait_for("{\"reply\": 3, \"ok\": false, \"exit_code\": 124, \"error\": \"tab 1: timed out before the condition "
                        "was met\"}"));
    CHECK_FALSE(contains(client.shown(), "\"reply\": 1"));
    world.must({"send", "1", "never-here", "Enter"});
    CHECK(client.wait_for("{\"reply\": 1, \"ok\": true"));
    client.type("kill 1\n");
    CHECK(client.wait_for("{\"reply\": 2, \"ok\": true, \"result\": {\"tab\": 1, \"exit_code\": 129}}"));
}

TEST_CASE("control exits at the end of the input, after all answers are written", "[mato][control]") {
    mato_world world;
    world.open_tab({"for i in $(seq 200); do echo line $i; done; exec cat"});
    world.must({"wait", "1", "--text", "line 200"});
    CHECK(world.run({"-N", "control"}, {.input = ""}).exit_code == 0);
    std::string commands;
    constexpr int count = 400;
    for (int n = 0; n < count; ++n) commands += n % 2 ? "capture 1 -S 1000\n" : "ls\n";
    auto control = world.start({"control"}, {.input = commands + "wait 1 --exit"});
    REQUIRE(control.wait_for_output("{\"reply\": 400, "));
    world.must({"new", "-d", "--", "exec cat"});
    world.must({"kill", "1"}); // its wait ends after the end of the input
    const outcome went = control.wait();
    CHECK(went.exit_code == 0);
    for (int n = 1; n <= count + 1; ++n) CHECK(contains(reply(went.out, n), "\"ok\": true"));
    CHECK(contains(reply(went.out, 2), "\"line 1\", \"line 2\""));
    check_all_are_json(went.out);
}

// ---- the refusals ----

TEST_CASE("a bad line is answered with its number, the reason and a remedy, and nothing ends", "[mato][control]") {
    mato_world world;
    world.open_tab();
    const std::vector<std::pair<std::string, std::string>> bad{
        {"", "a line is a command, such as"},
        {"  \t", "a line is a command, such as"},
        {"no-such-command", "unknown command 'no-such-command'; see 'mato --help'"},
        {"send 1 'open", "a quotation that begins with ' is not closed; words are quoted as in a shell"},
        {"rename 1", "usage: mato rename TARGET NAME"},
        {"ls --jsn", "see 'mato --help'"},
        {"wait 1 --text '('", "--text '('"},
        {"-S /elsewhere ls", "give global options before 'control'"},
        {"--status", "give global options before 'control'"},
        {"attach 1", "run 'mato attach'"},
        {"record 1 file", "run 'mato record'"},
        {"events", "run 'mato events'"},
        {"control", "run 'mato control'"},
        {"send 1 -", "'-' cannot be used here"},
        {std::string("has 1\0x", 7), "NUL byte"},
        {"\xff\xfe", "unknown command"},
        {"has " + std::string(1u << 20, 'x'), "the line is longer than 1 MiB"},
        {std::string(3u << 20, '\''), "the line is longer than 1 MiB"},
    };
    std::string commands;
    for (const auto& [line, why] : bad) commands += line + "\n";
    const outcome went = world.run({"control"}, {.input = commands + "has 9\nhas 1"});
    INFO(went.out.substr(0, 3000) << went.err);
    CHECK(went.exit_code == 0);
    check_all_are_json(went.out);
    for (std::size_t n = 0; n < bad.size(); ++n) {
        INFO(bad[n].first.substr(0, 100));
        const std::string answer = reply(went.out, static_cast<int>(n) + 1);
        CHECK(answer.starts_with("\"ok\": false, \"exit_code\": 64, \"error\": \""));
        CHECK(contains(answer, bad[n].second));
    }
    CHECK(reply(went.out, static_cast<int>(bad.size()) + 1) == R"("ok": false, "exit_code": 1, "error": "no tab 9"})");
    CHECK(reply(went.out, static_cast<int>(bad.size()) + 2) == done);
}

TEST_CASE("when the daemon is lost, every waiting command is told, and control exits with 1", "[mato][control]") {
    const bool is_killed = GENERATE(true, false);
    mato_world world;
    world.open_tab();
    pty_client client(world, {"control"}, {.columns = 2000});
    REQUIRE(client.wait_for("\"snapshot\""));
    client.type("wait 1 --text never\nwait 1 --text never\nhas 1\n");
    REQUIRE(client.wait_for("{\"reply\": 3, "));
    if (is_killed)
        world.kill_daemon();
    else
        world.must({"stop"});
    CHECK(client.wait() == 1);
    const std::string why = is_killed ? "lost the connection to the daemon" : "the daemon has stopped";
    if (is_killed) CHECK(count_of(client.shown(), "\"ok\": false, \"exit_code\": 1, \"error\": \"" + why) == 2);
    CHECK(client.last_line() == "mato: " + why);
    if (is_killed) world.open_tab(); // removes what it left
}

// ---- the bounds ----

TEST_CASE("output that is not read costs bounded memory here and in the daemon, and only events are lost", "[mato][control]") {
    mato_world world;
    world.open_tab({"for i in $(seq 2000); do echo a line of some length that is kept in history $i; done; exec cat"});
    world.must({"wait", "1", "--text", "history 2000"});
    const pid_t daemon = world.serving_pid();
    const long before = memory_kib(daemon);
    constexpr int count = 80; // of 130 KiB each
    std::string commands;
    for (int n = 0; n < count; ++n) commands += "capture 1 -S 2000\n";
    write_file(world.home() / "commands", commands);
    // A pipe that is not read until the file exists.
    const std::string script = "\"$MATO_BINARY\" control <commands | { echo $$ >up; until [ -e go ]; do sleep 0.02; done; "
                               "exec cat >answers; }; touch over";
    world.must({"-L", "outer", "new", "-d", "-e", "MATO_BINARY=" + world.executable(), "--", "unset MATO; " + script});
    const auto controls = [&] {
        std::vector<pid_t> found;
        for (const pid_t each : world.processes())
            if (const std::string line = proc_file(each, "cmdline"); line.ends_with(std::string("mato\0control\0", 13)))
                found.push_back(each);
        return found;
    };
    REQUIRE(wait_until([&] { return controls().size() == 1; }));
    const pid_t control = controls().front();
    const auto follower_waits = [&] {
        return process_state(control) == 'S' && count_of(world.must({"clients"}), "events") == 1;
    };
    REQUIRE(wait_until(follower_waits));
    std::string renames; // half a megabyte of events
    for (int n = 0; n < 3000; ++n) renames += "rename 1 name-" + std::to_string(n) + std::string(40, 'x') + "\n";
    world.must({"control"}, {.input = renames});
    const long here = memory_kib(control), there = memory_kib(daemon) - before;
    WARN(here << " KiB here, grown by " << there << " KiB there");
    if (!sanitized) CHECK(here < 10 * 1024);
    if (!sanitized) CHECK(there < 4096);
    write_file(world.home() / "go", "");
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "over"); }, 60s));
    const std::string out = read_file(world.home() / "answers");
    check_all_are_json(out);
    for (int n = 1; n <= count; ++n) CHECK(contains(reply(out, n), "\"ok\": true"));
    CHECK(contains(out, "\"event\": \"gap\""));
    REQUIRE(wait_until([&] { return world.run({"-L", "outer", "ls"}).exit_code == 1; })); // it stopped with its tab
    std::filesystem::remove_all(world.state() / "outer");
}
