// SPDX-License-Identifier: MIT
// When the system has no resources left, or a directory is not safe: a clear error for the client, and no incomplete tab.
#include "support/child_process.hpp"
#include "support/mato_world.hpp"
#include "support/pty_client.hpp"

#include <mato/endpoint.hpp>

#include <sys/resource.h>
#include <sys/un.h>

#include <cstdio>
#include <optional>

using namespace support;

namespace {

/// A limit for the daemon only: its starter sets it, soft and hard.
run_options with_limit(int what, rlim_t most) {
    run_options options;
    options.before_exec = [what, most] {
        const rlimit limit{most, most};
        ::setrlimit(static_cast<__rlimit_resource>(what), &limit);
        if (what == RLIMIT_FSIZE)
            ::signal(SIGXFSZ, SIG_IGN); // the starter writes the lock file; the daemon must handle this itself
    };
    return options;
}

void check_refused(const mato_world& world, const std::vector<std::string>& command, int exit_code, const std::string& part) {
    const auto before = world.must({"ls"});
    const outcome went = world.run(command);
    INFO(went.out << went.err);
    CHECK(went.exit_code == exit_code);
    CHECK(contains(went.err, part));
    CHECK(went.out.empty());
    CHECK(world.must({"ls"}) == before);
}

} // namespace

TEST_CASE("out of descriptors: new tabs are refused, the others keep running, and it recovers", "[mato][limits]") {
    const bool survives = GENERATE(true, false); // a tab's memory files have descriptors too
    mato_world world;
    world.configure(survives ? "" : "survive = false\n");
    world.must({"-q", "daemon"}, with_limit(RLIMIT_NOFILE, survives ? 48 : 32));
    const std::string first = world.open_tab({"exec cat > got"});
    std::vector<std::string> opened;
    outcome refused;
    for (int n = 0; n < 40; ++n) {
        refused = world.run({"new", "-d", "--", "exec cat"});
        if (refused.exit_code != 0) break;
        opened.push_back(refused.out.substr(0, refused.out.size() - 1));
    }
    INFO(refused.err);
    CHECK(refused.exit_code == 1);
    CHECK(contains(refused.err, "Too many open files"));
    CHECK(opened.size() > 5);
    CHECK(opened.size() < 32);
    CHECK(count_of(world.must({"ls"}), "running") == opened.size() + 1);
    CHECK(children_of(world.serving_pid()).size() == opened.size() + 1);
    CHECK(contains(world.log(), "no new tab: "));
    world.must({"send", first, "alive", "Enter"});
    CHECK(wait_until([&] { return read_file(world.home() / "got") == "alive\n"; }));
    world.must({"kill", opened.back()});
    CHECK_FALSE(world.open_tab().empty());
}

TEST_CASE("out of descriptors: accepting pauses instead of spinning, and it recovers", "[mato][limits]") {
    if (sanitized) return; // UBSan reads an object's type through a pipe, which fails without descriptors
    mato_world world;
    world.must({"-q", "daemon"}, with_limit(RLIMIT_NOFILE, 32));
    const std::string id = world.open_tab();
    std::vector<mato::unique_fd> peers;
    for (int n = 0; n < 40; ++n) {
        std::error_code why;
        peers.push_back(mato::owned_path(world.socket()).connect(why));
        REQUIRE(peers.back());
    }
    const auto pauses = [&] { return count_of(world.log(), "Too many open files; accepting clients is paused"); };
    REQUIRE(wait_until([&] { return pauses() > 0; }));
    const std::size_t before = pauses();
    const stopwatch watch;
    REQUIRE(wait_until([&] { return pauses() >= before + 5; }));
    CHECK(watch.elapsed() >= 400ms); // a tenth of a second each; a spinning loop takes less than one for all
    peers.clear();
    CHECK(wait_until([&] { return world.run({"has", id}).exit_code == 0; }));
}

TEST_CASE("a bad directory and a missing program are refused; a missing shell is replaced by the next one", "[mato][limits]") {
    mato_world world;
    world.open_tab();
    const auto children = children_of(world.serving_pid());
    const auto none_connected = [&] { return world.connected() == 0; };
    REQUIRE(wait_until(none_connected));
    const auto descriptors = descriptor_count(world.serving_pid());
    check_refused(world, {"new", "-d", "--", "/no/such/program", "x"}, 1, "run /no/such/program: No such file or directory");
    check_refused(world, {"new", "-d", "--", "no-such-program", "x"}, 1, "run no-such-program: No such file or directory");
    check_refused(world, {"new", "-d", "--", "/etc/passwd", "x"}, 1, "run /etc/passwd: Permission denied");
    check_refused(world, {"new", "-W", "--", "/no/such/program", "x"}, 1, "No such file or directory");
    check_refused(world, {"new", "-d", "-c", "/no/such/directory"}, 1,
                  "enter directory /no/such/directory: No such file or directory");
    check_refused(world, {"new", "-d", "-c", "/etc/passwd"}, 1, "enter directory /etc/passwd: Not a directory");
    check_refused(world, {"new", "-d", "--emulator", "no-such"}, 64, "unknown emulator 'no-such'");
    check_refused(world, {"new", "-d", "-n", "a/b"}, 64, "must not contain '/'");
    check_refused(world, {"new", "-d", "-t", "7"}, 64, "must not be a number");
    world.configure("shell = \"/no/such/shell\"\n");
    world.must({"reload"});
    world.must({"new", "-d"});
    CHECK(wait_until([&] { return contains(world.must({"capture", "2"}), "/no/such/shell"); }));
    world.must({"kill", "2"});
    CHECK(children_of(world.serving_pid()) == children);
    CHECK(wait_until(none_connected));
    CHECK(wait_until([&] { return descriptor_count(world.serving_pid()) == descriptors; }));
    CHECK(count_of(world.log(), "no new tab: ") == 6);
}

