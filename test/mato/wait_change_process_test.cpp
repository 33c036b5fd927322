// SPDX-License-Identifier: MIT
/// @file wait_change_process_test.cpp: `wait` for what happens in tabs: prompts, commands, output, bells, notices, states.
#include "support/marked_shell.hpp"

using namespace support;

namespace {

/// A tab that runs each line that it gets.
const std::string obeys = "stty -echo; echo ready; while read -r line; do eval \"$line\"; done";

std::string obedient_tab(const mato_world& world) {
    const std::string id = world.open_tab({obeys});
    world.must({"wait", id, "--text", "^ready$"});
    return id;
}

void tell(const mato_world& world, const std::string& id, const std::string& line) {
    world.must({"send", id, "-l", line + "\n"});
}

/// `wait` has greeted the daemon.
running_program wait_in_background(const mato_world& world, std::vector<std::string> words) {
    words.insert(words.begin(), "wait");
    running_program waiting = world.start(words, {.limit = 60s});
    const std::string own = "\"pid\": " + std::to_string(waiting.pid()) + ",";
    REQUIRE(wait_until([&] { return contains(world.must({"clients", "--json"}), own); }));
    world.must({"status"}); // what the other client has sent was received before
    return waiting;
}

void kill_worker(const mato_world& world) {
    const pid_t worker = world.serving_pid();
    ::kill(worker, SIGKILL);
    REQUIRE(wait_until([&] { return world.serving_pid() != worker && world.run({"status"}).exit_code == 0; }));
}

} // namespace

TEST_CASE("a bell, a notice, output: from the command's begin on", "[mato][wait]") {
    mato_world world;
    const std::string id = obedient_tab(world);
    tell(world, id, "printf '\\a\\033]9;old\\007'");
    world.must({"wait", id, "--idle", "100ms"});
    CHECK(world.run({"wait", id, "--bell", "--timeout", "100ms"}).exit_code == 124);
    CHECK(world.run({"wait", id, "--notice", "--timeout", "100ms"}).exit_code == 124);
    CHECK(world.run({"wait", id, "--active", "--timeout", "100ms"}).exit_code == 124);

    auto bell = wait_in_background(world, {id, "--bell"});
    auto notice = wait_in_background(world, {id, "--notice"});
    auto active = wait_in_background(world, {id, "--active", "--json"});
    tell(world, id, "printf '\\a'");
    const outcome rang = bell.wait();
    CHECK(rang.exit_code == 0);
    CHECK(rang.out.empty());
    CHECK(active.wait().out == "{\"tab\": 1, \"what\": \"active\"}\n");
    tell(world, id, "printf '\\033]9;may I?\\007'");
    const outcome told = notice.wait();
    CHECK(told.exit_code == 0);
    CHECK(told.out == "may I?\n");
}

TEST_CASE("a state that is so already is answered at once, another one when it comes", "[mato][wait]") {
    mato_world world;
    const std::string id = obedient_tab(world);
    world.must({"state", id, "blocked", "--note", "wants to run"});
    CHECK(world.must({"wait", id, "--state", "blocked"}) == "blocked wants to run\n");
    auto done = wait_in_background(world, {id, "--state", "done", "--json"});
    world.must({"state", id, "working"});
    world.must({"state", id, "done"});
    CHECK(done.wait().out == "{\"tab\": 1, \"what\": \"state\", \"state\": \"done\", \"note\": \"\"}\n");
    CHECK(world.run({"wait", id, "--state", "busy"}).exit_code == 64);
    CHECK(world.run({"wait", id, "--state", "working", "--timeout", "50ms"}).exit_code == 124);
}

