// SPDX-License-Identifier: MIT
// A daemon that stops, has lost its socket, or is gone: what clients report and do. MATO_TEST_ROUNDS: 50 commands of each kind
// a round; 1 when it is not set.
#include "support/child_process.hpp"
#include "support/false_daemon.hpp"
#include "support/framed.hpp"
#include "support/pty_client.hpp"

#include "protocol/messages.hpp"

#include <cstdlib>
#include <thread>

using namespace support;
using mux::message;

namespace {

int commands_of_each() {
    const char* const wanted = std::getenv("MATO_TEST_ROUNDS");
    return (sanitized ? 10 : 50) * (wanted ? std::max(1, std::atoi(wanted)) : 1);
}

std::string welcome() { return framed(mux::encode<message::welcome>(1, mux::welcome{})); }
std::string stopping() { return framed(mux::encode<message::stopping>(0)); }

void await_request(const mato::unique_fd& client) {
    pollfd ready{client.get(), POLLIN, 0};
    REQUIRE(::poll(&ready, 1, 20'000) == 1);
    char request[65'536];
    REQUIRE(::recv(client.get(), request, sizeof request, 0) > 0);
}

/** Sends all of an answer in one piece: a client may close the connection after the first message it understands. */
void say(const mato::unique_fd& client, const std::string& bytes) {
    REQUIRE(::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
}

} // namespace

// ---- a daemon that stops with its last tab ----

TEST_CASE("while daemons stop with their last tab, new is served and ls gives a correct answer", "[mato][last moments]") {
    mato_world world;
    const auto go_on = [&](std::vector<std::string> command, std::vector<std::string>& bad) {
        for (int n = 0; n < commands_of_each(); ++n) {
            const outcome went = world.run(command, {.limit = 60s});
            const bool right = went.exit_code == 0 || (went.exit_code == 1 && command.front() != "new");
            if (!right) bad.push_back(command.front() + ": " + std::to_string(went.exit_code) + " " + went.err);
        }
    };
    std::vector<std::string> bad[5];
    std::vector<std::thread> all;
    for (int n = 0; n < 3; ++n) all.emplace_back([&, n] { go_on({"new", "-d", "--", "true"}, bad[n]); });
    all.emplace_back([&] { go_on({"ls"}, bad[3]); });
    all.emplace_back([&] { go_on({"has", "1"}, bad[4]); });
    for (auto& each : all) each.join();
    for (const auto& each : bad) CHECK(each == std::vector<std::string>());
}

TEST_CASE("new -W and wait --exit return the code of a program that ends immediately, and its daemon with it",
          "[mato][last moments]") {
    mato_world world;
    for (int n = 0; n < commands_of_each(); ++n) {
        const int code = n % 120;
        const std::string program = "exit " + std::to_string(code);
        INFO("round " << n);
        CHECK(world.run({"new", "-W", "--", program}).exit_code == code);
        const std::string id = world.open_tab({program});
        const outcome went = world.run({"wait", id, "--exit"});
        INFO(went.err);
        CHECK(went.exit_code == code);
    }
}

TEST_CASE("the exit code of an ended tab is found by number and by name", "[mato][last moments]") {
    mato_world world;
    world.open_tab();
    world.must({"new", "-d", "-t", "Work", "-n", "build", "--", "exit 5"});
    REQUIRE(wait_until([&] { return world.run({"has", "2"}).exit_code == 1; }));
    CHECK(world.run({"wait", "2", "--exit"}).exit_code == 5);
    CHECK(world.run({"wait", "build", "--exit"}).exit_code == 5);
    CHECK(world.run({"wait", "Work/build", "--exit"}).exit_code == 5);
    CHECK(world.run({"wait", "3", "--exit"}).exit_code == 1);
    world.must({"new", "-d", "-t", "Work", "-n", "build", "--", "read line; exit 6"}); // the open tab takes precedence
    const outcome waited = world.run({"wait", "build", "--exit", "--timeout", "50ms"});
    CHECK(waited.exit_code == 124);
    world.must({"stop"});
    CHECK(world.run({"wait", "2", "--exit"}).exit_code == 5); // from the file
    CHECK(world.run({"wait", "1", "--exit"}).exit_code == 129);
    CHECK(world.run({"wait", "7", "--exit"}).exit_code == 69);
    world.open_tab(); // the next daemon has them too
    CHECK(world.run({"wait", "2", "--exit"}).exit_code == 5);
}

TEST_CASE("a stop before the answer to attach is reported as a stop", "[mato][last moments]") {
    mato_world world;
    false_daemon there(world.socket());
    const std::string words = GENERATE("nothing", "attached", "exited", "refused");
    INFO(words);
    pty_client client(world, {"attach"});
    {
        const auto connection = there.answer(welcome());
        await_request(connection);
        const auto shown = framed(mux::encode<message::attached>(2, mux::attachment_info{}));
        const auto exited = framed(mux::encode<message::tab_exited>(0, mux::exit_status{1, 129}));
        std::string after;
        if (words == "attached") after = shown;
        if (words == "exited") after = shown + exited;
        if (words == "refused") after = framed(mux::encode<message::error>(2, mux::refusal{1, "no tab is open"}));
        say(connection, stopping() + after);
    }
    CHECK(client.wait() == 1);
    CHECK(client.last_line() == "[daemon stopped]");
    CHECK(client.now() == client.before());
}

TEST_CASE("a new tab is requested again if the daemon stopped before opening one, and otherwise not", "[mato][last moments]") {
    mato_world world;
    const std::vector<std::string> command = GENERATE(values<std::vector<std::string>>(
        {{"new", "-d", "--", "exec cat"}, {"new", "-W", "--", "exit 4"}, {"-N", "new", "-d", "--", "exec cat"}}));
    const bool opened = GENERATE(false, true);
    const bool may_start = command.front() != "-N";
    INFO(command[0] << " " << command[1] << (opened ? ", opened" : ", not opened"));
    false_daemon there(world.socket());
    auto client = world.start(command);
    {
        const auto connection = there.answer(welcome());
        await_request(connection);
        std::string answer;
        if (opened && command[1] == "-W") answer = framed(mux::encode<message::tab_opened>(0, mux::tab_name{}));
        if (opened && command[1] != "-W") answer = framed(mux::encode<message::tab_opened>(2, mux::tab_name{9, "", ""}));
        say(connection, answer + stopping());
        there.close();
    }
    const outcome went = client.wait();
    INFO(went.out << went.err);
    const bool waits = command[1] == "-W";
    if (opened && waits) {
        CHECK(went.exit_code == 1);
        CHECK(contains(went.err, "lost the connection"));
        CHECK(world.daemon_pid() == 0);
    } else if (opened) {
        CHECK(went.out == "9\n");
        CHECK(world.daemon_pid() == 0);
    } else if (may_start) {
        CHECK(went.exit_code == (waits ? 4 : 0));
    } else {
        CHECK(went.exit_code == 1);
    }
}

TEST_CASE("a query is repeated when the connection is reset before the answer; a change is not", "[mato][last moments]") {
    mato_world world;
    const std::string command = GENERATE("ls", "has", "clients", "send", "kill");
    INFO(command);
    std::vector<std::string> words{command};
    if (command == "has" || command == "kill" || command == "send") words.push_back("1");
    if (command == "send") words.push_back("text");
    false_daemon there(world.socket());
    auto client = world.start(words);
    static_cast<void>(there.answer("")); // reset before the welcome
    await_request(there.answer(welcome()));
    there.close();
    const outcome went = client.wait();
    INFO(went.out << went.err);
    CHECK(went.exit_code == 1);
    const bool asks_again = command != "send" && command != "kill";
    CHECK(contains(went.err, asks_again ? "no daemon" : "lost the connection"));
}

TEST_CASE("a refused peer's exit code is the daemon's", "[mato][last moments]") {
    mato_world world;
    false_daemon there(world.socket());
    auto client = world.start({"ls"});
    const auto connection = there.answer(framed(mux::encode<message::refused>(0, mux::refusal{77, "not yours"})));
    CHECK(client.wait().exit_code == 77);
}

// ---- a socket that was removed ----

TEST_CASE("a daemon that lost its socket creates it again for any command, which says so", "[mato][last moments]") {
    mato_world world;
    world.open_tab();
    const pid_t daemon = world.daemon_pid();
    const std::vector<std::vector<std::string>> commands = {
        {"ls"}, {"has", "1"}, {"status"}, {"clients"}, {"send", "1", "x"}, {"new", "-d", "--", "exec cat"}, {"stop"}};
    for (const auto& command : commands) {
        INFO(command.front());
        std::filesystem::remove(world.socket());
        const outcome went = world.run(command);
        INFO(went.err);
        CHECK(went.exit_code == 0);
        CHECK(contains(went.err, "had been removed; the daemon, pid " + std::to_string(daemon)));
    }
}

TEST_CASE("all clients that find a removed socket are served by the running daemon", "[mato][last moments]") {
    mato_world world;
    world.open_tab();
    const pid_t daemon = world.daemon_pid();
    std::filesystem::remove(world.socket());
    std::vector<running_program> all;
    for (int n = 0; n < 10; ++n)
        all.push_back(world.start(n % 2 ? std::vector<std::string>{"ls"} : std::vector<std::string>{"new", "-d"}));
    for (auto& each : all) {
        const outcome went = each.wait();
        INFO(went.err);
        CHECK(went.exit_code == 0);
    }
    CHECK(world.daemon_pid() == daemon);
    CHECK(count_of(world.must({"ls"}), "running") == 6);
}

TEST_CASE("a daemon that holds its lock and serves no client: the deadline is kept, and the message names it",
          "[mato][last moments]") {
    mato_world world;
    world.open_tab();
    const bool is_keeper = GENERATE(false, true); // it passes SIGUSR1 on
    const pid_t daemon = world.daemon_pid(), stopped = is_keeper ? daemon : world.serving_pid();
    ::kill(stopped, SIGSTOP);
    REQUIRE(wait_until([&] { return process_state(stopped) == 'T'; }));
    std::filesystem::remove(world.socket());
    const outcome went = world.run({"status"});
    CHECK(went.exit_code == 75);
    CHECK(contains(went.err, "pid " + std::to_string(daemon)));
    CHECK(went.took < 10s);
    ::kill(stopped, SIGCONT);
}

// ---- signals ----

TEST_CASE("SIGQUIT writes the daemon's state to its log, SIGUSR2 a line, and both stop nothing", "[mato][last moments]") {
    mato_world world;
    world.open_tab();
    const pid_t daemon = world.daemon_pid();
    ::kill(daemon, SIGQUIT);
    CHECK(wait_until([&] { return contains(world.log(), "state: tab 1: pid "); }));
    CHECK(contains(world.log(), "state: 1 tabs, "));
    ::kill(daemon, SIGUSR2);
    CHECK(wait_until([&] { return contains(world.log(), "SIGUSR2"); }));
    CHECK(contains(world.must({"ls"}), "running"));
    CHECK(world.daemon_pid() == daemon);
}

TEST_CASE("a reader that leaves ends a command without a message, with the code that a shell shows for SIGPIPE",
          "[mato][last moments]") {
    mato_world world;
    world.open_tab();
    int gone[2];
    REQUIRE(::pipe2(gone, O_CLOEXEC) == 0);
    ::close(gone[0]);
    run_options options;
    options.before_exec = [fd = gone[1]] { ::dup2(fd, 1); };
    const outcome went = world.run({"ls"}, options);
    ::close(gone[1]);
    CHECK(went.exit_code == 128 + SIGPIPE);
    CHECK(went.err.empty());
}

TEST_CASE("capture prints the last screen of an ended tab", "[mato][last moments]") {
    mato_world world;
    world.open_tab();
    world.must({"new", "-d", "-n", "build", "-x", "40", "-y", "6", "--", "printf 'one\\ntwo\\n'"});
    REQUIRE(wait_until([&] { return world.run({"has", "2"}).exit_code == 1; }));
    CHECK(world.must({"capture", "2"}) == "one\ntwo\n");
    CHECK(world.must({"capture", "build"}) == "one\ntwo\n");
    CHECK(contains(world.must({"capture", "2", "--json"}), "\"cols\": 40"));
    CHECK(world.run({"wait", "2", "--text", "^two$"}).exit_code == 0);
    CHECK(world.run({"wait", "2", "--text", "three"}).exit_code == 1);
    world.must({"new", "-d", "--emulator", "raw", "--", "true"});
    REQUIRE(wait_until([&] { return world.run({"has", "3"}).exit_code == 1; }));
    CHECK(world.run({"capture", "3"}).exit_code == 1);
    CHECK(world.run({"capture", "4"}).exit_code == 1);
    world.must({"new", "-d", "--emulator", "raw", "--", "exec cat"});
    CHECK(world.run({"capture", "4"}).exit_code == 65);
    CHECK(world.run({"wait", "4", "--text", "x"}).exit_code == 65);
}

// ---- long requests ----

TEST_CASE("arguments up to the length of a message are passed; longer ones are refused immediately", "[mato][last moments]") {
    mato_world world;
    world.open_tab();
    const std::size_t count = GENERATE(std::size_t{3}, std::size_t{5}, std::size_t{9}, std::size_t{11});
    std::vector<std::string> command{"new", "-W", "--", "/bin/sh", "-c", "exit $#", "name"};
    for (std::size_t n = 0; n < count; ++n) command.push_back(std::string(100'000, 'a'));
    const outcome went = world.run(command);
    INFO(count << " of 100 kB: " << went.err);
    CHECK(went.exit_code == (count <= 9 ? static_cast<int>(count) : 64));
    if (count > 9) CHECK(contains(went.err, "the limit is 1048576"));
    CHECK(went.took < 10s);
}
