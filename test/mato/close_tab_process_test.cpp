// SPDX-License-Identifier: MIT
// Closing a tab ends all processes in it, within the grace period, and runs no command that was only typed.
#include "support/mato_world.hpp"

using namespace support;

namespace {

/// The daemon's two processes and the program of its first tab, once all are seen at the same moment: during an exec (a
/// program's start has several) a process has no environment to be found by.
std::vector<pid_t> daemon_and_first_tab(const mato_world& world) {
    std::vector<pid_t> seen;
    REQUIRE(wait_until([&] { return (seen = world.processes()).size() == 3; }));
    return seen;
}

/// Exactly `kept` processes of the test are running; a process inside an exec appears soon.
void check_left(const mato_world& world, const std::vector<pid_t>& kept) {
    const auto left = world.processes();
    CHECK(std::all_of(left.begin(), left.end(), [&](pid_t each) { return std::count(kept.begin(), kept.end(), each) == 1; }));
    CHECK(wait_until([&] { return world.processes() == kept; }));
}

/// Opens a tab with `program`, which creates the file `up` when it has reached the tested state; then closes it.
void check_closing(const std::string& program, std::chrono::milliseconds most, std::chrono::milliseconds least = 0ms) {
    INFO(program);
    mato_world world;
    world.configure("stop_grace = \"500ms\"\n");
    world.open_tab(); // keeps the daemon
    const auto kept = daemon_and_first_tab(world);
    const std::string id = world.open_tab({program});
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
    REQUIRE(wait_until([&] { return world.processes().size() > kept.size(); }));
    const outcome went = world.run({"kill", id});
    CHECK(went.exit_code == 0);
    CHECK(went.took < most);
    CHECK(went.took >= least);
    check_left(world, kept); // all others ended before the answer
    CHECK(world.run({"has", id}).exit_code == 1);
    CHECK_FALSE(std::filesystem::exists(world.home() / "ran"));
}

} // namespace

TEST_CASE("a sleeping program", "[mato][close]") { check_closing("touch up; sleep 1000", 3s); }
TEST_CASE("background jobs", "[mato][close]") { check_closing("sleep 1000 & sleep 1000 & touch up; wait", 3s); }
TEST_CASE("jobs that ignore the hang-up are killed after the grace", "[mato][close]") {
    check_closing("nohup sh -c 'touch up; exec sleep 1000' > /dev/null 2>&1 & wait", 5s, 450ms);
}
TEST_CASE("a shell that ignores the hang-up is killed after the grace", "[mato][close]") {
    check_closing("trap '' HUP TERM; touch up; while :; do sleep 1000; done", 5s, 450ms);
}
TEST_CASE("a separate session below the program", "[mato][close]") {
    check_closing("setsid sh -c 'touch up; sleep 1000' & sleep 1000", 5s);
}
TEST_CASE("a stopped job, and a stopped program", "[mato][close]") {
    check_closing("sleep 1000 & kill -STOP $!; touch up; wait", 3s);
    check_closing("sh -c 'touch up; kill -STOP $$; touch ran'", 3s);
}
TEST_CASE("a program that has closed its terminal", "[mato][close]") {
    check_closing("exec < /dev/null > /dev/null 2>&1; touch up; sleep 1000", 3s);
}
TEST_CASE("a pipeline, and a program that floods", "[mato][close]") {
    check_closing("touch up; yes | cat", 3s);
    check_closing("touch up; cat /dev/zero | tr '\\0' x", 3s);
}

TEST_CASE("a half-typed command is not run, neither at a shell's prompt nor in cat", "[mato][close]") {
    const std::string program = GENERATE("exec sh -i", "exec cat > typed", "exec bash --norc -i");
    INFO(program);
    mato_world world;
    world.open_tab();
    const auto kept = daemon_and_first_tab(world);
    const std::string id = world.open_tab({program});
    world.must({"send", id, "touch up", "Enter"});
    if (program.starts_with("exec cat"))
        REQUIRE(wait_until([&] { return contains(read_file(world.home() / "typed"), "touch up\n"); }));
    else
        REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
    world.must({"send", id, "touch ran"});
    world.must({"kill", id});
    check_left(world, kept);
    CHECK_FALSE(std::filesystem::exists(world.home() / "ran"));
    CHECK_FALSE(contains(read_file(world.home() / "typed"), "ran"));
}

