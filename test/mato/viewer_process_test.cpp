// SPDX-License-Identifier: MIT
// What a viewer's terminal shows and how it is given back, over both paths. The judge of a screen is another emulator, fed with
// every byte the terminal got; what the tab shows is asked with `capture`.
#include "support/pty_client.hpp"

#include "vt/terminal.hpp"

using namespace support;

namespace {

namespace vt = mato::vt;

const std::string prefix = "\x1c"; // C-backslash

/// The rows of a screen, without blanks at their ends.
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

/// Whether the viewer's terminal comes to show what the tab shows.
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

std::vector<std::string> attach_by(const std::string& path, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"attach"};
    if (path == "relayed") words.push_back("--relay");
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

} // namespace

TEST_CASE("whoever attaches sees the screen as it is: colours, wide characters, alternate screen, any size", "[mato][viewer]") {
    const std::string path = GENERATE("direct", "relayed");
    mato_world world;
    const std::string script =
        "stty -echo; for i in $(seq 1 60); do printf '\\033[3%dmline %d 日本 é\\033[m\\r\\n' $((i % 8)) $i; done;"
        "printf '\\033[5;10Hplaced\\033[20;3H'; exec cat";
    world.must({"new", "-d", "-x", "80", "-y", "24", "--", script});
    REQUIRE(world.must({"wait", "1", "--text", "placed"}).empty());
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

TEST_CASE("a flood ends with the right screen for a viewer that looked and one that was stalled", "[mato][viewer]") {
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
    CHECK(stalled.shown().size() < 400'000); // what the kernel's buffer held, and one frame: no backlog
}

TEST_CASE("keys after the prefix open a tab and move between tabs", "[mato][viewer]") {
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
    client.type(prefix + "9"); // none there
    CHECK(client.wait_for("\a"));
    client.type(prefix + "d");
    CHECK(client.wait() == 0);
}

TEST_CASE("title and bell reach the viewers, and a bell nobody heard is listed", "[mato][viewer]") {
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
    REQUIRE(world.must({"wait", "1", "--text", "^red$"}).empty());
    CHECK(world.must({"capture", "1"}) == "row 17\nrow 18\nrow 19\nrow 20\nred\n");
    CHECK(world.must({"capture", "1", "-S", "2"}) == "row 15\nrow 16\nrow 17\nrow 18\nrow 19\nrow 20\nred\n");
    CHECK(contains(world.must({"capture", "1", "--ansi"}), "\033[1;31mred\033[m\n"));
    CHECK(contains(world.must({"capture", "1", "--json"}), R"("cursor": {"row": 4, "column": 3, "visible": true})"));
    world.must({"resize", "1", "30x4"});
    CHECK(wait_until([&] { return contains(world.must({"ls"}), "30x4"); }));
    CHECK(world.run({"resize", "1", "30"}).exit_code == 64);
    CHECK(world.run({"wait", "1"}).exit_code == 64);
    CHECK(world.run({"wait", "1", "--text", "("}).exit_code == 64);
    CHECK(world.run({"wait", "1", "--text", "not there", "--timeout", "200ms"}).exit_code == 1);
    CHECK(world.run({"wait", "1", "--idle", "300ms"}).exit_code == 0);
    pty_client waiter(world, {"wait", "1", "--exit"});
    REQUIRE(wait_until([&] { return count_of(world.must({"clients", "--json"}), "\"pid\"") == 2; })); // it and the asker
    world.must({"send", "1", "Enter"});
    CHECK(waiter.wait() == 7);
}
