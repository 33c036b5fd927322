// SPDX-License-Identifier: MIT
/// @file mato_upgrade_process_test.cpp: the daemon's program is replaced while tabs and clients go on, or stays when that
/// fails.
///
/// MATO_TEST_ROUNDS upgrades under a counter, 20 without; 5 under a sanitizer. MATO_TEST_OLD_EXECUTABLE: an older program that
/// `upgrade_from_old` begins with; without it the second build of this one, which has another version.
#include "support/asciicast_reader.hpp"
#include "support/daemon_worker.hpp"
#include "support/json_reader.hpp"
#include "support/numbered_lines.hpp"
#include "support/outer_terminal.hpp"

#include <mato/policies.hpp>

#include <sys/stat.h>

using namespace support;

namespace {

int rounds_of(int usual) {
    const char* const asked = std::getenv("MATO_TEST_ROUNDS");
    return asked ? std::max(1, std::atoi(asked)) : sanitized ? 5 : usual;
}

std::string field(const std::string& status, const std::string& name) {
    const auto at = status.find(name + ": ");
    if (at == std::string::npos) return {};
    const auto from = at + name.size() + 2;
    return status.substr(from, status.find('\n', from) - from);
}

constexpr const char* old_variable = "MATO_TEST_OLD_EXECUTABLE";

std::string old_executable() {
    const char* const other = std::getenv(old_variable);
    return other ? other : MATO_OTHER_VERSION;
}

std::string copy_of_program(const mato_world& world) {
    const auto copy = (world.root() / "mato-next").native();
    std::filesystem::copy_file(world.executable(), copy);
    return copy;
}

void wait_for_text(const mato_world& world, const std::string& tab, const std::string& text) {
    INFO(text);
    CHECK(world.run({"wait", tab, "--text", text, "--timeout", "20s"}).exit_code == 0);
}

bool is_attached(const mato_world& world, const std::string& path, int clients = 1) {
    return wait_until([&] { return static_cast<int>(count_of(world.must({"clients"}), path)) == clients; });
}

/// Its worker's descriptors, mappings without addresses, and children; and the keeper's.
std::string facts_of(pid_t pid) {
    std::string text;
    std::vector<std::string> lines;
    for (std::filesystem::directory_iterator at("/proc/" + std::to_string(pid) + "/fd"), end; at != end; ++at) {
        std::error_code gone;
        lines.push_back(at->path().filename().native() + " " + std::filesystem::read_symlink(at->path(), gone).native());
    }
    std::sort(lines.begin(), lines.end());
    for (const std::string& each : lines) text += each + "\n";
    for (const pid_t each : children_of(pid)) text += "child " + std::to_string(each) + "\n";
    return text + std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe").native() + "\n";
}

std::string contents_of(const std::filesystem::path& directory) {
    std::string text;
    for (std::filesystem::directory_iterator at(directory), end; at != end; ++at) {
        if (at->path().extension() == ".log") continue; // the check is logged
        struct ::stat about {};
        REQUIRE(::lstat(at->path().c_str(), &about) == 0);
        text += at->path().filename().native() + " " + std::to_string(about.st_ino) + " " +
                std::to_string(about.st_mtim.tv_nsec) + " " + (S_ISREG(about.st_mode) ? read_file(at->path()) : "") + "\n";
    }
    return text;
}

} // namespace

