// SPDX-License-Identifier: MIT
// The rows of a terminal as text, with wrapped lines joined: also where history meets the screen.
#include "tab/capture.hpp"

#include "support/catch.hpp"

#include <random>
#include <string>

using namespace mux;

namespace {

vt::terminal terminal_of(vt::screen_size size) {
    vt::terminal_options options;
    options.size = size;
    options.limits.history.lines = 10'000;
    return vt::terminal(options);
}

/// All parts, without the empty rows at the end.
std::string captured_text(const vt::terminal& screen, bool join, bool ansi = false) {
    std::string text;
    capture_request wanted;
    wanted.history_rows = 100'000;
    wanted.join = join;
    wanted.ansi = ansi;
    do {
        const captured part = capture_screen(screen, wanted);
        text += part.text;
        wanted.from = part.next;
    } while (wanted.from != 0);
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

} // namespace

TEST_CASE("a wrapped line is one line with join, wherever the screen begins", "[mato][capture]") {
    std::mt19937 random(5);
    for (int round = 0; round < 60; ++round) {
        const vt::screen_size size{static_cast<int>(2 + random() % 8), static_cast<int>(3 + random() % 30)};
        CAPTURE(round, size.rows, size.columns);
        vt::terminal screen = terminal_of(size);
        std::string written;
        for (int line = 0; line < 30; ++line) {
            std::string text = std::to_string(line) + ":";
            for (std::size_t n = random() % 100; n > 0; --n) text += static_cast<char>('a' + random() % 26);
            written += (line > 0 ? "\n" : "") + text;
            screen.feed((line > 0 ? "\r\n" : "") + text);
        }
        CHECK(captured_text(screen, true) == written);
        screen.resize({size.rows, size.columns + 5});
        CHECK(captured_text(screen, true) == written);
    }
}

TEST_CASE("a blank at the end of a row is part of a line that goes on in the next row", "[mato][capture]") {
    vt::terminal screen = terminal_of({2, 4});
    screen.feed("abc defg\r\nlast");
    REQUIRE(screen.history_rows() == 1);
    CHECK(captured_text(screen, true) == "abc defg\nlast");
    CHECK(captured_text(screen, true, true) == "abc defg\nlast");
    CHECK(captured_text(screen, false) == "abc \ndefg\nlast");
    screen.feed("\033[?1049h"); // its rows do not continue the history
    CHECK(captured_text(screen, true) == "abc");
}
