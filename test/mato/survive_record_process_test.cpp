// SPDX-License-Identifier: MIT
/// @file survive_record_process_test.cpp: recordings whose daemon's process dies or is replaced go on with the next one.
#include "support/asciicast_reader.hpp"
#include "support/daemon_worker.hpp"
#include "support/mato_world.hpp"

#include "vt/terminal.hpp"

using namespace support;

namespace {

asciicast read_cast(const std::filesystem::path& path) { return asciicast::read(read_file(path)); }

bool comes_to_hold(const std::filesystem::path& path, std::string_view text) {
    return wait_until([&] { return contains(read_cast(path).output(), text); });
}

/// Lines with numbers, from the moment on when the file `go` exists, to the one when `end` does.
std::string counting(const mato_world& world, const std::string& pause) {
    const std::string go = (world.root() / "go").native(), end = (world.root() / "end").native();
    return "printf ready; while [ ! -e " + go + " ]; do sleep 0.02; done; echo; n=0; while [ ! -e " + end +
           " ]; do n=$((n+1)); printf '\\033[3%dmline %d 漢字\\033[m\\n' $((n%8)) $n; " + pause +
           "done; echo all $n; read -r x; exit 7";
}

std::string expected_lines(int count) {
    std::string all;
    for (int n = 1; n <= count; ++n) all += "\033[3" + std::to_string(n % 8) + "mline " + std::to_string(n) + " 漢字\033[m\r\n";
    return all + "all " + std::to_string(count) + "\r\n";
}

int last_number(const mato_world& world, const std::string& tab) {
    REQUIRE(world.run({"wait", tab, "--text", "^all [0-9]+", "--timeout", "60s"}).exit_code == 0);
    const std::string text = world.must({"capture", "-S", "10", tab});
    return std::atoi(text.c_str() + text.rfind("\nall ") + 5);
}

std::string screen_of(const std::string& bytes) {
    mux::vt::terminal_options options;
    options.size = {24, 80};
    mux::vt::terminal screen(options);
    screen.feed(bytes);
    std::string text;
    mux::vt::text_line line;
    for (int r = 0; r < 24; ++r) {
        screen.read_row(r, line);
        text += line.text.substr(0, line.text.find_last_not_of(' ') + 1) + "\n";
    }
    while (text.ends_with("\n\n")) text.pop_back();
    return text;
}

} // namespace

TEST_CASE("survive_record: a recording goes on after each death, and no line is missing or twice", "[mato][survive]") {
    const std::string how = GENERATE("SIGKILL", "SIGABRT", "upgrade", "exact");
    INFO(how);
    mato_world world;
    world.configure("survive = true\n");
    const std::string tab = world.open_tab({counting(world, "sleep 0.005; ")});
    const auto path = world.home() / "cast";
    std::vector<std::string> words{"record", tab, path.native()};
    if (how == "exact") words.emplace_back("--exact");
    auto recording = world.start(words);
    REQUIRE(comes_to_hold(path, "ready"));
    write_file(world.root() / "go", "");
    for (const int line : {20, 60, 100}) {
        REQUIRE(comes_to_hold(path, "line " + std::to_string(line) + " "));
        if (how == "upgrade")
            world.must({"upgrade"});
        else
            kill_worker(world.daemon_pid(), how == "SIGABRT" ? SIGABRT : SIGKILL);
    }
    REQUIRE(comes_to_hold(path, "line 130 "));
    CHECK(wait_until([&] { return contains(world.must({"status"}), "Recorders: 1\n"); }));
    write_file(world.root() / "end", "");
    const int count = last_number(world, tab);
    world.must({"send", tab, "Enter"});
    const outcome went = recording.wait();
    INFO(went.err);
    CHECK(went.exit_code == 0);
    const asciicast cast = read_cast(path);
    CHECK(cast.problem == "");
    CHECK(contains(cast.output(), expected_lines(count)));
}

