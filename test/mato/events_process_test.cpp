// SPDX-License-Identifier: MIT
// The daemon's events: every kind, in order and numbered, for readers that connect at any time and read at any speed.
#include "support/json_reader.hpp"
#include "support/pty_client.hpp"

#include <set>

using namespace support;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

std::uint64_t number_in(const std::string& line, const std::string& key) {
    const auto at = line.find("\"" + key + "\": ");
    return at == std::string::npos ? 0 : std::stoull(line.substr(at + key.size() + 4));
}

/// Checks that consecutive snapshots, gaps and events leave out no number and repeat none.
void check_numbers(const std::vector<std::string>& lines) {
    std::uint64_t last = 0;
    bool is_gap = true; // before the first snapshot
    for (const std::string& line : lines) {
        INFO(line);
        CHECK(is_json(line));
        if (contains(line, "\"event\": \"gap\"")) {
            CHECK(number_in(line, "first") == last + 1);
            last = number_in(line, "last");
            is_gap = true;
        } else if (contains(line, "\"event\": \"snapshot\"")) {
            CHECK(is_gap);
            if (last != 0) CHECK(number_in(line, "number") == last);
            last = number_in(line, "number");
            is_gap = false;
        } else {
            CHECK(number_in(line, "number") == ++last);
        }
    }
}

/// `count` renames of tab 1, the last one to `last`, by one client that keeps sixteen of them in flight.
void rename_often(const mato_world& world, int count, const std::string& last) {
    std::string commands;
    for (int n = 0; n < count; ++n) commands += "rename 1 name-" + std::to_string(n) + "-" + std::string(40, 'x') + "\n";
    const outcome went = world.run({"control"}, {.input = commands + "rename 1 " + last + "\n", .limit = 60s});
    INFO(went.err);
    REQUIRE(went.exit_code == 0);
    CHECK(count_of(went.out, "\"ok\": true") == static_cast<std::size_t>(count) + 1);
}

} // namespace

// ---- the contract ----

TEST_CASE("every kind of event is reported, in order and without a missing number, as text and as JSON", "[mato][events]") {
    mato_world world;
    world.configure("remain_on_exit = \"on\"\n");
    world.must({"new", "-d", "-t", "work", "-n", "first", "--", "exec cat"});
    auto json = world.start({"events", "--json"});
    auto text = world.start({"events"});
    REQUIRE(json.wait_for_output("\"snapshot\""));
    REQUIRE(text.wait_for_output("snapshot  tabs=1"));
    {
        pty_client client(world, {"attach", "1"});
        REQUIRE(json.wait_for_output("client-attached"));
        REQUIRE(client.wait_for("\033[?1049h")); // the terminal is raw
        client.command('c');
        REQUIRE(json.wait_for_output("client-switched"));
        client.resize(70, 20);
        REQUIRE(json.wait_for_output("client-resized"));
        client.command('d');
        CHECK(client.wait() == 0);
        REQUIRE(json.wait_for_output("client-detached"));
    }
    world.must({"rename", "first", "renamed"});
    world.must({"rename", "work", "labour"});
    world.must({"move", "1", "elsewhere"});
    world.must({"resize", "1", "50x9"});
    world.run({"new", "-W", "--", "printf '\\033]2;a \"title\"\\007\\033]7;file://host/dir\\007\\007'; exit 4"});
    world.must({"respawn", "3"});
    REQUIRE(json.wait_for_output("tab-respawned"));
    world.must({"kill", "3"});
    world.must({"reload"});
    world.configure("prefix = 7\n");
    CHECK(world.run({"reload"}).exit_code == 78);
    world.must({"stop"});
    const outcome ended = json.wait(), also = text.wait();
    CHECK(ended.exit_code == 0);
    CHECK(also.exit_code == 0);
    INFO(ended.out);
    check_numbers(lines_of(ended.out));
    const std::vector<std::string> expected = {
        R"("event": "client-attached")",
        R"("event": "tab-opened")",
        R"("event": "client-switched")",
        R"("event": "client-resized")",
        R"("event": "client-detached")",
        R"("tab": 1, "task": "work", "name": "renamed", "was": "first"})",
        R"("task": "labour", "was": "work"})",
        R"("tab": 1, "task": "elsewhere", "name": "renamed", "was": "labour"})",
        R"("event": "tab-resized")",
        R"("tab": 1, "cols": 50, "rows": 9})",
        R"("event": "tab-opened")",
        R"("tab": 3, "title": "a \"title\""})",
        R"("tab": 3, "cwd": "file://host/dir"})",
        R"("event": "bell")",
        R"("tab": 3, "exit_code": 4})",
        R"("event": "tab-respawned")",
        R"("event": "tab-closed")",
        R"("event": "reloaded")",
        R"("event": "config-error")",
        R"("event": "stopping")",
        R"("event": "tab-exited")",
        R"("event": "tab-closed")",
    };
    std::size_t at = 0;
    for (const std::string& each : expected) {
        INFO(each);
        const auto found = ended.out.find(each, at);
        REQUIRE(found != std::string::npos);
        at = found + each.size();
    }
    CHECK(lines_of(also.out).size() == lines_of(ended.out).size());
    CHECK(contains(also.out, "  tab-moved  tab=1  task=\"elsewhere\"  name=\"renamed\"  was=\"labour\"\n"));
    CHECK(contains(also.out, "config-error  error=\"" + world.config_file().native() + ":1:10"));
}

