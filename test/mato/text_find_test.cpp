// SPDX-License-Identifier: MIT
// Finding in the text of a tab: the search itself, its prompt, and the look back that it opens.
#include "screens/find_prompt.hpp"
#include "screens/look_back_screen.hpp"
#include "screens/terminal_text.hpp"
#include "vt/terminal.hpp"

#include "support/catch.hpp"

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <string_view>

using namespace mux;

namespace {

const looks plain_looks = looks_of(nullptr, false, true);
const vt::screen_size wide{10, 100};

std::shared_ptr<vt::terminal> terminal_with(std::string_view output, vt::screen_size size = {9, 40}) {
    vt::terminal_options options;
    options.size = size;
    auto made = std::make_shared<vt::terminal>(options);
    made->feed(output);
    return made;
}

/// All hits as "line:column-end ", newest first.
std::string hits(std::string_view typed, const text_source& text) {
    text_find find;
    find.begin(typed, text);
    while (find.is_searching()) static_cast<void>(find.work(text));
    if (!find.problem().empty()) return find.problem();
    std::string all;
    for (std::uint64_t line = text.end_line(); line-- > text.first_line();)
        for (const text_hit& each : find.hits_of(line))
            all += std::to_string(each.line) + ":" + std::to_string(each.column) + "-" + std::to_string(each.end) + " ";
    return all;
}

void type(screen& to, std::string_view keys) {
    for (const char c : keys) to.press(key_of_byte(c));
    while (to.has_work()) to.work();
}

std::string text(const vt::row& row) {
    std::string all;
    row.append_text(all, 0, row.used());
    return all.substr(0, all.find_last_not_of(' ') + 1);
}

std::string last_row(screen& drawn) { return text(drawn.draw(wide, plain_looks).rows.back()); }

look_back_screen finder(const std::shared_ptr<vt::terminal>& terminal, vt::screen_size size = wide) {
    look_back_screen made(std::make_unique<terminal_text>(terminal), size, 0);
    made.find();
    return made;
}

} // namespace

TEST_CASE("a text is found from the newest line; a capital makes case count; re: is an expression", "[find]") {
    const auto terminal = terminal_with("one Two\r\n漢two e\u0301 TWO\r\na.b a+b (x)\r\ntwo");
    const terminal_text text(terminal);
    CHECK(hits("two", text) == "3:0-3 1:8-11 1:2-5 0:4-7 ");
    CHECK(hits("Two", text) == "0:4-7 ");
    CHECK(hits("漢T", text).empty());
    CHECK(hits("漢t", text) == "1:0-3 ");
    CHECK(hits("e\u0301", text) == "1:6-7 ");
    CHECK(hits("a.b", text) == "2:0-3 ");
    CHECK(hits("a+b", text) == "2:4-7 ");
    CHECK(hits("(", text) == "2:8-9 ");
    CHECK(hits("re:a.b", text) == "2:4-7 2:0-3 ");
    CHECK(hits("re:^tw", text) == "3:0-2 ");
    CHECK(hits("re:o$", text) == "3:2-3 1:10-11 0:6-7 ");
    CHECK(hits("re:\\S+o", text) == "3:0-3 1:8-11 1:0-5 0:4-7 ");
    CHECK(hits("re:x*", text) == "2:9-10 "); // empty matches are none
    CHECK(hits("re:", text).empty());
    CHECK(hits("", text).empty());
    CHECK(hits("re:(", text) == "at byte 1, '(': this '(' has no ')'");
    CHECK(hits("re:(a{1,500}){1,500}", text).find("too ") != std::string::npos);
}

TEST_CASE("a search finds a line that was wrapped, in the history and on the screen", "[find]") {
    const auto terminal =
        terminal_with("begin " + std::string(100, '-') + "needle" + std::string(100, '-') + "\r\nx\r\n", {3, 20});
    CHECK(hits("needle", terminal_text(terminal)) == "0:106-112 ");
    terminal->resize({5, 7});
    CHECK(hits("needle", terminal_text(terminal)) == "0:106-112 ");
}

