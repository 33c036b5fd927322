// SPDX-License-Identifier: MIT
/// @file tab_command_test.cpp: the command of a new tab, from the words of the request.
#include "daemon/tab_command.hpp"

#include "support/catch.hpp"

#include <string>
#include <vector>

using mux::command_of;
using mux::new_tab;
using words = std::vector<std::string>;

namespace {

new_tab asked(words argv) {
    new_tab wanted;
    wanted.argv = std::move(argv);
    wanted.cwd = "/somewhere";
    return wanted;
}

} // namespace

TEST_CASE("without words: a login shell", "[tab_command]") {
    const auto command = command_of(asked({}), "/bin/sh");
    CHECK(command.program.program == "/bin/sh");
    CHECK(command.program.argv == words{"-sh"});
    CHECK(command.program.directory == "/somewhere");
    CHECK(command.shown == "sh");
    CHECK(command.name == "sh");
}

TEST_CASE("one word is a line for the shell, unless a shell would only run it", "[tab_command]") {
    const auto line = command_of(asked({"cat *.txt | wc"}), "/bin/sh");
    CHECK(line.program.program == "/bin/sh");
    CHECK(line.program.argv == words{"sh", "-c", "cat *.txt | wc"});
    CHECK(line.shown == "cat *.txt | wc");
    CHECK(line.name == "cat");
    const auto path = command_of(asked({"/bin/cat"}), "/bin/sh");
    CHECK(path.program.program == "/bin/cat");
    CHECK(path.program.argv == words{"/bin/cat"});
    CHECK(path.shown == "/bin/cat");
}

TEST_CASE("several words are a program and its arguments, unchanged", "[tab_command]") {
    const auto command = command_of(asked({"printf", "%s|", "a  b", "$HOME"}), "/bin/sh");
    CHECK(command.program.program == "printf");
    CHECK(command.program.argv == words{"printf", "%s|", "a  b", "$HOME"});
    CHECK(command.shown == "printf %s| a  b $HOME");
    CHECK(command.name == "printf");
}

TEST_CASE("a given name is kept; a long line is shown in part and run completely", "[tab_command]") {
    new_tab wanted = asked({"echo", std::string(1000, 'x')});
    wanted.name = "mine";
    const auto command = command_of(wanted, "/bin/sh");
    CHECK(command.name == "mine");
    CHECK(command.shown.size() == mux::most_shown_bytes);
    CHECK(command.program.argv[1].size() == 1000);
}

TEST_CASE("a terminal without a size gets the default size", "[tab_command]") {
    new_tab wanted = asked({});
    wanted.view.size = {43, 132};
    CHECK(command_of(wanted, "/bin/sh").program.size == mux::terminal_size{{43, 132}, {}});
    for (const mux::vt::screen_size none : {mux::vt::screen_size{43, 0}, mux::vt::screen_size{0, 132}}) {
        wanted.view.size = none;
        CHECK(command_of(wanted, "/bin/sh").program.size == mux::terminal_size{});
    }
}
