// SPDX-License-Identifier: MIT
// Looking back, copying and pasting in a user's terminal; libvterm shows what the terminal shows.
#include "support/catch.hpp"
#include "support/mato_world.hpp"
#include "support/outer_terminal.hpp"
#include "vt/image_size.hpp"

#include <functional>
#include <string>
#include <vector>

using namespace support;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> attach(const std::string& path) {
    std::vector<std::string> words{"attach", "1"};
    if (path == "relayed") words.emplace_back("--relay");
    return words;
}

/// A row of the terminal without trailing blanks.
std::string row_of(const outer_terminal& terminal, int row) {
    std::string all = terminal.screen().text();
    for (; row > 0; --row) all.erase(0, all.find('\n') + 1);
    all.resize(std::min(all.find('\n'), all.size()));
    return all.substr(0, all.find_last_not_of(' ') + 1);
}

bool comes_to_be(outer_terminal& terminal, int row, const std::function<bool(const std::string&)>& wanted) {
    const bool shown = wait_until([&] { return terminal.look(), wanted(row_of(terminal, row)); });
    INFO("row " << row << " is \"" << row_of(terminal, row) << "\" on\n" << terminal.screen().text());
    CHECK(shown);
    return shown;
}

bool row_is(outer_terminal& terminal, int row, const std::string& text) {
    return comes_to_be(terminal, row, [&](const std::string& shown) { return shown == text; });
}

bool row_begins(outer_terminal& terminal, int row, const std::string& text) {
    return comes_to_be(terminal, row, [&](const std::string& shown) { return shown.starts_with(text); });
}

/// What the last OSC 52 put into the terminal's clipboard.
std::string clipboard_of(outer_terminal& terminal) {
    const std::string begin = "\033]52;c;";
    const auto received = [&] {
        terminal.look();
        const std::string_view all = terminal.client().shown();
        const auto at = all.rfind(begin);
        return at != std::string_view::npos && all.find('\033', at + 1) != std::string_view::npos;
    };
    CHECK(wait_until(received));
    const std::string_view all = terminal.client().shown();
    const auto at = all.rfind(begin) + begin.size();
    return mux::vt::decode_base64(all.substr(at, all.find('\033', at) - at), 1u << 20);
}

const std::string lines_then_wait = "seq 1 200; printf ready; stty -echo; exec cat > /dev/null";

} // namespace

TEST_CASE("a look back stands still while a flood goes on, through a resize, and tells of evicted lines", "[mato][look]") {
    const std::string path = GENERATE("direct", "relayed");
    CAPTURE(path);
    mato_world world;
    world.configure("history_lines = 500\n");
    world.must(
        {"new", "-d", "--", "seq 1 400; read -r x; seq 1001 1090; echo more; read -r x; seq 2001 9000; echo end; exec cat"});
    outer_terminal terminal(world, attach(path));
    REQUIRE(terminal.comes_to_show("400"));
    terminal.command('[');
    CHECK(row_begins(terminal, 23, " history  "));
    terminal.type("g");
    CHECK(row_is(terminal, 0, "1"));
    terminal.type(std::string(99, 'j') + "H");
    CHECK(row_begins(terminal, 23, " history  300/"));
    CHECK(row_is(terminal, 0, "78"));
    CHECK(row_is(terminal, 22, "100"));

    world.must({"send", "1", "Enter"});
    REQUIRE(world.run({"wait", "1", "--text", "more"}).exit_code == 0);
    CHECK(row_begins(terminal, 23, " history  39"));
    CHECK(row_is(terminal, 0, "78"));
    CHECK(row_is(terminal, 22, "100"));

    terminal.resize(60, 15);
    CHECK(row_begins(terminal, 14, " history  "));
    CHECK(row_is(terminal, 0, "78"));
    CHECK(row_is(terminal, 13, "91"));
    terminal.resize(20, 5);
    CHECK(row_begins(terminal, 4, " history"));
    CHECK(row_is(terminal, 0, "78"));
    terminal.resize(80, 24);
    CHECK(row_is(terminal, 0, "78"));
    CHECK(row_is(terminal, 22, "100"));

    world.must({"send", "1", "Enter"});
    REQUIRE(world.run({"wait", "1", "--text", "end"}).exit_code == 0);
    CHECK(comes_to_be(terminal, 23, [](const std::string& text) { return contains(text, "the oldest lines were dropped"); }));
    terminal.type("\033");
    CHECK(terminal.comes_to_agree("1"));
    terminal.command('d');
    CHECK(terminal.client().wait() == 0);
}

