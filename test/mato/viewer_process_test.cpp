// SPDX-License-Identifier: MIT
// What a viewer's terminal shows and how it is restored, direct and relayed. Another emulator, which gets every byte of the
// terminal, judges its screen; `capture` tells what the tab shows.
#include "support/pty_client.hpp"

#include "vt/terminal.hpp"

using namespace support;

namespace {

namespace vt = mux::vt;

const std::string prefix = "\x1c"; // C-backslash

/// The rows of a screen, without trailing blanks.
std::string text_of(const vt::terminal& terminal) {
    std::string text;
    vt::text_line line;
    for (int r = 0; r < terminal.size().rows; ++r) {
        terminal.read_row(r, line);
        while (!line.text.empty() && line.text.back() == ' ') line.text.pop_back();
        text += line.text + "\n";
    }
    return text;
}

std::string shown_on(const pty_client& client, int columns, int rows) {
    vt::terminal_options options;
    options.size = {rows, columns};
    vt::terminal terminal(options);
    terminal.feed(client.shown());
    return text_of(terminal);
}

/// Whether the viewer's terminal shows in time what the tab shows.
bool comes_to_show_the_tab(const mato_world& world, pty_client& client, const std::string& tab, int columns, int rows) {
    std::string want, got;
    const bool equal = wait_until([&] {
        static_cast<void>(client.wait_for_bytes(1, 20ms));
        want = world.must({"capture", tab});
        got = shown_on(client, columns, rows);
        return want == got;
    });
    INFO("the tab:\n" << want << "the viewer:\n" << got);
    CHECK(equal);
    return equal;
}

/// Whether the first row of a viewer of 80x24 becomes this in time.
bool comes_to_begin_with(pty_client& client, const std::string& text) {
    return wait_until([&] {
        static_cast<void>(client.wait_for_bytes(1, 20ms));
        return shown_on(client, 80, 24).starts_with(text);
    });
}

std::vector<std::string> attach_by(const std::string& path, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"attach"};
    if (path == "relayed") words.push_back("--relay");
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

} // namespace

TEST_CASE("an attached viewer sees the current screen: colours, wide characters, alternate screen, any size",
          "[mato][viewer]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    const std::string script =
        "stty -echo; for i in $(seq 1 60); do printf '\\033[3%dmline %d 日本 é\\033[m\\r\\n' $((i % 8)) $i; done;"
        "printf '\\033[5;10Hplaced\\033[20;3H'; exec cat";
    world.must({"new", "-d", "-x", "80", "-y", "24", "--", script});
    world.must({"wait", "1", "--text", "placed"});
    for (const auto& size : {std::pair{80, 24}, {100, 30}, {60, 20}, {120, 40}}) {
        const int columns = size.first, rows = size.second;
        pty_client client(world, attach_by(path),
                          {.columns = static_cast<unsigned short>(columns), .rows = static_cast<unsigned short>(rows)});
        REQUIRE(client.wait_for("line"));
        REQUIRE(wait_until([&] { return contains(world.must({"ls"}), std::to_string(columns) + "x" + std::to_string(rows)); }));
        comes_to_show_the_tab(world, client, "1", columns, rows);
        world.must({"send", "1", "-l", "\033[?1049h\033[2J\033[Hfull screen\n"});
        comes_to_show_the_tab(world, client, "1", columns, rows);
        world.must({"send", "1", "-l", "\033[?1049l\n"});
        comes_to_show_the_tab(world, client, "1", columns, rows);
        client.type(prefix + "d");
        CHECK(client.wait() == 0);
    }
}

