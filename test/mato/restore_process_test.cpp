// SPDX-License-Identifier: MIT
/// @file restore_process_test.cpp: after the daemon's processes are lost together, the tabs are shown as they were, without
/// their programs.
#include "support/daemon_worker.hpp"
#include "support/json_reader.hpp"
#include "support/mato_world.hpp"
#include "support/outer_terminal.hpp"
#include "support/pty_client.hpp"

#include <chrono>

using namespace support;

namespace {

std::string restoring(const std::string& when, const std::string& more = {}, const std::string& first = {}) {
    return first + "exit_empty = false\n[restore]\nwhen = \"" + when + "\"\nsave_every = \"1s\"\n" + more;
}

std::filesystem::path saved_in(const mato_world& world) { return world.state() / "daemon.past.tabs"; }
std::filesystem::path file_of(const mato_world& world, const std::string& tab) { return saved_in(world) / ("tab-" + tab); }

bool shows(const mato_world& world, const std::string& tab, const std::string& text) {
    return world.run({"wait", tab, "--text", text, "--timeout", "60s"}).exit_code == 0;
}

/// Whether the file of the tab contains the text in time.
bool saves(const mato_world& world, const std::string& tab, const std::string& text) {
    return wait_until([&] { return contains(read_file(file_of(world, tab)), text); }, 60s);
}

std::string text_of(const mato_world& world, const std::string& tab) { return world.must({"capture", "-S", "20000", tab}); }

void start_daemon(const mato_world& world) {
    REQUIRE(wait_until([&] { return world.processes().empty(); }));
    world.must({"-q", "daemon"});
}

/// Both processes at once, as a power cut does.
void lose(const mato_world& world) {
    world.kill_daemon();
    start_daemon(world);
}

void stop_and_start(const mato_world& world) {
    world.must({"stop"});
    start_daemon(world);
}

std::size_t count_past(const mato_world& world) { return count_of(world.must({"ls", "--json"}), "\"state\": \"past\""); }

const std::string was = "this is as it was on 20";

} // namespace

TEST_CASE("restore_show: after both processes were killed the tabs are there as they were, and run nothing",
          "[mato][restore]") {
    const std::string survive = GENERATE("true", "false");
    INFO("survive = " << survive);
    mato_world world;
    world.configure(restoring("show", "lines = 50\n", "survive = " + survive + "\n"));
    const std::string first = world.open_tab();
    std::string tab = world.must({"new", "-d", "-t", "work", "-n", "build", "-x", "90", "-y", "30", "--",
                                  "echo started >>starts; seq 300; printf '\\033[1;31mred\\033[m \xe6\xbc\xa2\xe5\xad\x97 "
                                  "e\xcc\x81\\n'; exec cat"});
    tab.pop_back();
    world.must({"rename", "work/build", "renamed"});
    REQUIRE(saves(world, tab, "red"));
    REQUIRE(saves(world, first, "mato:pst"));
    REQUIRE(wait_until([&] { return contains(read_file(saved_in(world) / "layout"), "renamed"); }));
    CHECK(mode_of(saved_in(world)) == 0700);
    for (const auto& file : {file_of(world, tab), saved_in(world) / "layout"}) CHECK(mode_of(file) == 0600);

    lose(world);
    const std::string listed = world.must({"ls"});
    INFO(listed);
    CHECK(count_of(listed, "  past  ") == 2);
    CHECK(contains(listed, "work\n  " + tab + "  renamed  90x30  past  0 clients  echo started"));
    const std::string facts = json_reader::compact(world.must({"ls", "--json"}));
    CHECK(contains(facts, "\"state\":\"past\",\"exit_code\":null"));
    CHECK(contains(facts, "\"cwd\":\"" + world.home().native()));
    const std::string text = text_of(world, "work/renamed");
    CHECK(contains(text, "\n299\n300\nred \xe6\xbc\xa2\xe5\xad\x97 e\xcc\x81\n"));
    CHECK_FALSE(contains(text, "\n200\n")); // only the last lines of history
    CHECK(contains(world.must({"capture", "-J", tab}), "; Enter starts it again, d forgets this tab]\n"));
    const std::string styled = world.must({"capture", "--ansi", tab});
    CHECK(contains(styled, "\033[2m300"));
    CHECK(contains(styled, "\033[2;31mred"));
    CHECK(read_file(world.home() / "starts") == "started\n");
    CHECK(contains(world.log(), "showing 2 saved tabs as they were"));
    const outcome refused = world.run({"send", tab, "x", "Enter"});
    CHECK(refused.exit_code == 1);
    CHECK(contains(refused.err, "has ended"));

    lose(world); // what was restored stays restored, and is not marked twice
    CHECK(count_past(world) == 2);
    CHECK(count_of(text_of(world, tab), was) == 1);
    if (survive == "true") { // a crash of one process keeps it, too
        kill_worker(world.daemon_pid());
        CHECK(count_past(world) == 2);
        CHECK(contains(text_of(world, tab), "\n299\n300\nred"));
        CHECK(contains(world.must({"status"}), "Kept: 2 of 2 tabs"));
    }
    CHECK(read_file(world.home() / "starts") == "started\n");
    world.must({"respawn", tab});
    REQUIRE(shows(world, tab, "^1$"));
    CHECK(wait_until([&] { return read_file(world.home() / "starts") == "started\nstarted\n"; }));
    CHECK(contains(text_of(world, tab), "\n300\nred"));
    CHECK(count_past(world) == 1);
    CHECK(world.open_tab() == std::to_string(std::stoi(tab) + 1)); // no number is used twice
}