TEST_CASE("`upgrade` replaces the program: tabs, names, sizes, histories and running programs are the same",
          "[mato][upgrade]") {
    mato_world world;
    world.configure("survive = true\nremain_on_exit = \"on\"\n");
    const std::string counting = world.open_tab({"echo first; read -r a; echo got $a; read -r b; echo got $b; exit 5"});
    const std::string other = world.open_tab({"seq 500; printf 'two\\033[1;31mred'; exec cat"});
    const std::string ended = world.open_tab({"echo last words; exit 3"});
    world.must({"rename", counting, "counter"});
    world.must({"move", other, "elsewhere"});
    world.must({"resize", other, "100x30"});
    CHECK(world.run({"wait", ended, "--exit"}).exit_code == 3);
    wait_for_text(world, counting, "first");
    wait_for_text(world, other, "red");
    const pid_t keeper = world.daemon_pid(), before = worker_of(keeper);
    const std::string tabs = world.must({"ls"}), screen = world.must({"capture", "-S", "1000", "--ansi", other});

    const std::string copy = copy_of_program(world);
    const std::string said = world.must({"upgrade", "--program", copy});
    INFO(said);
    CHECK(said.starts_with("upgraded: mato "));
    CHECK(contains(said, ", 3 tabs, 0 clients, "));
    const pid_t worker = worker_of(keeper);
    CHECK(worker != before);
    CHECK(std::filesystem::read_symlink("/proc/" + std::to_string(worker) + "/exe") == copy);
    CHECK(world.daemon_pid() == keeper);
    CHECK(world.must({"ls"}) == tabs);
    CHECK(world.must({"capture", "-S", "1000", "--ansi", other}) == screen);
    CHECK(contains(world.must({"capture", ended}), "last words"));
    const std::string status = world.must({"status"});
    CHECK(field(status, "Generation").starts_with("2 (upgraded "));
    CHECK(field(status, "Worker") == std::to_string(worker));
    CHECK(field(status, "Kept") == "3 of 3 tabs");
    CHECK(field(status, "Last crash").empty());
    CHECK(contains(world.must({"status", "--json"}), "\"why\": \"upgraded\""));
    CHECK(contains(world.log(), "upgraded: mato "));

    std::filesystem::remove(copy); // the keeper has it open
    kill_worker(keeper);
    CHECK(world.must({"ls"}) == tabs);
    world.must({"send", "counter", "abc", "Enter"});
    wait_for_text(world, counting, "got abc");
    CHECK(world.must({"restart"}).starts_with("restarted: mato "));
    CHECK(world.must({"capture", "-S", "1000", "--ansi", other}) == screen);
    world.must({"send", "counter", "def", "Enter"});
    CHECK(world.run({"wait", counting, "--exit"}).exit_code == 5); // a child of none of the workers
    world.must({"respawn", counting});
    wait_for_text(world, counting, "first");
    CHECK(world.open_tab() == std::to_string(std::stoi(ended) + 1));
    CHECK(field(world.must({"status"}), "Generation").starts_with("4 (upgraded "));
}

TEST_CASE("upgrade_from_old: 8 busy tabs, 3 attached clients, a recorder and a waiting command go on", "[mato][upgrade]") {
    const bool is_old = GENERATE(false, true);
    INFO(is_old);
    mato_world world(is_old ? old_executable() : mato_world::default_executable()); // also that of the clients
    world.configure("survive = true\nexit_empty = false\nhistory_lines = 20000\n");
    std::vector<std::string> tabs;
    for (int i = 0; i < 8; ++i)
        tabs.push_back(world.open_tab({"n=0; while [ ! -e " + (world.root() / "end").native() +
                                       " ]; do n=$((n+1)); echo line $n; sleep 0.01; done; echo all $n; read -r x; exit " +
                                       std::to_string(20 + i)}));
    outer_terminal first(world, {"attach", tabs[0]}, 90, 25), second(world, {"attach", tabs[1], "--relay"}, 70, 20),
        third(world, {"attach", "-r", tabs[0]}, 90, 25);
    for (outer_terminal* const each : {&first, &second, &third}) REQUIRE(each->comes_to_show("line"));
    auto waiting = world.start({"wait", tabs[5], "--exit"});
    REQUIRE(wait_until([&] {
        return contains(world.must({"clients", "--json"}), "\"pid\": " + std::to_string(waiting.pid()) + ",");
    }));
    const auto cast = world.root() / "cast";
    auto recording = world.start({"record", tabs[6], cast.native()});
    REQUIRE(wait_until([&] { return contains(asciicast::read(read_file(cast)).output(), "line "); }));
    for (int round = 0; round < 3; ++round) {
        const std::string said = is_old ? world.must({"upgrade", "--program", MATO_EXECUTABLE}) : world.must({"upgrade"});
        INFO(said);
        CHECK(contains(said, ", 8 tabs, 3 clients, ")); // attached ones
        if (!std::getenv(old_variable)) CHECK(contains(said, "0.0.99") == (is_old && round == 0));
        REQUIRE(is_attached(world, "tab ", 4)); // with the recorder
        REQUIRE(wait_until([&] { return contains(world.must({"status"}), "Recorders: 1\n"); }));
    }
    write_file(world.root() / "end", "");
    for (const std::string& each : tabs) {
        REQUIRE(world.run({"wait", each, "--text", "^all [0-9]+", "--timeout", "60s"}).exit_code == 0);
        const std::string text = world.must({"capture", "-S", "10000", each});
        const int count = std::atoi(text.c_str() + text.rfind("\nall ") + 5);
        std::string expected;
        for (int n = 1; n <= count; ++n) expected += "line " + std::to_string(n) + "\n";
        CHECK(text.starts_with(expected + "all " + std::to_string(count) + "\n"));
    }
    for (outer_terminal* const each : {&first, &second, &third}) CHECK(each->comes_to_show("all"));
    CHECK(first.comes_to_agree(tabs[0]));
    CHECK(second.comes_to_agree(tabs[1]));
    world.must({"send", tabs[5], "Enter"});
    CHECK(waiting.wait().exit_code == 25);
    const std::string last = world.must({"capture", tabs[6]});
    world.must({"send", tabs[6], "Enter"});
    const outcome recorded = recording.wait();
    INFO(recorded.err);
    CHECK(recorded.exit_code == 0);
    const std::string output = asciicast::read(read_file(cast)).output();
    const auto begin = output.rfind("\033[");
    const int first_line = std::atoi(output.c_str() + output.find("line ", begin) + 5);
    const int last_line = std::atoi(last.c_str() + last.rfind("\nall ") + 5);
    std::string expected;
    for (int n = first_line; n <= last_line; ++n) expected += "line " + std::to_string(n) + "\r\n";
    CHECK(first_line > 0);
    CHECK(contains(output, expected + "all " + std::to_string(last_line) + "\r\n")); // nothing is missing, nothing twice
    for (outer_terminal* const each : {&first, &second, &third}) {
        each->command('d');
        CHECK(each->client().wait() == 0);
        CHECK(each->client().now() == each->client().before());
    }
}