TEST_CASE("a flood ends with the correct screen for a viewer that was read and one that was stalled", "[mato][viewer]") {
    mato_world world;
    world.must({"new", "-d", "-x", "80", "-y", "24", "--",
                "stty -echo; printf ready; read -r go; seq 1 200000; printf done; exec cat"});
    pty_client live(world, attach_by("direct")), stalled(world, attach_by("direct")), relayed(world, attach_by("relayed"));
    for (pty_client* each : {&live, &stalled, &relayed}) REQUIRE(each->wait_for("ready"));
    live.type("\r"); // the second one is not read meanwhile
    REQUIRE(live.wait_for("done"));
    comes_to_show_the_tab(world, live, "1", 80, 24);
    comes_to_show_the_tab(world, relayed, "1", 80, 24);
    comes_to_show_the_tab(world, stalled, "1", 80, 24);
    CHECK(stalled.shown().size() < 400'000); // the kernel's buffer and one frame: no backlog
}

TEST_CASE("keys after the prefix open a tab and switch tabs", "[mato][viewer]") {
    mato_world world;
    pty_client client(world, {"new", "--", "printf 'first tab'; exec cat"});
    REQUIRE(client.wait_for("first tab"));
    client.type(prefix + "c");
    REQUIRE(wait_until([&] { return count_of(world.must({"ls"}), "running") == 2; }));
    world.must({"new", "-d", "-t", "Task 1", "--", "printf 'third tab'; exec cat"});
    client.type(prefix + "n");
    CHECK(client.wait_for("third tab"));
    client.type(prefix + "n");
    CHECK(client.wait_for("first tab"));
    client.type(prefix + "p");
    CHECK(client.wait_for("third tab"));
    client.type(prefix + "1");
    CHECK(client.wait_for("first tab"));
    client.type(prefix + "9"); // there is none
    CHECK(client.wait_for("no tab "));
    for (int place = 4; place <= 10; ++place) {
        std::string text = "printf 'in place ";
        world.must({"new", "-d", "-t", "Task 1", "--", text + std::to_string(place) + ".'; exec cat"});
    }
    client.type(prefix + "0"); // the tenth
    CHECK(client.wait_for("in place 10."));
    client.type(prefix + "9");
    CHECK(client.wait_for("in place 9."));
    client.type(prefix + "n");
    CHECK(client.wait_for("in place 10."));
    client.type(prefix + "n"); // from the last to the first
    CHECK(client.wait_for("first tab"));
    client.type(prefix + "p");
    CHECK(client.wait_for("in place 10."));
    client.type(prefix + "d");
    CHECK(client.wait() == 0);
}

TEST_CASE("title and bell reach the viewers, and an unseen bell is listed", "[mato][viewer]") {
    mato_world world;
    world.must({"new", "-d", "--", "printf ready; read -r x; printf '\\033]2;a title\\007\\007'; exec cat"});
    pty_client client(world, attach_by("direct"));
    REQUIRE(client.wait_for("ready"));
    client.type("\r");
    CHECK(client.wait_for("\033]2;a title\033\\"));
    CHECK(wait_until([&] {
        static_cast<void>(client.wait_for_bytes(1, 20ms));
        return count_of(client.shown(), "\a") == 1;
    }));
    CHECK(contains(world.must({"ls", "--json"}), R"("title": "a title")"));
    CHECK(contains(world.must({"ls", "--json"}), R"("bell": false)"));
    client.type(prefix + "d");
    CHECK(client.wait() == 0);
    world.must({"send", "1", "-l", "\a\n"});
    CHECK(wait_until([&] { return contains(world.must({"ls", "--json"}), R"("bell": true)"); }));
}

TEST_CASE("capture, resize and wait", "[mato][viewer]") {
    mato_world world;
    world.must({"new", "-d", "-x", "40", "-y", "5", "--",
                "stty -echo; for i in $(seq 1 20); do echo row $i; done; printf '\\033[1;31mred\\033[m'; read -r x; exit 7"});
    world.must({"wait", "1", "--text", "^red$"});
    CHECK(world.must({"capture", "1"}) == "row 17\nrow 18\nrow 19\nrow 20\nred\n");
    CHECK(world.must({"capture", "1", "-S", "2"}) == "row 15\nrow 16\nrow 17\nrow 18\nrow 19\nrow 20\nred\n");
    CHECK(contains(world.must({"capture", "1", "--ansi"}), "\033[1;31mred\033[m\n"));
    CHECK(contains(world.must({"capture", "1", "--json"}), R"("cursor": {"row": 4, "column": 3, "visible": true})"));
    world.must({"resize", "1", "30x4"});
    CHECK(wait_until([&] { return contains(world.must({"ls"}), "30x4"); }));
    CHECK(world.run({"resize", "1", "30"}).exit_code == 64);
    CHECK(world.run({"wait", "1"}).exit_code == 64);
    CHECK(world.run({"wait", "1", "--text", "("}).exit_code == 64);
    CHECK(world.run({"wait", "1", "--text", "not there", "--timeout", "200ms"}).exit_code == 124);
    CHECK(world.run({"wait", "1", "--idle", "300ms"}).exit_code == 0);
    pty_client waiter(world, {"wait", "1", "--exit"});
    REQUIRE(wait_until([&] { return count_of(world.must({"clients", "--json"}), "\"pid\"") == 1; })); // not the command itself
    world.must({"send", "1", "Enter"});
    CHECK(waiter.wait() == 7);
}

TEST_CASE("capture -J prints a wrapped line as one line", "[mato][viewer]") {
    mato_world world;
    const std::string url = "https://example.org/" + std::string(30, 'a'), full(20, 'b');
    world.must({"new", "-d", "-x", "20", "-y", "4", "--",
                "stty -echo; printf '" + url + "\\n" + full + "\\nc\\n" + url + "\\nend'; read -r x"});
    world.must({"wait", "1", "--text", "^end$"});
    CHECK(world.must({"capture", "1", "-J", "-S", "100"}) == url + "\n" + full + "\nc\n" + url + "\nend\n");
    CHECK(world.must({"capture", "1", "-S", "100"}) == url.substr(0, 20) + "\n" + url.substr(20, 20) + "\n" + url.substr(40) +
                                                           "\n" + full + "\nc\n" + url.substr(0, 20) + "\n" +
                                                           url.substr(20, 20) + "\n" + url.substr(40) + "\nend\n");
    CHECK(contains(world.must({"capture", "1", "-J", "--ansi"}), url));
    CHECK(contains(world.must({"capture", "1", "-J", "--json"}), url));
    CHECK(contains(world.must({"control"}, {.input = "capture 1 -J\n"}), url));
    world.must({"resize", "1", "26x4"});
    REQUIRE(wait_until([&] { return contains(world.must({"ls"}), "26x4"); }));
    CHECK(contains(world.must({"capture", "1", "-J", "-S", "100"}), url + "\n" + full + "\nc\n" + url + "\nend\n"));
}

TEST_CASE("a click on a terminal smaller than the tab hits the visible cell", "[mato][viewer]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    pty_client large(world,
                     {"new", "--", "stty raw -echo; printf '\\033[?1000h\\033[?1006h\\033[20;70H'; printf here; exec cat -v"});
    REQUIRE(large.wait_for("here"));
    pty_client corner(world, attach_by(path, {"--ignore-size"}), {.columns = 20, .rows = 5});
    REQUIRE(corner.wait_for("here"));
    // The cursor is in row 20, column 74: the last of 5 rows and 20 columns, so the first are 16 and 55.
    corner.type("\033[<0;3;2M");
    world.must({"wait", "1", "--text", R"(\^\[\[<0;57;17M)"});
}

