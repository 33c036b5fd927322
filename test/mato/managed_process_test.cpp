// SPDX-License-Identifier: MIT
/// @file managed_process_test.cpp: mato under a service manager, started as by its units; a fake manager with real sockets.
#include "support/child_process.hpp"
#include "support/fake_manager.hpp"
#include "support/mato_world.hpp"

#include <sys/stat.h>

using namespace std::chrono_literals;
using support::contains;
using support::fake_manager;
using support::mato_world;

namespace {

/// The manager's socket at the path in mato.socket, removed at the end.
class socket_unit {
public:
    explicit socket_unit(const mato_world& world) : path_(world.socket()) {
        std::filesystem::create_directories(path_.parent_path());
        ::chmod(path_.parent_path().c_str(), 0700);
        fd_ = support::bound_socket(SOCK_STREAM, path_.native());
        REQUIRE(::listen(fd_, 128) == 0);
    }
    ~socket_unit() {
        ::close(fd_);
        std::filesystem::remove(path_);
    }
    [[nodiscard]] int fd() const noexcept { return fd_; }

private:
    std::filesystem::path path_;
    int fd_ = -1;
};

/// mato.service's ExecStart, with what systemd does between fork and exec.
support::running_program start_service(const mato_world& world, const fake_manager& manager, int passed = -1) {
    support::run_options options;
    options.variables["NOTIFY_SOCKET"] = manager.address();
    options.variables["WATCHDOG_USEC"] = "200000";
    if (passed != -1)
        options.before_exec = [passed] {
            if (::dup2(passed, 3) == 3) ::fcntl(3, F_SETFD, 0); // dup2 onto itself would leave it close-on-exec
        };
    const std::string variables = passed == -1 ? "WATCHDOG_PID=$$" : "WATCHDOG_PID=$$ LISTEN_PID=$$ LISTEN_FDS=1";
    return support::running_program({"/bin/sh", "-c", "export " + variables + "; exec \"$0\" \"$@\"", world.executable(), "-S",
                                     world.socket().native(), "daemon", "--foreground"},
                                    world.environment_with(options), options);
}

const std::string reloading = "RELOADING=1\nMONOTONIC_USEC=";

} // namespace

TEST_CASE("the service reports ready, reloading, stopping and its watchdog, and logs to stderr", "[service]") {
    const mato_world world;
    const fake_manager manager((world.root() / "notify").native());
    auto service = start_service(world, manager);
    REQUIRE(manager.next() == "READY=1");
    CHECK(manager.next() == "WATCHDOG=1");
    CHECK_FALSE(std::filesystem::exists(world.state() / "daemon.pid"));
    CHECK_FALSE(std::filesystem::exists(world.state() / "daemon.log"));
    world.must({"reload"});
    CHECK(manager.next_but_watchdog().substr(0, reloading.size()) == reloading);
    CHECK(manager.next_but_watchdog() == "READY=1");
    world.configure("no_such_key = 1\n");
    service.signal(SIGHUP);
    CHECK(manager.next_but_watchdog().substr(0, reloading.size()) == reloading);
    CHECK(manager.next_but_watchdog() == "READY=1");
    service.signal(SIGTERM);
    CHECK(manager.next_but_watchdog() == "STOPPING=1");
    const auto end = service.wait();
    CHECK(end.exit_code == 0);
    for (const char* words : {"started, pid", "reloaded", "no_such_key", "stopped"}) CHECK(contains(end.err, words));
}

TEST_CASE("an early client starts no daemon of its own and is served by the service", "[service]") {
    const mato_world world;
    const socket_unit unit(world);
    const fake_manager manager((world.root() / "notify").native());
    auto early = world.start({"new", "-d", "--", "exec cat"}); // waits in the manager's socket
    auto service = start_service(world, manager, unit.fd());
    REQUIRE(manager.next() == "READY=1");
    CHECK(early.wait().out == "1\n");
    CHECK(contains(world.must({"status"}), std::to_string(service.pid())));
    CHECK(contains(world.must({"ls"}), "cat"));
    world.must({"stop"});
    const auto end = service.wait();
    INFO(end.err);
    CHECK(end.exit_code == 0);
    CHECK(std::filesystem::exists(world.socket())); // the manager's: it starts the next daemon there
    CHECK_FALSE(std::filesystem::exists(world.state() / "daemon.lock"));
}

