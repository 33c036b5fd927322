// SPDX-License-Identifier: MIT
// A line that is edited: its keys, what fits into a row, and any keys in any width.
#include "screens/line_editor.hpp"

#include "support/catch.hpp"

#include <random>
#include <string>

using namespace mux;

namespace {

using result = line_editor::result;

key_event special(int number) {
    key_event pressed;
    pressed.key = number;
    return pressed;
}

key_event character(char32_t code, unsigned modifiers = 0) {
    key_event pressed;
    pressed.key = pressed.character = static_cast<int>(code);
    pressed.modifiers = modifiers;
    return pressed;
}

void type(line_editor& to, std::string_view keys) {
    for (const char each : keys) to.press(key_of_byte(each));
}

std::string shown(const line_editor& line, int columns) {
    vt::row row;
    static_cast<void>(line.draw(row, 0, columns, {}, true));
    std::string text;
    row.append_text(text, 0, row.used());
    return text;
}

} // namespace

TEST_CASE("a line says whether a key has changed it", "[screens][line]") {
    line_editor line(4, "ab");
    CHECK(line.press(key_of_byte('c')) == result::changed);
    CHECK(line.press(special(keys::left)) == result::moved);
    CHECK(line.press(key_of_byte('\x01')) == result::moved); // C-a
    CHECK(line.before_cursor().empty());
    CHECK(line.press(special(keys::erase)) == result::changed);
    CHECK(line.text() == "bc");
    CHECK(line.press(special(keys::up)) == result::unused);
    CHECK(line.press(special(keys::enter)) == result::unused);
    CHECK(line.press(special(keys::tab)) == result::unused);
    CHECK(line.press(key_of_byte('\x12')) == result::unused);               // C-r
    CHECK(line.press(character('x', key_event::alt)) == result::unused);    // types nothing
    CHECK(line.press(character(0xd800)) == result::unused);                 // a surrogate
    CHECK(line.press(character('X', key_event::shift)) == result::changed); // at the cursor
    CHECK(line.text() == "Xbc");
    CHECK(line.before_cursor() == "X");
}

TEST_CASE("a line holds as many characters as it may, of any width", "[screens][line]") {
    line_editor line(3, "漢字漢字");
    CHECK(line.text() == "漢字漢");
    CHECK(line.press(key_of_byte('x')) == result::unused);
    type(line, "\x7f");
    CHECK(line.press(character(U'é')) == result::changed);
    CHECK(line.text() == "漢字é");
    line.set("new");
    CHECK(line.before_cursor() == "new");
    line.clear();
    CHECK(line.empty());
    CHECK(line.press(key_of_byte('y')) == result::changed);
}

TEST_CASE("of a long line the part before the cursor is shown", "[screens][line]") {
    line_editor line(64, "abcdefghijkl");
    CHECK(shown(line, 20) == "abcdefghijkl");
    CHECK(shown(line, 6) == "ijkl");
    CHECK(shown(line, 1) == "");
    line.press(special(keys::home));
    CHECK(shown(line, 6) == "abcde…");
    line.set("漢字漢字");
    CHECK(shown(line, 6) == "漢字");
    vt::row row;
    const line_editor::drawing at = line.draw(row, 2, 8, {}, true);
    CHECK(at.end == 6);
    CHECK(at.cursor == 6);
}

TEST_CASE("any keys leave a line in its columns, and its cursor too", "[screens][line]") {
    std::minstd_rand random(7);
    line_editor line(20);
    for (int i = 0; i < 20'000; ++i) {
        constexpr char32_t some[] = {U'a', U'漢', U'\u0301', U' ', U'\u202e', 0x10ffff};
        constexpr int moves[] = {keys::left, keys::right, keys::home, keys::end, keys::backspace, keys::erase};
        switch (random() % 3) {
        case 0: line.press(character(some[random() % 6])); break;
        case 1: line.press(special(moves[random() % 6])); break;
        default: line.press(key_of_byte(static_cast<char>(1 + random() % 126)));
        }
        const int from = static_cast<int>(random() % 5), limit = from + 1 + static_cast<int>(random() % 30);
        vt::row row;
        const line_editor::drawing drawn = line.draw(row, from, limit, {}, i % 2 == 0);
        REQUIRE(row.is_valid(limit));
        REQUIRE((drawn.end <= limit && drawn.cursor >= from && drawn.cursor < limit));
    }
}