TEST_CASE("wheel reports reach no program without a mouse mode, wherever a read splits them", "[mato][viewer]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    world.configure("mouse = \"wheel\"\n");
    world.must({"new", "-d", "--", "stty raw -echo; printf ready; exec cat -v"});
    pty_client client(world, attach_by(path));
    REQUIRE(client.wait_for("ready"));
    for (std::size_t round = 0; round < 22; ++round) { // a report has 11 bytes: reads of 4095 split it at every byte
        client.type(std::string(round, 'x'));
        for (int i = 0; i < 1000; ++i) client.type("\033[<64;10;5M");
        const std::string end = "end" + std::to_string(round);
        client.type(end);
        REQUIRE(client.wait_for(end));
    }
    CHECK_FALSE(contains(world.must({"capture", "1", "-S", "100"}), "^["));
}

TEST_CASE("the mouse belongs to the terminal until the program uses it, or the wheel is chosen", "[mato][viewer]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    world.must({"new", "-d", "--",
                "stty raw -echo; printf ready; read -r x; printf '\\033[?1002h[one]'; read -r x; printf '\\033[?1002l[two]';"
                " read -r x; printf '[three]'; exec sleep 600"});
    pty_client client(world, attach_by(path));
    REQUIRE(client.wait_for("ready"));
    const auto reporting = [&] { return count_of(client.shown(), "\033[?1000h") + count_of(client.shown(), "\033[?1002h"); };
    CHECK(reporting() == 0);
    client.type("\n");
    REQUIRE(client.wait_for("[one]"));
    CHECK(reporting() == 1);
    const std::size_t before = client.shown().size();
    client.type("\n");
    REQUIRE(client.wait_for("[two]"));
    CHECK(contains(client.shown().substr(before), "\033[?1002l"));
    world.configure("mouse = \"wheel\"\n");
    world.must({"reload"});
    CHECK(client.wait_for("\033[?1000h"));
    world.configure("mouse = \"off\"\n");
    world.must({"reload"});
    CHECK(client.wait_for("\033[?1000l"));
}

