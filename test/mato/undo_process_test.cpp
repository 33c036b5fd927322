// SPDX-License-Identifier: MIT
/// @file undo_process_test.cpp: a closed tab is brought back: its screen, its history, its name, and its program started again.
#include "support/daemon_worker.hpp"
#include "support/json_reader.hpp"
#include "support/mato_world.hpp"
#include "support/pty_client.hpp"

using namespace support;

namespace {

bool shows(const mato_world& world, const std::string& tab, const std::string& text) {
    return world.run({"wait", tab, "--text", text, "--timeout", "30s"}).exit_code == 0;
}

void close_tab(const mato_world& world, const std::string& tab) {
    world.must({"kill", tab});
    CHECK(world.run({"has", tab}).exit_code != 0);
}

const std::string again = "this tab was closed; its program was started again";

} // namespace

TEST_CASE("`undo` brings a closed tab back: number, name, task, size, screen and history", "[mato][undo]") {
    const std::string survive = GENERATE("true", "false");
    INFO("survive = " << survive);
    mato_world world;
    world.configure("survive = " + survive + "\n");
    world.open_tab();
    std::string tab = world.must({"new", "-d", "-t", "work", "-n", "build", "-x", "90", "-y", "30", "--",
                                  "[ -e once ] && { echo \"second $COLUMNS\"; stty size; exec cat; }; >once; seq 300; printf "
                                  "'\\033[1;31mred\\033[m\\n'; "
                                  "printf '\\033]2;its title\\007'; exec cat"});
    tab.pop_back();
    REQUIRE(shows(world, tab, "red"));
    const std::string before = world.must({"capture", "-S", "1000", "--ansi", tab});
    close_tab(world, tab);
    CHECK(world.must({"undo"}) == tab + "\n");
    REQUIRE(shows(world, tab, "second"));
    REQUIRE(shows(world, tab, "^30 90$")); // of the new program: the size is the old one
    CHECK(contains(world.must({"ls"}), "work"));
    CHECK(world.run({"has", "work/build"}).exit_code == 0);
    const std::string now = world.must({"capture", "-S", "1000", "--ansi", tab});
    CHECK(now.starts_with(before.substr(0, before.find_last_not_of('\n') + 1)));
    CHECK(contains(now, again));
    world.must({"send", tab, "typed", "Enter"});
    CHECK(shows(world, tab, "typed"));
    const outcome none = world.run({"undo"});
    CHECK(none.exit_code == 1);
    CHECK(contains(none.err, "no tab was closed within the time `undo_close`"));
    if (survive != "true") return;
    kill_worker(world.daemon_pid()); // it is kept like any tab
    CHECK(contains(world.must({"capture", "-S", "1000", tab}), "\n300\nred\n"));
    CHECK(contains(world.must({"status"}), "Kept: 2 of 2 tabs\n"));
}

TEST_CASE("a tab whose program left the alternate screen and modes set comes back as a plain one", "[mato][undo]") {
    mato_world world;
    world.open_tab();
    const std::string tab = world.open_tab(
        {"[ -e once ] && { echo second; exec cat; }; >once; echo first line; printf "
         "'\\033[?1049h\\033[?1000h\\033[?2004h\\033[?25l\\033[3;9r\\033[?6h\\033[5;5Hon the other screen\\033['; "
         "exec cat"});
    REQUIRE(shows(world, tab, "on the other screen"));
    close_tab(world, tab);
    world.must({"undo", tab});
    REQUIRE(shows(world, tab, "second"));
    const std::string text = world.must({"capture", tab});
    CHECK(contains(text, "first line\n[mato: " + again + "]\nsecond\n"));
    CHECK_FALSE(contains(text, "other screen"));
    CHECK(contains(world.must({"capture", "--json", tab}), "\"visible\": true"));
}