TEST_CASE("restore_keys: Enter starts the program in its directory, under its name and in its task; d forgets the tab",
          "[mato][restore]") {
    const std::string path = GENERATE("direct", "relayed");
    INFO(path);
    mato_world world;
    world.configure(restoring("show"));
    const auto there = world.root() / "some where";
    std::filesystem::create_directory(there);
    std::string tab = world.must(
        {"new", "-d", "-t", "work", "-n", "run", "-c", there.native(), "-e", "OWN=value", "--",
         "printf 'tab %s in %s has %s at %s.\\n' \"$MATO_TAB\" \"$PWD\" \"$OWN\" \"${MATO#*,}\"; stty size; exec cat"});
    std::string other = world.must({"new", "-d", "-t", "work", "-n", "other", "--", "echo other text; exec cat"});
    tab.pop_back(), other.pop_back();
    REQUIRE(saves(world, tab, "has value"));
    REQUIRE(saves(world, other, "other text"));
    lose(world);

    std::vector<std::string> words{"attach", other};
    if (path == "relayed") words.emplace_back("--relay");
    {
        auto read_only = words;
        read_only.emplace_back("-r");
        outer_terminal reader(world, read_only, 70, 20);
        REQUIRE(reader.comes_to_show("other text"));
        reader.type("d");
        reader.type("\r");
        reader.command('d');
        CHECK(reader.client().wait() == 0);
        CHECK(count_past(world) == 2);
    }
    outer_terminal viewer(world, words, 70, 20);
    REQUIRE(viewer.comes_to_show("other text"));
    REQUIRE(viewer.comes_to_show(was));
    viewer.type("dd pasted text\rd\r"); // several keys at once are a paste, and do nothing
    viewer.type("x");
    viewer.command('n');
    REQUIRE(viewer.comes_to_show("has value"));
    CHECK(count_past(world) == 2);
    viewer.command('p');
    REQUIRE(viewer.comes_to_show("other text"));
    viewer.type("d");
    REQUIRE(viewer.comes_to_show("has value")); // the tab before
    CHECK(world.run({"has", other}).exit_code != 0);
    CHECK_FALSE(std::filesystem::exists(file_of(world, other)));
    viewer.type("\r");
    REQUIRE(viewer.comes_to_show("20 70"));
    const std::string text = text_of(world, tab);
    INFO(text);
    CHECK(count_of(text, "tab " + tab + " in ") == 2);
    CHECK(count_of(text, there.native() + " has value at ") == 2);
    CHECK(contains(text, "at " + std::to_string(world.daemon_pid()) + "," + tab + "."));
    CHECK(count_past(world) == 0);
    CHECK(world.run({"has", "work/run"}).exit_code == 0);
    viewer.type("typed\r");
    REQUIRE(wait_until([&] { return viewer.look(), count_of(viewer.screen().text(), "typed") == 2; }));
    viewer.command('d');
    CHECK(viewer.client().wait() == 0);
    lose(world);
    CHECK(count_past(world) == 1);
}