TEST_CASE("scrolling the history changes nothing for the program and the other viewers", "[mato][viewer]") {
    mato_world world;
    world.must(
        {"new", "-d", "-x", "80", "-y", "24", "--",
         "trap 'echo resized' WINCH; stty -echo; seq 1000; printf ready; while :; do read -r x && echo got \"$x\"; done"});
    world.must({"wait", "1", "--text", "ready"});
    pty_client reader(world, attach_by("direct")), other(world, attach_by("relayed"));
    REQUIRE(reader.wait_for("ready"));
    REQUIRE(other.wait_for("ready"));
    const std::string before = world.must({"capture", "1"});
    const std::size_t shown = other.shown().size();
    reader.type("\033[5;2~\033[5;2~"); // Shift-PageUp
    REQUIRE(comes_to_begin_with(reader, "932"));
    reader.type("\033[<64;1;1M"); // the wheel, backwards
    REQUIRE(comes_to_begin_with(reader, "929"));
    static_cast<void>(other.wait_for_bytes(1, 100ms));
    CHECK(other.shown().size() == shown);
    CHECK(world.must({"capture", "1"}) == before); // not resized, nothing typed
    reader.type("x\n");                            // back at the bottom, and passed on
    REQUIRE(reader.wait_for("got x"));
    CHECK(other.wait_for("got x"));
    reader.type("y\n");
    REQUIRE(reader.wait_for("got y"));
    CHECK_FALSE(contains(world.must({"capture", "1"}), "resized"));
}

TEST_CASE("a window dragged through fifty sizes costs the program few signals, and it has the last size", "[mato][viewer]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    const char* const counting = "import os, signal, sys\n"
                                 "times = 0\n"
                                 "def count(*_):\n"
                                 "    global times; times += 1\n"
                                 "signal.signal(signal.SIGWINCH, count)\n"
                                 "print('ready', flush=True)\n"
                                 "for line in sys.stdin: print(times, 'times', *os.get_terminal_size(), flush=True)\n";
    world.must({"new", "-d", "--", "python3", "-c", counting});
    pty_client client(world, attach_by(path));
    REQUIRE(client.wait_for("ready"));
    const stopwatch watch;
    for (unsigned short columns = 60; columns < 110; ++columns) {
        client.resize(columns, 31);
        const std::string size = std::to_string(columns) + "x31";
        REQUIRE(wait_until([&] { return contains(world.must({"ls"}), size); })); // the daemon knows each
    }
    const auto took = watch.elapsed();
    std::string screen;
    REQUIRE(wait_until([&] {
        world.must({"send", "1", "Enter"});
        screen = world.must({"capture", "1"});
        return contains(screen, "times 109 31");
    }));
    const auto at = screen.find(" times 109 31");
    const int times = std::atoi(screen.c_str() + screen.rfind('\n', at) + 1);
    CHECK(times >= 1);
    CHECK(times <= 3 + took / 50ms); // at most one in fifty milliseconds
}

TEST_CASE("a synchronised update that a program never ends is shown anyway", "[mato][viewer]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    world.must({"new", "-d", "--", "stty -echo; printf ready; read -r x; printf '\\033[?2026hheld back'; exec cat"});
    pty_client client(world, attach_by(path));
    REQUIRE(client.wait_for("ready"));
    client.type("\n");
    CHECK(client.wait_for("held back"));
}

TEST_CASE("every viewer's terminal rings once for each bell", "[mato][viewer]") {
    mato_world world;
    world.must({"new", "-d", "--", "stty -echo; printf ready; while read -r x; do printf \"\\007$x\"; done"});
    pty_client first(world, attach_by("direct")), second(world, attach_by("relayed")),
        third(world, attach_by("direct", {"-r"}));
    for (pty_client* each : {&first, &second, &third}) REQUIRE(each->wait_for("ready"));
    for (const char* word : {"alpha", "bravo", "gamma"}) {
        first.type(std::string(word) + "\n");
        for (pty_client* each : {&first, &second, &third}) REQUIRE(each->wait_for(word));
    }
    for (pty_client* each : {&first, &second, &third}) CHECK(count_of(each->shown(), "\a") == 3);
}

TEST_CASE("a client has one connection, whatever is typed, and an idle one causes no wake-ups", "[mato][viewer]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    world.must({"new", "-d", "--", "stty raw -echo; printf ready; exec cat -u"});
    pty_client client(world, attach_by(path));
    REQUIRE(client.wait_for("ready"));
    REQUIRE(wait_until([&] { return world.connected() == 1; }));
    for (char key = 'a'; key <= 'z'; ++key) {
        client.type(std::string(1, key));
        REQUIRE(client.wait_for(std::string(1, key)));
        CHECK(world.connected() == 1);
    }
    client.resize(90, 30);
    client.type("\033[5;2~"); // scrolled, and back
    const auto wakeups = [&] {
        std::string all;
        for (const pid_t each : {world.daemon_pid(), world.serving_pid(), client.pid()}) {
            const std::string status = proc_file(each, "status");
            all += status.substr(status.find("voluntary_ctxt"));
        }
        return all;
    };
    std::string before;
    CHECK(wait_until([&] { // an occasional wake-up would show in some second
        before = wakeups();
        static_cast<void>(client.wait_for_bytes(1, 1s));
        return wakeups() == before;
    }));
}

