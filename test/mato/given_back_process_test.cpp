// SPDX-License-Identifier: MIT
// The user's terminal is restored, whatever ends and in any order, direct and relayed: settings, screen, cursor, modes, and a
// blocking description. MATO_TEST_ROUNDS: rounds of each; 2 when it is not set, 1 under a sanitizer.
#include "support/outer_terminal.hpp"
#include "support/replay_terminals.hpp"

#include <cstdlib>

using namespace support;

namespace {

int rounds() {
    const char* const wanted = std::getenv("MATO_TEST_ROUNDS");
    return wanted ? std::max(1, std::atoi(wanted)) : sanitized ? 1 : 2;
}

/// Sets every mode that it can, and then prints "up", or its text for ever.
std::string untidy(bool floods, const std::string& then = "exec cat") {
    const std::string modes = "stty -echo; printf '\\033[?1h\\033=\\033[?1003h\\033[?1006h\\033[?2004h\\033[?1004h\\033[?25l"
                              "\\033[?5h\\033[?6h\\033[3;9r\\033[3 q\\033]0;its title\\007\\033[31;44mup'; ";
    return modes + (floods ? "while :; do printf 'flood \\033[32m%s\\033[7m\\r\\n' 'and more'; done" : then);
}

std::size_t guardians(const mato_world& world) {
    const auto all = world.processes();
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [](pid_t each) { return contains(proc_file(each, "comm"), "ttyguard"); }));
}

/// The user's screen as a shell left it: the cursor below its text, in the last row, and in the middle of a line.
const std::vector<std::string>& screens() {
    static const auto all = [] {
        std::string full;
        for (int line = 1; line <= 40; ++line)
            full += "line " + std::to_string(line) + " \033[3" + std::to_string(line % 8) + "mof it\033[0m\r\n";
        std::string wide("one\r\n\r\n");
        for (int column = 0; column < 170; ++column) wide += static_cast<char>('a' + column % 26);
        return std::vector<std::string>{"$ seq 3\r\n1\r\n2\r\n3\r\n$ mato\r\n", full, wide};
    }();
    return all;
}

/// When no process is left that could write to the terminal: it shows what it did before the client, and then `last_line`.
void check_given_back(const mato_world& world, outer_terminal& viewer, const std::string& last_line = {}) {
    REQUIRE(wait_until([&] { return viewer.look(), guardians(world) == 0; }));
    viewer.look(); // the last output
    CHECK(viewer.client().now() == viewer.client().before());
    CHECK((::fcntl(viewer.client().slave(), F_GETFL) & O_NONBLOCK) == 0);
    CHECK_FALSE(viewer.screen().on_alternate());
    CHECK(viewer.screen().mouse() == VTERM_PROP_MOUSE_NONE);
    CHECK(viewer.screen().cursor_visible());
    CHECK_FALSE(viewer.screen().reversed());
    const std::string wanted = viewer.before() + (last_line.empty() ? last_line : last_line + "\r\n");
    vterm_screen expected(24, 80);
    expected.feed(wanted);
    CHECK(vterm_screen::difference(expected, viewer.screen()).empty());
    CHECK(viewer.screen().cursor().row == expected.cursor().row);
    CHECK(viewer.screen().cursor().col == expected.cursor().col);
    CHECK(viewer.screen().cursor_style() == expected.cursor_style());
    for (const auto& terminal : replay_terminals()) {
        INFO(terminal->name());
        const std::string now = terminal->facts_after(viewer.before() + viewer.client().shown());
        CHECK(now == terminal->facts_after(wanted));
    }
}

std::vector<std::string> attach_by(const std::string& path) {
    return path == "direct" ? std::vector<std::string>{"attach"} : std::vector<std::string>{"attach", "--relay"};
}

} // namespace

TEST_CASE("the terminal is restored after SIGKILL of client and daemon in any order, idle or flooding",
          "[mato][viewer][rounds]") {
    const std::string path = GENERATE("direct", "relayed");
    const std::string victims = GENERATE("client", "daemon", "client, daemon", "daemon, client");
    const bool floods = GENERATE(false, true);
    for (int round = 0; round < rounds(); ++round) {
        INFO(path << ", " << victims << (floods ? ", flooding" : "") << ", round " << round);
        mato_world world;
        world.must({"new", "-d", "--", untidy(floods)});
        outer_terminal viewer(world, attach_by(path));
        viewer.begin_with(screens()[static_cast<std::size_t>(round) % screens().size()]);
        REQUIRE(viewer.comes_to_show(floods ? "flood" : "up"));
        REQUIRE(contains(world.must({"clients"}), path));
        if (victims.starts_with("daemon")) world.kill_daemon();
        if (contains(victims, "client")) viewer.client().signal(SIGKILL);
        if (victims.ends_with(", daemon")) world.kill_daemon();
        const int code = viewer.client().wait();
        CHECK((victims == "daemon" ? code == 1 : code == -SIGKILL || (code == 1 && victims.starts_with("daemon"))));
        REQUIRE(wait_until([&] { return viewer.look(), guardians(world) == 0; }));
        viewer.look();
        // A client that is killed after its daemon may have told of the loss before.
        const bool told = contains(viewer.client().shown(), "[daemon lost]");
        CHECK((code == -SIGKILL || told));
        check_given_back(world, viewer, told ? "[daemon lost]" : "");
        world.must({"new", "-d", "--", "exec cat"}); // the next daemon removes what a killed one left
    }
}