TEST_CASE("upgrade_keeper_renews: the process that holds the terminals becomes the new program", "[mato][upgrade]") {
    mato_world world;
    world.configure("survive = true\nremain_on_exit = \"on\"\n");
    const std::string tab = world.open_tab({"echo first; read -r a; echo got $a; exit 6"});
    const std::string killed = world.open_tab({"echo other; exec cat"});
    wait_for_text(world, tab, "first");
    wait_for_text(world, killed, "other");
    const std::string copy = copy_of_program(world), tabs = world.must({"ls"});
    const pid_t keeper = world.daemon_pid();
    const auto program = [&] { return std::filesystem::read_symlink("/proc/" + std::to_string(keeper) + "/exe").native(); };
    world.must({"upgrade", "--program", copy});
    REQUIRE(wait_until([&] { return program() == copy; }));
    CHECK(wait_until([&] { return proc_file(keeper, "comm") == "ttykeeper\n"; }));
    kill_worker(keeper);
    CHECK(world.must({"ls"}) == tabs);
    world.must({"send", tab, "abc", "Enter"});
    CHECK(world.run({"wait", tab, "--exit"}).exit_code == 6); // the status of a child that it had before
    CHECK(contains(world.must({"capture", tab}), "got abc"));
    world.must({"restart"});
    CHECK(wait_until([&] { return program() == copy; }));
    world.must({"upgrade"});
    REQUIRE(wait_until([&] { return program() == world.executable(); }));
    CHECK(world.daemon_pid() == keeper);
    CHECK(contains(world.must({"capture", killed}), "other"));
    ::kill(keeper, SIGTERM); // a signal reaches the process that serves
    CHECK(wait_until([&] { return world.is_clean(); }));
}

TEST_CASE("an upgrade of 100 tabs: each has its program, its name and its screen", "[mato][upgrade]") {
    constexpr int count = 100;
    mato_world world;
    world.configure("survive = true\n");
    std::string opening, looking;
    for (int n = 1; n <= count; ++n) {
        opening += "new -n name" + std::to_string(n) + " -- 'echo screen " + std::to_string(n) + " of many; exec cat'\n";
        looking += "wait " + std::to_string(n) + " --text '^screen " + std::to_string(n) + " of many$' --timeout 60s\n";
    }
    world.must({"daemon"});
    const auto all_succeed = [&](const std::string& lines) {
        const std::string answers = world.must({"control"}, {.input = lines, .limit = 120s});
        INFO(answers);
        CHECK(count_of(answers, "\"ok\": true") == count);
    };
    all_succeed(opening);
    all_succeed(looking);
    const std::string tabs = world.must({"ls"});
    CHECK(count_of(tabs, "  running  ") == count);
    const std::string said = world.must({"upgrade"}, {.limit = 60s});
    INFO(said);
    CHECK(contains(said, ", 100 tabs, 0 clients, "));
    CHECK(world.must({"ls"}) == tabs);
    all_succeed(looking);
    CHECK(field(world.must({"status"}), "Kept") == "100 of 100 tabs");
    world.must({"send", "73", "typed", "Enter"});
    wait_for_text(world, "73", "^typed$");
}

