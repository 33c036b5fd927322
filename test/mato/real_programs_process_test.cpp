// SPDX-License-Identifier: MIT
// Real programs in a tab: typed at, resized, detached from and attached to again at other sizes. The viewer's terminal, judged
// by libvterm, shows the same as the tab, cell by cell: text, style and cursor. Packages: example/install_packages.sh test.
#include "support/outer_terminal.hpp"

using namespace support;

namespace {

const std::string prefix = "\x1c"; // C-backslash
const std::string escape = "\033", enter = "\r", down = "\033[B", right = "\033[C", page_up = "\033[5~", page_down = "\033[6~";

std::string ctrl(char letter, int times = 1) {
    return std::string(static_cast<std::size_t>(times), static_cast<char>(letter & 0x1f));
}

struct step {
    std::string keys;
    std::string shows; ///< on the viewer's screen, in time
};

struct program {
    std::string name;
    std::string command; ///< for `sh -c`
    std::string begins;  ///< shown at its start
    std::vector<step> steps;
    std::string leave; ///< keys that end it
};

void require_installed(const std::string& name) {
    for (const char* directory : {"/usr/local/bin/", "/usr/bin/", "/bin/"})
        if (::access((directory + name).c_str(), X_OK) == 0) return;
    FAIL(name << " is not installed: sh example/install_packages.sh test");
}

/// Forty screens of numbered lines, some with tabs, long ones, and characters of two columns.
std::string text_to_read() {
    std::string text;
    for (int i = 1; i <= 1000; ++i) {
        text += "line " + std::to_string(i);
        if (i % 3 == 0) text += "\tafter a tab";
        if (i % 7 == 0) text += " 日本語 é ─┼─";
        if (i % 11 == 0) text += " " + std::string(150, static_cast<char>('a' + i % 26));
        if (i == 500) text += " needle";
        text += "\n";
    }
    return text;
}

bool has_size(const mato_world& world, const std::string& size) {
    return wait_until([&] { return contains(world.must({"ls"}), size); });
}

void detach(outer_terminal& viewer) {
    viewer.type(prefix + "d");
    CHECK(viewer.client().wait() == 0);
    viewer.look();
    CHECK_FALSE(viewer.screen().on_alternate());
    CHECK(viewer.client().now() == viewer.client().before());
}

void drive(const program& each) {
    require_installed(each.name);
    mato_world world;
    write_file(world.home() / "text", text_to_read());
    world.configure("shell = \"/bin/sh\"\n");
    {
        outer_terminal viewer(world, {"new", "--", each.command});
        REQUIRE(viewer.comes_to_show(each.begins));
        CHECK(viewer.comes_to_agree("1"));
        outer_terminal corner(world, {"attach", "-r", "--ignore-size", "1"}, 40, 10); // shows the part with the cursor
        for (const step& next : each.steps) {
            INFO("keys " << Catch::Detail::stringify(next.keys));
            viewer.type(next.keys);
            REQUIRE(viewer.comes_to_show(next.shows));
            CHECK(viewer.comes_to_agree("1"));
            CHECK(corner.comes_to_agree("1"));
        }
        for (const auto& [columns, rows] : {std::pair{100, 30}, {61, 15}, {80, 24}}) {
            INFO("at " << columns << "x" << rows);
            viewer.resize(columns, rows);
            REQUIRE(has_size(world, std::to_string(columns) + "x" + std::to_string(rows)));
            CHECK(viewer.comes_to_agree("1"));
            CHECK(corner.comes_to_agree("1"));
        }
        detach(corner);
        detach(viewer);
    }
    outer_terminal again(world, {"attach", "--relay", "1"}, 90, 28);
    REQUIRE(has_size(world, "90x28"));
    CHECK(again.comes_to_agree("1"));
    again.type(each.leave);
    CHECK(again.client().wait() == 0);
    CHECK(again.client().last_line() == "[exited 0]");
    CHECK(again.client().now() == again.client().before());
}

} // namespace

TEST_CASE("bash: a prompt, a line longer than the screen, history and search", "[mato][viewer][programs]") {
    drive({.name = "bash",
           .command = "PS1='> ' exec bash --norc --noprofile -i",
           .begins = ">",
           .steps = {{"printf '\\033[7;35mlook %s\\033[m\\n' one\r", "look one"},
                     {"echo " + std::string(200, 'x') + ctrl('A') + "printf y; " + ctrl('E') + "z", "xxz"},
                     {ctrl('U') + "cat text\r", "line 1000"},
                     {ctrl('R') + "printf", "reverse-i-search"},
                     {ctrl('C') + "clear\r", ">"},
                     {"echo 日本\b\bé\r", "\né\n"}},
           .leave = ctrl('U') + "exit 0\r"});
}

TEST_CASE("vim: editing, splits, scrolling, search and undo", "[mato][viewer][programs]") {
    drive({.name = "vim",
           .command = "exec vim -u NONE -N -n -i NONE text",
           .begins = "line 1",
           .steps = {{":syntax on | set number hlsearch ruler incsearch\r", "  1 line 1"},
                     {"ggOhello 日本" + escape, "hello"},
                     {":500\r", "needle"},
                     {ctrl('F', 2) + ctrl('D') + ctrl('E', 2) + ctrl('Y'), "line 55"},
                     {"/needle\r", "needle"},
                     {":vsplit\r:split\r", "501,10"},
                     {ctrl('W') + ctrl('W') + "Gdddd", "line 998"},
                     {"uu:only\r", "line 1000"},
                     {"gg" + std::string("dG"), "--No lines in buffer--"},
                     {"u", "line 3"}},
           .leave = escape + ":qa!\r"});
}

