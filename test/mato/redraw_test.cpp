// SPDX-License-Identifier: MIT
/// @file redraw_test.cpp: a terminal that received a redraw shows what the tab shows, now and after further output.
#include "view/redraw.hpp"

#include "tab/sequence_boundary.hpp"

#include "support/catch.hpp"
#include "vt/row.hpp"

#include <random>
#include <string>
#include <vector>

using namespace mux;

namespace {

vt::terminal make(int rows, int columns) {
    vt::terminal_options options;
    options.size = {rows, columns};
    return vt::terminal(options);
}

std::string cell(const vt::row& r, int column) {
    std::string text;
    if (r.at(column) == vt::units::tail)
        text = "<tail>";
    else
        r.append_text(text, column, column + 1);
    vt::style s = r.style_at(column);
    s.link = 0;
    s.turn_off(vt::attributes::is_protected);
    const auto colour = [](vt::colour c) {
        return c.is_default() ? "-" : c.is_indexed() ? std::to_string(c.index()) : vt::colour_specification(c.components());
    };
    return (text.empty() ? " " : text) + "|" + colour(s.foreground) + "|" + colour(s.background) + "|" +
           std::to_string(s.flags);
}

/// Empty if both show the same.
std::string difference(const vt::terminal& tab, const vt::terminal& other) {
    for (int r = 0; r < tab.size().rows; ++r)
        for (int c = 0; c < tab.size().columns; ++c)
            if (const auto want = cell(tab.row_at(r), c), got = cell(other.row_at(r), c); want != got)
                return "row " + std::to_string(r) + " column " + std::to_string(c) + ": '" + got + "' instead of '" + want +
                       "'";
    const auto want = tab.cursor(), got = other.cursor();
    if (!(want.at == got.at) || want.pending_wrap != got.pending_wrap || want.visible != got.visible)
        return "the cursor at " + std::to_string(got.at.row) + "," + std::to_string(got.at.column) +
               (got.pending_wrap ? "w" : "") + " instead of " + std::to_string(want.at.row) + "," +
               std::to_string(want.at.column) + (want.pending_wrap ? "w" : "");
    return {};
}

/// Output that leaves state for later output.
std::string piece(std::mt19937& random) {
    static const std::vector<std::string> fixed{"text ",
                                                "\r\n",
                                                "\t",
                                                "\xe6\x97\xa5\xe6\x9c\xac",
                                                "0123456789012345678901234567",
                                                "lqqk",
                                                "\b\b",
                                                "\033[31m",
                                                "\033[1;44m",
                                                "\033[m",
                                                "\033[7;38;2;1;2;3m",
                                                "\033[3;6r",
                                                "\033[r",
                                                "\033[?69h\033[4;15s",
                                                "\033[?69l",
                                                "\033[?6h",
                                                "\033[?6l",
                                                "\033[?7l",
                                                "\033[?7h",
                                                "\033[4h",
                                                "\033[4l",
                                                "\033[20h",
                                                "\033[20l",
                                                "\033(0",
                                                "\033(B",
                                                "\033)0",
                                                "\016",
                                                "\017",
                                                "\0337",
                                                "\0338",
                                                "\033[3g",
                                                "\033H",
                                                "\033[2J",
                                                "\033[K",
                                                "\033[?25l",
                                                "\033[?25h",
                                                "\033[5;9H",
                                                "\033[1;20H",
                                                "\033[L",
                                                "\033[M",
                                                "\033[?1049h",
                                                "\033[?1049l",
                                                "\033D",
                                                "\033M",
                                                "\033[2P",
                                                "\033[2@",
                                                "\033]0;title\a",
                                                "\033[?5h",
                                                "\033[?5l"};
    return fixed[random() % fixed.size()];
}

void check_goes_on(const std::string& before, const std::string& after, int rows, int columns) {
    auto tab = make(rows, columns), other = make(rows, columns);
    other.feed("\033[?1049h\033[?6h\033[2;3r\033[41mrubbish\033(0"); // whatever was there before
    tab.feed(before);
    REQUIRE(tab.is_between_sequences());
    const std::string bytes = redraw(tab);
    other.feed(bytes);
    REQUIRE(difference(tab, other) == "");
    tab.feed(after);
    other.feed(after);
    REQUIRE(difference(tab, other) == "");
}

} // namespace

TEST_CASE("pen, margins, tab stops, character sets and cursors are restored", "[redraw]") {
    check_goes_on("\033[1;31mred", " still red", 5, 20);
    check_goes_on("\033[2;4r\033[4;1H", "\n\n\nx", 5, 20);
    check_goes_on("\033[?69h\033[5;10s\033[1;5H", "0123456789", 5, 20);
    check_goes_on("\033(0", "lqk", 5, 20);
    check_goes_on("\033)0\016", "lqk", 5, 20);
    check_goes_on("\033[3g\033[1;5H\033H\r", "\tx", 5, 20);
    check_goes_on("\033[3;4H\0337\033[H", "\0338x", 5, 20);
    check_goes_on("\033[?7l", "0123456789012345678901234", 5, 20);
    check_goes_on("abc\r\033[4h", "x", 5, 20);
    check_goes_on("01234567890123456789", "x", 5, 20);                        // the next character wraps
    check_goes_on("012345678901234567\xe6\x97\xa5", "x", 5, 20);              // after a wide character
    check_goes_on("\033[3;4H\033[32m\033[?1049hfull", "\033[?1049lx", 5, 20); // the primary screen's cursor returns
}

TEST_CASE("the redraw continues any program, wherever its output is split", "[redraw]") {
    std::mt19937 random(11);
    for (int round = 0; round < 4000; ++round) {
        std::string all;
        for (auto n = random() % 60; n > 0; --n) all += piece(random);
        const std::size_t cut = sequence_boundary(std::string_view(all).substr(0, random() % (all.size() + 1)));
        const std::string before = all.substr(0, cut), after = all.substr(cut);
        if (after.find("\033[?1049l") != std::string::npos)
            continue; // the primary screen is not part of a redraw of the alternate screen
        INFO(round);
        CAPTURE(before, after);
        check_goes_on(before, after, 8, 20);
    }
}
