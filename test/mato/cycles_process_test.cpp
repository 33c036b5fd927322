// SPDX-License-Identifier: MIT
// Repeated starts and stops; and the messages of a start that fails.
#include "support/child_process.hpp"
#include "support/descriptor_census.hpp"
#include "support/mato_world.hpp"

using namespace support;

TEST_CASE("two hundred starts and stops leave no zombie, no descriptor, no file", "[mato][cycles]") {
    mato_world world;
    const auto before = open_descriptors();
    for (int cycle = 0; cycle < (sanitized ? 30 : 200); ++cycle) {
        INFO("cycle " << cycle);
        const outcome started = world.run({"-q", "daemon"});
        REQUIRE(started.exit_code == 0);
        CHECK(started.output_closed);                        // the daemon keeps no descriptor of its starter: ssh can return
        REQUIRE(world.run({"-N", "status"}).exit_code == 0); // success means that it is serving
        REQUIRE(world.run({"-q", "stop"}).exit_code == 0);
        REQUIRE(world.runtime_files() == std::vector<std::string>());
    }
    CHECK(wait_until([&] { return world.processes().empty(); }));
    CHECK(open_descriptors() == before);
    CHECK(children_of(::getpid()).empty());
}

TEST_CASE("a started daemon has its own session, no working directory of the user, and few descriptors", "[mato][cycles]") {
    const bool survives = GENERATE(true, false);
    mato_world world;
    world.configure(survives ? "" : "survive = false\n");
    world.must({"daemon"});
    const pid_t daemon = world.daemon_pid(), serving = world.serving_pid();
    CHECK((serving != daemon) == survives);
    for (const pid_t each : {daemon, serving}) {
        std::error_code why;
        CHECK(std::filesystem::read_symlink("/proc/" + std::to_string(each) + "/cwd", why) == "/");
        for (const char* fd : {"0", "1", "2"})
            CHECK(std::filesystem::read_symlink("/proc/" + std::to_string(each) + "/fd/" + fd, why) == "/dev/null");
        CHECK(::getsid(each) != ::getsid(0));
        CHECK(descriptor_count(each) < 20);
    }
    CHECK(::getsid(serving) != serving); // not a session leader: no terminal can become its controlling terminal
}

TEST_CASE("closed tabs and clients leave no descriptor in the daemon", "[mato][cycles]") {
    mato_world world;
    world.open_tab();
    const pid_t daemon = world.serving_pid();
    REQUIRE(wait_until([&] { return world.connected() == 0; }));
    const auto before = descriptor_count(daemon);
    for (int n = 0; n < 50; ++n) REQUIRE(world.run({"new", "-W", "--", "exit 3"}).exit_code == 3);
    CHECK(wait_until([&] { return descriptor_count(daemon) == before; }));
    CHECK(children_of(daemon).size() == 1);
    CHECK(world.serving_pid() == daemon);
}

TEST_CASE("the starter reports the daemon's own reason for a failed start", "[mato][cycles]") {
    mato_world world;
    std::filesystem::create_directories(world.state());
    std::filesystem::permissions(world.state(), std::filesystem::perms::owner_all);

    SECTION("the log is a directory") {
        std::filesystem::create_directory(world.state() / "daemon.log");
        for (const std::vector<std::string>& command :
             {std::vector<std::string>{"daemon"}, {"daemon", "--foreground"}, {"new", "-d"}}) {
            const outcome went = world.run(command);
            CHECK(went.exit_code == 69);
            CHECK(contains(went.err, "daemon.log"));
            CHECK(contains(went.err, "directory"));
        }
        std::filesystem::remove(world.state() / "daemon.log");
    }
    SECTION("the lock file is a directory") {
        std::filesystem::create_directory(world.state() / "daemon.lock");
        const outcome went = world.run({"new", "-d"});
        CHECK(went.exit_code == 69);
        CHECK(contains(went.err, "daemon.lock"));
        std::filesystem::remove(world.state() / "daemon.lock");
    }
    SECTION("a directory is in the place of the socket") {
        std::filesystem::create_directories(world.socket() / "in the way");
        const outcome went = world.run({"new", "-d"});
        CHECK(went.exit_code != 0);
        CHECK(contains(went.err, "daemon.sock"));
        std::filesystem::remove_all(world.socket());
    }
    SECTION("the tab counter cannot be read") {
        std::filesystem::create_directory(world.state() / "daemon.tabs");
        const outcome went = world.run({"new", "-d"});
        CHECK(went.exit_code == 69);
        CHECK(contains(went.err, "tab counter"));
    }
    SECTION("no directory can be created in the state directory's parent") {
        if (is_root()) return; // root may write anywhere
        std::filesystem::remove(world.state());
        ::chmod((world.root() / "state").c_str(), 0500);
        const outcome went = world.run({"new", "-d"});
        CHECK(went.exit_code == 77);
        CHECK(contains(went.err, "create directory"));
        ::chmod((world.root() / "state").c_str(), 0700);
    }
    SECTION("the configuration is wrong") {
        world.configure("prefix = 7\n");
        for (const std::vector<std::string>& command : {std::vector<std::string>{"daemon"}, {"new", "-d"}}) {
            const outcome went = world.run(command);
            CHECK(went.exit_code == 78);
            CHECK(contains(went.err, "config.toml:1:"));
        }
    }
    CHECK(world.runtime_files() == std::vector<std::string>()); // immediately: the next start must not find anything in its way
    CHECK(wait_until([&] { return world.is_clean(); }));
}

TEST_CASE("descriptors 0 to 2 closed at start change nothing", "[mato][cycles]") {
    mato_world world;
    const auto close_all = [] { ::close(0), ::close(1), ::close(2); };
    CHECK(world.run({"-q", "daemon"}, {.before_exec = close_all}).exit_code == 0);
    const std::string id = world.open_tab({"echo ready > \"$HOME/up\"; exec cat"});
    CHECK(wait_until([&] { return read_file(world.home() / "up") == "ready\n"; }));
    CHECK(world.must({"has", id}).empty());
    world.must({"stop"});
    auto foreground = world.start({"daemon", "--foreground"}, {.before_exec = close_all});
    REQUIRE(wait_until([&] { return count_of(world.log(), "started, pid") == 2; }));
    world.open_tab();
    CHECK(count_of(world.must({"ls"}), "running") == 1);
    foreground.signal(SIGTERM);
    CHECK(foreground.wait().exit_code == 0);
    CHECK_FALSE(contains(world.log(), "cat")); // no output of the others in the log
}
