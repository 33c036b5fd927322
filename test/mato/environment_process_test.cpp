// SPDX-License-Identifier: MIT
/// @file environment_process_test.cpp: the start of a tab's program: its variables, directory and shell; and the daemon's
/// process title.
#include "support/pty_client.hpp"

using namespace support;

namespace {

/// What the tab's screen and history show in time.
bool shows(const mato_world& world, const std::string& id, const std::string& text) {
    return wait_until([&] { return contains(world.run({"capture", id, "-S", "200"}).out, text); });
}

std::string without_newline(std::string id) {
    id.pop_back();
    return id;
}

} // namespace

TEST_CASE("variables about the terminal of the daemon's starter do not reach a tab; TERM_PROGRAM is mato",
          "[mato][environment]") {
    mato_world world;
    const std::string id = without_newline(world.must(
        {"new", "-d", "--", "env; echo end; sleep 1000"},
        {.variables = {{"TERM_PROGRAM", "vscode"}, {"VTE_VERSION", "7006"}, {"KITTY_WINDOW_ID", "1"}, {"KEPT", "yes"}}}));
    REQUIRE(shows(world, id, "\nend"));
    const std::string all = world.must({"capture", id, "-S", "200"});
    CHECK(contains(all, "TERM_PROGRAM=mato\n"));
    CHECK(contains(all, "TERM_PROGRAM_VERSION="));
    CHECK(contains(all, "KEPT=yes"));
    for (const char* gone : {"vscode", "VTE_VERSION", "KITTY_"}) CHECK_FALSE(contains(all, gone));
}

TEST_CASE("a tab has the PATH of the client that opens it, and its command is looked up there", "[mato][environment]") {
    mato_world world;
    world.configure("exit_empty = false\n");
    world.must({"daemon"});
    const auto bin = world.home() / "bin";
    std::filesystem::create_directory(bin);
    write_file(bin / "myprog", "#!/bin/sh\necho \"MYPROG $* $PATH\"; exec sleep 1000\n");
    std::filesystem::permissions(bin / "myprog", std::filesystem::perms::owner_all);
    const std::string path = bin.native() + ":/usr/bin:/bin";
    const run_options with_path{.variables = {{"PATH", path}}};
    CHECK(shows(world, without_newline(world.must({"new", "-d", "--", "myprog", "x"}, with_path)), "MYPROG x " + path));
    CHECK(shows(world, without_newline(world.must({"new", "-d", "--", "myprog y"}, with_path)), "MYPROG y " + path));
    CHECK(world.run({"new", "-d", "--", "myprog", "z"}).exit_code != 0); // another client, without it
    CHECK(shows(world,
                without_newline(world.must({"new", "-d", "-e", "PATH=/bin", "--", "echo \"[$PATH]\"; sleep 1000"}, with_path)),
                "[/bin]"));

    write_file(bin / "shell", "#!/bin/sh\necho \"SHELL $PATH\"; exec cat\n"); // which reads no profile
    std::filesystem::permissions(bin / "shell", std::filesystem::perms::owner_all);
    world.configure("exit_empty = false\nshell = \"" + (bin / "shell").native() + "\"\n");
    world.must({"reload"});
    pty_client viewer(world, {"new"}, {.columns = 200, .run = with_path});
    REQUIRE(viewer.wait_for("SHELL " + path));
    viewer.command('c'); // opened by this client too
    CHECK(viewer.wait_for("SHELL " + path));
}

TEST_CASE("a missing working directory is replaced by HOME, or else by /, and the tab reports it", "[mato][environment]") {
    mato_world world;
    const auto gone = world.home() / "gone";
    std::filesystem::create_directory(gone);
    pty_client viewer(world, {"new", "--", "exec sh -i"}, {.columns = 200, .run = {.directory = gone.native()}});
    REQUIRE(viewer.wait_for("$ "));
    std::filesystem::remove(gone);

    viewer.command('c');
    CHECK(viewer.wait_for("[mato: cannot enter directory " + gone.native()));
    CHECK(viewer.wait_for("using " + world.home().native()));
    const std::string in_gone = "mkdir gone; cd gone; rmdir ../gone; exec \"$0\" ";
    const auto from_gone = [&](const std::string& arguments, std::map<std::string, std::string> more = {}) {
        auto program =
            running_program({"/bin/sh", "-c", in_gone + arguments, world.executable()},
                            world.environment_with({.variables = std::move(more)}), {.directory = world.home().native()});
        return program.wait();
    };
    outcome went = from_gone("new -d -- 'pwd; sleep 1000'");
    REQUIRE(went.exit_code == 0);
    CHECK(shows(world, without_newline(went.out), "using " + world.home().native()));
    CHECK(shows(world, without_newline(world.must({"new", "-d", "-e", "HOME=/nowhere", "--", "sleep 1000"})),
                "\n")); // it is there
    CHECK(from_gone("new -d -c rel -- true").exit_code == 1);
    CHECK(world.run({"new", "-d", "-c", gone.native(), "--", "true"}).exit_code == 1); // a directory that was named
    CHECK(contains(world.run({"new", "-d", "-c", gone.native(), "--", "true"}).err, "enter directory " + gone.native()));
}

TEST_CASE("a missing shell is replaced by the next one, and the tab reports it", "[mato][environment]") {
    mato_world world;
    const run_options no_shell{.variables = {{"SHELL", "/nonexistent/fish"}}};
    const std::string id = without_newline(world.must({"new", "-d"}, no_shell));
    CHECK(shows(world, id, "[mato: cannot run shell /nonexistent/fish: it is not an executable file; using /"));
    CHECK(shows(world, without_newline(world.must({"new", "-d", "--", "echo $((6*7)); sleep 1000"}, no_shell)), "\n42"));
    const std::string direct = without_newline(world.must({"new", "-d", "--", "/bin/cat", "/dev/null", "-"}, no_shell));
    CHECK_FALSE(contains(world.must({"capture", direct}), "mato:")); // it needs no shell
}

TEST_CASE("the daemon's command line shows neither a user's command nor its arguments", "[mato][environment]") {
    mato_world world;
    world.must({"new", "-d", "-e", "TOKEN=secret", "--", "sleep", "4711"});
    const auto check_named = [](pid_t pid, const std::string& name) {
        const std::string line = proc_file(pid, "cmdline");
        CHECK(line.starts_with(name + '\0'));
        CHECK(line.find_first_not_of('\0', name.size()) == std::string::npos);
        CHECK(proc_file(pid, "comm") == name + "\n");
        CHECK(contains(proc_file(pid, "environ"), "MATO_TEST_WORLD=")); // unchanged
    };
    check_named(world.daemon_pid(), "ttykeeper");
    check_named(world.serving_pid(), "mato: daemon");
}