TEST_CASE("a tab whose program ended by itself comes back; several in the order of their ends, or by name", "[mato][undo]") {
    mato_world world;
    world.open_tab();
    for (const char* name : {"one", "two", "three"}) {
        const std::string text = std::string("echo ") + name + " shown; [ -e again ] && exec cat; exit 3";
        CHECK(world.run({"new", "-W", "-n", name, "--", text}).exit_code == 3);
    }
    write_file(world.home() / "again", "");
    CHECK(world.run({"undo", "none"}).exit_code == 1);
    world.must({"undo", "two"});
    world.must({"undo"});
    world.must({"undo"});
    CHECK(world.run({"undo"}).exit_code == 1);
    for (const char* name : {"one", "two", "three"}) {
        REQUIRE(shows(world, name, "started again"));
        CHECK(wait_until([&] { return count_of(world.must({"capture", name}), std::string(name) + " shown") == 2; }));
    }
}

TEST_CASE("a shell comes back in the directory in which it was closed, another program in the one it was started in",
          "[mato][undo]") {
    mato_world world;
    world.open_tab();
    const auto there = world.root() / "some where";
    std::filesystem::create_directory(there);
    std::string shell = world.must({"new", "-d"});
    shell.pop_back();
    REQUIRE(shows(world, shell, "[$#] $"));
    world.must({"send", shell, "cd '" + there.native() + "' && echo moved$((1+1))", "Enter"});
    REQUIRE(shows(world, shell, "moved2"));
    close_tab(world, shell);
    world.must({"undo"});
    world.must({"send", shell, "echo in $PWD.", "Enter"});
    CHECK(shows(world, shell, "in .*some where\\."));
    close_tab(world, shell);
    std::filesystem::remove(there); // then it starts at home, and says so
    world.must({"undo"});
    CHECK(shows(world, shell, "cannot enter directory"));

    const std::string other = world.open_tab({"echo in $PWD.; cd /; exec cat"});
    REQUIRE(shows(world, other, "in "));
    close_tab(world, other);
    world.must({"undo"});
    REQUIRE(shows(world, other, "started again"));
    CHECK(wait_until([&] { return count_of(world.must({"capture", other}), world.home().native() + ".") == 2; }));
}

TEST_CASE("the key `u` brings the closed tab back and goes there; a read-only client cannot", "[mato][undo]") {
    const std::string path = GENERATE("direct", "relayed");
    INFO(path);
    mato_world world;
    const std::string stays = world.open_tab({"echo stays; exec cat"}), goes = world.open_tab({"echo goes; exec cat"});
    REQUIRE(shows(world, goes, "goes"));
    std::vector<std::string> words{"attach", stays};
    if (path == "relayed") words.emplace_back("--relay");
    pty_client viewer(world, words);
    REQUIRE(viewer.wait_for("stays"));
    viewer.command('u');
    REQUIRE(viewer.wait_for("no tab was closed"));
    close_tab(world, goes);
    words.emplace_back("-r");
    {
        pty_client reader(world, words);
        REQUIRE(reader.wait_for("stays"));
        reader.command('u');
        REQUIRE(reader.wait_for("read-only"));
        reader.command('d');
        CHECK(reader.wait() == 0);
    }
    viewer.command('u');
    REQUIRE(viewer.wait_for("started again"));
    CHECK(contains(world.must({"clients"}), "tab " + goes));
    viewer.command('d');
    CHECK(viewer.wait() == 0);
}

TEST_CASE("a closed tab without an emulator comes back with its newest output", "[mato][undo][raw]") {
    mato_world world;
    world.configure("emulator = \"raw\"\n");
    world.open_tab();
    const std::string tab = world.open_tab({"echo raw output; >there; exec cat"});
    {
        pty_client viewer(world, {"attach", tab});
        REQUIRE(viewer.wait_for("raw output"));
        viewer.command('d');
        CHECK(viewer.wait() == 0);
    }
    close_tab(world, tab);
    world.must({"undo"});
    pty_client viewer(world, {"attach", tab});
    REQUIRE(viewer.wait_for("raw output"));
    REQUIRE(viewer.wait_for(again));
    REQUIRE(viewer.wait_for("raw output")); // of the new program
    viewer.command('d');
    CHECK(viewer.wait() == 0);
}