TEST_CASE("a shell's prompt, and the end of its command with the code", "[mato][wait]") {
    mato_world world;
    const std::string id = open_marked_shell(world);
    CHECK(world.must({"wait", id, "--prompt"}).empty());
    auto command = wait_in_background(world, {id, "--command"});
    auto in_json = wait_in_background(world, {id, "--command", "--json"});
    world.must({"send", id, "read -r x; (exit 7)", "Enter"});
    world.must({"wait", id, "--text", "\\(exit 7\\)\\n"});
    CHECK(world.run({"wait", id, "--prompt", "--timeout", "50ms"}).exit_code == 124);
    auto prompt = wait_in_background(world, {id, "--prompt", "--json"});
    world.must({"send", id, "Enter"});
    const outcome ended = command.wait();
    CHECK(ended.exit_code == 0); // the wait was successful
    CHECK(ended.out == "7\n");
    CHECK(contains(in_json.wait().out,
                   R"x({"tab": 1, "what": "command", "exit_code": 7, "command": "read -r x; (exit 7)", "dur)x"));
    CHECK(prompt.wait().out == "{\"tab\": 1, \"what\": \"prompt\"}\n");
}

TEST_CASE("what cannot be known is refused with 65, and an ended program with 1", "[mato][wait]") {
    mato_world world;
    world.configure("remain_on_exit = \"on\"\n");
    const std::string id = obedient_tab(world);
    const outcome unmarked = world.run({"wait", id, "--prompt"});
    CHECK(unmarked.exit_code == 65);
    CHECK(unmarked.err == "mato: tab 1 shows no marks of a shell (OSC 133), so its prompts and commands are not known\n");
    CHECK(world.run({"wait", id, "--command"}).exit_code == 65);
    std::string raw = world.must({"new", "-d", "--emulator", "raw", "--", "exec cat"});
    raw.pop_back();
    for (const char* what : {"--prompt", "--command", "--bell"}) CHECK(world.run({"wait", raw, what}).exit_code == 65);
    auto active = wait_in_background(world, {raw, "--active"}); // known without an emulator
    world.must({"send", raw, "x", "Enter"});
    CHECK(active.wait().exit_code == 0);

    auto bell = wait_in_background(world, {id, "--bell"});
    tell(world, id, "exit 5");
    const outcome ended = bell.wait();
    CHECK(ended.exit_code == 1);
    CHECK(ended.err == "mato: the program of tab 1 has ended\n");
    CHECK(world.run({"wait", id, "--notice"}).exit_code == 1);
    CHECK(world.run({"wait", "77", "--bell"}).exit_code == 1);
    CHECK(world.run({"wait", id, "--bell", "--active"}).exit_code == 64);
}

TEST_CASE("several tabs: all of them, or the first", "[mato][wait]") {
    mato_world world;
    world.configure("exit_empty = false\n");
    const std::string a = obedient_tab(world), b = obedient_tab(world), c = obedient_tab(world);
    auto all = wait_in_background(world, {a, b, "--bell"});
    auto first = wait_in_background(world, {a, b, c, "--notice", "--any"});
    tell(world, b, "printf '\\a\\033]9;from b\\007'");
    CHECK(first.wait().out == "2 from b\n");
    CHECK(all.wait_for_output("2\n"));
    tell(world, a, "printf '\\a'");
    const outcome rang = all.wait();
    CHECK(rang.exit_code == 0);
    CHECK(rang.out == "2\n1\n");

    auto text = wait_in_background(world, {a, b, "--text", "^found$", "--any", "--json"});
    tell(world, a, "echo found");
    CHECK(contains(text.wait().out, "{\"tab\": 1, \"line\": 2, \"mark\": \"2.5@1\", \"text\": \"found\"}"));

    auto ends = wait_in_background(world, {a, b, "--exit"});
    auto either = wait_in_background(world, {c, b, "--exit", "--any"});
    auto bell = wait_in_background(world, {a, b, c, "--bell", "--any"});
    tell(world, b, "exit 3");
    CHECK(either.wait().exit_code == 3);
    tell(world, a, "exit 0");
    CHECK(ends.wait().exit_code == 3);
    tell(world, c, "printf '\\a'"); // the ends of the others are no bells
    CHECK(bell.wait().out == "3\n");
    CHECK(world.run({"wait", a, b, "--exit"}).exit_code == 3); // both are remembered
    CHECK(world.run({"wait", c, "77", "--bell"}).exit_code == 1);
    CHECK(world.run({"wait", c, "77", "--state", "clear", "--any"}).exit_code == 0);
}

TEST_CASE("a wait goes on over deaths of the daemon's process, and misses nothing between them", "[mato][wait]") {
    mato_world world;
    const std::string id = open_marked_shell(world), other = obedient_tab(world);
    auto command = wait_in_background(world, {id, "--command"});
    auto both = wait_in_background(world, {id, other, "--notice"});
    world.must({"send", id, "read -r x; (exit 9)", "Enter"});
    world.must({"wait", id, "--text", "\\(exit 9\\)\\n"});
    tell(world, other, "printf '\\033]9;first\\007'");
    CHECK(both.wait_for_output("2 first\n"));
    kill_worker(world);
    world.must({"send", id, "Enter"}); // maybe before the waiting client has asked again
    CHECK(command.wait().out == "9\n");
    CHECK(world.must({"wait", id, "--prompt"}).empty()); // known, although this process did not see its mark
    kill_worker(world);
    CHECK(world.must({"wait", id, "--prompt", "--timeout", "10s"}).empty());
    world.must({"notice", "--tab", id, "second"});
    CHECK(both.wait().out == "2 first\n1 second\n");
}

TEST_CASE("control waits for several tabs, too", "[mato][wait][control]") {
    mato_world world;
    obedient_tab(world), obedient_tab(world);
    world.must({"state", "1", "done"}), world.must({"state", "2", "done", "--note", "all"});
    const outcome went = world.run({"control"}, {.input = "wait 1 2 --state done\nwait 1 2 --state done --any\n"});
    CHECK(contains(went.out, R"({"reply": 1, "ok": true, "result": [{"tab": 1, "what": "state", "state": "done", "note": ""}, )"
                             R"({"tab": 2, "what": "state", "state": "done", "note": "all"}]})"));
    CHECK(contains(went.out, R"({"reply": 2, "ok": true, "result": {"tab": 1, "what": "state")"));
}
