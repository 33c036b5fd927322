// SPDX-License-Identifier: MIT
// Rows that ask: editing, answers, and any keys in any width.
#include "screens/prompt.hpp"
#include "screens/text_row.hpp"

#include "support/catch.hpp"

#include <random>
#include <string>

using namespace mux;

namespace {

key_event special(int number, unsigned modifiers = 0) {
    key_event e;
    e.key = number;
    e.modifiers = modifiers;
    return e;
}

/// Types ASCII; control characters are C-a to C-z.
screen_reply type(screen& to, std::string_view keys) {
    screen_reply last;
    for (const char each : keys) last = to.press(key_of_byte(each));
    return last;
}

std::string answer_of(text_prompt& prompt) { return prompt.press(special(keys::enter)).acts.value().answer.value(); }

std::string shown(screen& asks, vt::screen_size size) {
    const overlay drawn = asks.draw(size, looks_of(nullptr, false, true));
    REQUIRE(drawn.rows.size() == 1);
    std::string text;
    drawn.rows[0].append_text(text, 0, drawn.rows[0].used());
    return text.substr(0, text.find_last_not_of(' ') + 1);
}

} // namespace

TEST_CASE("a text prompt edits as a shell's line does", "[screens][prompt]") {
    const auto edited = [](std::string_view begin, auto keys) {
        text_prompt prompt("name", begin, {action::rename_tab, 7});
        keys(prompt);
        return answer_of(prompt);
    };
    CHECK(edited("vim", [](auto&) {}) == "vim");
    CHECK(edited("vim", [](auto& p) { type(p, "x"); }) == "vimx");
    CHECK(edited("vim", [](auto& p) { type(p, "\x01n"); }) == "nvim");
    CHECK(edited("vim", [](auto& p) { type(p, "\x01\x06-\x05!"); }) == "v-im!");
    CHECK(edited("vim", [](auto& p) { type(p, "\x15new"); }) == "new");
    CHECK(edited("two words", [](auto& p) { type(p, "\x17x"); }) == "two x");
    CHECK(edited("two  ", [](auto& p) { type(p, "\x17x"); }) == "x");
    CHECK(edited("abc", [](auto& p) { type(p, "\x02\x02\x0bz"); }) == "az");
    CHECK(edited("abc", [](auto& p) { p.press(special(keys::left)), p.press(special(keys::backspace)); }) == "ac");
    CHECK(edited("abc", [](auto& p) { p.press(special(keys::home)), p.press(special(keys::erase)); }) == "bc");
    CHECK(edited("漢字", [](auto& p) { p.press(special(keys::backspace)); }) == "漢");
    CHECK(edited("a", [](auto& p) {
              key_event e;
              e.key = e.character = U'é';
              p.press(e);
          }) == "aé");
}

TEST_CASE("a text prompt answers with its action, and only with a text", "[screens][prompt]") {
    text_prompt prompt("name", "ab", {action::rename_task, 7});
    const screen_reply done = prompt.press(special(keys::enter));
    CHECK(done.closes);
    REQUIRE(done.acts);
    CHECK((done.acts->what == action::rename_task && done.acts->number == 7));
    type(prompt, "\x15");
    CHECK_FALSE(prompt.press(special(keys::enter)).closes);
    for (const key_event& back : {special(keys::escape), key_of_byte('\x03'), key_of_byte('\x07')}) {
        const screen_reply left = prompt.press(back);
        CHECK((left.closes && !left.acts));
    }
    CHECK_FALSE(prompt.press(special('x', key_event::alt)).closes); // types nothing
    CHECK_FALSE(prompt.press(special(keys::enter)).closes);
}

TEST_CASE("a text prompt shows its text, cut on the left of the cursor", "[screens][prompt]") {
    text_prompt prompt("name", "vim", {action::rename_tab});
    CHECK(shown(prompt, {24, 80}) == " name  vim" + std::string(51, ' ') + "Enter ok  Esc back");
    CHECK(prompt.draw({24, 80}, looks_of(nullptr, false, true)).cursor == vt::position{23, 10});
    CHECK(shown(prompt, {24, 20}) == " name  vim");
    type(prompt, "abcdefghijklmnopqrstuvwxyz");
    CHECK(shown(prompt, {24, 20}) == " name  pqrstuvwxyz");
}

TEST_CASE("a question is answered by y or Enter, and left by any other key", "[screens][prompt]") {
    question close("close tab vim?", {action::close_tab, 3});
    for (const key_event& yes : {key_of_byte('y'), key_of_byte('Y'), special(keys::enter)}) {
        const screen_reply done = close.press(yes);
        REQUIRE((done.closes && done.acts));
        CHECK((done.acts->what == action::close_tab && done.acts->number == 3 && done.acts->answer == "yes"));
    }
    for (const key_event& no : {key_of_byte('n'), key_of_byte('q'), special(keys::escape), special(keys::up)}) {
        const screen_reply left = close.press(no);
        CHECK((left.closes && !left.acts));
    }
    CHECK(shown(close, {24, 40}) == " close tab vim?             y yes  n no");
    CHECK(shown(close, {24, 16}) == " close tab vim?");
}

TEST_CASE("a row of choices does the action of its key, and shows the choices that fit", "[screens][prompt]") {
    choice_row row("this tab", {{'g', "go", {action::tab_by_id, 3}}, {'x', "close", {action::close_tab, 3}}});
    CHECK(shown(row, {24, 40}) == " this tab  g go  x close");
    CHECK(shown(row, {24, 20}) == " this tab  g go");
    CHECK(shown(row, {24, 4}) == " th…");
    const screen_reply went = row.press(key_of_byte('x'));
    REQUIRE((went.closes && went.acts));
    CHECK((went.acts->what == action::close_tab && went.acts->number == 3));
    CHECK((row.press(special(keys::escape)).closes && !row.press(key_of_byte('y')).acts));
}

TEST_CASE("any keys in a prompt of any width leave its row and cursor on the terminal", "[screens][prompt]") {
    std::minstd_rand random(5);
    for (int round = 0; round < 300; ++round) {
        const vt::screen_size size{1 + static_cast<int>(random() % 4), 1 + static_cast<int>(random() % 60)};
        text_prompt prompt(std::string(random() % 12, 'l'), round % 2 == 0 ? "漢e\u0301字" : "", {action::rename_tab});
        for (int i = 0; i < 60; ++i) {
            switch (random() % 4) {
            case 0: prompt.press(special(keys::left)); break;
            case 1: prompt.press(key_of_byte(static_cast<char>(1 + random() % 26))); break;
            default: {
                key_event e;
                e.key = e.character = random() % 5 == 0 ? U'漢' : static_cast<int>('a' + random() % 26);
                prompt.press(e);
            }
            }
            const overlay drawn = prompt.draw(size, looks_of(nullptr, false, random() % 2 == 0));
            REQUIRE((drawn.rows.size() == 1 && drawn.rows[0].is_valid(size.columns) && drawn.cursor));
            REQUIRE((drawn.cursor->column >= 0 && drawn.cursor->column < size.columns));
        }
    }
}
