// SPDX-License-Identifier: MIT
// The lines of a terminal from a place on, in parts: compared with what was written to it.
#include "daemon/text_reading.hpp"

#include "support/catch.hpp"

#include <random>
#include <string>
#include <vector>

using namespace mux;

namespace {

vt::terminal terminal_of(vt::screen_size size, std::size_t history_lines = 100'000) {
    vt::terminal_options options;
    options.size = size;
    options.limits.history.lines = history_lines;
    return vt::terminal(options);
}

struct answer {
    text_read read;
    std::string problem;
};

answer ask(const vt::terminal& screen, text_begin from, std::uint64_t line = 0, std::uint64_t column = 0) {
    answer result;
    result.read = text_from(screen, {{}, from, line, column}, result.problem);
    return result;
}

/// All parts.
std::string all_of(const vt::terminal& screen, text_begin from, std::uint64_t line = 0, std::uint64_t column = 0) {
    std::string text;
    for (text_begin begin = from;;) {
        const answer part = ask(screen, begin, line, column);
        REQUIRE(part.problem.empty());
        text += part.read.text;
        if (part.read.next == 0) return text;
        CHECK(text.ends_with('\n'));
        CHECK(part.read.text.size() >= read_bytes);
        begin = text_begin::place, line = part.read.next, column = 0;
    }
}

} // namespace

TEST_CASE("lines are read as they were written, at any width", "[mato][read]") {
    std::mt19937 random(7);
    for (const int columns : {1, 7, 80, 300}) {
        CAPTURE(columns);
        vt::terminal screen = terminal_of({10, columns});
        std::string written;
        for (int i = 0; i < 200; ++i) {
            std::string line = std::to_string(i) + ":";
            for (std::size_t n = random() % 200; n > 0; --n) line += static_cast<char>('a' + random() % 26);
            written += line + "\n";
            screen.feed(line + "\r\n");
        }
        CHECK(all_of(screen, text_begin::oldest) == written);
        CHECK(all_of(screen, text_begin::place, 150) == written.substr(written.find("\n150:") + 1));
        CHECK(all_of(screen, text_begin::place, 150, 4) == written.substr(written.find("\n150:") + 5));
        CHECK(all_of(screen, text_begin::last, 1).empty()); // the line of the cursor
        CHECK(all_of(screen, text_begin::last, 3) == written.substr(written.find("\n198:") + 1));
        CHECK(all_of(screen, text_begin::last, 1'000'000) == written);
        screen.resize({12, 33});
        CHECK(all_of(screen, text_begin::oldest) == written);
    }
}

TEST_CASE("a long text comes in parts that join exactly", "[mato][read]") {
    vt::terminal screen = terminal_of({24, 80});
    std::string written;
    for (int i = 0; i < 20'000; ++i) written += "line " + std::to_string(i) + " of a text that needs several parts\n";
    std::string fed;
    for (const char c : written) fed += c == '\n' ? std::string("\r\n") : std::string(1, c);
    screen.feed(fed);
    CHECK(all_of(screen, text_begin::oldest) == written);
}

TEST_CASE("the cursor's place is where the next text is written", "[mato][read]") {
    vt::terminal screen = terminal_of({5, 20});
    screen.feed("first\r\nprompt>  ");
    const answer before = ask(screen, text_begin::cursor);
    CHECK(before.read.text.empty());
    CHECK(before.read.cursor_line == 1);
    CHECK(before.read.cursor_column == 9);
    screen.feed("typed\r\nanswer\r\n" + std::string("more\r\n") + "and more\r\nend"); // the screen scrolls
    CHECK(all_of(screen, text_begin::mark, before.read.cursor_line, before.read.cursor_column) ==
          "typed\nanswer\nmore\nand more\nend");
    CHECK(ask(screen, text_begin::screen).read.line == 1);
}

TEST_CASE("columns are bytes: wide characters and combining marks", "[mato][read]") {
    vt::terminal screen = terminal_of({5, 20});
    screen.feed("漢字e\u0301 ");
    const answer at = ask(screen, text_begin::cursor);
    CHECK(at.read.cursor_column == std::string("漢字e\u0301 ").size());
    screen.feed("x");
    CHECK(all_of(screen, text_begin::mark, 0, at.read.cursor_column) == "x");
}

TEST_CASE("marks that are gone, do not exist yet, or were there before the screen was cleared", "[mato][read]") {
    vt::terminal screen = terminal_of({5, 20}, 10);
    for (int i = 0; i < 100; ++i) screen.feed("line " + std::to_string(i) + "\r\n");
    const answer now = ask(screen, text_begin::oldest);
    CHECK(now.read.line > 0);
    CHECK(ask(screen, text_begin::mark, now.read.line - 1).problem == "the text at mark " + std::to_string(now.read.line) +
                                                                          ".0 is no longer kept: its oldest line is " +
                                                                          std::to_string(now.read.line + 1));
    CHECK(ask(screen, text_begin::mark, now.read.line).problem.empty());
    CHECK(ask(screen, text_begin::place, 0).read.line == now.read.line); // a place is no promise
    CHECK(ask(screen, text_begin::mark, 101 + 5).problem.find("there is no text at mark 107.0 yet") == 0);

    const answer end = ask(screen, text_begin::cursor);
    screen.feed("\033[H\033[2Jnew");
    CHECK(ask(screen, text_begin::cursor).read.cursor_line < end.read.cursor_line);
    CHECK(all_of(screen, text_begin::mark, end.read.cursor_line, end.read.cursor_column) == "new");
}

TEST_CASE("the alternate screen's text follows the history", "[mato][read]") {
    vt::terminal screen = terminal_of({3, 20});
    screen.feed("a\r\nb\r\nc\r\nd\r\n\033[?1049h\033[Hfull\r\nscreen");
    const answer seen = ask(screen, text_begin::screen);
    CHECK(seen.read.text == "full\nscreen");
    CHECK(seen.read.line == 2);
}