TEST_CASE("a daemon whose first tab cannot be opened serves the next request", "[mato][limits]") {
    mato_world world;
    const outcome went = world.run({"new", "-d", "--", "/no/such/program", "x"});
    CHECK(went.exit_code == 1);
    CHECK(contains(went.err, "/no/such/program"));
    CHECK_FALSE(world.open_tab().empty());
}

TEST_CASE("a full disk: the start reports it, and a running daemon keeps running", "[mato][limits]") {
    mato_world world;
    SECTION("at the start") {
        const outcome went = world.run({"new", "-d"}, with_limit(RLIMIT_FSIZE, 0));
        INFO(went.err);
        CHECK(went.exit_code == 69);
        CHECK(contains(went.err, "lock file"));
        CHECK(world.is_clean());
    }
    SECTION("later: the log stops growing, tabs and requests continue") {
        world.must({"-q", "daemon"}, with_limit(RLIMIT_FSIZE, 600));
        const std::string id = world.open_tab({"exec cat"});
        for (int n = 0; n < 30; ++n) CHECK(world.run({"new", "-W", "--", "exit 5"}).exit_code == 5);
        CHECK(std::filesystem::file_size(world.state() / "daemon.log") <= 600);
        CHECK(world.run({"has", id}).exit_code == 0);
    }
}

TEST_CASE("no process available: a clear error and no incomplete tab", "[mato][limits]") {
    if (is_root()) return; // RLIMIT_NPROC does not bind root
    mato_world world;
    world.must({"-q", "daemon"}, with_limit(RLIMIT_NPROC, 1));
    const outcome went = world.run({"new", "-d", "--", "exec cat"});
    CHECK(went.exit_code == 1);
    CHECK(contains(went.err, "fork for"));
}

TEST_CASE("an unsafe state directory is refused with 77", "[mato][limits]") {
    mato_world world;
    const auto refuse = [&](const std::string& why) {
        for (const std::vector<std::string>& command :
             {std::vector<std::string>{"new", "-d"}, {"daemon"}, {"daemon", "--foreground"}}) {
            const outcome went = world.run(command);
            INFO(went.err);
            CHECK(went.exit_code == 77);
            CHECK(contains(went.err, why));
            CHECK(contains(went.err, world.state().native()));
        }
        CHECK(world.processes().empty());
    };
    std::filesystem::create_directory(world.state());
    SECTION("open to all") {
        ::chmod(world.state().c_str(), 0777);
        refuse("open to group or others");
    }
    SECTION("open to the group") {
        ::chmod(world.state().c_str(), 0710);
        refuse("open to group or others");
    }
    SECTION("a symbolic link") {
        ::chmod(world.state().c_str(), 0700);
        std::filesystem::rename(world.state(), world.root() / "elsewhere");
        std::filesystem::create_symlink(world.root() / "elsewhere", world.state());
        refuse("symbolic link");
        CHECK(std::filesystem::is_empty(world.root() / "elsewhere"));
    }
    SECTION("another user's") {
        if (!is_root()) return;
        ::chmod(world.state().c_str(), 0700);
        REQUIRE(::chown(world.state().c_str(), 65534, 65534) == 0);
        refuse("belongs to another user");
    }
    std::filesystem::remove(world.state());
}

TEST_CASE("a file in the place of the state directory", "[mato][limits]") {
    mato_world world;
    write_file(world.state(), "");
    for (const std::vector<std::string>& command : {std::vector<std::string>{"new", "-d"}, {"daemon"}}) {
        const outcome went = world.run(command);
        INFO(went.err);
        CHECK(went.exit_code >= 69);
        CHECK(contains(went.err, "ot a directory"));
    }
    std::filesystem::remove(world.state());
}

