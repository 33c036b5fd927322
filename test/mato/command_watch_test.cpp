// SPDX-License-Identifier: MIT
/// @file command_watch_test.cpp: which command runs, and how it ended, from the marks of any shell.
#include "tab/command_watch.hpp"

#include "support/catch.hpp"

#include <vector>

using mux::command_watch;
using kind = command_watch::change::kind;
using namespace std::chrono_literals;

namespace {

command_watch::time_point at(std::chrono::milliseconds since) { return command_watch::time_point(1h + since); }

/// A tab whose terminal gets bytes.
struct watched {
    mux::vt::terminal terminal;
    command_watch commands;

    std::vector<command_watch::change> feed(std::string_view bytes, std::chrono::milliseconds when) {
        terminal.feed(bytes);
        std::vector<command_watch::change> all;
        for (const mux::vt::event& each : terminal.take_events())
            if (each.kind == mux::vt::event_kind::mark)
                if (const auto change = commands.take(each, terminal, at(when))) all.push_back(*change);
        return all;
    }
};

} // namespace

TEST_CASE("a command is followed from its prompt to its end", "[commands]") {
    watched tab;
    auto all = tab.feed("\033]133;D\a\033]133;A\a$ \033]133;B\a", 0ms); // no command before the first prompt
    REQUIRE(all.size() == 1);
    CHECK(all[0].what == kind::prompt);
    CHECK(tab.commands.is_at_prompt());
    all = tab.feed("make -j4  \r\n\033]133;C\a", 100ms);
    REQUIRE(all.size() == 1);
    CHECK(all[0].what == kind::started);
    CHECK(tab.commands.command() == "make -j4");
    CHECK(tab.commands.is_running());
    CHECK(tab.commands.started() == at(100ms));
    all = tab.feed("error\r\n\033]133;D;2;aid=9\a\033]133;A\a$ ", 12'100ms);
    REQUIRE(all.size() == 2);
    CHECK(all[0].what == kind::finished);
    CHECK(all[0].exit_code == 2);
    CHECK(all[0].took == 12s);
    CHECK(all[1].what == kind::prompt);
    CHECK(tab.feed("\r\033]133;A\a$ ", 12'200ms).empty()); // drawn again
    CHECK_FALSE(tab.commands.is_running());
}

TEST_CASE("commands that come in one piece of output have their own texts", "[commands]") {
    watched tab;
    std::vector<std::string> texts;
    tab.terminal.feed("\033]133;A\a$ \033]133;B\aone\r\n\033]133;C\a\033]133;D;0\a"
                      "\033]133;A\a$ \033]133;B\atwo\r\n\033]133;C\aout\r\n\033]133;D;1\a");
    for (const mux::vt::event& each : tab.terminal.take_events())
        if (const auto change = tab.commands.take(each, tab.terminal, at(0ms)); change && change->what == kind::finished)
            texts.push_back(tab.commands.command());
    CHECK(texts == std::vector<std::string>{"one", "two"});
}

TEST_CASE("a shell need not mark all of it", "[commands]") {
    watched tab;
    CHECK(tab.feed("\033]133;C\a", 0ms).size() == 1);
    CHECK(tab.commands.command().empty());
    const auto all = tab.feed("\033]133;D\a", 1ms);
    REQUIRE(all.size() == 1);
    CHECK_FALSE(all[0].exit_code);
    for (const char* none : {"\033]133;D;5\a", "\033]133;X\a", "\033]133;\a", "\033]133;Dx\a", "\033]133;B\a"})
        CHECK(tab.feed(none, 2ms).empty());
    tab.feed("\033]133;C\a", 3ms);
    CHECK_FALSE(tab.feed("\033]133;D;-1\a", 4ms).at(0).exit_code);
}

TEST_CASE("a command's text is one printable line, and long ones are cut", "[commands]") {
    watched tab;
    tab.feed("\033]133;A\a$ \033]133;B\afor i in 1\r\n> do :\r\n> done\r\n\033]133;C\a", 0ms);
    CHECK(tab.commands.command() == "for i in 1");
    tab.feed("\033]133;A\a$ \033]133;B\aecho a\u202eb\r\n\033]133;C\a", 0ms);
    CHECK(tab.commands.command() == R"(echo a\xe2\x80\xaeb)");
    tab.feed("\033]133;A\a$ \033]133;B\a" + std::string(2'000, 'x') + "\r\n\033]133;C\a", 0ms);
    CHECK(tab.commands.command().size() <= command_watch::most_command);
    CHECK(tab.commands.command().starts_with("xxxx"));
    watched other;
    other.feed("\033]133;A\a$ \033]133;B\agone\033[H\033[2J\033]133;C\a", 0ms); // cleared in between
    CHECK(other.commands.command().empty());
}

TEST_CASE("a flood of marks is reported a hundred times a second at most, and its last state is known", "[commands]") {
    watched tab;
    std::size_t reported = 0;
    std::size_t all_changes = 0;
    for (int i = 0; i < 1'000; ++i)
        for (const auto& each : tab.feed("\033]133;A\a\033]133;C\a\033]133;D;0\a", 500ms)) {
            ++all_changes;
            reported += each.is_news ? 1 : 0;
        }
    CHECK(reported == command_watch::most_reported);
    CHECK(all_changes == 3'000); // those that wait for one learn of it
    tab.feed("\033]133;C\a", 700ms);
    CHECK(tab.commands.is_running());
    const auto all = tab.feed("\033]133;D;1\a", 2'000ms);
    REQUIRE(all.size() == 1);
    CHECK(all[0].took == 1'300ms);
}

TEST_CASE("after a death of the daemon's process the marks on the screen say what the shell does", "[commands]") {
    watched tab;
    const auto as_restored = [&](std::string_view bytes) {
        tab.terminal.feed(bytes);
        static_cast<void>(tab.terminal.take_events()); // the process before took them
        tab.commands.forget();
        tab.commands.restore(tab.terminal, at(0ms));
    };
    as_restored("no marks\r\n");
    CHECK_FALSE(tab.commands.is_known());
    as_restored("\033]133;A\a$ \033]133;B\amake");
    CHECK(tab.commands.is_at_prompt());
    as_restored("\r\n\033]133;C\aerror\r\n");
    CHECK(tab.commands.is_running());
    CHECK(tab.commands.command() == "make");
    CHECK(tab.feed("\033]133;D;2\a", 100ms).at(0).exit_code == 2);

    as_restored("\033]133;A\a$ \033]133;B\a\r\n\033]133;C\a");
    tab.commands.forget(); // the next process saw only its end
    const auto all = tab.feed("\033]133;D;3\a", 200ms);
    REQUIRE(all.size() == 1);
    CHECK(all[0].exit_code == 3);
    tab.commands.forget();
    CHECK(tab.feed("\r\n\033]133;D;4\a", 300ms).empty()); // of no command
}