TEST_CASE("nano: typing, cutting, scrolling and search", "[mato][viewer][programs]") {
    drive({.name = "nano",
           .command = "exec nano --ignorercfiles text",
           .begins = "line 1",
           .steps = {{"hello nano 日本\r", "hello nano"},
                     {ctrl('V', 3), "line 60"},
                     {ctrl('K', 3) + ctrl('U'), "line 60"},
                     {ctrl('W') + "needle\r", "needle"},
                     {ctrl('G'), "Main nano help text"},
                     {ctrl('X'), "needle"}},
           .leave = ctrl('X') + "n"});
}

TEST_CASE("less: pages, search, long lines, both ends", "[mato][viewer][programs]") {
    drive({.name = "less",
           .command = "exec less text",
           .begins = "line 1\n",
           .steps = {{" ", "line 30"},
                     {"/needle\r", "needle"},
                     {"kkkk", "line 496\n"},
                     {"G", "line 1000"},
                     {"bb", "line 950"},
                     {"-S\r", "line 950"},
                     {"g", "line 1\n"},
                     {down + down + right, ":"},
                     {"h", "SUMMARY OF LESS COMMANDS"},
                     {"q", "text"}},
           .leave = "q"});
}

TEST_CASE("htop: meters, help, the tree and a menu", "[mato][viewer][programs]") {
    drive({.name = "htop",
           .command = "exec htop -d 100", // refreshes every ten seconds
           .begins = "PID",
           .steps = {{escape + "OP", "Memory bar:"}, {" ", "F1"}, {"t", "F1"}, {escape + "[17~", "Sort by"}, {enter, "F1"}},
           .leave = "q"});
}

TEST_CASE("mc: panels, line drawing, help, the viewer and a dialogue", "[mato][viewer][programs]") {
    drive({.name = "mc",
           .command = "exec mc -u -X $HOME /usr",
           .begins = "Quit",
           .steps = {{"typed", "# typed"}, // it drops input from before it begins to read
                     {std::string(5, '\x7f') + escape + "OP", "main help screen"},
                     {escape + "[21~", "Modify time"},
                     {escape + "OB" + escape + "OB" + escape + "OB", "│ text  "},
                     {escape + "OR", "line 1"},
                     {page_down, "line 30"},
                     {escape + "[21~", "Modify time"},
                     {escape + "[18~", "Create a new Directory"},
                     {"made" + enter, "/made"}},
           .leave = escape + "[21~" + enter});
}

TEST_CASE("tmux in a tab: splits, copy mode and a second window", "[mato][viewer][programs]") {
    drive({.name = "tmux",
           .command =
               "export TMUX_TMPDIR=$HOME; exec tmux -f /dev/null -L inner new-session 'exec sh' ';' set -g assume-paste-time 0",
           .begins = "$",
           .steps = {{ctrl('B') + "%", "│"},
                     {"cat text\r", "line 1000"},
                     {ctrl('B') + "\"", "─"},
                     {ctrl('B') + "[" + page_up, "[0/"},
                     {"q", "line 1000"},
                     {ctrl('B') + "c", "1:sh*"},
                     {ctrl('B') + "?", "Split window"},
                     {"q", "1:sh*"},
                     {ctrl('B') + "p", "line 1000"}},
           .leave = "tmux kill-session\r"});
}

TEST_CASE("python's prompt: a block, a long line, an error, history", "[mato][viewer][programs]") {
    drive({.name = "python3",
           .command = "exec python3 -q -I",
           .begins = ">>>",
           .steps = {{"def f(x):\r  return x * 3\r\r", ">>>\n"},
                     {"f('ab日本')\r", "'ab日本ab日本ab日本'"},
                     {"f('" + std::string(120, 'q') + "')\r", "qq'\n"},
                     {"1/0\r", "ZeroDivisionError"},
                     {ctrl('P', 2), ">>> f("},
                     {ctrl('C'), "KeyboardInterrupt"}},
           .leave = ctrl('D')});
}

TEST_CASE("vttest: cursor movements, screen features, the VT102's insertions and deletions", "[mato][viewer][programs]") {
    require_installed("vttest");
    mato_world world;
    outer_terminal viewer(world, {"new", "--", "exec vttest"});
    const std::string menu = "Enter choice number";
    REQUIRE(viewer.comes_to_show(menu));
    for (const char* choice : {"1", "2", "8"}) {
        INFO("menu " << choice);
        std::string before = viewer.screen().text();
        viewer.type(choice + enter);
        int pages = 0;
        for (;; ++pages) {
            REQUIRE(wait_until([&] {
                viewer.look();
                const std::string now = viewer.screen().text();
                return now != before && (contains(now, "<RETURN>") || contains(now, menu));
            }));
            REQUIRE(viewer.comes_to_agree("1"));
            before = viewer.screen().text();
            if (contains(before, menu)) break;
            viewer.type(enter);
        }
        CHECK(pages > 4);
    }
    outer_terminal again(world, {"attach", "--relay", "1"}, 90, 28);
    CHECK(again.comes_to_agree("1"));
    again.type("0" + enter);
    CHECK(again.client().wait() == 0);
    CHECK(again.client().last_line() == "[exited 0]");
}
