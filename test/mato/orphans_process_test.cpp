// SPDX-License-Identifier: MIT
// A daemon that is the parent of orphans, as pid 1 of a container is, reaps them, and loses no exit code of a tab's program.
#include "support/mato_world.hpp"

#include <sched.h>
#include <sys/prctl.h>

using namespace support;

namespace {

/// Programs that are forked twice and end: the intermediate shells end first, so each orphan passes to the nearest reaper.
const std::string hundred_orphans = "i=0; while [ $i -lt 100 ]; do (sh -c 'sleep 0.01 & exit 0' &); i=$((i+1)); done; ";

/// A daemon that is the nearest child subreaper of all programs in its tabs.
run_options as_subreaper() {
    run_options options;
    options.before_exec = [] { ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); };
    return options;
}

[[nodiscard]] std::size_t zombies_of(pid_t parent) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string stat = read_file(entry.path() / "stat");
        const auto name_end = stat.rfind(')');
        if (name_end == std::string::npos || name_end + 4 >= stat.size()) continue;
        if (stat[name_end + 2] == 'Z' && std::atol(stat.c_str() + name_end + 4) == parent) ++count;
    }
    return count;
}

[[nodiscard]] bool serves(const mato_world& world) {
    return wait_until([&] { return world.run({"status"}).exit_code == 0; });
}

/// `daemon`: its process id here, which differs from that in its own namespace.
void check_reaping(const mato_world& world, pid_t daemon) {
    const pid_t worker = worker_of(daemon), serving = worker != 0 ? worker : daemon;
    const auto is_alone = [&] { // of all processes that tabs have started, the program of the first one is left
        const std::size_t own = worker != 0 ? children_of(daemon).size() - 1 : 0;
        return own == 0 && children_of(serving).size() == 1 && zombies_of(daemon) == 0 && zombies_of(serving) == 0;
    };
    const std::string all = world.open_tab({hundred_orphans + "touch done; exec sleep 1000"});
    CHECK(wait_until([&] { return std::filesystem::exists(world.home() / "done"); }));
    CHECK(wait_until(is_alone));
    // The exit codes of programs that end among orphans are correct.
    for (int code = 0; code < 8; ++code)
        CHECK(world.run({"new", "-W", "--", "(sh -c 'exit 99 & exit 98' &); exit " + std::to_string(code)}).exit_code == code);
    // While a tab closes, its child stays unreaped; orphans that end then are reaped with it at the latest.
    const std::string deaf = world.open_tab({"(trap '' HUP; touch deaf; exec sleep 1000) & while [ ! -e deaf ]; do :; done; "
                                             "trap 'exit 3' HUP; " +
                                             hundred_orphans + "touch up; while :; do sleep 0.01; done"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
    world.must({"kill", deaf});
    CHECK(wait_until(is_alone));
    CHECK(world.run({"has", all}).exit_code == 0);
}

} // namespace

TEST_CASE("a daemon that is a child subreaper reaps orphans", "[mato][orphans]") {
    const std::string survive = GENERATE("true", "false");
    INFO("survive = " << survive);
    const mato_world world;
    world.configure("survive = " + survive + "\nexit_empty = false\nstop_grace = \"300ms\"\n");
    auto daemon = world.start({"daemon", "--foreground"}, as_subreaper());
    REQUIRE(serves(world));
    check_reaping(world, daemon.pid());
    world.must({"stop"});
    CHECK(daemon.wait().exit_code == 0);
}

TEST_CASE("a child that the process had before it became mato is reaped too", "[mato][orphans]") {
    const mato_world world;
    run_options options;
    options.directory = world.home().native();
    running_program daemon({"/bin/sh", "-c",
                            "sh -c 'while [ ! -e now ]; do sleep 0.01; done' & exec \"$0\" daemon --foreground",
                            world.executable()},
                           world.environment_with(options), options);
    REQUIRE(serves(world));
    const std::vector<pid_t> worker{worker_of(daemon.pid())};
    REQUIRE(children_of(daemon.pid()).size() == 2);
    write_file(world.home() / "now", "");
    CHECK(wait_until([&] { return children_of(daemon.pid()) == worker && zombies_of(daemon.pid()) == 0; }));
    world.must({"stop"});
    CHECK(daemon.wait().exit_code == 0);
}

TEST_CASE("a daemon that is pid 1 reaps orphans, kills what ignores the hang-up, and stops with its code", "[mato][orphans]") {
    const std::string survive = GENERATE("true", "false");
    INFO("survive = " << survive);
    const mato_world world;
    world.configure("survive = " + survive + "\nexit_empty = false\nstop_grace = \"300ms\"\n");
    const auto namespaced = [&](const std::vector<std::string>& command) {
        std::vector<std::string> argv{"/usr/bin/unshare", "--pid", "--fork", "--kill-child", "--mount-proc"};
        if (::geteuid() != 0) argv.insert(argv.end(), {"--user", "--map-root-user"});
        argv.insert(argv.end(), command.begin(), command.end());
        run_options options;
        options.directory = world.home().native();
        return running_program(argv, world.environment_with(options), options);
    };
    if (namespaced({"/bin/true"}).wait().exit_code != 0) {
        WARN("not tried: pid namespaces cannot be created on this system");
        return;
    }
    auto outside = namespaced({world.executable(), "daemon", "--foreground"});
    REQUIRE(serves(world));
    const auto inside = children_of(outside.pid());
    REQUIRE(inside.size() == 1);
    check_reaping(world, inside.front());
    const std::string deaf = world.open_tab({"trap '' HUP; touch trapped; exec sleep 1000"});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "trapped"); }));
    CHECK(world.run({"kill", deaf}).took < 5s);
    world.must({"stop"});
    CHECK(outside.wait().exit_code == 0);
}
