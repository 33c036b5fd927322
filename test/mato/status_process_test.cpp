// SPDX-License-Identifier: MIT
// `mato status`: the fields, their order, and an answer in time in any state of the daemon.
#include "support/json_reader.hpp"
#include "support/pty_client.hpp"

#include <algorithm>
#include <string>
#include <string_view>

using namespace support;

namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Each number as one '#'.
std::string with_marks(std::string_view text) {
    std::string marked;
    for (const char c : text)
        if (!is_digit(c) || !marked.ends_with('#')) marked += is_digit(c) ? '#' : c;
    return marked;
}

/// The rest of the line that begins with `name`, which is removed from the text.
std::string take_line(std::string& text, const std::string& name) {
    const std::size_t begin = text.find("\n" + name);
    REQUIRE(begin != std::string::npos);
    const std::size_t end = text.find('\n', begin + 1);
    std::string rest = text.substr(begin + 1 + name.size(), end - begin - 1 - name.size());
    text.replace(begin + 1 + name.size(), rest.size(), "…");
    return rest;
}

} // namespace

TEST_CASE("status is the specified text, field by field, in order", "[mato][status]") {
    mato_world world;
    const bool survives = GENERATE(true, false);
    const std::string own = survives ? "" : "survive = false\n";
    if (survives)
        std::filesystem::remove(world.config_file());
    else
        world.configure(own);
    world.open_tab();
    world.open_tab();
    world.must({"new", "-d", "-t", "Other work", "--", "cat"});
    const auto check = [&](std::string text, const std::string& config) {
        INFO(text);
        std::string started = take_line(text, "Started: ");
        std::replace_if(started.begin(), started.end(), is_digit, '#');
        CHECK(started == "####-##-## ##:##:##");
        const std::string uptime = with_marks(take_line(text, "Uptime: "));
        CHECK((uptime == "#s" || uptime == "#m" || uptime == "#m #s"));
        const std::string memory = with_marks(take_line(text, "Memory: "));
        CHECK((memory == "# KB" || memory == "# MB" || memory == "#.# MB"));
        CHECK(with_marks(take_line(text, "CPU: ")) == "#.#%");
        CHECK(text == "Mato Daemon Status\n"
                      "==================\n"
                      "Status: ✓ Running\n"
                      "PID: " +
                          std::to_string(world.daemon_pid()) +
                          "\n"
                          "Started: …\n"
                          "Uptime: …\n"
                          "Socket: " +
                          world.socket().native() +
                          "\n"
                          "Config: " +
                          config +
                          "\n"
                          "\n"
                          "Active Sessions:\n"
                          "  Task 1: 2 tabs\n"
                          "  Other work: 1 tab\n"
                          "  Total: 3 tabs\n"
                          "\n"
                          "Memory: …\n"
                          "CPU: …\n"
                          "Clients: 0\n" +
                          (!survives ? ""
                                     : "Generation: 1\nKeeper: " + std::to_string(world.daemon_pid()) +
                                           "\nWorker: " + std::to_string(world.serving_pid()) + "\nKept: 3 of 3 tabs\n"));
    };
    for (const char* spelling : {"status", "--status"})
        check(world.must({spelling}), survives ? "(defaults)" : world.config_file().native());
    world.configure(own + "history_lines = 5\n");
    check(world.must({"status"}), world.config_file().native());
    pty_client client(world, {"attach"});
    REQUIRE(client.wait_for("\033[?1049h"));
    CHECK(contains(world.must({"status"}), "\nClients: 1\n"));
}

TEST_CASE("status --json is one object with all names, in order", "[mato][status]") {
    mato_world world;
    std::filesystem::remove(world.config_file());
    world.must({"new", "-d", "-t", "say \"hi\" \\", "--", "cat"});
    const std::string text = json_reader::compact(world.must({"status", "--json"}));
    INFO(text);
    json_reader json(text);
    CHECK(json.whole());
    CHECK(json.names() == std::vector<std::string>{"running",
                                                   "pid",
                                                   "version",
                                                   "protocol",
                                                   "started",
                                                   "uptime_seconds",
                                                   "socket",
                                                   "config",
                                                   "tasks",
                                                   "tabs",
                                                   "clients",
                                                   "memory_bytes",
                                                   "cpu_percent",
                                                   "recorders",
                                                   "bytes_sent",
                                                   "frames_dropped",
                                                   "resyncs",
                                                   "slowest_queue_bytes",
                                                   "slowest_lag_frames",
                                                   "generation",
                                                   "keeper_pid",
                                                   "worker_pid",
                                                   "kept",
                                                   "not_kept",
                                                   "last_restart"});
    CHECK(json.names(2) == std::vector<std::string>{"path", "error", "name", "tabs"});
    CHECK(contains(text, "\"pid\":" + std::to_string(world.daemon_pid()) + ","));
    CHECK(contains(text, R"("tasks":[{"name":"say \"hi\" \\","tabs":1}],"tabs":1,"clients":0)"));
    CHECK(contains(text, R"("config":{"path":null,"error":null})"));
    CHECK(world.run({"--status", "--json"}).exit_code == 0);
}

TEST_CASE("status without a daemon reports that, exits with 1, and starts none", "[mato][status]") {
    mato_world world;
    for (const std::vector<std::string>& spelling : {std::vector<std::string>{"status"}, {"--status"}}) {
        const outcome went = world.run(spelling);
        CHECK(went.exit_code == 1);
        CHECK(went.out == "Mato Daemon Status\n==================\nStatus: ✗ Not running\n");
    }
    const outcome went = world.run({"status", "--json"});
    CHECK(went.exit_code == 1);
    CHECK(json_reader(went.out).whole());
    CHECK(json_reader::compact(went.out) == R"({"running":false})");
    CHECK(world.is_clean());
}

TEST_CASE("status of a stopped daemon ends within 1.2 s with 2", "[mato][status]") {
    mato_world world;
    world.open_tab();
    const pid_t daemon = world.serving_pid();
    ::kill(daemon, SIGSTOP);
    REQUIRE(wait_until([&] { return process_state(daemon) == 'T'; }));
    for (const std::vector<std::string>& spelling : {std::vector<std::string>{"status"}, {"status", "--json"}}) {
        const outcome went = world.run(spelling);
        CHECK(went.exit_code == 2);
        CHECK(went.took < (sanitized ? 3000ms : 1200ms));
        CHECK(went.took >= 900ms);
        if (spelling.size() == 2)
            CHECK(json_reader(went.out).whole());
        else
            CHECK(contains(went.out, "Status: "));
    }
    ::kill(daemon, SIGCONT);
    CHECK(world.run({"status"}).exit_code == 0);
}

TEST_CASE("stop --now ends a daemon that does not answer", "[mato][status]") {
    mato_world world;
    world.open_tab({"sleep 1000"});
    const pid_t daemon = world.daemon_pid();
    const pid_t serving = world.serving_pid();
    ::kill(serving, SIGSTOP);
    REQUIRE(wait_until([&] { return process_state(serving) == 'T'; }));
    const outcome went = world.run({"stop", "--now"});
    CHECK(went.exit_code == 0);
    CHECK(contains(went.out, std::to_string(daemon)));
    CHECK(wait_until([&] { return !is_running(daemon) && !is_running(serving); }));
    CHECK(world.run({"status"}).exit_code == 1);
    CHECK_FALSE(world.open_tab().empty()); // and removes its files
}