TEST_CASE("a search finds all that there is in the text, in slices, the newest first", "[find]") {
    std::mt19937 random(7);
    std::string output;
    std::size_t expected = 0;
    for (int i = 0; i < 9'000; ++i) {
        const bool has = random() % 50 == 0;
        expected += has;
        output += std::to_string(i) + (has ? " failed " : " passed ") + std::string(random() % 200, '.') + "\r\n";
    }
    const auto terminal = terminal_with(output);
    const terminal_text text(terminal);
    text_find find;
    find.begin("failed", text);
    int slices = 0;
    while (find.is_searching()) {
        static_cast<void>(find.work(text));
        if (++slices == 1) CHECK(find.count() > 0); // a slice is more than a few screens
    }
    CHECK(slices > 5);
    CHECK(find.count() == expected);
    CHECK_FALSE(find.is_partial());
    for (int i = 0; i < 25'000; ++i) output += "failed\r\n"; // more than are kept
    vt::terminal_options options;
    options.size = {9, 40};
    options.limits.history.lines = 100'000;
    const auto more = std::make_shared<vt::terminal>(options);
    more->feed(output);
    const terminal_text all(more);
    find.begin("failed", all);
    while (find.is_searching()) static_cast<void>(find.work(all));
    CHECK(find.count() == text_find::most_hits);
    CHECK(find.is_partial());
}

TEST_CASE("the find row tells what was typed, which hit is shown and what the keys do", "[find]") {
    std::string output;
    for (int i = 1; i <= 100; ++i) output += "line " + std::to_string(i) + (i % 10 == 0 ? " failed\r\n" : "\r\n");
    const auto terminal = terminal_with(output);
    look_back_screen screen = finder(terminal);
    CHECK(last_row(screen) == " find     ^R older  ^S newer  ^A all tabs  Enter stay  Esc back");
    type(screen, "fail");
    CHECK(last_row(screen) == " find  fail   1 of 10   ^R older  ^S newer  ^A all tabs  Enter stay  Esc back");
    CHECK(screen.cursor() == text_position{99, 9});
    type(screen, "\x12"); // C-r
    CHECK(last_row(screen) == " find  fail   2 of 10   ^R older  ^S newer  ^A all tabs  Enter stay  Esc back");
    CHECK(screen.cursor() == text_position{89, 8});
    type(screen, "\x12\x12\x13"); // C-s
    CHECK(screen.cursor() == text_position{79, 8});
    type(screen, "x");
    CHECK(last_row(screen) == " find  failx   not found   ^R older  ^S newer  ^A all tabs  Enter stay  Esc back");
    type(screen, "\x7f\x7f");
    CHECK(last_row(screen) == " find  fai   1 of 10   ^R older  ^S newer  ^A all tabs  Enter stay  Esc back");
    type(screen, "\x15re:4. f");
    CHECK(last_row(screen) == " find  re:4. f   1 of 1   ^R older  ^S newer  ^A all tabs  Enter stay  Esc back");
    type(screen, "[");
    CHECK(last_row(screen).find("this '[' has no ']'") != std::string::npos);
    type(screen, "\x7f\r"); // stays there
    CHECK(last_row(screen).starts_with(" history  "));
    CHECK(screen.cursor().line == 39);
    type(screen, "\x15/line 5"); // find again, from the newest
    CHECK(screen.cursor() == text_position{58, 0});
    CHECK_FALSE(screen.press(key_of_byte('\033')).closes); // to the look back it was opened in
    CHECK(last_row(screen).starts_with(" history  "));
    look_back_screen other = finder(terminal);
    CHECK(other.press(key_of_byte('\033')).closes); // back to the tab
}

TEST_CASE("after Enter, C-r and C-s go on to the nearest hits from where the cursor is", "[find]") {
    const auto terminal = terminal_with("x1\r\nx2\r\nx3\r\nx4\r\n");
    look_back_screen screen = finder(terminal);
    type(screen, "x\r");
    CHECK(screen.cursor().line == 3);
    type(screen, "k\x12");
    CHECK(screen.cursor().line == 1);
    CHECK(last_row(screen).starts_with(" find  x   3 of 4"));
    type(screen, "\x13\x13");
    CHECK(screen.cursor().line == 3);
}

TEST_CASE("a hit that is found after Enter is shown then, unless another key was pressed", "[find]") {
    std::string output = "needle\r\n";
    for (int i = 0; i < 5'000; ++i) output += "some line of the text\r\n";
    const auto terminal = terminal_with(output);
    for (const bool moves : {false, true}) {
        look_back_screen screen = finder(terminal);
        for (const char c : std::string(moves ? "needle\rg0k" : "needle\r")) screen.press(key_of_byte(c));
        if (moves) screen.press(key_of_byte('G'));
        while (screen.has_work()) screen.work();
        CHECK(screen.cursor().line == (moves ? 5'001u : 0u));
        CHECK(last_row(screen).starts_with(" history  "));
    }
}

TEST_CASE("hits on the screen are marked, the one that is shown brightly", "[find]") {
    const auto terminal = terminal_with("a foo b foo\r\nfoo");
    look_back_screen screen = finder(terminal);
    type(screen, "foo\x12");
    const overlay drawn = screen.draw(wide, plain_looks);
    const auto is_bright = [&](int row, int column) {
        return drawn.rows[static_cast<std::size_t>(row)].style_at(column).has(vt::attributes::inverse);
    };
    const auto is_marked = [&](int row, int column) {
        return drawn.rows[static_cast<std::size_t>(row)].style_at(column).underlined() == vt::underline::single;
    };
    CHECK(is_marked(1, 0));
    CHECK_FALSE(is_bright(1, 0));
    CHECK(is_bright(0, 8)); // the older one
    CHECK(is_bright(0, 10));
    CHECK_FALSE(is_marked(0, 7));
    CHECK_FALSE(is_bright(0, 2));
    CHECK(is_marked(0, 2));
}

TEST_CASE("any keys leave a search valid, while output goes on", "[find]") {
    std::mt19937 random(GENERATE(11u, 12u, 13u, 14u));
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    vt::terminal_options options;
    options.size = {5, 12};
    options.limits.history.lines = 40;
    const auto terminal = std::make_shared<vt::terminal>(options);
    look_back_screen screen = finder(terminal);
    const std::string keys = "ab漢*[(.re:\x12\x13\x15\x7f\r\033/jkgGvy";
    for (int i = 0; i < 2'000; ++i) {
        if (below(4) == 0) terminal->feed(below(2) == 0 ? "ab 漢字 re ab\r\n" : "\033[H\033[2Jaaa");
        if (below(40) == 0) terminal->resize({1 + below(6), 1 + below(20)});
        if (screen.press(key_of_byte(keys[static_cast<std::size_t>(below(static_cast<int>(keys.size())))])).closes)
            screen.find();
        if (below(2) == 0 && screen.has_work()) screen.work();
        const vt::screen_size size{1 + below(6), 1 + below(20)};
        const overlay drawn = screen.draw(size, plain_looks);
        for (const vt::row& each : drawn.rows) REQUIRE(each.is_valid(size.columns));
        REQUIRE(drawn.cursor);
        REQUIRE((drawn.cursor->row < size.rows && drawn.cursor->column < size.columns));
    }
}