TEST_CASE("restore_size: a restored tab has the width of its viewer", "[mato][restore]") {
    mato_world world;
    world.configure(restoring("show"));
    std::string tab = world.must({"new", "-d", "-x", "100", "-y", "40", "--",
                                  "printf '%090d\\n' 7; printf '\xe6\xbc\xa2%.0s' $(seq 45); echo .; exec cat"});
    tab.pop_back();
    REQUIRE(saves(world, tab, "."));
    lose(world);
    outer_terminal viewer(world, {"attach", tab}, 60, 12);
    REQUIRE(viewer.comes_to_show("0007"));
    REQUIRE(viewer.comes_to_show(was));
    CHECK(wait_until([&] { return contains(world.must({"ls"}), "60x12"); }));
    std::string joined = world.must({"capture", "-J", tab});
    CHECK(contains(joined, std::string(89, '0') + "7\n"));
    viewer.resize(100, 12);
    CHECK(wait_until([&] { return contains(world.must({"ls"}), "100x12"); }));
    viewer.command('d');
    CHECK(viewer.client().wait() == 0);
}

TEST_CASE("restore_stop: a daemon that is stopped saves what its tabs show last", "[mato][restore]") {
    mato_world world;
    world.configure("exit_empty = false\n[restore]\nwhen = \"show\"\n"); // every five minutes
    const std::string tab = world.open_tab({"echo first; read -r x; echo second; exec cat"});
    REQUIRE(shows(world, tab, "first"));
    world.must({"send", tab, "x", "Enter"});
    REQUIRE(shows(world, tab, "second"));
    const bool by_signal = GENERATE(false, true);
    if (by_signal) {
        ::kill(world.daemon_pid(), SIGTERM);
        start_daemon(world);
    } else {
        stop_and_start(world);
    }
    CHECK(contains(text_of(world, tab), "first\nx\nsecond\n"));
    CHECK(count_past(world) == 1);
    world.must({"kill", tab});
    stop_and_start(world);
    CHECK(world.must({"ls"}).empty());
    CHECK_FALSE(std::filesystem::exists(file_of(world, tab)));
}

TEST_CASE("restore_off: by default nothing is written, and what is there is not shown", "[mato][restore]") {
    mato_world world;
    world.configure("exit_empty = false\n");
    const std::string tab = world.open_tab({"echo some text; exec cat"});
    REQUIRE(shows(world, tab, "some text"));
    stop_and_start(world);
    CHECK_FALSE(std::filesystem::exists(saved_in(world)));
    CHECK(world.must({"ls"}).empty());

    const std::string other = world.open_tab({"echo other text; exec cat"});
    world.configure(restoring("show"));
    world.must({"reload"}); // from now on
    REQUIRE(saves(world, other, "other text"));
    world.configure("exit_empty = false\n");
    world.must({"reload"});
    lose(world);
    CHECK(world.must({"ls"}).empty());
    world.configure(restoring("show"));
    lose(world);
    CHECK(contains(text_of(world, other), "other text"));
}