TEST_CASE("closed tabs are forgotten after `undo_close`, and with 0 at once", "[mato][undo]") {
    mato_world world;
    world.configure("undo_close = \"1ms\"\n"); // the command takes longer
    world.open_tab();
    const std::string gone = world.open_tab();
    close_tab(world, gone);
    CHECK(contains(world.run({"undo"}).err, "no tab was closed within"));
    CHECK(contains(world.run({"undo", gone}).err, "no tab '" + gone + "' was closed within"));
    world.configure("undo_close = \"0s\"\n");
    world.must({"reload"});
    const std::string other = world.open_tab();
    close_tab(world, other);
    CHECK(contains(world.run({"undo"}).err, "undo_close is 0"));
}

TEST_CASE("`control` brings a closed tab back and names it; a program that cannot be started stays closed", "[mato][undo]") {
    mato_world world;
    world.open_tab();
    const std::string program = (world.root() / "program").native();
    write_file(program, "#!/bin/sh\necho it runs\nexec cat\n");
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    const std::string tab = world.open_tab({program});
    REQUIRE(shows(world, tab, "it runs"));
    close_tab(world, tab);
    std::filesystem::rename(program, program + ".away");
    const outcome failed = world.run({"undo"});
    CHECK(failed.exit_code == 1);
    CHECK(contains(failed.err, "No such file"));
    std::filesystem::rename(program + ".away", program);
    const outcome went = world.run({"control"}, {.input = "undo\nundo\n"});
    INFO(went.out);
    CHECK(contains(json_reader::compact(went.out), "\"tab\":" + tab + ",\"task\":"));
    CHECK(contains(went.out, "no tab was closed"));
    CHECK(shows(world, tab, "started again"));
}

TEST_CASE("a closed tab is brought back after a crash, after an upgrade and after both, with or without an emulator",
          "[mato][undo]") {
    const std::string how = GENERATE("crash", "restart", "upgrade", "crash and restart", "restart and two crashes");
    const std::string emulator = GENERATE("vt", "raw");
    INFO(how << ", " << emulator);
    mato_world world;
    world.open_tab();
    std::string tab =
        world.must({"new", "-d", "-t", "work", "-n", "build", "-x", "90", "-y", "30", "--emulator", emulator, "--",
                    "[ -e once ] && { echo second; stty size; exec cat; }; >once; seq 300; echo first; exec cat"});
    tab.pop_back();
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "once"); }));
    {
        pty_client viewer(world, {"attach", "-r", tab});
        REQUIRE(viewer.wait_for("first"));
    }
    close_tab(world, tab);
    const std::string other = world.open_tab();
    close_tab(world, other);
    const pid_t keeper = world.daemon_pid();
    if (how == "crash") kill_worker(keeper);
    if (how == "upgrade") world.must({"upgrade", "--program", MATO_OTHER_VERSION});
    if (how.starts_with("crash and")) kill_worker(keeper);
    if (how.find("restart") != how.npos) world.must({"restart"});
    if (how.ends_with("crashes")) kill_worker(keeper), kill_worker(keeper);
    CHECK(world.must({"undo"}) == other + "\n"); // the one closed last
    CHECK(world.must({"undo"}) == tab + "\n");
    CHECK(world.run({"has", "work/build"}).exit_code == 0);
    CHECK(contains(world.must({"ls"}), "90x30"));
    pty_client viewer(world, {"attach", "-r", tab}, {.columns = 90, .rows = 30});
    REQUIRE(viewer.wait_for("first"));
    REQUIRE(viewer.wait_for(again));
    REQUIRE(viewer.wait_for("second"));
    REQUIRE(viewer.wait_for("30 90"));
    if (emulator == "vt") CHECK(contains(world.must({"capture", "-S", "1000", tab}), "\n299\n300\nfirst\n"));
    kill_worker(keeper); // it is there once
    CHECK(contains(world.run({"undo", tab}).err, "was closed within"));
    CHECK(count_of(world.must({"ls"}), "build") == 1);
}

