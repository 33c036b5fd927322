// SPDX-License-Identifier: MIT
// Looking back in the text of a tab: what is shown, where keys go, what is selected. No terminal is needed.
#include "screens/look_back_screen.hpp"
#include "screens/terminal_text.hpp"
#include "screens/text_moves.hpp"
#include "view/clipboard.hpp"
#include "vt/terminal.hpp"

#include "support/catch.hpp"

#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace mux;

namespace {

struct fixture {
    explicit fixture(vt::screen_size size, std::size_t lines = 10'000) {
        vt::terminal_options options;
        options.size = size;
        options.limits.history.lines = lines;
        terminal = std::make_shared<vt::terminal>(options);
    }
    void lines(int from, int to) const {
        for (int i = from; i <= to; ++i) terminal->feed("line " + std::to_string(i) + "\r\n");
    }
    [[nodiscard]] std::unique_ptr<terminal_text> text() const { return std::make_unique<terminal_text>(terminal); }
    [[nodiscard]] look_back_screen screen(vt::screen_size size, std::size_t rows_back = 0) const {
        return {text(), size, rows_back};
    }
    std::shared_ptr<vt::terminal> terminal;
};

const looks plain_looks = looks_of(nullptr, false, true);

std::string text(const vt::row& row) {
    std::string all;
    row.append_text(all, 0, row.used());
    return all.substr(0, all.find_last_not_of(' ') + 1);
}

std::vector<std::string> rows(screen& drawn, vt::screen_size size) {
    std::vector<std::string> all;
    for (const vt::row& each : drawn.draw(size, plain_looks).rows) all.push_back(text(each));
    return all;
}

key_event special(int number) {
    key_event e;
    e.key = number;
    return e;
}

/// Types bytes as a terminal without key protocols sends them.
screen_reply type(screen& to, std::string_view keys) {
    screen_reply last;
    for (const char c : keys) last = to.press(key_of_byte(c));
    return last;
}

std::string copied(screen& from, std::string_view keys) {
    const screen_reply reply = type(from, keys);
    REQUIRE(reply.copies);
    CHECK_FALSE(reply.closes);
    return *reply.copies;
}

std::string line_text(const text_source& text, std::uint64_t line) {
    vt::row row;
    text.read_line(line, row);
    std::string all;
    row.append_text(all, 0, row.used());
    return all;
}

} // namespace

TEST_CASE("a tab's text has a number for each line, which output and resizes do not change", "[look]") {
    const fixture tab({3, 10});
    const auto text = tab.text();
    CHECK(text->first_line() == 0);
    CHECK(text->end_line() == 1);
    tab.terminal->feed("one\r\ntwo two two two two two\r\nthree"); // "two" takes three rows
    CHECK(text->end_line() == 3);
    CHECK(line_text(*text, 0) == "one");
    CHECK(line_text(*text, 1) == "two two two two two two");
    CHECK(line_text(*text, 2) == "three");
    CHECK(text->screen_begin() == text_position{1, 10}); // one of its rows is in the history
    CHECK(text->cursor() == text_position{2, 5});
    for (const vt::screen_size size : {vt::screen_size{2, 4}, {1, 1}, {6, 40}, {3, 10}}) {
        CAPTURE(size.rows, size.columns);
        tab.terminal->resize(size);
        CHECK(text->first_line() == 0);
        CHECK(text->end_line() == 3);
        CHECK(line_text(*text, 1) == "two two two two two two");
        CHECK(line_text(*text, 2) == "three");
    }
    tab.terminal->feed("\033[?1049h\033[Hother");
    CHECK(line_text(*text, text->screen_begin().line) == "other");
    CHECK(line_text(*text, 0) == "one");
}

TEST_CASE("a look back stays where it is while output goes on, and tells of evicted lines", "[look]") {
    const fixture tab({5, 20}, 20);
    tab.lines(1, 15);
    look_back_screen look = tab.screen({5, 20});
    const vt::screen_size size{5, 60};
    type(look, "g");
    CHECK(rows(look, size)[0] == "line 1");
    CHECK(rows(look, size)[4] == " history  11/11   v select y copy / find q back");
    type(look, "jjjj");
    const auto before = rows(look, size);
    CHECK(before[0] == "line 2");
    CHECK(before[3] == "line 5");
    CHECK(before[4] == " history  10/11   v select y copy / find q back");
    tab.lines(16, 20);
    CHECK(rows(look, size)[0] == "line 2");
    CHECK(rows(look, size)[4] == " history  15/16   v select y copy / find q back");
    tab.lines(21, 60);
    const auto after = rows(look, size);
    CHECK(after[0] == "line 37");
    CHECK(after[4] == " history  20/20  the oldest lines were dropped   v select");
    CHECK(look.cursor() == text_position{36, 0});
    type(look, "h");
    CHECK(rows(look, size)[4] == " history  20/20   v select y copy / find q back");
    tab.terminal->feed("\033[H\033[2J\033[3J");
    CHECK(rows(look, size)[0].empty());
}