TEST_CASE("survive_record: after deaths under a flood the screen is right, and what is missing is told", "[mato][survive]") {
    mato_world world;
    world.configure("survive = true\n");
    const std::string tab = world.open_tab({counting(world, "")});
    const auto path = world.home() / "cast";
    auto recording = world.start({"record", tab, path.native()});
    REQUIRE(comes_to_hold(path, "ready"));
    write_file(world.root() / "go", "");
    for (const int line : {1000, 3000}) {
        REQUIRE(world
                    .run({"wait", tab, "--text", "line [0-9]{" + std::to_string(std::to_string(line).size()) + "}", "--timeout",
                          "60s"})
                    .exit_code == 0);
        kill_worker(world.daemon_pid());
    }
    CHECK(wait_until([&] { return contains(world.must({"status"}), "Recorders: 1\n"); }));
    write_file(world.root() / "end", "");
    const int count = last_number(world, tab);
    const std::string shown = world.must({"capture", tab});
    world.must({"send", tab, "Enter"});
    const outcome went = recording.wait();
    INFO(went.err);
    const asciicast cast = read_cast(path);
    CHECK(cast.problem == "");
    const bool is_told = contains(read_file(path), "bytes of output are missing here");
    CHECK((went.exit_code == 1) == is_told);
    CHECK(contains(went.err, "bytes of the tab's output are missing") == is_told);
    if (!is_told) CHECK(contains(cast.output(), expected_lines(count)));
    const std::string played = cast.output();
    const std::string last = "all " + std::to_string(count) + "\r\n";
    REQUIRE(played.rfind(last) != played.npos);
    CHECK(screen_of(played.substr(0, played.rfind(last) + last.size())) == screen_of(shown.empty() ? "" : [&] {
              std::string text;
              for (const char c : shown) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
              return text.substr(0, text.find_last_not_of("\r\n") + 1) + "\r\n";
          }()));
}

TEST_CASE("survive_record: without an emulator a recording goes on over upgrades and deaths, and no line is missing or twice",
          "[mato][survive]") {
    mato_world world;
    world.configure("survive = true\n");
    std::string tab = world.must({"new", "-d", "--emulator", "raw", "--", counting(world, "sleep 0.005; ")});
    tab.pop_back();
    const auto path = world.home() / "cast";
    auto recording = world.start({"record", tab, path.native()});
    REQUIRE(comes_to_hold(path, "ready"));
    write_file(world.root() / "go", "");
    for (const int line : {20, 60}) {
        REQUIRE(comes_to_hold(path, "line " + std::to_string(line) + " "));
        world.must({"upgrade"});
    }
    REQUIRE(comes_to_hold(path, "line 100 "));
    const std::string output = read_cast(path).output();
    CHECK(contains(output, expected_lines(99).substr(0, expected_lines(99).rfind("all "))));
    kill_worker(world.daemon_pid());
    REQUIRE(comes_to_hold(path, "line 140 "));
    world.must({"upgrade"});
    kill_worker(world.daemon_pid());
    REQUIRE(comes_to_hold(path, "line 180 "));
    write_file(world.root() / "end", "");
    REQUIRE(comes_to_hold(path, "all "));
    world.must({"send", tab, "x", "Enter"});
    const outcome went = recording.wait();
    INFO(went.err);
    CHECK(went.exit_code == 0);
    const asciicast all = read_cast(path);
    CHECK(all.problem == "");
    const std::string recorded = all.output();
    const int count = std::atoi(recorded.c_str() + recorded.rfind("\nall ") + 5);
    CHECK(count >= 180);
    CHECK(contains(recorded, expected_lines(count)));
}

TEST_CASE("survive_record: a signal ends a recording that waits for the daemon's next process", "[mato][survive]") {
    mato_world world;
    world.configure("survive = true\n");
    const std::string tab = world.open_tab({"printf ready; exec cat"});
    const auto path = world.home() / "cast";
    auto recording = world.start({"record", tab, path.native()});
    REQUIRE(comes_to_hold(path, "ready"));
    const pid_t keeper = world.daemon_pid(), worker = worker_of(keeper);
    ::kill(keeper, SIGSTOP);
    REQUIRE(wait_until([&] { return process_state(keeper) == 'T'; }));
    ::kill(worker, SIGKILL);
    // The dead process's connection, and the one that the stopped keeper does not answer.
    REQUIRE(wait_until([&] { return socket_count(recording.pid()) == 2 && process_state(recording.pid()) == 'S'; }));
    recording.signal(SIGINT);
    const outcome went = recording.wait();
    ::kill(keeper, SIGCONT);
    INFO(went.err);
    CHECK(went.exit_code == 0);
    CHECK(contains(went.out, "[recorded "));
    CHECK(wait_until([&] { return world.run({"has", tab}).exit_code == 0; }));
}
