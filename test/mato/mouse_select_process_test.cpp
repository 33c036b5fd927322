// SPDX-License-Identifier: MIT
// Selecting with the mouse in a user's terminal: what is copied and marked, who gets keys, and programs that use the mouse.
#include "support/outer_terminal.hpp"

#include "view/clipboard.hpp"

using namespace support;
using namespace std::chrono_literals;

namespace {

const std::string prefix = "\x1c";
const std::string selecting = "mouse = \"select\"\n";

/// A report of the left button, at 0-based cells.
std::string report(int code, int row, int column, char final = 'M') {
    return "\033[<" + std::to_string(code) + ";" + std::to_string(column + 1) + ";" + std::to_string(row + 1) + final;
}
std::string press(int row, int column, int code = 0) { return report(code, row, column); }
std::string drag(int row, int column) { return report(32, row, column); }
std::string release(int row, int column) { return report(0, row, column, 'm'); }

void open_text(const mato_world& world) {
    world.must(
        {"new", "-d", "-n", "text", "--", "stty -echo; seq -f 'line %g' 50; printf 'see src/cart.cpp now\\n'; exec cat"});
    REQUIRE(wait_until([&] { return contains(world.must({"capture", "text"}), "now"); }));
}

} // namespace

TEST_CASE("a drag copies what it marks, and the next key is the program's", "[mato][mouse]") {
    const std::string path = GENERATE("direct", "relayed", "read-only");
    CAPTURE(path);
    mato_world world;
    world.configure(selecting);
    open_text(world);
    std::vector<std::string> words{"attach", "text"};
    if (path == "relayed") words.push_back("--relay");
    if (path == "read-only") words.insert(words.begin() + 1, "-r");
    outer_terminal user(world, words);
    REQUIRE(user.comes_to_agree("text"));
    CHECK(contains(user.client().shown(), "\033[?1002h"));
    user.type(press(0, 0) + drag(1, 2) + drag(1, 3) + release(1, 3)); // the screen begins with "line 29"
    CHECK(user.client().wait_for(mux::set_clipboard("line 29\nline")));
    CHECK(user.comes_to_show("copied 2 lines"));
    user.type("k\n");
    CHECK(user.comes_to_agree("text"));
    CHECK(contains(world.must({"capture", "text"}), "\nk\n") == (path != "read-only"));
}

TEST_CASE("clicks select words and lines, Alt a block, and the middle button pastes", "[mato][mouse]") {
    mato_world world;
    world.configure(selecting);
    open_text(world);
    outer_terminal user(world, {"attach", "text"});
    REQUIRE(user.comes_to_agree("text"));
    const std::string click = press(22, 6) + release(22, 6); // "see src/cart.cpp now"
    user.type(click + click);
    CHECK(user.client().wait_for(mux::set_clipboard("src/cart.cpp")));
    user.type(click);
    CHECK(user.client().wait_for(mux::set_clipboard("see src/cart.cpp now\n")));
    user.type(press(20, 5, 8) + report(40, 21, 6) + report(8, 21, 6, 'm'));
    CHECK(user.client().wait_for(mux::set_clipboard("49\n50")));
    user.type(press(3, 3) + release(3, 3)); // a click ends the mark
    REQUIRE(user.comes_to_agree("text"));
    user.type(press(3, 3, 1) + report(1, 3, 3, 'm') + "\n");
    CHECK(user.comes_to_show("50\n"));
    CHECK(wait_until([&] { return contains(world.must({"capture", "text"}), "now\n49\n50\n"); }));
}

TEST_CASE("the marked text stands still in a flood, scrolls past the edge, and stays through a resize", "[mato][mouse]") {
    mato_world world;
    world.configure(selecting);
    open_text(world);
    outer_terminal user(world, {"attach", "text"});
    REQUIRE(user.comes_to_agree("text"));
    user.type(press(5, 0) + drag(4, 0));
    REQUIRE(user.comes_to_show("line 29")); // the first row
    world.must({"send", "-l", "text", [] {
                    std::string flood;
                    for (int i = 0; i < 500; ++i) flood += "more " + std::to_string(i) + "\n";
                    return flood;
                }()});
    REQUIRE(wait_until([&] { return contains(world.must({"capture", "text"}), "more 499"); }));
    user.look();
    CHECK(contains(user.screen().text(), "line 29"));
    user.type(drag(0, 0) + drag(0, 0) + drag(0, 0) + release(0, 0));
    CHECK(user.comes_to_show("line 26"));
    CHECK(user.client().wait_for(
        mux::set_clipboard("line 26\nline 27\nline 28\nline 29\nline 30\nline 31\nline 32\nline 33\nl")));
    user.resize(60, 12);
    CHECK(user.comes_to_show("line 26"));
    user.type("\n");
    CHECK(user.comes_to_agree("text"));
}

TEST_CASE("a program that uses the mouse gets it, and the bar is mato's", "[mato][mouse]") {
    mato_world world;
    world.configure(selecting + "[bar]\nshow = \"always\"\n");
    world.must(
        {"new", "-d", "-t", "web", "-n", "mouse", "--", "stty raw -echo; printf '\\033[?1002h\\033[?1006hready'; exec cat -v"});
    world.must({"new", "-d", "-t", "web", "-n", "plain", "--", "stty -echo; printf 'some text'; exec cat"});
    outer_terminal user(world, {"attach", "mouse"});
    REQUIRE(user.comes_to_show("ready"));
    user.type(press(0, 0) + drag(0, 3) + release(0, 3));
    CHECK(user.comes_to_show("^[[<0;1;1M^[[<32;4;1M^[[<0;4;1m"));
    user.type(press(23, 18) + release(23, 18)); // on the second tab
    REQUIRE(user.comes_to_show("some text"));
    user.type(press(0, 5) + drag(0, 6) + drag(23, 8) + release(23, 8)); // the drag that leaves the text is no click on the bar
    CHECK(user.client().wait_for(mux::set_clipboard("text")));
    CHECK(user.comes_to_show("copied 1 line"));
    CHECK(wait_until([&] { return user.look(), contains(user.screen().text(), " web  1 mouse"); })); // again, with the mark
}