TEST_CASE("upgrade_flood: upgrades under a counter lose no line and double none", "[mato][upgrade]") {
    mato_world world;
    world.configure("survive = true\n");
    const std::string end = (world.root() / "end").native();
    const std::string flood = world.open_tab({numbered_lines(end, 50)}),
                      slower = world.open_tab({numbered_lines(end, 5, "sleep 0.01; ")});
    const int rounds = rounds_of(20);
    for (int round = 0; round < rounds; ++round) {
        world.must({"upgrade"});
        check_numbered_lines(world, round % 2 == 0 ? flood : slower);
    }
    write_file(end, "");
    for (const std::string& each : {flood, slower}) CHECK(check_all_numbered_lines(world, each) > 0);
    CHECK(field(world.must({"status"}), "Generation").starts_with(std::to_string(rounds + 1) + " (upgraded "));
}

TEST_CASE("what was typed and not read yet is typed once by the new program; what `raw` can show is shown", "[mato][upgrade]") {
    mato_world world;
    world.configure("survive = true\n");
    const std::string got = (world.root() / "got").native(), go = (world.root() / "go").native();
    const std::string tab = world.open_tab(
        {"stty raw -echo; printf ready; while [ ! -e " + go + " ]; do sleep 0.02; done; exec head -c 60000 >" + got});
    std::string raw = world.must({"new", "-d", "--emulator", "raw", "--", "echo raw output; exec cat"});
    raw.pop_back();
    outer_terminal viewer(world, {"attach", tab});
    REQUIRE(viewer.comes_to_show("ready"));
    std::string typed;
    while (typed.size() < 60000) typed += std::to_string(typed.size()) + " ";
    typed.resize(60000);
    viewer.type(typed);
    REQUIRE(wait_until([&] { // the daemon has what the terminal did not take
        viewer.look();
        return contains(world.must({"upgrade"}), "upgraded") && is_attached(world, "direct");
    }));
    world.must({"restart"});
    write_file(go, "");
    REQUIRE(wait_until([&] {
        viewer.look();
        return read_file(got).size() == typed.size();
    }));
    CHECK((read_file(got) == typed));
    outer_terminal other(world, {"attach", raw});
    CHECK(other.comes_to_show("raw output"));
}

TEST_CASE("keys that are on the way to the daemon during an upgrade reach the program once, in order", "[mato][upgrade]") {
    const bool is_relayed = GENERATE(true, false);
    INFO(is_relayed);
    mato_world world;
    world.configure("survive = true\n");
    const std::string got = (world.root() / "got").native();
    const std::string tab = world.open_tab({"stty raw -echo; printf ready; exec cat >" + got});
    std::vector<std::string> words{"attach", tab};
    if (is_relayed) words.emplace_back("--relay");
    outer_terminal viewer(world, words);
    REQUIRE(viewer.comes_to_show("ready"));
    std::string typed;
    int next = 0;
    const int rounds = sanitized ? 4 : 10;
    for (int round = 0; round < rounds; ++round) {
        auto upgrading = world.start({"upgrade"});
        for (bool runs = true; runs;) { // until the command has its answer
            runs = process_state(upgrading.pid()) != 'Z';
            const std::string key = std::to_string(++next) + " ";
            viewer.type(key);
            typed += key;
            viewer.look();
            ::poll(nullptr, 0, 1); // a typist's pace, not a wait
        }
        CHECK(upgrading.wait().exit_code == 0);
        const stopwatch without;
        REQUIRE(is_attached(world, is_relayed ? "relayed" : "direct"));
        // After two seconds without a daemon a client drops keys, and says so before: on a machine that is so slow, keys of
        // this round may be missing.
        const bool may_miss = without.elapsed() > 1500ms;
        viewer.type("|");
        typed += "|";
        REQUIRE(wait_until([&] {
            viewer.look();
            return read_file(got).ends_with("|") && count_of(read_file(got), "|") == count_of(typed, "|");
        }));
        const std::string now = read_file(got);
        std::size_t matched = 0; // in order, and none twice
        for (std::size_t at = 0; at < typed.size() && matched < now.size(); ++at) matched += typed[at] == now[matched];
        CHECK(matched == now.size());
        if (!may_miss) CHECK((now == typed));
        typed = now;
    }
}

