// SPDX-License-Identifier: MIT
// The user's terminal is given back, whoever dies in whatever order, over both paths: settings, screen, modes, and a
// description that blocks. MATO_TEST_ROUNDS: rounds of each; 2 when it is not set, 1 under
// a sanitizer.
#include "support/outer_terminal.hpp"

#include <cstdlib>

using namespace support;

namespace {

int rounds() {
    const char* const wanted = std::getenv("MATO_TEST_ROUNDS");
    return wanted ? std::max(1, std::atoi(wanted)) : sanitized ? 1 : 2;
}

/// Leaves every mode on that it can, and then says "up", or what it says for ever.
std::string untidy(bool floods) {
    const std::string modes = "stty -echo; printf '\\033[?1h\\033=\\033[?1003h\\033[?1006h\\033[?2004h\\033[?1004h\\033[?25l"
                              "\\033[?5h\\033[31;44mup'; ";
    return modes + (floods ? "while :; do printf 'flood \\033[32m%s\\033[7m\\r\\n' 'and more'; done" : "exec cat");
}

std::size_t guardians(const mato_world& world) {
    const auto all = world.processes();
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [](pid_t each) { return contains(proc_file(each, "comm"), "ttyguard"); }));
}

/// Of the terminal once nobody is left who could write to it.
void check_given_back(const mato_world& world, outer_terminal& viewer) {
    REQUIRE(wait_until([&] { return viewer.look(), guardians(world) == 0; }));
    viewer.look(); // what came last
    CHECK(viewer.client().now() == viewer.client().before());
    CHECK((::fcntl(viewer.client().slave(), F_GETFL) & O_NONBLOCK) == 0);
    CHECK_FALSE(viewer.screen().on_alternate());
    CHECK(viewer.screen().mouse() == VTERM_PROP_MOUSE_NONE);
    CHECK(viewer.screen().cursor_visible());
    CHECK_FALSE(viewer.screen().reversed());
    CHECK(viewer.screen().at(9, 9).look == "any on default"); // what the shell had is there again: nothing
    const std::string& shown = viewer.client().shown();
    const std::string end = shown.substr(shown.rfind("\033[?1049l"));
    for (const char* mode : {"\033[?1l", "\033>", "\033[?1003l", "\033[?2004l", "\033[?1004l", "\033[?25h", "\033[?5l"}) {
        INFO(mode + 1);
        CHECK(contains(end, mode));
    }
}

std::vector<std::string> attach_by(const std::string& path) {
    return path == "direct" ? std::vector<std::string>{"attach"} : std::vector<std::string>{"attach", "--relay"};
}

} // namespace

TEST_CASE("the terminal is given back after SIGKILL of client and daemon in any order, quiet or flooding",
          "[mato][viewer][rounds]") {
    const std::string path = GENERATE("direct", "relayed");
    const std::string victims = GENERATE("client", "daemon", "client, daemon", "daemon, client");
    const bool floods = GENERATE(false, true);
    for (int round = 0; round < rounds(); ++round) {
        INFO(path << ", " << victims << (floods ? ", flooding" : "") << ", round " << round);
        mato_world world;
        world.must({"new", "-d", "--", untidy(floods)});
        outer_terminal viewer(world, attach_by(path));
        REQUIRE(viewer.comes_to_show(floods ? "flood" : "up"));
        REQUIRE(contains(world.must({"clients"}), path));
        const pid_t daemon = world.daemon_pid();
        if (victims.starts_with("daemon")) ::kill(daemon, SIGKILL);
        if (contains(victims, "client")) viewer.client().signal(SIGKILL);
        if (victims.ends_with(", daemon")) ::kill(daemon, SIGKILL);
        const int code = viewer.client().wait();
        CHECK((victims == "daemon" ? code == 1 : code == -SIGKILL || (code == 1 && victims.starts_with("daemon"))));
        check_given_back(world, viewer);
        world.must({"new", "-d", "--", "exec cat"}); // the next daemon clears up behind a killed one
    }
}

TEST_CASE("suspended, the terminal is the shell's; resumed, the tab is there again", "[mato][viewer][rounds]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    world.must({"new", "-d", "--", "stty -echo; printf '\\033[?1003hready'; exec cat"});
    outer_terminal viewer(world, attach_by(path));
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
        const std::size_t shown = viewer.client().shown().size();
        world.must({"send", "1", news, "Enter"});
        REQUIRE(world.must({"wait", "1", "--text", news}).empty()); // the daemon has it
        static_cast<void>(world.must({"clients"}));                 // and has turned once more since
        viewer.look();
        CHECK(viewer.client().shown().size() == shown); // it is not drawn over the shell
        viewer.type("for the shell\n");                 // typed meanwhile, it is the shell's alone
        pollfd typed{viewer.client().slave(), POLLIN, 0};
        static_cast<void>(world.must({"clients"}));
        REQUIRE(::poll(&typed, 1, 10'000) == 1);
        char line[64];
        CHECK(::read(viewer.client().slave(), line, sizeof line) == 14);
        viewer.client().signal(SIGCONT);
        REQUIRE(viewer.comes_to_show(news));
        CHECK_FALSE(contains(world.must({"capture", "1"}), "shell"));
        CHECK(viewer.screen().on_alternate());
        CHECK(viewer.comes_to_agree("1"));
        CHECK_FALSE(viewer.client().now() == viewer.client().before());
    }
    viewer.command('d');
    CHECK(viewer.client().wait() == 0);
    check_given_back(world, viewer);
}

TEST_CASE("a suspended client that is killed leaves the terminal to who has it by then", "[mato][viewer][rounds]") {
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
        termios raw = viewer.client().now().value; // another program of the shell's, with modes of its own
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

TEST_CASE("the outer terminal is closed: its client ends, the daemon lets go of it, the tab goes on",
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
        const auto open = descriptors_of(world.daemon_pid());
        CHECK(std::none_of(open.begin(), open.end(), [](const std::string& each) { return contains(each, "(deleted)"); }));
        CHECK(contains(world.must({"ls"}), "running"));
    }
}