TEST_CASE("a look back goes to prompts and selects the output of a command", "[look]") {
    const fixture tab({6, 40});
    const auto command = [&](const std::string& typed, const std::string& output) {
        tab.terminal->feed("\033]133;A\a$ \033]133;B\a" + typed + "\r\n\033]133;C\a" + output + "\033]133;D;0\a");
    };
    look_back_screen unmarked = tab.screen({6, 40});
    CHECK(type(unmarked, "{").says == "the shell of this tab does not mark its prompts (OSC 133)");
    CHECK(type(unmarked, "o").says == "the shell of this tab does not mark its prompts (OSC 133)");
    command("one", "a\r\nb\r\n");
    for (int i = 0; i < 10; ++i) command("c" + std::to_string(i), std::to_string(i) + "\r\n");
    tab.terminal->feed("\033]133;A\a$ ");
    look_back_screen look = tab.screen({6, 80});
    CHECK(rows(look, {6, 80})[5] == " history  0/18   v select y copy o output { } prompts / find q back");
    type(look, "{");
    CHECK(look.cursor() == text_position{21, 0});
    CHECK(copied(look, "oy") == "9\n");
    type(look, "{{{{{{{{{{{");
    CHECK(look.cursor() == text_position{0, 0});
    CHECK(type(look, "{").says == "no prompt above");
    type(look, "o");
    CHECK(rows(look, {6, 80})[5] == " select  2 lines   y copy Esc end q back");
    CHECK(copied(look, "y") == "a\nb\n");
    type(look, "}}");
    CHECK(look.cursor() == text_position{5, 0});
    type(look, "G");
    CHECK(type(look, "}").says == "no prompt below");
    CHECK(type(look, "q").closes);
}

TEST_CASE("the mouse selects in a text, and its release copies", "[look]") {
    const fixture tab({5, 20}, 100);
    tab.lines(1, 30);
    tab.terminal->feed("see src/cart.cpp:41, ok");
    const auto make = [&] { return look_back_screen(tab.text(), {5, 20}, 0, look_back_use::selection); };
    const auto at = [](pointer_event::kind what, int row, int column, int clicks = 1, bool alt = false) {
        return pointer_event{what, row, column, clicks, alt};
    };
    using enum pointer_event::kind;
    look_back_screen one = make();
    CHECK(rows(one, {5, 20}) == std::vector<std::string>{"line 28", "line 29", "line 30", "see src/cart.cpp:41,", " ok"});
    static_cast<void>(one.pointer(at(press, 0, 2)));
    CHECK_FALSE(one.pointer(at(release, 0, 2)).copies); // a click
    static_cast<void>(one.pointer(at(press, 0, 2)));
    static_cast<void>(one.pointer(at(drag, 1, 3)));
    CHECK(one.pointer(at(release, 1, 3)).copies == "ne 28\nline");
    CHECK_FALSE(one.pointer(at(release, 1, 3)).copies);
    tab.lines(31, 60); // the selection stays on its text
    static_cast<void>(one.wheel(-3));
    const auto drawn = one.draw({5, 20}, plain_looks);
    CHECK(text(drawn.rows[3]) == "line 28");
    CHECK(drawn.rows[3].style_at(1).has(vt::attributes::inverse) == false);
    CHECK(drawn.rows[3].style_at(2).has(vt::attributes::inverse));
    CHECK(drawn.rows[4].style_at(3).has(vt::attributes::inverse));
    CHECK_FALSE(drawn.rows[4].style_at(4).has(vt::attributes::inverse));
    CHECK_FALSE(drawn.cursor);

    const fixture other({5, 20}, 100);
    other.lines(1, 30);
    other.terminal->feed("see src/cart.cpp:41, ok");
    look_back_screen words(other.text(), {5, 20}, 0, look_back_use::selection);
    static_cast<void>(words.pointer(at(press, 3, 8, 2)));
    CHECK(words.pointer(at(release, 3, 8)).copies == "src/cart.cpp:41,");
    static_cast<void>(words.pointer(at(press, 4, 2, 3)));
    CHECK(words.pointer(at(release, 4, 2)).copies == "see src/cart.cpp:41, ok\n");
    static_cast<void>(words.pointer(at(press, 0, 5, 1, true)));
    static_cast<void>(words.pointer(at(drag, 2, 6)));
    CHECK(words.pointer(at(release, 2, 6)).copies == "28\n29\n30");
    static_cast<void>(words.pointer(at(press, 1, 0)));
    for (int i = 0; i < 4; ++i) static_cast<void>(words.pointer(at(drag, 0, 0))); // past the edge
    CHECK(words.pointer(at(release, 0, 0)).copies.value().starts_with("line 24\n"));
}