TEST_CASE("restore_run: of the restored tabs only the named programs are started", "[mato][restore]") {
    mato_world world;
    world.configure(restoring("run", "run = [\"cat\", \"sh\"]\n"));
    const std::string named = world.open_tab({"/bin/cat"}), word = world.open_tab({"cat -u"}),
                      line = world.open_tab({"cat /dev/null; echo runs >>line; exec cat"}),
                      other = world.open_tab({"/bin/echo", "never again"});
    std::string shell = world.must({"new", "-d"});
    shell.pop_back();
    for (const std::string& each : {named, word, line, shell}) REQUIRE(saves(world, each, "mato:pst"));
    REQUIRE(wait_until([&] { return std::filesystem::exists(world.home() / "line"); }));
    lose(world);
    CHECK(count_past(world) == 1);
    for (const std::string& each : {named, word}) {
        world.must({"send", each, "typed", "Enter"});
        CHECK(shows(world, each, "typed"));
    }
    CHECK(shows(world, shell, "[$#] $"));
    CHECK(contains(world.must({"ls"}), "  " + line + "  "));
    CHECK(world.run({"send", line, "x"}).exit_code == 1);
    CHECK(read_file(world.home() / "line") == "runs\n");
}

TEST_CASE("restore_refused: files that cannot be used are logged, the others are shown, and the daemon serves",
          "[mato][restore]") {
    mato_world world;
    world.configure(restoring("show"));
    const std::string bad = world.open_tab({"echo bad; exec cat"}), good = world.open_tab({"echo good; exec cat"});
    REQUIRE(saves(world, bad, "bad"));
    REQUIRE(saves(world, good, "good"));
    world.must({"stop"});
    REQUIRE(wait_until([&] { return world.processes().empty(); }));
    const std::string newer = file_of(world, bad).native();
    std::filesystem::remove(newer + ".before");
    std::string bytes = read_file(newer);
    bytes[8] = 2;
    write_file(newer, bytes);
    world.must({"-q", "daemon"});
    CHECK(world.run({"has", bad}).exit_code != 0);
    CHECK(contains(text_of(world, good), "good"));
    CHECK(contains(world.log(), "cannot show what was saved: read a saved tab " + newer + ": it has version 2"));
    CHECK(read_file(newer) == bytes); // for the mato that has written it

    world.must({"stop"});
    REQUIRE(wait_until([&] { return world.processes().empty(); }));
    std::filesystem::permissions(saved_in(world), std::filesystem::perms::all);
    world.must({"-q", "daemon"});
    CHECK(world.must({"ls"}).empty());
    CHECK(contains(world.log(), "it is open to group or others"));
    const std::string tab = world.open_tab({"echo it serves; exec cat"});
    CHECK(shows(world, tab, "it serves"));
    CHECK(wait_until([&] { return contains(world.log(), "what the tabs show is not saved: "); }));
    std::filesystem::permissions(saved_in(world), std::filesystem::perms::owner_all);
}

TEST_CASE("restore_raw: a tab without an emulator is shown with its newest output", "[mato][restore][raw]") {
    mato_world world;
    world.configure(restoring("show", {}, "emulator = \"raw\"\n"));
    const std::string tab = world.open_tab({"printf '\\033[1mraw output\\033[?1003h\\n'; exec cat"});
    REQUIRE(saves(world, tab, "raw output"));
    lose(world);
    CHECK(contains(world.must({"ls"}), "  past  "));
    CHECK(contains(world.must({"ls", "--json"}), "\"emulator\": \"raw\""));
    kill_worker(world.daemon_pid());
    CHECK(contains(world.must({"ls"}), "  past  "));
    outer_terminal viewer(world, {"attach", tab});
    REQUIRE(viewer.comes_to_show("raw output"));
    REQUIRE(viewer.comes_to_show(was));
    viewer.type("\r");
    CHECK(wait_until([&] { return viewer.look(), count_past(world) == 0; }));
    viewer.type("typed\r");
    REQUIRE(wait_until([&] { return viewer.look(), count_of(viewer.screen().text(), "typed") == 2; }));
    viewer.command('d');
    CHECK(viewer.client().wait() == 0);
}

