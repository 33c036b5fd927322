// SPDX-License-Identifier: MIT
/// @file survive_clients_process_test.cpp: clients of all commands whose daemon's process dies while they wait for it.
#include "support/daemon_worker.hpp"
#include "support/pty_client.hpp"

#include <sstream>

using namespace support;

namespace {

/// The daemon without a process that serves, until the end of this object: its keeper is stopped.
class outage {
public:
    explicit outage(const mato_world& world) : keeper_(world.daemon_pid()) {
        const pid_t worker = worker_of(keeper_);
        REQUIRE(worker > 1);
        ::kill(keeper_, SIGSTOP);
        REQUIRE(wait_until([&] { return process_state(keeper_) == 'T'; }));
        ::kill(worker, SIGKILL);
    }
    outage(const outage&) = delete;
    ~outage() { ::kill(keeper_, SIGCONT); }

private:
    pid_t keeper_;
};

std::vector<std::string> attach_by(const std::string& path, const std::string& tab) {
    std::vector<std::string> words{"attach", tab};
    if (path == "relayed") words.emplace_back("--relay");
    return words;
}

const std::string notice = "waiting for the next one";

bool is_answering(const mato_world& world, pid_t client) {
    return contains(world.must({"clients", "--json"}), "\"pid\": " + std::to_string(client) + ",");
}

} // namespace

// ---- attach ----

TEST_CASE("a client without a daemon says so on the last row, and shows the tab when there is one", "[mato][survive]") {
    const std::string path = GENERATE("direct", "relayed");
    INFO(path);
    mato_world world;
    const std::string tab = world.open_tab({"stty -echo; printf ready; while read -r x; do echo got $x; done"});
    pty_client client(world, attach_by(path, tab));
    REQUIRE(client.wait_for("ready"));
    {
        const outage without(world);
        REQUIRE(client.wait_for(notice));
        client.type("abc\r"); // stays in the terminal, or in the client
    }
    REQUIRE(client.wait_for("\033[H\033[2J")); // the notice is erased
    REQUIRE(client.wait_for("got abc"));
    client.command('d');
    CHECK(client.wait() == 0);
    CHECK(client.last_line() == "[detached]");
    CHECK(client.now() == client.before());
}

TEST_CASE("without a daemon, C-c or the detach key gives up after two seconds, and the terminal is restored",
          "[mato][survive]") {
    const auto [path, keys] = GENERATE(table<std::string, std::string>(
        {{"direct", "\003"}, {"relayed", "\003"}, {"direct", "\034d"}, {"relayed", "abc\034\034\034d"}}));
    INFO(path);
    mato_world world;
    const std::string tab = world.open_tab({"printf ready; exec cat"});
    pty_client client(world, attach_by(path, tab));
    REQUIRE(client.wait_for("ready"));
    const stopwatch watch;
    {
        const outage without(world);
        REQUIRE(client.wait_for(notice));
        client.type(keys);
        CHECK(client.wait() == 1);
        CHECK(watch.elapsed() >= 1900ms);
    }
    CHECK(client.last_line() == "[daemon lost]");
    CHECK(client.now() == client.before());
    CHECK(client.left_alternate_screen());
    CHECK(wait_until([&] { return world.run({"has", tab}).exit_code == 0; }));
    CHECK_FALSE(contains(world.must({"capture", tab}), "abc")); // what was typed meanwhile reaches no program
}

TEST_CASE("without a daemon, a client waits for the time `reconnect`, and its terminal is restored", "[mato][survive]") {
    const std::string path = GENERATE("direct", "relayed");
    INFO(path);
    mato_world world;
    world.configure("survive = true\nreconnect = \"60s\"\n");
    const std::string tab = world.open_tab({"printf ready; exec cat"});
    world.configure("survive = true\nreconnect = \"1500ms\"\n");
    world.must({"reload"}); // for new connections
    pty_client client(world, attach_by(path, tab));
    auto events = world.start({"events"});
    REQUIRE(client.wait_for("ready"));
    REQUIRE(events.wait_for_output("snapshot"));
    const stopwatch watch;
    {
        const outage without(world);
        CHECK(client.wait() == 1);
        CHECK(watch.elapsed() >= 1400ms);
        CHECK(watch.elapsed() < 55s);
        CHECK(events.wait().exit_code == 1);
    }
    CHECK(client.last_line() == "[daemon lost]");
    CHECK(client.now() == client.before());
    CHECK(client.left_alternate_screen());
    CHECK(wait_until([&] { return world.run({"has", tab}).exit_code == 0; }));
}

TEST_CASE("without a daemon, TERM ends a client at once", "[mato][survive]") {
    mato_world world;
    const std::string tab = world.open_tab({"printf ready; exec cat"});
    pty_client client(world, {"attach", tab});
    REQUIRE(client.wait_for("ready"));
    const outage without(world);
    REQUIRE(client.wait_for(notice));
    client.signal(SIGTERM);
    CHECK(client.wait() == 1);
    CHECK(client.last_line() == "[terminated]");
    CHECK(client.now() == client.before());
}