TEST_CASE("a look back begins with the rows of the screen, or where the user has scrolled to", "[look]") {
    const fixture tab({6, 20});
    tab.lines(1, 30);
    tab.terminal->feed("\033[H"); // the cursor does not force it to scroll
    look_back_screen look = tab.screen({6, 20});
    CHECK(rows(look, {6, 20})[0] == "line 26");
    CHECK(look.cursor() == text_position{25, 0});
    look_back_screen back = tab.screen({6, 20}, 10);
    CHECK(rows(back, {6, 20})[0] == "line 16");
    look_back_screen most = tab.screen({6, 20}, 1'000'000);
    CHECK(rows(most, {6, 20})[0] == "line 1");
    type(look, "G");
    CHECK(rows(look, {6, 20})[4] == "line 30");
    type(look, "\x02"); // C-b
    CHECK(rows(look, {6, 20})[0] == "line 21");
    type(look, "\x15\x15"); // C-u
    CHECK(rows(look, {6, 20})[0] == "line 17");
    for (int i = 0; i < 10; ++i) type(look, "\x06\x04"); // C-f C-d
    CHECK(rows(look, {6, 20})[0] == "line 26");
    look.wheel(-3);
    CHECK(rows(look, {6, 20})[0] == "line 23");
    CHECK(type(look, "q").closes);
    CHECK(type(look, "\033").closes);
}

TEST_CASE("keys of a look back move as in vi", "[look]") {
    const fixture tab({10, 30});
    tab.terminal->feed("  int main(int argc) {\r\n\r\n    return 漢字 + x;\r\n}\r\n");
    look_back_screen look = tab.screen({10, 30});
    static_cast<void>(look.draw({10, 30}, plain_looks));
    const auto at = [&](std::string_view keys) {
        type(look, keys);
        return look.cursor();
    };
    CHECK(at("g0") == text_position{0, 0});
    CHECK(at("w") == text_position{0, 2});
    CHECK(at("w") == text_position{0, 6});
    CHECK(at("e") == text_position{0, 9});
    CHECK(at("w") == text_position{0, 10});
    CHECK(at("$") == text_position{0, 21});
    CHECK(at("l") == text_position{0, 21});
    CHECK(at("w") == text_position{1, 0}); // an empty line counts
    CHECK(at("w") == text_position{2, 4});
    CHECK(at("w") == text_position{2, 11});
    CHECK(at("l") == text_position{2, 13}); // over a wide character
    CHECK(at("h") == text_position{2, 11});
    CHECK(at("e") == text_position{2, 13});
    CHECK(at("bbb") == text_position{1, 0});
    CHECK(at("b") == text_position{0, 21});
    CHECK(at("bb") == text_position{0, 15});
    CHECK(at("\x05") == text_position{0, 21});
    CHECK(at("\x01") == text_position{0, 0});
    CHECK(at("lllj") == text_position{1, 0});
    CHECK(at("j") == text_position{2, 3}); // the column is kept
    CHECK(at("\x0e") == text_position{3, 0});
    CHECK(at("\x10\x10") == text_position{1, 0});
    CHECK(at("H").line == 0);
    CHECK(at("L").line == 4);
    CHECK(at("G").line == 4);
    look.press(special(keys::up));
    CHECK(look.cursor().line == 3);
    look.press(special(keys::home));
    look.press(special(keys::page_up));
    CHECK(look.cursor().line == 0);
}