TEST_CASE("what a look back copies is what capture prints, in the clipboard and in the paste buffer", "[mato][look]") {
    const std::string path = GENERATE("direct", "relayed");
    CAPTURE(path);
    mato_world world;
    world.must({"new", "-d", "-x", "30", "-y", "10", "--",
                "printf 'first   \\nthis line is longer than thirty columns, so it wraps\\n\\346\\274\\242\\345\\255\\227 "
                "e\\314\\201\\n'; "
                "stty raw -echo; printf 'ready'; printf '\\033[?2004h'; exec cat -v"});
    outer_terminal terminal(world, attach(path), 30, 10);
    REQUIRE(terminal.comes_to_show("ready"));
    terminal.command(']');
    CHECK(row_begins(terminal, 9, " nothing was copied"));
    terminal.command('[');
    CHECK(row_begins(terminal, 9, " history  0/0"));
    terminal.type("gvG$y");
    CHECK(row_begins(terminal, 9, " copied 4 lines"));
    std::string expected = world.must({"capture", "-J", "1"});
    expected.resize(expected.find_last_not_of('\n') + 1);
    CHECK(clipboard_of(terminal) == expected);
    terminal.type("gwvey"); // the second line's first word
    CHECK(row_begins(terminal, 9, " copied 1 line"));
    CHECK(clipboard_of(terminal) == "this");
    terminal.type("gVy"); // a whole line
    CHECK(wait_until([&] { return clipboard_of(terminal) == "first\n"; }));
    terminal.type("q");
    terminal.command(']');
    CHECK(terminal.comes_to_show("ready^[[200~first^M^[[201~"));
    CHECK(terminal.comes_to_agree("1"));
    terminal.command('d');
    CHECK(terminal.client().wait() == 0);
}

TEST_CASE("a read-only client looks back and copies, but pastes nothing; other clients see nothing of it", "[mato][look]") {
    mato_world world;
    world.must({"new", "-d", "--", lines_then_wait});
    outer_terminal other(world, {"attach", "1"});
    REQUIRE(other.comes_to_show("ready"));
    outer_terminal terminal(world, {"attach", "-r", "1"});
    REQUIRE(terminal.comes_to_show("ready"));
    terminal.command('[');
    terminal.type("gVy");
    CHECK(clipboard_of(terminal) == "1\n");
    CHECK(row_is(terminal, 0, "1"));
    terminal.command(']');
    CHECK(row_begins(terminal, 23, " this client is read-only"));
    CHECK(other.comes_to_agree("1"));
    other.command(']');
    CHECK(row_begins(other, 23, " nothing was copied"));
    for (outer_terminal* each : {&terminal, &other}) {
        each->command('d');
        CHECK(each->client().wait() == 0);
    }
}

TEST_CASE("a paste goes into a tab without bracketed paste as typed, and into one without emulator", "[mato][look]") {
    mato_world world;
    world.must({"new", "-d", "--", "echo two words; stty raw -echo; printf ready; exec cat -v"});
    world.must({"new", "-d", "--emulator", "raw", "--", "stty raw -echo; printf second; exec cat -v"});
    outer_terminal terminal(world, {"attach", "1"});
    REQUIRE(terminal.comes_to_show("ready"));
    terminal.command('[');
    terminal.type("gVy");
    CHECK(clipboard_of(terminal) == "two words\n");
    terminal.command(']'); // also ends the look back
    CHECK(terminal.comes_to_show("readytwo words^M"));
    terminal.command('n');
    REQUIRE(terminal.comes_to_show("second"));
    terminal.command('['); // there is no history: nothing opens
    terminal.command(']');
    CHECK(terminal.comes_to_show("secondtwo words^M"));
    terminal.command('d');
    CHECK(terminal.client().wait() == 0);
}
