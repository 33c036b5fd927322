// SPDX-License-Identifier: MIT
// The command prompt as a row of cells: completion, history, problems; any keys in any width.
#include "screens/command_prompt.hpp"

#include "support/catch.hpp"

#include <random>
#include <string>

using namespace mux;

namespace {

const command_names known{{{1, "web", "shell"}, {2, "web", "vim"}, {3, "漢字", "漢語"}}, {"web", "work", "漢字"}};

command_prompt prompt(command_prompt::history lines = std::make_shared<std::deque<std::string>>()) {
    return command_prompt(known, std::move(lines));
}

key_event special(int number) {
    key_event pressed;
    pressed.key = number;
    return pressed;
}

screen_reply type(screen& to, std::string_view keys) {
    screen_reply last;
    for (const char each : keys) last = to.press(key_of_byte(each));
    return last;
}

std::string shown(screen& asks, vt::screen_size size = {24, 100}) {
    const overlay drawn = asks.draw(size, looks_of(nullptr, false, true));
    REQUIRE(drawn.rows.size() == 1);
    std::string text;
    drawn.rows[0].append_text(text, 0, drawn.rows[0].used());
    return text.substr(0, text.find_last_not_of(' ') + 1);
}

const std::string hints = "  Tab complete  Enter do  Esc back";

} // namespace

TEST_CASE("Enter in the command prompt does the command, or says why not", "[screens][command]") {
    command_prompt row = prompt();
    CHECK(shown(row) == " :  " + hints);
    const screen_reply wrong = type(row, "nwe-tab\r");
    CHECK_FALSE(wrong.closes);
    CHECK(shown(row) == " : nwe-tab   no command 'nwe-tab'; did you mean 'new-tab'? " + hints);
    CHECK(shown(row, {24, 20}) == " : e-tab   no comma…");
    type(row, "\x15new-tab");
    CHECK(shown(row) == " : new-tab " + hints);
    const screen_reply done = type(row, "\r");
    REQUIRE((done.closes && done.acts));
    CHECK(done.acts->what == action::new_tab);
    for (const char back : {'\033', '\x03', '\x07', '\r'}) {
        command_prompt empty = prompt();
        const screen_reply left = empty.press(key_of_byte(back));
        CHECK((left.closes && !left.acts));
    }
}

TEST_CASE("Tab completes what is certain, and then names what is possible", "[screens][command]") {
    command_prompt row = prompt();
    type(row, "ren\t");
    CHECK(shown(row) == " : rename-ta " + hints);
    type(row, "\t");
    CHECK(shown(row) == " : rename-ta   rename-tab  rename-task " + hints);
    type(row, "\x15"
              "de\t");
    CHECK(shown(row) == " : detach " + hints);
    type(row, "\x15mov\tw\t");
    CHECK(shown(row) == " : move-tab w   web  work " + hints);
    type(row, "o\t");
    CHECK(shown(row) == " : move-tab work " + hints);
    type(row, "x\t");
    CHECK(shown(row) == " : move-tab workx   nothing fits " + hints);
}

TEST_CASE("the command prompt has a history of its client's last lines", "[screens][command]") {
    const auto lines = std::make_shared<std::deque<std::string>>();
    const auto enter = [&](std::string_view line) {
        command_prompt row = prompt(lines);
        type(row, line);
        type(row, "\r");
    };
    enter("new-tab"), enter("tab 2"), enter("wrong"), enter("new-tab");
    CHECK(*lines == std::deque<std::string>{"tab 2", "new-tab"}); // each once, without wrong ones
    command_prompt row = prompt(lines);
    row.press(special(keys::up)), row.press(special(keys::up));
    CHECK(shown(row).starts_with(" : tab 2 "));
    row.press(special(keys::up));
    CHECK(shown(row).starts_with(" : tab 2 "));
    row.press(special(keys::down));
    CHECK(type(row, "\r").acts->what == action::new_tab);
    row.press(special(keys::down)), row.press(special(keys::down));
    CHECK(shown(row).starts_with(" :   "));
    for (int i = 1; i <= 60; ++i) enter("tab " + std::to_string(i));
    CHECK(lines->size() == command_prompt::most_history);
    CHECK(lines->back() == "tab 60");
}

TEST_CASE("any keys in a command prompt of any width leave its row and cursor on the terminal", "[screens][command]") {
    std::minstd_rand random(6);
    const auto lines = std::make_shared<std::deque<std::string>>();
    for (int round = 0; round < 200; ++round) {
        command_prompt row = prompt(lines);
        const vt::screen_size size{1 + static_cast<int>(random() % 4), 1 + static_cast<int>(random() % 90)};
        for (int i = 0; i < 60; ++i) {
            constexpr int some[] = {keys::up, keys::down, keys::left, keys::tab, keys::tab, keys::enter};
            key_event wide;
            wide.key = wide.character = U'漢';
            switch (random() % 4) {
            case 0: row.press(special(some[random() % 6])); break;
            case 1: row.press(wide); break;
            default: row.press(key_of_byte(static_cast<char>(1 + random() % 126)));
            }
            const overlay drawn = row.draw(size, looks_of(nullptr, false, i % 2 == 0));
            REQUIRE((drawn.rows.size() == 1 && drawn.rows[0].is_valid(size.columns) && drawn.cursor));
            REQUIRE((drawn.cursor->column >= 0 && drawn.cursor->column < size.columns));
            REQUIRE(drawn.cursor->row == size.rows - 1);
        }
    }
}