TEST_CASE("what is copied is the text: wrapped lines are one, blanks at their ends are cut", "[look]") {
    const fixture tab({6, 10});
    tab.terminal->feed("one   \r\na long line that wraps  \r\n漢字 e\u0301x\r\nend");
    const vt::screen_size size{6, 10};
    look_back_screen look = tab.screen(size);
    CHECK(type(look, "y").copies == std::nullopt);
    CHECK(copied(look, "gvG$y") == "one\na long line that wraps\n漢字 e\u0301x\nend");
    CHECK(copied(look, "gVjy") == "one\na long line that wraps\n"); // j went to its first row
    CHECK(copied(look, "g0vly") == "on");
    CHECK(copied(look, "g0lVy") == "one\n");
    CHECK(copied(look, "gjjj0vly") == "a "); // begins its line, from any of its rows
    CHECK(copied(look, "G0kvy") == "漢");
    CHECK(copied(look, "G0kv$y") == "漢字 e\u0301x");
    CHECK(copied(look, "G$vk0y") == "漢字 e\u0301x\nend"); // backwards
    CHECK(copied(look, "G0l\x16k\r") == "漢\nen");         // a block: both halves of a wide character
    type(look, "gv");
    CHECK(rows(look, {6, 40})[5] == " select  1 line   y copy Esc end q back");
    CHECK_FALSE(type(look, "\033").closes); // only the selection ends
    CHECK(type(look, "\033").closes);
}

TEST_CASE("a selection stays on its text while output goes on, and is refused when it is too long", "[look]") {
    const fixture tab({4, 80});
    tab.lines(1, 50);
    look_back_screen look = tab.screen({4, 80});
    type(look, "gjjV");
    tab.lines(51, 5'000);
    tab.terminal->resize({9, 33});
    static_cast<void>(look.draw({9, 33}, plain_looks));
    CHECK(copied(look, "jy") == "line 3\nline 4\n");
    for (int i = 0; i < 9'000; ++i) tab.terminal->feed(std::string(100, 'x') + "\r\n");
    const screen_reply refused = type(look, "gVGy");
    CHECK_FALSE(refused.copies);
    CHECK(refused.says == "not copied: more than 512 KiB are selected");
    CHECK(type(look, "y").copies == std::nullopt);
}

TEST_CASE("the clipboard's sequence carries the text in base64", "[look]") {
    CHECK(set_clipboard("") == "\033]52;c;\033\\");
    CHECK(set_clipboard("a") == "\033]52;c;YQ==\033\\");
    CHECK(set_clipboard("ab") == "\033]52;c;YWI=\033\\");
    CHECK(set_clipboard("abc") == "\033]52;c;YWJj\033\\");
    CHECK(set_clipboard("\xff\xfe\xfd\n") == "\033]52;c;//79Cg==\033\\");
}

TEST_CASE("any keys at any size leave a look back on its text", "[look]") {
    std::mt19937 random(GENERATE(1u, 2u, 3u, 4u, 5u, 6u));
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    const fixture tab({5, 12}, 30);
    const std::vector<std::string> output{"漢字漢字漢字漢字漢字\r\n",
                                          "e\u0301a\u0301 x",
                                          "\r\n",
                                          "abc def_g +- 12\r\n",
                                          "\033[3J",
                                          "\033[?1049h",
                                          "\033[?1049l",
                                          "\033[H\033[2J",
                                          "\033[7;35mstyled words \033[m\r\n",
                                          std::string(300, 'w')};
    const std::string keys = "hjklwbe0$gGHMLvVy\x16\x15\x04\x06\x02\x01\x05\x0e\x10\033\r";
    look_back_screen look = tab.screen({5, 12});
    const auto text = tab.text();
    vt::screen_size size{5, 12};
    for (int i = 0; i < 1'500; ++i) {
        switch (below(8)) {
        case 0: tab.terminal->feed(output[static_cast<std::size_t>(below(static_cast<int>(output.size())))]); break;
        case 1: size = {1 + below(9), 1 + below(30)}; break;
        case 2: tab.terminal->resize({1 + below(9), 1 + below(30)}); break;
        case 3: look.wheel(below(7) - 3); break;
        default: look.press(key_of_byte(keys[static_cast<std::size_t>(below(static_cast<int>(keys.size())))]));
        }
        const overlay drawn = look.draw(size, plain_looks);
        REQUIRE(static_cast<int>(drawn.rows.size()) == size.rows);
        for (const vt::row& each : drawn.rows) REQUIRE(each.is_valid(size.columns));
        REQUIRE(drawn.cursor);
        REQUIRE((drawn.cursor->row >= 0 && drawn.cursor->row < size.rows));
        REQUIRE((drawn.cursor->column >= 0 && drawn.cursor->column < size.columns));
        const text_position at = look.cursor();
        REQUIRE((at.line >= text->first_line() && at.line < text->end_line()));
        vt::row line;
        text->read_line(at.line, line);
        REQUIRE((at.column == 0 || at.column < line.used()));
        REQUIRE((at.column == 0 || line.at(at.column) != vt::units::tail));
    }
}