// ---- commands ----

TEST_CASE("queries ask the next process", "[mato][survive]") {
    const std::string command = GENERATE("ls", "has", "clients", "status", "capture");
    INFO(command);
    mato_world world;
    const std::string tab = world.open_tab({"printf 'the screen'; exec cat"});
    REQUIRE(world.run({"wait", tab, "--text", "the screen", "--timeout", "20s"}).exit_code == 0);
    std::vector<std::string> words{command};
    if (command == "has" || command == "capture") words.push_back(tab);
    auto asks = [&] {
        const outage without(world);
        auto started = world.start(words);
        REQUIRE(wait_until([&] { return process_state(started.pid()) == 'S'; }));
        return started;
    }();
    const outcome went = asks.wait();
    INFO(went.err);
    if (command == "status" && went.exit_code == 2) return; // it waits for a second at most
    CHECK(went.exit_code == 0);
    if (command == "capture") CHECK(contains(went.out, "the screen"));
}

TEST_CASE("`wait --text` and `wait --idle` go on with the next process", "[mato][survive]") {
    mato_world world;
    const std::string tab = world.open_tab({"read -r x; echo you said $x; exec cat"});
    const std::vector<std::string> words =
        GENERATE(std::vector<std::string>{"--text", "you said yes"}, std::vector<std::string>{"--idle", "1500ms"});
    std::vector<std::string> all{"wait", tab};
    all.insert(all.end(), words.begin(), words.end());
    auto waiting = world.start(all);
    REQUIRE(wait_until([&] { return is_answering(world, waiting.pid()); }));
    kill_worker(world.daemon_pid());
    world.must({"send", tab, "yes", "Enter"});
    CHECK(waiting.wait().exit_code == 0);
}