TEST_CASE("while suspended, the terminal belongs to the shell; after resuming, it shows the tab again",
          "[mato][viewer][rounds]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    world.must({"new", "-d", "--", "stty -echo; printf '\\033[?1003hready'; exec cat"});
    outer_terminal viewer(world, attach_by(path));
    viewer.begin_with(screens()[1]);
    vterm_screen before(24, 80);
    before.feed(screens()[1]);
    std::string echoed;
    REQUIRE(viewer.comes_to_show("ready"));
    for (int round = 0; round < rounds(); ++round) {
        const std::string news = "while away " + std::to_string(round);
        INFO(path << ", round " << round);
        viewer.client().signal(SIGTSTP);
        REQUIRE(wait_until([&] { return process_state(viewer.client().pid()) == 'T'; }));
        viewer.look();
        CHECK(viewer.client().now() == viewer.client().before());
        CHECK((::fcntl(viewer.client().slave(), F_GETFL) & O_NONBLOCK) == 0);
        CHECK_FALSE(viewer.screen().on_alternate());
        CHECK(viewer.screen().mouse() == VTERM_PROP_MOUSE_NONE);
        CHECK(vterm_screen::difference(before, viewer.screen()).empty());
        CHECK(viewer.screen().cursor().row == before.cursor().row);
        CHECK(viewer.screen().cursor().col == before.cursor().col);
        const std::size_t shown = viewer.client().shown().size();
        world.must({"send", "1", news, "Enter"});
        world.must({"wait", "1", "--text", news});  // the daemon has processed it
        static_cast<void>(world.must({"clients"})); // and has finished another turn since then
        viewer.look();
        CHECK(viewer.client().shown().size() == shown); // the shell's screen is not overwritten
        viewer.type("for the shell\n");                 // input meanwhile is for the shell only
        pollfd typed{viewer.client().slave(), POLLIN, 0};
        static_cast<void>(world.must({"clients"}));
        REQUIRE(::poll(&typed, 1, 10'000) == 1);
        char line[64];
        CHECK(::read(viewer.client().slave(), line, sizeof line) == 14);
        echoed += "for the shell\r\n";
        before.feed("for the shell\r\n");
        viewer.client().signal(SIGCONT);
        REQUIRE(viewer.comes_to_show(news));
        CHECK_FALSE(contains(world.must({"capture", "1"}), "shell"));
        CHECK(viewer.screen().on_alternate());
        CHECK(viewer.comes_to_agree("1"));
        CHECK_FALSE(viewer.client().now() == viewer.client().before());
    }
    viewer.command('d');
    CHECK(viewer.client().wait() == 0);
    check_given_back(world, viewer, echoed + "[detached]");
}

TEST_CASE("screen and cursor are restored after every kind of ending", "[mato][viewer][rounds]") {
    const std::string path = GENERATE("direct", "relayed");
    const auto [end, last_line, code] = GENERATE(table<std::string, std::string, int>({{"detach key", "[detached]", 0},
                                                                                       {"detach", "[detached]", 0},
                                                                                       {"exit", "[exited 3]", 0},
                                                                                       {"kill", "[exited 129]", 0},
                                                                                       {"stop", "[daemon stopped]", 1},
                                                                                       {"SIGTERM", "[terminated]", 1},
                                                                                       {"raw", "[detached]", 0}}));
    const std::string& screen = GENERATE(from_range(screens()));
    INFO(path << ", " << end);
    mato_world world;
    world.configure("exit_empty = false\n"); // the daemon stays, and the viewer has no other tab to switch to
    if (end == "raw")
        world.must({"new", "-d", "--emulator", "raw", "--", untidy(false)});
    else
        world.must({"new", "-d", "--", end == "exit" ? untidy(false, "read line; exit 3") : untidy(end == "SIGTERM")});
    auto arguments = attach_by(path);
    arguments.push_back("1");
    outer_terminal viewer(world, arguments);
    viewer.begin_with(screen);
    REQUIRE(viewer.comes_to_show(end == "SIGTERM" ? "flood" : "up"));
    if (end == "detach key" || end == "raw") viewer.command('d');
    if (end == "detach") world.must({"detach"});
    if (end == "exit") viewer.type("\r");
    if (end == "kill") world.must({"kill", "1"});
    if (end == "stop") world.must({"stop"});
    if (end == "SIGTERM") viewer.client().signal(SIGTERM);
    CHECK(viewer.client().wait() == code);
    check_given_back(world, viewer, last_line);
}

TEST_CASE("the user's cursor style is restored if a program has changed it, and otherwise not touched",
          "[mato][viewer][rounds]") {
    const std::string path = GENERATE("direct", "relayed");
    const std::string end = GENERATE("detach", "client", "both");
    const bool changes = GENERATE(true, false);
    INFO(path << ", " << end << (changes ? ", changed" : ", not changed"));
    mato_world world;
    world.must({"new", "-d", "--", std::string("stty -echo; printf '") + (changes ? "\\033[3 q" : "") + "ready'; exec cat"});
    outer_terminal viewer(world, attach_by(path));
    viewer.begin_with(screens()[0] + "\033[6 q"); // a steady bar, as shells set it while editing
    REQUIRE(viewer.comes_to_show("ready"));
    viewer.type("typed\r"); // after the terminal's answers: they have been read when this is shown
    REQUIRE(viewer.comes_to_show("typed"));
    CHECK(viewer.screen().cursor_style() == (changes ? 3 : 6));
    if (end == "detach") viewer.command('d');
    if (end == "both") world.kill_daemon();
    if (end != "detach") viewer.client().signal(SIGKILL);
    const int code = viewer.client().wait();
    check_given_back(world, viewer, code == 0 ? "[detached]" : code == 1 ? "[daemon lost]" : "");
    CHECK(viewer.screen().cursor_style() == 6);
    if (!changes) CHECK_FALSE(contains(viewer.client().shown(), " q\033[?25h"));
    if (end == "both") world.must({"new", "-d", "--", "exec cat"}); // the next daemon removes what a killed one left
}

TEST_CASE("when a suspended client is killed, the terminal is left to its current owner", "[mato][viewer][rounds]") {
    const std::string path = GENERATE("direct", "relayed");
    for (int round = 0; round < rounds(); ++round) {
        INFO(path << ", round " << round);
        mato_world world;
        world.must({"new", "-d", "--", untidy(false)});
        outer_terminal viewer(world, attach_by(path));
        REQUIRE(viewer.comes_to_show("up"));
        viewer.client().signal(SIGTSTP);
        REQUIRE(wait_until([&] { return process_state(viewer.client().pid()) == 'T'; }));
        viewer.look();
        termios raw = viewer.client().now().value; // another program of the shell, with its own modes
        ::cfmakeraw(&raw);
        REQUIRE(::tcsetattr(viewer.client().slave(), TCSANOW, &raw) == 0);
        const terminal_settings theirs = viewer.client().now();
        const std::size_t shown = viewer.client().shown().size();
        viewer.client().signal(SIGKILL);
        CHECK(viewer.client().wait() == -SIGKILL);
        REQUIRE(wait_until([&] { return guardians(world) == 0; }));
        viewer.look();
        CHECK(viewer.client().now() == theirs);
        CHECK(viewer.client().shown().size() == shown);
    }
}

TEST_CASE("the outer terminal is closed: its client ends, the daemon releases it, the tab keeps running",
          "[mato][viewer][rounds]") {
    const std::string path = GENERATE("direct", "relayed");
    const bool floods = GENERATE(false, true);
    mato_world world;
    world.must({"new", "-d", "--", untidy(floods)});
    for (int round = 0; round < rounds(); ++round) {
        INFO(path << (floods ? ", flooding" : "") << ", round " << round);
        pty_client client(world, attach_by(path));
        REQUIRE(client.wait_for(floods ? "flood" : "up"));
        client.hang_up();
        CHECK(client.wait() == 1);
        CHECK(wait_until([&] { return guardians(world) == 0 && world.must({"clients"}).empty(); }));
        const auto open = descriptors_of(world.serving_pid());
        CHECK(std::none_of(open.begin(), open.end(), [](const std::string& each) {
            return contains(each, "(deleted)") && !each.starts_with("/memfd:");
        }));
        CHECK(contains(world.must({"ls"}), "running"));
    }
}