TEST_CASE("programs in tabs do not inherit what was meant for the service", "[service]") {
    const mato_world world;
    const socket_unit unit(world);
    const fake_manager manager((world.root() / "notify").native());
    auto service = start_service(world, manager, unit.fd());
    REQUIRE(manager.next() == "READY=1");
    const auto out = (world.home() / "out").native();
    world.must({"new", "-W", "--", "env > " + out + "; ls -l /proc/self/fd >> " + out});
    const std::string told = support::read_file(out);
    CHECK(contains(told, "MATO="));
    for (const char* name : {"NOTIFY_SOCKET", "LISTEN_", "WATCHDOG_", "socket:"}) CHECK_FALSE(contains(told, name));
    service.signal(SIGTERM);
    CHECK(service.wait().exit_code == 0);
}

TEST_CASE("after a crash the next process of the service reports, and goes on with the manager's socket", "[service]") {
    const mato_world world;
    const socket_unit unit(world);
    const fake_manager manager((world.root() / "notify").native());
    auto service = start_service(world, manager, unit.fd());
    REQUIRE(manager.next() == "READY=1");
    const std::string tab = world.open_tab({"read -r a; echo got $a; exec cat"});
    support::kill_worker(service.pid());
    CHECK(manager.next_but_watchdog() == "READY=1");
    CHECK(manager.next() == "WATCHDOG=1");
    world.must({"send", tab, "abc", "Enter"});
    CHECK(world.run({"wait", tab, "--text", "got abc", "--timeout", "20s"}).exit_code == 0);
    service.signal(SIGTERM);
    CHECK(manager.next_but_watchdog() == "STOPPING=1");
    CHECK(service.wait().exit_code == 0);
}

TEST_CASE("after an upgrade the service's new program keeps the watchdog, and so does the one after its death", "[service]") {
    const mato_world world;
    const fake_manager manager((world.root() / "notify").native());
    auto service = start_service(world, manager);
    REQUIRE(manager.next() == "READY=1");
    const std::string tab = world.open_tab({"read -r a; echo got $a; exec cat"});
    const auto keeps_the_watchdog = [&] { // of the process before there may be one more
        while (!manager.is_silent()) static_cast<void>(manager.next());
        return manager.next() == "WATCHDOG=1" && manager.next() == "WATCHDOG=1";
    };
    for (int round = 0; round < 2; ++round) {
        const pid_t before = support::worker_of(service.pid());
        world.must({"upgrade"});
        REQUIRE(support::wait_until([&] { return !support::is_running(before); }));
        CHECK(keeps_the_watchdog());
        support::kill_worker(service.pid());
        CHECK(world.run({"has", tab}).exit_code == 0);
        CHECK(keeps_the_watchdog());
    }
    world.must({"send", tab, "abc", "Enter"});
    CHECK(world.run({"wait", tab, "--text", "got abc", "--timeout", "20s"}).exit_code == 0);
    service.signal(SIGTERM);
    CHECK(manager.next_but_watchdog() == "STOPPING=1");
    CHECK(service.wait().exit_code == 0);
}

TEST_CASE("a service that cannot start reports why, and a second one is refused", "[service]") {
    const mato_world world;
    const fake_manager manager((world.root() / "notify").native());
    auto first = start_service(world, manager);
    REQUIRE(manager.next() == "READY=1");
    auto second = start_service(world, manager);
    CHECK(second.wait().exit_code == 75);
    CHECK(contains(manager.next_but_watchdog(), "already running, pid " + std::to_string(first.pid())));
    first.signal(SIGTERM);
    CHECK(first.wait().exit_code == 0);
}

TEST_CASE("the unit survives the out-of-memory kill of one program, and ends all processes left in it", "[service]") {
    const std::string unit = support::read_file(MATO_SERVICE_UNIT);
    for (const char* const line : {"\nOOMPolicy=continue\n", "\nKillMode=mixed\n", "\nType=notify\n"})
        CHECK(contains(unit, line));
}
