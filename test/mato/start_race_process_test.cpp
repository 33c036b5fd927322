// SPDX-License-Identifier: MIT
// Many clients at the same time without a daemon: one is started, all are served, and no socket of another is removed.
#include "support/child_process.hpp"
#include "support/mato_world.hpp"

#include <set>
#include <sys/socket.h>
#include <sys/un.h>

using namespace support;

namespace {

std::vector<running_program> start_at_once(const mato_world& world, int count, gate& door, const run_options& given = {}) {
    std::vector<running_program> clients;
    run_options options = given;
    options.limit = 60s;
    options.before_exec = [&door] {
        if (!door.pass()) ::_exit(125);
    };
    for (int n = 0; n < count; ++n) clients.push_back(world.start({"new", "-d", "--", "exec cat"}, options));
    return clients;
}

void check_served(std::vector<running_program>& clients) {
    std::set<std::string> ids;
    for (auto& each : clients) {
        const outcome went = each.wait();
        INFO(went.err);
        CHECK(went.exit_code == 0);
        CHECK(ids.insert(went.out).second);
    }
    CHECK(ids.size() == clients.size());
}

sockaddr_un address_of(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.native().copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
}

} // namespace

TEST_CASE("a hundred clients that start at the same time share one daemon, twenty times", "[mato][start]") {
    constexpr int rounds = sanitized ? 3 : 20, count = 100;
    for (int round = 0; round < rounds; ++round) {
        INFO("round " << round);
        mato_world world;
        gate door;
        auto clients = start_at_once(world, count, door);
        door.open();
        check_served(clients);
        CHECK(count_of(world.log(), " started, pid ") == 1);
        CHECK(world.daemon_pid() > 0);
        CHECK(count_of(world.must({"ls"}), "running") == count);
        CHECK(world.run({"stop", "--now"}).exit_code == 0);
        REQUIRE(wait_until([&] { return world.is_clean(); }));
    }
}

TEST_CASE("a daemon stopped between bind and listen is waited for, and its socket stays", "[mato][start]") {
    const bool survives = GENERATE(true, false);
    mato_world world;
    world.configure(survives ? "" : "survive = false\n");
    gate door;
    auto clients = start_at_once(world, 20, door, {.variables = {{"LD_PRELOAD", STOP_AT_LISTEN}}});
    door.open();
    pid_t daemon = 0;
    REQUIRE(wait_until([&] {
        for (const pid_t each : world.processes())
            if (process_state(each) == 'T') daemon = each;
        return daemon != 0;
    }));
    const auto hidden = world.state() / "daemon.sock~"; // bound, and hidden until it listens
    const ino_t bound = inode_of(hidden);
    REQUIRE(bound != 0);
    CHECK_FALSE(std::filesystem::exists(world.socket()));
    // Later clients find the start locked and the daemon's lock held; they must neither give up nor start another daemon.
    gate second;
    auto later = start_at_once(world, 20, second);
    second.open();
    REQUIRE(wait_until([&] {
        return std::all_of(later.begin(), later.end(), [](const auto& each) {
            return contains(proc_file(each.pid(), "cmdline"), "exec cat") && process_state(each.pid()) == 'S';
        });
    }));
    CHECK(inode_of(hidden) == bound);
    ::kill(daemon, SIGCONT);
    if (survives) { // the keeper listens on its copy, and stops there too
        const pid_t keeper = std::atoi(read_file(world.state() / "daemon.lock").c_str());
        REQUIRE(wait_until([&] { return process_state(keeper) == 'T'; }));
        ::kill(keeper, SIGCONT);
    }
    check_served(clients);
    check_served(later);
    CHECK(inode_of(world.socket()) == bound);
    CHECK(world.serving_pid() == daemon);
    CHECK(count_of(world.log(), " started, pid ") == 1);
}

TEST_CASE("a stopped daemon with a full backlog is waited for, and its socket stays", "[mato][start]") {
    mato_world world;
    world.open_tab();
    const ino_t socket = inode_of(world.socket());
    const pid_t daemon = world.serving_pid();
    ::kill(daemon, SIGSTOP);
    REQUIRE(wait_until([&] { return process_state(daemon) == 'T'; }));
    const auto address = address_of(world.socket());
    std::vector<int> fillers;
    bool full = false;
    while (!full && fillers.size() < 100'000) {
        fillers.push_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        full = ::connect(fillers.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == -1;
    }
    REQUIRE(full);
    CHECK(errno == EAGAIN);
    gate door;
    auto clients = start_at_once(world, 20, door);
    door.open();
    REQUIRE(wait_until([&] {
        return std::all_of(clients.begin(), clients.end(), [](const auto& each) {
            return contains(proc_file(each.pid(), "cmdline"), "exec cat") && process_state(each.pid()) == 'S';
        });
    }));
    CHECK(inode_of(world.socket()) == socket);
    for (const int each : fillers) ::close(each);
    ::kill(daemon, SIGCONT);
    check_served(clients);
    CHECK(inode_of(world.socket()) == socket);
    CHECK(world.serving_pid() == daemon);
}

TEST_CASE("a killed daemon's socket is replaced, and a pid file with another process's number leads to no signal",
          "[mato][start]") {
    mato_world world;
    world.open_tab();
    world.kill_daemon();
    REQUIRE(wait_until([&] { return world.run({"ls"}).exit_code == 1; }));
    child_process stranger([] {
        ::pause();
        return 0;
    });
    write_file(world.state() / "daemon.pid", std::to_string(stranger.pid()) + "\n");
    CHECK(world.run({"stop", "--now"}).exit_code == 1);
    CHECK(is_running(stranger.pid()));
    CHECK_FALSE(world.open_tab().empty());
    CHECK(world.daemon_pid() != stranger.pid());
    CHECK(is_running(stranger.pid()));
    stranger.signal(SIGKILL);
}