TEST_CASE("queries of a program are answered with no viewer, and once with several", "[mato][viewer]") {
    mato_world world;
    world.must({"new", "-d", "--", "stty raw -echo; printf '\\033[6n'; exec cat -v"});
    world.must({"wait", "1", "--text", R"(\^\[\[1;1R)"});
    pty_client first(world, attach_by("direct")), second(world, attach_by("relayed"));
    REQUIRE(first.wait_for("1;1R"));
    REQUIRE(second.wait_for("1;1R"));
    world.must({"send", "1", "-l", "marked"});
    REQUIRE(first.wait_for("marked"));
    CHECK(count_of(world.must({"capture", "1"}), "R") == 1);
}

TEST_CASE("terminals of one cell, two by two, and twenty by five cells are drawn on and restored", "[mato][viewer]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    world.must({"new", "-d", "--", "seq 100; printf '日本ready'; exec cat"});
    for (const auto& size : {std::pair{1, 1}, {2, 2}, {20, 5}}) {
        const int columns = size.first, rows = size.second;
        INFO(columns << "x" << rows);
        pty_client client(world, attach_by(path),
                          {.columns = static_cast<unsigned short>(columns), .rows = static_cast<unsigned short>(rows)});
        REQUIRE(wait_until([&] { return contains(world.must({"ls"}), std::to_string(columns) + "x" + std::to_string(rows)); }));
        comes_to_show_the_tab(world, client, "1", columns, rows);
        client.type(prefix + "?");
        client.type("q");
        comes_to_show_the_tab(world, client, "1", columns, rows);
        client.type(prefix + "d");
        CHECK(client.wait() == 0);
    }
}

TEST_CASE("Escape alone, before a key, and twice: each as typed, without a delay", "[mato][viewer]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    world.must({"new", "-d", "--", "stty raw -echo; printf ready; exec cat -v"});
    pty_client client(world, attach_by(path));
    REQUIRE(client.wait_for("ready"));
    client.type("\033");
    REQUIRE(client.wait_for("^[")); // before anything follows it
    client.type("\033b");
    REQUIRE(client.wait_for("^[b"));
    client.type("\033\033");
    REQUIRE(client.wait_for("^[^["));
    client.type("\033OA\033[1;5C\033[200~pasted\033[201~\033[15~");
    REQUIRE(client.wait_for("^[OA^[[1;5Cpasted^[[15~")); // 2004 is off: the paste is not marked
}

TEST_CASE("a program that has set mode 2048 is told each new size of its terminal", "[mato][process]") {
    mato_world world;
    const std::string id = world.open_tab({"stty raw -echo; printf '\\033[?2048h'; exec cat -v"});
    const auto shows = [&](const std::string& text) {
        return world.run({"wait", id, "--text", text, "--timeout", "20s"}).exit_code == 0;
    };
    CHECK(shows("48;24;80;"));
    world.must({"resize", id, "100x30"});
    CHECK(shows("48;30;100;"));
}

TEST_CASE("the terminal's title names tab and task while the program sets none", "[mato][viewer]") {
    mato_world world;
    world.must({"new", "-d", "-t", "web", "-n", "shell", "--",
                "printf ready; read -r x; printf '\\033]2;own\\007'; read -r x; printf '\\033]2;\\007'; exec cat"});
    world.must({"new", "-d", "-t", "web", "-n", "other", "--", "exec cat"});
    pty_client client(world, {"attach", "shell"});
    CHECK(client.wait_for("\033]2;shell · web\033\\"));
    REQUIRE(client.wait_for("ready"));
    client.type("\n");
    CHECK(client.wait_for("\033]2;own\033\\"));
    client.type("\n");
    CHECK(client.wait_for("\033]2;shell · web\033\\"));
    world.must({"rename", "shell", "main"});
    CHECK(client.wait_for("\033]2;main · web\033\\"));
    client.type("\x1cn");
    CHECK(client.wait_for("\033]2;other · web\033\\"));
    client.type("\x1c"
                "d");
    CHECK(client.wait_for("\033[23;0t")); // the user's own
}