TEST_CASE("`send` is not repeated, and tells how much was confirmed", "[mato][survive]") {
    mato_world world;
    const std::string tab =
        world.open_tab({"stty raw -echo; printf up; head -c 50000 >got; printf 'read enough'; exec sleep 1000"});
    REQUIRE(world.run({"wait", tab, "--text", "up", "--timeout", "20s"}).exit_code == 0);
    std::vector<std::string> words{"send", "-l", tab};
    std::string text; // more than the program reads, and than its terminal holds
    for (int word = 0; word < 5; ++word) {
        const std::size_t before = text.size();
        for (int n = word * 100'000; text.size() < before + 80'000; ++n) text += std::to_string(n) + " ";
        words.push_back(text.substr(before));
    }
    auto sending = world.start(words);
    REQUIRE(world.run({"wait", tab, "--text", "read enough", "--timeout", "20s"}).exit_code == 0);
    kill_worker(world.daemon_pid());
    const outcome went = sending.wait();
    INFO(went.err);
    CHECK(went.exit_code == 1);
    constexpr std::string_view told = "the daemon restarted after ";
    const auto at = went.err.find(told);
    REQUIRE(at != std::string::npos);
    const long confirmed = std::atol(went.err.c_str() + at + told.size());
    CHECK(confirmed > 0);
    CHECK(confirmed < 400'000);
    CHECK(contains(went.err, " bytes were confirmed"));
    CHECK(read_file(world.home() / "got") == text.substr(0, 50'000)); // nothing twice
}

TEST_CASE("`control` answers what was under way with an error, and goes on with the next process", "[mato][survive]") {
    mato_world world;
    const std::string tab = world.open_tab();
    pty_client client(world, {"control"}, {.columns = 2000});
    REQUIRE(client.wait_for("\"snapshot\""));
    client.type("wait " + tab + " --text never\nhas " + tab + "\n");
    REQUIRE(client.wait_for("{\"reply\": 2, \"ok\": true"));
    for (const int round : {0, 1}) {
        const int first = 3 + 2 * round;
        kill_worker(world.daemon_pid());
        if (round == 0)
            REQUIRE(
                client.wait_for("{\"reply\": 1, \"ok\": false, \"exit_code\": 1, \"error\": \"the daemon restarted before it "
                                "answered; the command may or may not have been carried out\"}"));
        client.type("has " + tab + "\n");
        REQUIRE(client.wait_for("{\"reply\": " + std::to_string(first) + ", \"ok\": true"));
        client.type("rename " + tab + " name" + std::to_string(round) + "\n"); // its event comes too
        REQUIRE(client.wait_for("\"name\": \"name" + std::to_string(round) + "\""));
        REQUIRE(client.wait_for("{\"reply\": " + std::to_string(first + 1) + ", \"ok\": true"));
    }
    world.must({"stop"});
    CHECK(client.wait() == 1);
    CHECK(client.last_line() == "mato: the daemon has stopped");
}

TEST_CASE("`control` whose input has ended ends once the next process serves", "[mato][survive]") {
    mato_world world;
    world.open_tab();
    auto control = world.start({"control"}, {.input = "has 1\n" + std::string("wait 1 --text never\n")});
    REQUIRE(control.wait_for_output("{\"reply\": 1, \"ok\": true"));
    { const outage without(world); }
    REQUIRE(control.wait_for_output("{\"reply\": 2, \"ok\": false"));
    CHECK(control.wait().exit_code == 0); // at the end of its input
}

TEST_CASE("followers of events are told of the restart, and every number is an event, in a gap, or a snapshot's",
          "[mato][survive]") {
    mato_world world;
    const std::string tab = world.open_tab();
    auto events = world.start({"events", "--json"});
    REQUIRE(events.wait_for_output("\"snapshot\""));
    for (int round = 0; round < 3; ++round) {
        kill_worker(world.daemon_pid());
        REQUIRE(wait_until([&] { return contains(world.must({"clients"}), "events"); }));
        world.must({"rename", tab, "after" + std::to_string(round)});
        REQUIRE(events.wait_for_output("\"after" + std::to_string(round) + "\""));
    }
    auto later = world.start({"events", "--json"}); // it had no event before, so it is told of no restart
    REQUIRE(later.wait_for_output("\"snapshot\""));
    world.must({"stop"});
    const std::string all = events.wait().out;
    INFO(all);
    std::uint64_t last = 0;
    std::istringstream lines(all);
    for (std::string line; std::getline(lines, line);) {
        const auto number_of = [&](const std::string& name) -> std::uint64_t {
            const auto at = line.find("\"" + name + "\": ");
            return at == std::string::npos ? 0 : std::strtoull(line.c_str() + at + name.size() + 4, nullptr, 10);
        };
        const bool is_gap = contains(line, "\"event\": \"gap\""), is_snapshot = contains(line, "\"event\": \"snapshot\"");
        const std::uint64_t first = is_gap ? number_of("first") : number_of("number");
        if (last != 0) CHECK((first == last + 1 || (is_snapshot && first == last)));
        last = is_gap ? number_of("last") : first;
    }
    for (int generation = 2; generation <= 4; ++generation)
        CHECK(contains(all, "\"generation\": " + std::to_string(generation) + ", "));
    CHECK(count_of(all, "\"event\": \"daemon-restarted\"") == 3);
    CHECK(count_of(all, "\"reason\": \"crashed\", \"signal\": 9}") == 3);
    CHECK_FALSE(contains(later.wait().out, "daemon-restarted"));
}

TEST_CASE("status tells how many typed bytes a crash has cost", "[mato][survive]") {
    mato_world world;
    const std::string deaf = world.open_tab({"stty raw -echo; printf up; exec sleep 1000"});
    REQUIRE(world.run({"wait", deaf, "--text", "up", "--timeout", "20s"}).exit_code == 0);
    kill_worker(world.daemon_pid());
    CHECK(contains(world.must({"status"}), " ms without service, nothing lost\n"));
    const std::string text(30'000, 'x'); // its terminal takes a part
    const auto tab_bytes = [&] {
        const std::string json = world.must({"ls", "--json"}), name = "\"memory_bytes\": ";
        return std::strtoull(json.c_str() + json.find(name) + name.size(), nullptr, 10);
    };
    const auto before = tab_bytes();
    auto sending = world.start({"send", "-l", deaf, text});
    REQUIRE(wait_until([&] { return tab_bytes() > before + 5000; })); // what waits is a part of it
    kill_worker(world.daemon_pid());
    CHECK(sending.wait().exit_code == 1);
    const std::string status = world.must({"status", "--json"}), name = "\"input_bytes_lost\": ";
    const auto lost = std::strtoull(status.c_str() + status.find(name) + name.size(), nullptr, 10);
    CHECK(lost > 0);
    CHECK(lost < text.size());
    CHECK(contains(world.must({"status"}), ", " + std::to_string(lost) + " typed bytes lost\n"));
    CHECK(contains(world.log(), std::to_string(lost) + " bytes that were typed"));
}

TEST_CASE("when both processes die, `events`, `control` and `wait` say that the connection is lost", "[mato][survive]") {
    mato_world world;
    world.open_tab();
    auto events = world.start({"events"});
    auto waiting = world.start({"wait", "1", "--exit"});
    pty_client control(world, {"control"}, {.columns = 2000});
    REQUIRE(events.wait_for_output("snapshot"));
    REQUIRE(control.wait_for("\"snapshot\""));
    REQUIRE(wait_until([&] { return is_answering(world, waiting.pid()); }));
    world.kill_daemon();
    const outcome followed = events.wait(), waited = waiting.wait();
    CHECK(followed.exit_code == 1);
    CHECK(contains(followed.err, "lost the connection to the daemon"));
    CHECK(waited.exit_code == 69);
    CHECK(contains(waited.err, "no daemon is running"));
    CHECK(control.wait() == 1);
    CHECK(control.last_line() == "mato: lost the connection to the daemon");
    world.open_tab(); // removes what they left
}
