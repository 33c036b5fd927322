// SPDX-License-Identifier: MIT
// The bar in a user's terminal: when it is there, what it says, and that it costs the tab nothing but its row.
#include "support/catch.hpp"
#include "support/daemon_worker.hpp"
#include "support/mato_world.hpp"
#include "support/pty_client.hpp"
#include "vt/terminal.hpp"
#include "vt/text_line.hpp"

#include <string>

using namespace support;
using namespace std::chrono_literals;

namespace {

const std::string prefix = "\x1c";

/// A row of a terminal of 80x24 that got all the client's output, without trailing blanks.
std::string row_of(const pty_client& client, int row) {
    mux::vt::terminal_options options;
    options.size = {24, 80};
    mux::vt::terminal terminal(options);
    terminal.feed(client.shown());
    mux::vt::text_line line;
    terminal.read_row(row, line);
    return line.text.substr(0, line.text.find_last_not_of(' ') + 1);
}

bool comes_to_show(pty_client& client, int row, const std::function<bool(const std::string&)>& wanted) {
    const bool shown = wait_until([&] {
        static_cast<void>(client.wait_for_bytes(1, 20ms));
        return wanted(row_of(client, row));
    });
    INFO("row " << row << ": " << row_of(client, row));
    CHECK(shown);
    return shown;
}

bool bar_is(pty_client& client, const std::string& begin) {
    return comes_to_show(client, 23, [&](const std::string& text) { return text.starts_with(begin); });
}

bool has_size(const mato_world& world, const std::string& size) {
    return wait_until([&] { return contains(world.must({"ls"}), size); });
}

} // namespace

TEST_CASE("the bar is there while there are several tabs, and its row belongs to the tab otherwise", "[mato][bar]") {
    const std::string path = GENERATE("direct", "relayed");
    CAPTURE(path);
    mato_world world;
    world.configure("[bar]\nshow = \"auto\"\n");
    world.must({"new", "-d", "-t", "web", "-n", "shell", "--", "printf ready; exec cat"});
    std::vector<std::string> words{"attach", "1"};
    if (path == "relayed") words.push_back("--relay");
    pty_client client(world, words);
    REQUIRE(client.wait_for("ready"));
    CHECK(row_of(client, 23).empty());
    CHECK(has_size(world, "80x24"));

    world.must(
        {"new", "-d", "-t", "web", "-n", "tests", "--", "read -r x; echo done; read -r x; printf '\\a'; read -r x; exit 4"});
    CHECK(bar_is(client, " web  1 shell  2 tests  +"));
    CHECK(has_size(world, "80x23"));
    world.must({"send", "2", "Enter"});
    CHECK(bar_is(client, " web  1 shell  2 tests ●  +"));
    world.must({"send", "2", "Enter"});
    CHECK(bar_is(client, " web  1 shell  2 tests !  +"));
    world.must({"rename", "2", "checks"});
    CHECK(bar_is(client, " web  1 shell  2 checks !  +"));

    client.type(prefix + "n");
    CHECK(comes_to_show(client, 0, [](const std::string& text) { return text.empty() || text == "done"; }));
    CHECK(bar_is(client, " web  1 shell  2 checks  +")); // seen
    client.type(prefix + "b");
    CHECK(comes_to_show(client, 23, [](const std::string& text) { return text.empty(); }));
    CHECK(has_size(world, "80x24"));
    client.type(prefix + "b");
    CHECK(bar_is(client, " web  1 shell  2 checks  +"));
    world.must({"kill", "2"});
    CHECK(comes_to_show(client, 23, [](const std::string& text) { return text.empty(); }));
    CHECK(has_size(world, "80x24"));
    client.type(prefix + "d");
    CHECK(client.wait() == 0);
}

TEST_CASE("a bar that its user has removed or shown, and a name that was typed, are the same after the daemon's death",
          "[mato][bar][survive]") {
    const std::string path = GENERATE("direct", "relayed"), shown = GENERATE("auto", "never");
    CAPTURE(path, shown);
    mato_world world;
    world.configure("[bar]\nshow = \"" + shown + "\"\n");
    for (const char* name : {"shell", "tests"})
        world.must({"new", "-d", "-t", "web", "-n", name, "--", "printf ready; exec cat"});
    std::vector<std::string> words{"attach", "1"};
    if (path == "relayed") words.push_back("--relay");
    pty_client client(world, words), other(world, {"attach", "2"});
    REQUIRE(client.wait_for("ready"));
    REQUIRE(other.wait_for("ready"));
    const bool is_auto = shown == "auto";
    const auto is_empty = [](const std::string& text) { return text.empty(); };
    client.type(prefix + "b");
    CHECK((is_auto ? comes_to_show(client, 23, is_empty) : bar_is(client, " web  1 shell  2 tests")));
    const std::string size = is_auto ? "80x24" : "80x23";
    CHECK(has_size(world, size));
    client.type(prefix + ",");
    CHECK(bar_is(client, " name of this tab  shell"));
    client.type("\x15zsh\r");
    REQUIRE(wait_until([&] { return world.run({"has", "web/zsh"}).exit_code == 0; }));
    for (int round = 0; round < 2; ++round) {
        const std::size_t before = client.shown().size();
        kill_worker(world.daemon_pid());
        REQUIRE(wait_until([&] {
            static_cast<void>(client.wait_for_bytes(1, 20ms));
            return contains(client.shown().substr(before), "ready");
        }));
        CHECK((is_auto ? comes_to_show(client, 23, is_empty) : bar_is(client, " web  1 zsh  2 tests")));
        CHECK(has_size(world, size));
        CHECK(world.run({"has", "web/zsh"}).exit_code == 0);
    }
    CHECK((is_auto ? bar_is(other, " web  1 zsh  2 tests") : comes_to_show(other, 23, is_empty))); // as configured
    for (pty_client* const each : {&client, &other}) {
        each->type(prefix + "d");
        CHECK(each->wait() == 0);
    }
}