TEST_CASE("a task is closed with all its tabs, and no other", "[mato][close]") {
    mato_world world;
    world.must({"new", "-d", "-t", "keep", "--", "exec cat"});
    const auto kept = daemon_and_first_tab(world);
    for (int n = 0; n < 3; ++n) world.must({"new", "-d", "-t", "doomed", "--", "sleep 1000"});
    CHECK(count_of(world.must({"ls"}), "running") == 4);
    world.must({"kill", "-t", "doomed"});
    CHECK(count_of(world.must({"ls"}), "running") == 1);
    check_left(world, kept);
    CHECK(world.run({"kill", "-t", "doomed"}).exit_code == 1);
}

TEST_CASE("the daemon stops with its last tab, and stays with exit_empty off", "[mato][close]") {
    mato_world world;
    world.must({"kill", world.open_tab()});
    CHECK(wait_until([&] { return world.is_clean(); }));
    world.configure("exit_empty = false\n");
    world.must({"kill", world.open_tab()});
    CHECK(world.must({"ls"}).empty());
    CHECK(world.run({"status"}).exit_code == 0);
}

TEST_CASE("without /proc the program and its group are ended, at once or after the grace, and reaped", "[mato][close]") {
    mato_world world;
    world.configure("exit_empty = false\nstop_grace = \"500ms\"\n");
    const auto without_proc = [&](const std::vector<std::string>& command) {
        std::vector<std::string> argv{"/usr/bin/unshare", "--mount"};
        if (::geteuid() != 0) argv.insert(argv.end(), {"--user", "--map-root-user"});
        // LeakSanitizer needs /proc, and AddressSanitizer reads its options there.
        argv.insert(argv.end(),
                    {"/bin/sh", "-c",
                     "mount --make-rprivate / && mount -t tmpfs none /proc && [ ! -e /proc/1 ] && mkdir /proc/self && "
                     "printf 'ASAN_OPTIONS=detect_leaks=0\\0' >/proc/self/environ && exec \"$@\"",
                     "sh"});
        argv.insert(argv.end(), command.begin(), command.end());
        run_options options;
        options.directory = world.home().native();
        return running_program(argv, world.environment_with(options), options);
    };
    if (without_proc({"/bin/true"}).wait().exit_code != 0) {
        WARN("not tried: mount namespaces cannot be created on this system");
        return;
    }
    auto daemon = without_proc({world.executable(), "daemon", "--foreground"});
    REQUIRE(wait_until([&] { return world.run({"status"}).exit_code == 0; }));
    const auto own = children_of(daemon.pid());
    struct {
        const char* program;
        std::chrono::milliseconds least, most;
    } const cases[] = {{"touch up; exec cat", 0ms, 450ms},
                       {"touch up; exec /bin/sh -i", 0ms, 2s},
                       {"trap '' HUP; touch up; while :; do sleep 0.01; done", 450ms, 2400ms},
                       {"(trap '' HUP; touch up; exec sleep 1000) & while [ ! -e up ]; do :; done; exec cat", 450ms, 2400ms},
                       {"touch up; kill -STOP $$", 0ms, 2s}};
    for (const auto& each : cases) {
        INFO(each.program);
        std::filesystem::remove(world.home() / "up");
        const std::string id = world.open_tab({each.program});
        REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "up"); }));
        const outcome went = world.run({"kill", id});
        CHECK(went.exit_code == 0);
        CHECK(went.took >= each.least);
        CHECK(went.took < each.most + (sanitized ? 2s : 0s));
        CHECK(wait_until([&] { return children_of(daemon.pid()) == own; })); // no zombie either
        CHECK(wait_until([&] { return world.processes().size() == 2; }));
    }
    world.must({"stop"});
    CHECK(daemon.wait().exit_code == 0);
}