TEST_CASE("closed tabs that the process before had are forgotten in time", "[mato][undo]") {
    mato_world world;
    world.open_tab();
    const std::string tab = world.open_tab();
    close_tab(world, tab);
    const std::size_t held = descriptor_count(world.daemon_pid());
    kill_worker(world.daemon_pid());
    CHECK(contains(world.must({"status"}), "Kept: 1 of 1"));
    world.configure("undo_close = \"1ms\"\n");
    kill_worker(world.daemon_pid());
    CHECK(contains(world.run({"undo"}).err, "no tab was closed within"));
    CHECK(wait_until([&] { return descriptor_count(world.daemon_pid()) < held; })); // the keeper has let go of it
}

TEST_CASE("when a person closes the last tab with a key, the daemon stays until the tab cannot be brought back any more",
          "[mato][undo]") {
    const bool crashes = GENERATE(false, true);
    INFO("a crash in between: " << crashes);
    mato_world world;
    world.configure("undo_close = \"1h\"\n");
    std::string tab = world.must({"new", "-d"}); // an idle shell is closed without a question
    tab.pop_back();
    REQUIRE(shows(world, tab, "[$#] $"));
    world.must({"send", tab, "echo text$((1+1))", "Enter"});
    REQUIRE(shows(world, tab, "^text2"));
    const auto close_by_key = [&] {
        pty_client viewer(world, {"attach", tab});
        REQUIRE(viewer.wait_for("text2"));
        viewer.command('x');
        CHECK(viewer.wait() == 0);
    };
    close_by_key();
    CHECK(world.must({"ls"}).empty());
    CHECK(wait_until([&] { return world.processes().size() == 2; })); // the daemon's
    const pid_t daemon = world.daemon_pid();
    if (crashes) kill_worker(daemon);
    CHECK(world.must({"undo"}) == tab + "\n");
    CHECK(world.daemon_pid() == daemon);
    REQUIRE(shows(world, tab, "started again"));
    CHECK(shows(world, tab, "^text2"));
    close_by_key();
    if (crashes) kill_worker(daemon);
    world.configure("undo_close = \"1ms\"\n");
    world.must({"reload"});
    CHECK(wait_until([&] { return world.processes().empty(); }));
}

TEST_CASE("a daemon that stays for an undo ends if that time has become shorter while its process was replaced",
          "[mato][undo]") {
    mato_world world;
    world.configure("undo_close = \"1h\"\n");
    std::string tab = world.must({"new", "-d"});
    tab.pop_back();
    REQUIRE(shows(world, tab, "[$#] $"));
    {
        pty_client viewer(world, {"attach", tab});
        REQUIRE(viewer.wait_for("\033[?1049h"));
        viewer.command('x');
        CHECK(viewer.wait() == 0);
    }
    REQUIRE(wait_until([&] { return contains(world.log(), "the daemon waits for `mato undo`"); }));
    world.configure("undo_close = \"1ms\"\n"); // the next process reads it
    ::kill(world.serving_pid(), SIGKILL);
    CHECK(wait_until([&] { return world.processes().empty(); }));
}

TEST_CASE("a daemon that stays for an undo ends by itself", "[mato][undo]") {
    mato_world world;
    world.configure("undo_close = \"2s\"\n");
    std::string tab = world.must({"new", "-d"});
    tab.pop_back();
    REQUIRE(shows(world, tab, "[$#] $"));
    pty_client viewer(world, {"attach", tab});
    REQUIRE(viewer.wait_for("$"));
    viewer.command('x');
    CHECK(viewer.wait() == 0);
    CHECK(wait_until([&] { return world.processes().empty(); }));
    CHECK(contains(world.log(), "the daemon waits for `mato undo`"));
    const outcome none = world.run({"undo"});
    CHECK(none.exit_code == 69);
}

TEST_CASE("a daemon whose last tab ended by itself or by `kill` does not stay for an undo", "[mato][undo]") {
    const bool by_kill = GENERATE(false, true);
    mato_world world;
    const std::string tab = world.open_tab({"read -r x"});
    if (by_kill)
        world.must({"kill", tab});
    else
        world.must({"send", tab, "Enter"});
    CHECK(wait_until([&] { return world.processes().empty(); }));
}