TEST_CASE("upgrade_rollback: a program that cannot take over changes nothing, and the command says why", "[mato][upgrade]") {
    mato_world world;
    world.configure("survive = true\n");
    const std::string tab = world.open_tab({"printf ready; exec cat -u"});
    outer_terminal viewer(world, {"attach", tab}), relayed(world, {"attach", "--relay", tab});
    REQUIRE(viewer.comes_to_show("ready"));
    REQUIRE(relayed.comes_to_show("ready"));
    const pid_t worker = worker_of(world.daemon_pid());
    const std::string clients = world.must({"clients", "--json"});
    const auto fails = [&](const std::string& program, const std::string& why, int code = 1) {
        INFO(program << " " << why);
        for (const bool check : {false, true}) {
            std::vector<std::string> words{"upgrade", "--program", program};
            if (check) words.emplace_back("--check");
            const outcome went = world.run(words);
            INFO(went.out << went.err);
            CHECK(went.exit_code == code);
            CHECK(contains(went.err, why));
        }
        CHECK(worker_of(world.daemon_pid()) == worker);
        CHECK(world.run({"ls"}).exit_code == 0);
    };
    const auto behave = [&](const std::string& how) { write_file(world.home() / "behaviour", how + "\n"); };
    fails("/no/such/file", "cannot open /no/such/file");
    fails("/", "not a regular file");
    fails("/bin/true", "exited with 0 before it had taken over");
    fails("/bin/false", "exited with 1 before it had taken over");
    const auto script = (world.root() / "script").native();
    write_file(script, "no program");
    fails(script, "not executable");
    ::chmod(script.c_str(), 0700);
    fails(script, "Exec format error");
    ::chmod(script.c_str(), 0707);
    fails(script, "every user may write");
    behave("knows another format");
    fails(NEXT_PROGRAM, "format 9 is not known", mato::exit_code::version_mismatch);
    behave("dies");
    fails(NEXT_PROGRAM, "died of signal 9");
    behave("takes what is kept and dies");
    fails(NEXT_PROGRAM, "died of signal 9");
    world.configure("survive = 7\n");
    fails(world.executable(), "survive");
    world.configure("survive = true\n");
    CHECK(contains(world.log(), "upgrade: "));
    CHECK(world.must({"clients", "--json"}).size() >= clients.size());
    for (outer_terminal* const each : {&viewer, &relayed}) {
        each->type("x");
        CHECK(each->comes_to_show(each == &viewer ? "readyx" : "readyxx"));
    }
    world.must({"upgrade"}); // none of them hinders the next upgrade
    CHECK(is_attached(world, "tab " + tab, 2));
    viewer.type("y");
    CHECK(relayed.comes_to_show("readyxxy"));
}

TEST_CASE("upgrade_check_changes_nothing: the files, the processes and the clients are those before", "[mato][upgrade]") {
    const bool is_old = GENERATE(false, true);
    INFO(is_old);
    mato_world world(is_old ? old_executable() : mato_world::default_executable());
    world.configure("survive = true\n");
    const std::string tab = world.open_tab({"seq 3000; exec cat"});
    world.open_tab({"exec sleep 1000"});
    wait_for_text(world, tab, "3000");
    outer_terminal viewer(world, {"attach", tab});
    REQUIRE(viewer.comes_to_agree(tab));
    const pid_t keeper = world.daemon_pid(), worker = worker_of(keeper);
    std::string of_worker;
    REQUIRE(wait_until([&] { // without the connections of earlier commands
        of_worker = facts_of(worker);
        world.must({"ls"});
        return wait_until([&] { return facts_of(worker) == of_worker; }, 500ms);
    }));
    const std::string files = contents_of(world.state()), of_keeper = facts_of(keeper);
    const std::string tabs = world.must({"ls"}), clients = world.must({"clients"});
    for (int round = 0; round < 3; ++round) {
        const std::string said =
            is_old ? world.must({"upgrade", "--check", "--program", MATO_EXECUTABLE}) : world.must({"upgrade", "--check"});
        CHECK(contains(said, "can be upgraded: 2 tabs, 1 client\n"));
        CHECK(count_of(said, "\n") == 1);                                 // no client is too old
        CHECK(wait_until([&] { return facts_of(keeper) == of_keeper; })); // the other program is reaped
        CHECK(wait_until([&] { return facts_of(worker) == of_worker; })); // the command's connection is closed
        CHECK(contents_of(world.state()) == files);
    }
    CHECK(world.must({"ls"}) == tabs);
    CHECK(world.must({"clients"}) == clients);
    CHECK(field(world.must({"status"}), "Generation") == "1");
}

