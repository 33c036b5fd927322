// SPDX-License-Identifier: MIT
/// @file shared_names_process_test.cpp: `buffer` and `channel`, and `kill` of several tabs.
#include "support/json_reader.hpp"
#include "support/mato_world.hpp"

using namespace support;

TEST_CASE("a buffer is set, printed, listed, pasted and removed", "[mato][buffer]") {
    mato_world world;
    world.must({"new", "-d", "-n", "raw", "--", "stty -echo -icrnl; printf ready; exec cat -v"});
    world.must({"wait", "raw", "--text", "ready"});
    world.must({"buffer", "set", "query", "select 1"});
    world.run({"buffer", "set", "lines"}, {.input = "one\ntwo\n"});
    world.run({"buffer", "set", "more", "-"}, {.input = "three"});
    CHECK(world.must({"buffer", "get", "query"}) == "select 1");
    CHECK(world.must({"buffer", "get", "lines"}) == "one\ntwo\n");
    CHECK(world.must({"buffer", "get", "more"}) == "three");
    CHECK(contains(json_reader::compact(world.must({"buffer", "ls", "--json"})),
                   R"([{"name":"more","bytes":5,"begin":"three"})"));
    CHECK(count_of(world.must({"buffer", "ls"}), "\n") == 3);
    world.must({"buffer", "paste", "query", "raw"});
    CHECK(world.must({"wait", "raw", "--text", "ready.*"}).find("1.") != std::string::npos);
    world.must({"send", "raw", "C-j"});
    CHECK(wait_until([&] { return contains(world.must({"capture", "raw"}), "readyselect 1"); }));
    world.must({"new", "-d", "-n", "bracketed", "--", "stty raw -echo; printf '\\033[?2004hready'; exec cat -v"});
    world.must({"wait", "bracketed", "--text", "ready"});
    world.must({"buffer", "paste", "lines", "bracketed"});
    CHECK(wait_until([&] { return contains(world.must({"capture", "bracketed"}), "ready^[[200~one^Mtwo^M^[[201~"); }));
    world.must({"buffer", "rm", "query"});
    for (const std::vector<std::string>& each : std::vector<std::vector<std::string>>{{"get", "query"},
                                                                                      {"rm", "query"},
                                                                                      {"paste", "query", "raw"},
                                                                                      {"paste", "lines", "nothing"},
                                                                                      {"set", "a/b", "x"}}) {
        std::vector<std::string> words{"buffer"};
        words.insert(words.end(), each.begin(), each.end());
        INFO(each[0] << " " << each[1]);
        CHECK(world.run(words).exit_code == 1);
    }
    CHECK(world.run({"buffer", "get"}).exit_code == 64);
    CHECK(world.run({"buffer", "paste", "lines"}).exit_code == 64); // outside of a tab
    CHECK(world.run({"buffer", "copy", "x"}).exit_code == 64);
    CHECK(contains(world.run({"buffer", "set", "big"}, {.input = std::string(600 << 10, 'x')}).err, "more than 512 KiB"));
    const outcome control = world.run({"control"}, {.input = "buffer set c 'of control'\nbuffer get c\nbuffer ls\n"});
    CHECK(contains(control.out, R"({"reply": 2, "ok": true, "result": {"name": "c", "text": "of control"}})"));
}

TEST_CASE("channel: a wait ends with the signal, one that came first is kept, a wait has a time-out", "[mato][channel]") {
    mato_world world;
    world.must({"daemon"});
    auto first = world.start({"channel", "wait", "built"}), second = world.start({"channel", "wait", "built"});
    for (auto* each : {&first, &second}) {
        const std::string own = "\"pid\": " + std::to_string(each->pid()) + ",";
        REQUIRE(wait_until([&] { return contains(world.must({"clients", "--json"}), own); }));
    }
    world.must({"status"});
    world.must({"channel", "signal", "built"});
    CHECK(first.wait().exit_code == 0);
    CHECK(second.wait().exit_code == 0);
    CHECK(world.run({"channel", "wait", "built", "--timeout", "50ms"}).exit_code == 124);
    world.must({"channel", "signal", "early"});
    world.must({"channel", "wait", "early", "--timeout", "20s"});
    CHECK(world.run({"channel", "listen", "early"}).exit_code == 64);
    CHECK(world.run({"channel", "wait", "a/b"}).exit_code == 64);

    auto third = world.start({"channel", "wait", "later"}); // over a death of the daemon's process
    const std::string own = "\"pid\": " + std::to_string(third.pid()) + ",";
    REQUIRE(wait_until([&] { return contains(world.must({"clients", "--json"}), own); }));
    const pid_t worker = world.serving_pid();
    ::kill(worker, SIGKILL);
    REQUIRE(wait_until([&] { return world.serving_pid() != worker && world.run({"status"}).exit_code == 0; }));
    world.must({"channel", "signal", "later"}); // before or after it has asked again
    CHECK(third.wait().exit_code == 0);
    const outcome control = world.run({"control"}, {.input = "channel wait c\nchannel signal c\n"});
    CHECK(contains(control.out, R"({"reply": 1, "ok": true, "result": null})"));
}

TEST_CASE("kill ends several tabs, reports those that do not exist, and --others spares its own tab", "[mato][kill]") {
    mato_world world;
    world.must({"daemon"});
    for (const char* name : {"a", "b", "c", "d"}) world.must({"new", "-d", "-n", name, "--", "exec cat"});
    const outcome went = world.run({"kill", "a", "nothing", "b", "none"});
    CHECK(went.exit_code == 1);
    CHECK(contains(went.err, "'nothing'"));
    CHECK(contains(went.err, "'none'"));
    CHECK(world.run({"has", "a"}).exit_code == 1);
    CHECK(world.run({"has", "b"}).exit_code == 1);
    CHECK(world.run({"kill", "--others"}).exit_code == 64); // outside of a tab
    const std::string inside = "env -u XDG_STATE_HOME " + world.executable() + " ";
    world.must({"new", "-d", "-n", "own", "--", inside + "kill --others; exec cat"});
    CHECK(wait_until([&] { return world.run({"has", "c"}).exit_code == 1 && world.run({"has", "d"}).exit_code == 1; }));
    world.must({"has", "own"});
}