TEST_CASE("other tasks are in the bar when they have something to say, and an ended tab says so", "[mato][bar]") {
    mato_world world;
    world.configure("remain_on_exit = \"failed\"\n[bar]\nshow = \"always\"\n");
    world.must({"new", "-d", "-t", "web", "-n", "shell", "--", "printf ready; exec cat"});
    world.must({"new", "-d", "-t", "ops", "-n", "logs", "--", "read -r x; exit 3"});
    pty_client client(world, {"attach", "1"});
    REQUIRE(client.wait_for("ready"));
    CHECK(bar_is(client, " web  1 shell  +"));
    world.must({"send", "2", "Enter"});
    CHECK(comes_to_show(client, 23, [](const std::string& text) { return text.ends_with("ops ✗1  C-\\ ?"); }));
    client.type(prefix + "N");
    CHECK(bar_is(client, " ops  1 logs  +"));
    client.type(prefix + "\t");
    CHECK(bar_is(client, " web  1 shell  +"));
    client.type(prefix + "d");
    CHECK(client.wait() == 0);
}

TEST_CASE("a click on the bar is mato's, one above it the program's", "[mato][bar]") {
    mato_world world;
    world.configure("[bar]\nshow = \"always\"\n");
    const std::string mouse = "stty raw -echo; printf '\\033[?1000h\\033[?1006hready'; exec cat -v";
    world.must({"new", "-d", "-t", "web", "-n", "one", "--", mouse});
    world.must({"new", "-d", "-t", "web", "-n", "two", "--", "printf second; exec cat"});
    pty_client client(world, {"attach", "1"});
    REQUIRE(client.wait_for("ready"));
    CHECK(bar_is(client, " web  1 one  2 two ●  +"));
    client.type("\033[<0;3;4M\033[<0;3;4m");
    CHECK(client.wait_for("^[[<0;3;4M^[[<0;3;4m"));
    client.type("\033[<0;14;24M\033[<0;14;24m"); // on "2 two"
    CHECK(client.wait_for("second"));
    CHECK_FALSE(contains(client.shown(), ";24M"));
    client.type(prefix + "d");
    CHECK(client.wait() == 0);
}

TEST_CASE("the middle button on a tab closes it, the right one offers what can be done", "[mato][bar]") {
    mato_world world;
    world.configure("[bar]\nshow = \"always\"\n");
    world.must(
        {"new", "-d", "-t", "web", "-n", "one", "--", "stty raw -echo; printf '\\033[?1000h\\033[?1006hready'; exec cat -v"});
    world.must({"new", "-d", "-t", "web", "-n", "two", "--", "exec cat"});
    world.must({"new", "-d", "-t", "web", "-n", "six", "--", "exec cat"});
    pty_client client(world, {"attach", "1"});
    REQUIRE(client.wait_for("ready"));
    CHECK(bar_is(client, " web  1 one  2 two  3 six  +"));
    client.type("\033[<2;14;24M\033[<2;14;24m"); // on "2 two"
    CHECK(bar_is(client, " this tab  g go  n name  m move  r run again  x close"));
    client.type("n");
    CHECK(bar_is(client, " name of this tab  two"));
    client.type("\x15ten\r");
    CHECK(bar_is(client, " web  1 one  2 ten  3 six  +"));
    client.type("\033[<1;14;24M\033[<1;14;24m");
    CHECK(bar_is(client, " close tab ten? its program runs"));
    client.type("y");
    CHECK(bar_is(client, " web  1 one  2 six  +"));
    client.type("\033[<1;2;24M\033[<1;2;24m"); // on the task: nothing
    client.type("\033[<1;8;24M\033[<1;8;24m"); // on the shown tab
    CHECK(bar_is(client, " close tab one? its program runs"));
    client.type("y");
    CHECK(bar_is(client, " web  1 six  +"));
}

TEST_CASE("with a bar a key's echo is one byte, and the bar is not sent again", "[mato][bar]") {
    mato_world world;
    world.configure("[bar]\nshow = \"always\"\n");
    world.must({"new", "-d", "--", "stty raw -echo; printf ready; exec cat"});
    pty_client client(world, {"attach", "1"});
    REQUIRE(client.wait_for("ready"));
    REQUIRE(comes_to_show(client, 23, [](const std::string& text) { return text.ends_with("C-\\ ?"); }));
    while (client.wait_for_bytes(1, 500ms)) {
    }
    const std::size_t before = client.shown().size();
    for (int i = 0; i < 10; ++i) {
        client.type("k");
        REQUIRE(client.wait_for_bytes(1));
    }
    static_cast<void>(client.wait_for_bytes(1, 300ms));
    const std::string sent = client.shown().substr(before);
    CHECK((sent == "kkkkkkkkkk" || sent == "\033[mkkkkkkkkkk")); // the first one ends the bar's style
    client.type(prefix + "d");
    CHECK(client.wait() == 0);
}