TEST_CASE("directory and files are private under any umask", "[mato][limits]") {
    const mode_t mask = GENERATE(mode_t{0}, mode_t{077}, mode_t{0277}, mode_t{0777});
    const bool in_foreground = GENERATE(false, true);
    mato_world world;
    run_options masked;
    masked.before_exec = [mask] { ::umask(mask); };
    std::optional<running_program> daemon;
    if (in_foreground) daemon.emplace(world.start({"daemon", "--foreground"}, masked));
    if (in_foreground) REQUIRE(wait_until([&] { return world.run({"status"}).exit_code == 0; }));
    world.must({"new", "-d", "--", "umask > mask; exec cat"}, masked);
    CHECK(mode_of(world.state()) == 0700);
    CHECK(mode_of(world.socket()) == 0700);
    for (const char* name : {"daemon.lock", "daemon.pid", "daemon.log", "daemon.tabs"}) {
        INFO(name);
        CHECK(mode_of(world.state() / name) == 0600);
    }
    char text[8];
    std::snprintf(text, sizeof text, "%04o\n", mask);
    CHECK(wait_until([&] { return read_file(world.home() / "mask") == text; })); // the program has the user's own
    world.must({"stop"});
    if (daemon) CHECK(daemon->wait().exit_code == 0);
    world.open_tab(); // the files of the first one are not in its way
}

TEST_CASE("root with another user's HOME creates no directory there, and the user's own start works afterwards",
          "[mato][limits]") {
    if (!is_root()) {
        WARN("not tried: needs root");
        return;
    }
    mato_world world;
    constexpr uid_t other_user = 65534;
    REQUIRE(::chmod(world.root().path().c_str(), 0711) == 0);
    REQUIRE(::chown(world.home().c_str(), other_user, other_user) == 0);
    run_options as_root{.unset = {"XDG_STATE_HOME", "XDG_CONFIG_HOME"}};
    as_root.directory = "/";
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"new", "-d", "--", "cat"}, {"daemon"}, {"daemon", "--foreground"}}) {
        const outcome went = world.run(command, as_root);
        INFO(went.err);
        CHECK(went.exit_code == 77);
        CHECK(contains(went.err, world.home().native() + " belongs to uid 65534, this process runs as uid 0"));
        CHECK(std::filesystem::is_empty(world.home()));
    }
    run_options as_user = as_root;
    as_user.before_exec = [] { static_cast<void>(become_nobody()); };
    world.must({"new", "-d", "--", "exec cat"}, as_user);
    CHECK(world.run({"ls"}, as_root).exit_code != 0); // the user's daemon is not root's
    world.must({"stop"}, as_user);
}

TEST_CASE("a socket path that is too long is reported with its length and the limit", "[mato][limits]") {
    mato_world world;
    const std::string path = (world.root() / (std::string(100, 'd') + "/" + std::string(20, 's') + ".sock")).native();
    const outcome went = world.run({"-S", path, "new", "-d"});
    INFO(went.err);
    CHECK(went.exit_code != 0);
    CHECK(contains(went.err, std::to_string(path.size()) + " bytes"));
    CHECK(contains(went.err, "use 1 to " + std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes"));
    CHECK(world.processes().empty());
}

TEST_CASE("without HOME and XDG directories: an error, never a shared directory", "[mato][limits]") {
    mato_world world;
    for (const std::vector<std::string>& command : {std::vector<std::string>{"new", "-d"}, {"ls"}, {"daemon"}}) {
        const outcome went = world.run(command, {.unset = {"HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"}});
        CHECK(went.exit_code == 64);
        CHECK(contains(went.err, "HOME"));
    }
    const outcome relative = world.run({"new", "-d"}, {.variables = {{"XDG_STATE_HOME", "state"}}});
    CHECK(relative.exit_code == 64);
    CHECK(contains(relative.err, "absolute"));
    CHECK(world.processes().empty());
    // HOME alone is enough.
    run_options only_home{.unset = {"XDG_STATE_HOME", "XDG_CONFIG_HOME"}};
    world.must({"new", "-d", "--", "cat"}, only_home);
    CHECK(mode_of(world.home() / ".local/state/mato/daemon.sock") == 0700);
    world.must({"stop"}, only_home);
}

TEST_CASE("a message over frame_bytes is refused, and a long command line is cut in listings", "[mato][limits]") {
    mato_world world;
    const std::string long_command = ": " + std::string(100'000, 'x') + "; exec cat";
    world.must({"new", "-d", "--", long_command});
    const std::string listed = world.must({"ls"});
    CHECK(contains(listed, ": xxxx"));
    CHECK(listed.size() < 1000);

    world.configure("[limits]\nframe_bytes = 65536\n");
    world.must({"reload"});
    CHECK(world.run({"new", "-d", "--", long_command}).exit_code == 1);
    CHECK(wait_until([&] { return contains(world.log(), "the message is larger than frame_bytes"); })); // it closes, then logs
    CHECK(world.must({"ls"}) == listed);
    CHECK(world.run({"new", "-d", "--", "exec cat"}).exit_code == 0);
}