TEST_CASE("restore_gone: a directory that is gone is replaced, and a program that is gone stays an old tab",
          "[mato][restore]") {
    mato_world world;
    world.configure(restoring("show"));
    const auto there = world.root() / "there";
    std::filesystem::create_directory(there);
    const std::string program = (world.root() / "program").native();
    write_file(program, "#!/bin/sh\necho it runs\nexec cat\n");
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    std::string tab = world.must({"new", "-d", "-c", there.native(), "--", "echo in $PWD.; exec cat"});
    tab.pop_back();
    const std::string other = world.open_tab({program});
    REQUIRE(saves(world, tab, "in "));
    REQUIRE(saves(world, other, "it runs"));
    world.kill_daemon();
    REQUIRE(wait_until([&] { return world.processes().empty(); }));
    std::filesystem::remove(there);
    std::filesystem::remove(program);
    world.must({"-q", "daemon"});
    world.must({"respawn", tab});
    CHECK(shows(world, tab, "cannot enter directory"));
    CHECK(shows(world, tab, "in " + world.home().native()));
    const outcome failed = world.run({"respawn", other});
    CHECK(failed.exit_code == 1);
    CHECK(contains(failed.err, "No such file"));
    CHECK(count_past(world) == 1);
    CHECK(contains(text_of(world, other), "it runs"));
}

TEST_CASE("restore_many: two hundred tabs in several tasks come back in their order", "[mato][restore]") {
    mato_world world;
    world.configure(restoring("show"));
    world.must({"-q", "daemon"});
    std::string commands;
    for (int i = 1; i <= 200; ++i)
        commands += "new -t task" + std::to_string(i % 7) + " -n name" + std::to_string(i) + " -- 'echo text of " +
                    std::to_string(i) + ".; exec cat'\n";
    REQUIRE(world.run({"control"}, {.input = commands}).exit_code == 0);
    const std::string before = world.must({"ls"});
    CHECK(count_of(before, "running") == 200);
    REQUIRE(wait_until([&] { return contains(read_file(saved_in(world) / "layout"), "name200"); }, 60s));
    REQUIRE(saves(world, "200", "text of 200."));
    REQUIRE(saves(world, "1", "text of 1."));
    stopwatch watch;
    lose(world);
    std::string after = world.must({"ls"});
    UNSCOPED_INFO("restored in " << watch.elapsed().count() << " ms");
    for (auto at = after.find("  past  "); at != after.npos; at = after.find("  past  ")) after.replace(at, 8, "  running  ");
    CHECK(after == before);
    for (const char* const tab : {"1", "77", "200"}) CHECK(contains(text_of(world, tab), std::string("text of ") + tab + "."));
}

TEST_CASE("restore_idle: an idle daemon is not woken to save its tabs", "[mato][restore]") {
    mato_world world;
    world.configure(restoring("show"));
    const std::string tab = world.open_tab({"echo some text; exec cat"});
    REQUIRE(saves(world, tab, "some text"));
    const auto layout = saved_in(world) / "layout";
    REQUIRE(wait_until([&] { return std::filesystem::exists(layout); }));
    const pid_t serving = world.serving_pid();
    pty_client viewer(world, {"attach", tab});
    REQUIRE(viewer.wait_for("some text"));
    const auto wakeups = [&] {
        const std::string status = proc_file(serving, "status");
        return status.substr(status.find("voluntary_ctxt"));
    };
    CHECK(wait_until([&] { // a timer of a second would show in three
        const std::string before = wakeups();
        static_cast<void>(viewer.wait_for_bytes(1, 3s));
        return wakeups() == before;
    }));
    viewer.command('d');
    CHECK(viewer.wait() == 0);
}