TEST_CASE("upgrade_kill_any: whichever process is killed during an upgrade, one daemon serves and no line is lost",
          "[mato][upgrade]") {
    const int first = GENERATE(0, 3, 6); // three deaths in a minute delay the next start by no more than 100 ms
    mato_world world;
    world.configure("survive = true\nhistory_lines = 100000\n");
    const std::string end = (world.root() / "end").native();
    const std::string tab = world.open_tab({"n=0; until [ -e " + end +
                                            " ] || [ $n -ge 60000 ]; do n=$((n+1)); echo line $n; [ $((n%20)) -ne 0 ] || "
                                            "sleep 0.005; done; echo all $n; exec cat"});
    const pid_t keeper = world.daemon_pid();
    for (int round = first; round < first + 3; ++round) {
        auto upgrading = world.start({"upgrade"});
        ::poll(nullptr, 0, 3 * round); // the moment is the test's input, not a wait for a fact
        std::vector<pid_t> all;
        for (const pid_t each : children_of(keeper))
            if (is_running(each) && ::getsid(each) == ::getsid(keeper)) all.push_back(each);
        if (!all.empty()) ::kill(all[static_cast<std::size_t>(round) % all.size()], SIGKILL);
        const outcome went = upgrading.wait();
        INFO(went.out << went.err);
        CHECK((went.exit_code == 0 || (went.exit_code == 1 && !went.err.empty())));
        CHECK(world.run({"has", tab}).exit_code == 0);
    }
    CHECK(world.daemon_pid() == keeper);
    write_file(end, "");
    REQUIRE(world.run({"wait", tab, "--text", "^all [0-9]+", "--timeout", "60s"}).exit_code == 0);
    const std::string text = world.must({"capture", "-S", "100000", tab}, {.limit = 60s});
    const int count = std::atoi(text.c_str() + text.rfind("\nall ") + 5);
    std::string expected;
    for (int n = 1; n <= count; ++n) expected += "line " + std::to_string(n) + "\n";
    CHECK(text.starts_with(expected + "all " + std::to_string(count) + "\n"));
}

TEST_CASE("a daemon that is one process refuses to be upgraded", "[mato][upgrade]") {
    mato_world world;
    world.configure("survive = false\n");
    const std::string tab = world.open_tab();
    const outcome went = world.run({"upgrade"});
    CHECK(went.exit_code == 1);
    CHECK(contains(went.err, "survive = true"));
    CHECK(world.run({"upgrade", "--check"}).exit_code == 1);
    CHECK(world.run({"has", tab}).exit_code == 0);
}

TEST_CASE("`restart --now` ends a process that hangs, and its programs go on", "[mato][upgrade]") {
    mato_world world;
    world.configure("survive = true\n");
    const std::string tab = world.open_tab({"printf ready; exec cat -u"});
    outer_terminal viewer(world, {"attach", tab});
    REQUIRE(viewer.comes_to_show("ready"));
    const pid_t hanging = worker_of(world.daemon_pid());
    CHECK(world.must({"restart", "--now"}).starts_with("restarted: ")); // it answers: nothing is killed
    const pid_t next = worker_of(world.daemon_pid());
    CHECK(next != hanging);
    REQUIRE(is_attached(world, "direct"));
    ::kill(next, SIGSTOP);
    CHECK(world.must({"restart", "--now"}).starts_with("killed: "));
    REQUIRE(is_attached(world, "direct"));
    viewer.type("x");
    CHECK(viewer.comes_to_show("readyx"));
    CHECK(contains(world.log(), "SIGUSR2: the worker is killed"));
}
