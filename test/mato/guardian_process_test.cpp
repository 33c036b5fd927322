// SPDX-License-Identifier: MIT
// The process that restores the terminal for a killed client: from its start on, and when it cannot be started.
// MATO_TEST_ROUNDS: a quarter of the rounds of each kill; 2 when it is not set.
#include "support/outer_terminal.hpp"

#include <cstdlib>
#include <sys/resource.h>

using namespace support;

namespace {

int rounds() {
    const char* const wanted = std::getenv("MATO_TEST_ROUNDS");
    return 4 * (wanted ? std::max(1, std::atoi(wanted)) : 2);
}

} // namespace

TEST_CASE("a process group or session that is killed as soon as the screen appears leaves no raw terminal",
          "[mato][viewer][rounds]") {
    const std::string path = GENERATE("direct", "relayed");
    const std::string victims = GENERATE("group", "session");
    mato_world world;
    world.must({"new", "-d", "--", "exec cat"});
    for (int round = 0; round < rounds(); ++round) {
        INFO(path << ", " << victims << ", round " << round);
        pty_client client(world, path == "direct" ? std::vector<std::string>{"attach"}
                                                  : std::vector<std::string>{"attach", "--relay"});
        REQUIRE(client.wait_for("\033[?1049h"));
        client.signal_group(SIGKILL);
        if (victims == "session") client.end_session();
        CHECK(wait_until([&] {
            static_cast<void>(client.wait_for_bytes(1, 5ms));
            return client.left_alternate_screen() && client.now() == client.before();
        }));
    }
}

TEST_CASE("at the limit of processes a client attaches without a guardian, and says so", "[mato][viewer]") {
    mato_world world;
    const bool is_root = ::geteuid() == 0; // root is not limited
    constexpr ::uid_t stranger = 31337;
    run_options limited;
    limited.variables["ASAN_OPTIONS"] = "detect_leaks=0"; // LeakSanitizer needs a process of its own
    limited.before_exec = [] {
        const rlimit none{1, 1};
        ::setrlimit(RLIMIT_NPROC, &none);
    };
    run_options as_user;
    if (is_root) {
        for (auto& each : std::filesystem::recursive_directory_iterator(world.root().path()))
            REQUIRE(::chown(each.path().c_str(), stranger, stranger) == 0);
        REQUIRE(::chown(world.root().path().c_str(), stranger, stranger) == 0);
        as_user.before_exec = [] { static_cast<void>(::setgid(stranger) != 0 || ::setuid(stranger) != 0); };
        limited.before_exec = [] {
            const rlimit none{1, 1}; // set last: a setuid(2) over the limit makes execve(2) fail
            static_cast<void>(::setgid(stranger) != 0 || ::setuid(stranger) != 0);
            ::setrlimit(RLIMIT_NPROC, &none);
        };
    }
    world.must({"new", "-d", "--", "echo up; exec cat"}, as_user);
    pty_client client(world, {"attach", "--relay"}, {.run = limited});
    const bool shows = client.wait_for("up");
    INFO(client.shown());
    REQUIRE(shows);
    CHECK(contains(client.shown(), "no process guards this terminal"));
    client.command('d');
    CHECK(client.wait() == 0);
    CHECK(client.last_line() == "[detached]");
    CHECK(client.now() == client.before());
    world.must({"stop"}, as_user);
}