TEST_CASE("a reader that connects at any time sees every tab once: in its snapshot or in a later event", "[mato][events]") {
    mato_world world;
    world.configure("exit_empty = false\n");
    world.open_tab();
    std::string commands;
    for (int n = 0; n < 60; ++n) commands += "new -n n" + std::to_string(n) + " -- cat\n";
    auto opening = world.start({"control"}, {.input = commands});
    std::vector<running_program> readers;
    for (int n = 0; n < 10; ++n) readers.push_back(world.start({"events", "--json"}));
    CHECK(opening.wait().exit_code == 0);
    for (running_program& each : readers) REQUIRE(each.wait_for_output("\"snapshot\""));
    world.must({"stop"});
    std::size_t told_by_event = 0;
    for (running_program& each : readers) {
        const auto lines = lines_of(each.wait().out);
        check_numbers(lines);
        REQUIRE(contains(lines.at(0), "\"snapshot\""));
        std::multiset<std::string> names;
        for (int n = 0; n < 60; ++n) {
            const std::string name = "\"name\": \"n" + std::to_string(n) + "\"";
            std::size_t count = count_of(lines[0], name);
            for (const std::string& line : lines)
                if (contains(line, "\"tab-opened\"") && contains(line, name)) ++count, ++told_by_event;
            CHECK(count == 1);
        }
    }
    WARN(told_by_event << " of 600 were told by an event");
}

TEST_CASE("clients that change tabs at the same time: every change is reported, and a closed tab stays closed",
          "[mato][events]") {
    mato_world world;
    world.configure("exit_empty = false\n");
    world.open_tab();
    std::vector<running_program> clients;
    for (const char* who : {"a", "b", "c", "d"}) {
        std::string commands;
        for (int n = 0; n < 20; ++n) {
            const std::string name = who + std::string("-") + std::to_string(n);
            commands.append("new -t ").append(n % 2 ? who : "shared").append(" -n ").append(name).append(" -- cat\n");
            if (n % 4 == 1) commands += "kill " + name + "\n";
            if (n % 4 == 2) commands += "rename shared/" + name + " renamed-" + name + "\n";
            if (n % 4 == 3) commands += "move " + name + " last\n";
        }
        clients.push_back(world.start({"control"}, {.input = commands, .limit = 60s}));
    }
    for (running_program& each : clients) {
        const outcome went = each.wait();
        INFO(went.out);
        CHECK(went.exit_code == 0);
        CHECK(count_of(went.out, "\"ok\": true") == 35);
    }
    const std::string ls = world.must({"ls"});
    INFO(ls);
    CHECK(count_of(ls, "running") == 1 + 4 * 15);
    CHECK(ls.find("\nshared\n") != std::string::npos);
    for (const char* who : {"a", "b", "c", "d"})
        for (int n = 0; n < 20; ++n) {
            const std::string name = who + std::string("-") + std::to_string(n);
            const std::string where = n % 4 == 0 ? "shared/" + name : n % 4 == 2 ? "shared/renamed-" + name : "last/" + name;
            INFO(where);
            CHECK(world.run({"has", where}).exit_code == (n % 4 == 1 ? 1 : 0));
        }
}

// ---- readers that are slow, gone, or lose the daemon ----

TEST_CASE("a stalled reader delays no other; later it gets the number of missed events and the current state",
          "[mato][events]") {
    mato_world world;
    world.open_tab();
    auto slow = world.start({"events", "--json"}, {.limit = 60s});
    REQUIRE(slow.wait_for_output("\"snapshot\""));
    const pid_t daemon = world.serving_pid();
    const long before = memory_kib(daemon);
    slow.signal(SIGSTOP);
    auto reading = world.start({"events", "--json"}, {.limit = 60s});
    rename_often(world, 6000, "the-last"); // a megabyte of events: more than ring and socket hold
    REQUIRE(reading.wait_for_output("the-last", 60s));
    if (!sanitized) CHECK(memory_kib(daemon) - before < 2048);
    slow.signal(SIGCONT);
    REQUIRE(slow.wait_for_output("the-last", 60s));
    world.must({"stop"});
    const auto slowly = lines_of(slow.wait().out), all = lines_of(reading.wait().out);
    check_numbers(slowly);
    check_numbers(all);
    const std::string whole = [&] {
        std::string text;
        for (const auto& line : slowly) text += line + "\n";
        return text;
    }();
    CHECK(contains(whole, "\"event\": \"gap\""));
    CHECK(count_of(whole, "\"event\": \"snapshot\"") == 1 + count_of(whole, "\"event\": \"gap\""));
    CHECK(slowly.size() < 6000);
}

TEST_CASE("events end when interrupted, when their reader leaves, and with the daemon", "[mato][events]") {
    mato_world world;
    CHECK(world.run({"events"}).exit_code == 69);
    world.open_tab();
    auto interrupted = world.start({"events"});
    REQUIRE(interrupted.wait_for_output("snapshot"));
    interrupted.signal(SIGINT);
    CHECK(interrupted.wait().exit_code == -SIGINT);

    const outcome unread = world.run({"events"}, {.before_exec = [] { // its reader has left before its first output
                                         int ends[2];
                                         if (::pipe(ends) == 0) ::dup2(ends[1], 1), ::close(ends[0]), ::close(ends[1]);
                                     }});
    CHECK((unread.exit_code == 0 || unread.exit_code == 128 + SIGPIPE));

    auto bereft = world.start({"events"});
    REQUIRE(bereft.wait_for_output("snapshot"));
    world.kill_daemon();
    const outcome went = bereft.wait();
    CHECK(went.exit_code == 1);
    CHECK(contains(went.err, "lost the connection to the daemon"));
    world.open_tab(); // and removes what the killed one left
}
