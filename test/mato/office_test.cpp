// SPDX-License-Identifier: MIT
// The Office as rows of cells: the list, what is found, the preview; any keys in any size.
#include "screens/office.hpp"
#include "screens/text_row.hpp"

#include "support/catch.hpp"

#include <random>
#include <string>

using namespace mux;

namespace {

std::string text(const vt::row& row) {
    std::string all;
    row.append_text(all, 0, row.used());
    return all.substr(0, all.find_last_not_of(' ') + 1);
}

key_event special(int number) {
    key_event e;
    e.key = number;
    return e;
}

void type(screen& to, std::string_view keys) {
    for (const char each : keys) to.press(key_of_byte(each));
}

office_tab tab(tab_id id, std::size_t number, std::string name, std::string state, bar_mark mark = bar_mark::none,
               std::string words = {}) {
    office_tab made;
    made.id = id, made.number = number, made.name = std::move(name), made.state = std::move(state), made.mark = mark;
    made.details = "80x23  ~/shop";
    made.words = std::move(words);
    return made;
}

office_state three_tasks() {
    return {.tasks = {{"web",
                       {tab(1, 1, "shell", "~/shop"), tab(2, 2, "vim", "src/cart.cpp", bar_mark::none, "vim cart.cpp"),
                        tab(3, 3, "tests", "ended with 4", bar_mark::failed)}},
                      {"agents", {tab(4, 1, "claude", "asks", bar_mark::asks), tab(5, 2, "codex", "works", bar_mark::wrote)}},
                      {"ops", {tab(6, 1, "logs", "works", bar_mark::wrote), tab(7, 2, "db", "psql shop")}}},
            .closed = {}};
}

/// Keys for tabs, as "id:key ".
std::string passed_on;

office_screen office(office_state state, tab_id here = 1) {
    return office_screen({[state] { return state; },
                          [](tab_id id, int rows) {
                              office_preview all;
                              for (int i = 0; i < std::min(rows, 3); ++i) {
                                  vt::row row;
                                  put_text(row, 0, 80, "tab " + std::to_string(id) + " line " + std::to_string(i), {});
                                  all.rows.push_back(row);
                              }
                              if (rows > 2) all.cursor = vt::position{2, 12};
                              return all;
                          },
                          [](tab_id id, const key_event& key) -> std::string {
                              if (id == 6) return "this client is read-only";
                              passed_on += std::to_string(id) + ":" + name_of(key) + " ";
                              return {};
                          },
                          "C-\\"},
                         here);
}

const looks plain = looks_of(nullptr, false, true);

key_event control(char letter) {
    key_event pressed;
    pressed.key = letter;
    pressed.modifiers = key_event::control;
    return pressed;
}

std::optional<pressed_action> enter(screen& in) { return in.press(special(keys::enter)).acts; }

} // namespace

TEST_CASE("the Office lists tasks and tabs with their states, and shows the chosen tab", "[screens][office]") {
    office_screen shown = office(three_tasks());
    const overlay drawn = shown.draw({24, 80}, plain);
    REQUIRE(drawn.rows.size() == 24);
    CHECK(text(drawn.rows[0]) == " Office" + std::string(40, ' ') + "3 tasks · 7 tabs · 1 needs you");
    CHECK(text(drawn.rows[1]) == " ❯ type to find a tab             │ agents/claude    80x23  ~/shop");
    CHECK(text(drawn.rows[3]) == "  web                             │ tab 4 line 0");
    CHECK(text(drawn.rows[4]) == "   1 shell     ~/shop             │ tab 4 line 1");
    CHECK(text(drawn.rows[5]) == "   2 vim       src/cart.cpp       │ tab 4 line 2");
    CHECK(text(drawn.rows[6]) == "   3 tests     ended with 4    ✗  │");
    CHECK(text(drawn.rows[7]) == "  agents                          │");
    CHECK(text(drawn.rows[8]) == " ▸ 1 claude    asks            !  │");
    CHECK(text(drawn.rows[9]) == "   2 codex     works           ●  │");
    CHECK(text(drawn.rows[12]) == "   2 db        psql shop          │");
    CHECK(text(drawn.rows[22]).starts_with("──────────────────────────────────┴───"));
    CHECK(text(drawn.rows[23]) == " Enter go  Tab type here  ^N new  ^R name  ^X close  ^Z undo  ^S sort  Esc back");
    CHECK(drawn.cursor == vt::position{1, 3});
}

TEST_CASE("the Office begins at the tab that has asked longest, and shows its note above its screen", "[screens][office]") {
    office_state state = three_tasks();
    state.tasks[1].tabs[0].asks_ms = 5'000;
    office_tab& waiting = state.tasks[2].tabs[1];
    waiting.mark = bar_mark::asks, waiting.asks_ms = 6'000, waiting.note = "drop the \033[31mtable?";
    office_screen shown = office(state);
    const overlay drawn = shown.draw({24, 80}, plain);
    CHECK(text(drawn.rows[1]).ends_with("ops/db    80x23  ~/shop"));
    CHECK(text(drawn.rows[2]).ends_with("│ drop the \\x1b[31mtable?"));
    CHECK(text(drawn.rows[3]).ends_with("tab 7 line 0"));
    type(shown, "31mt"); // a note is found, too
    CHECK(enter(shown)->number == 7);
}

TEST_CASE("without a tab that asks the Office begins at the shown one", "[screens][office]") {
    office_state quiet = three_tasks();
    quiet.tasks[1].tabs[0].mark = bar_mark::none;
    office_screen shown = office(quiet, 6);
    CHECK(enter(shown)->number == 6);
}

TEST_CASE("typing in the Office finds tabs by any of their words", "[screens][office]") {
    const auto found = [](std::string_view typed) {
        office_screen shown = office(three_tasks());
        type(shown, typed);
        (void)shown.draw({24, 80}, plain);
        const auto went = enter(shown);
        return went ? went->number : 0;
    };
    CHECK(found("test") == 3);     // the name
    CHECK(found("OPS") == 6);      // the task: its first tab
    CHECK(found("psql") == 7);     // the state
    CHECK(found("cart.cpp") == 2); // the command
    CHECK(found("nothing") == 0);
    CHECK(found("nothing\x15vim") == 2); // C-u clears
    CHECK(found("vimx\x7f") == 2);
    office_screen shown = office(three_tasks());
    type(shown, "db");
    CHECK_FALSE(shown.press(special(keys::escape)).closes); // first clears
    CHECK(shown.press(special(keys::escape)).closes);
}

TEST_CASE("arrows choose tabs and keep to the ends of the list", "[screens][office]") {
    office_screen shown = office(three_tasks());
    shown.press(special(keys::down));
    CHECK(enter(shown)->number == 5);
    shown.press(special(keys::up)), shown.press(special(keys::up));
    CHECK(enter(shown)->number == 3);
    shown.press(special(keys::end));
    CHECK(enter(shown)->number == 7);
    shown.press(special(keys::down));
    CHECK(enter(shown)->number == 7);
    shown.press(special(keys::home));
    CHECK(enter(shown)->number == 1);
    CHECK(shown.press(key_of_byte('\x18')).acts->what == action::close_tab);  // C-x
    CHECK(shown.press(key_of_byte('\x12')).acts->what == action::rename_tab); // C-r
    CHECK(shown.press(key_of_byte('\x0e')).acts->what == action::new_tab);    // C-n
}

TEST_CASE("a long list scrolls so that the chosen tab is always shown", "[screens][office]") {
    office_state many;
    for (std::size_t t = 0; t < 5; ++t) {
        office_task task{"task" + std::to_string(t), {}};
        for (std::size_t i = 0; i < 10; ++i)
            task.tabs.push_back(tab(100 * t + i + 1, i + 1, "name" + std::to_string(100 * t + i), ""));
        many.tasks.push_back(std::move(task));
    }
    office_screen shown = office(many);
    for (int i = 0; i < 60; ++i) {
        const overlay drawn = shown.draw({12, 70}, plain);
        const auto chosen =
            std::count_if(drawn.rows.begin(), drawn.rows.end(), [](const vt::row& r) { return text(r).starts_with(" ▸"); });
        REQUIRE(chosen == 1);
        shown.press(special(i % 7 == 3 ? keys::page_down : i % 11 == 5 ? keys::up : keys::down));
    }
}

TEST_CASE("the Office fits into any size with any names and after any keys", "[screens][office]") {
    std::minstd_rand random(9);
    const auto name = [&] {
        static const char* const some[] = {"漢字漢字漢字漢字", "e\u0301\u0302x",          "", "a\x1b[31mb",
                                           "\u202e",           "very long name of a tab", "x"};
        return std::string(some[random() % 7]);
    };
    for (int round = 0; round < 400; ++round) {
        office_state state;
        for (std::size_t t = 0; t < random() % 4; ++t) {
            office_task task{name(), {}};
            for (std::size_t i = 0; i < 1 + random() % 5; ++i)
                task.tabs.push_back(tab(10 * t + i + 1, i + 1, name(), name(), static_cast<bar_mark>(random() % 4), name()));
            if (random() % 3 == 0) state.closed.push_back({name(), {tab(1000 + t, 0, name(), name())}});
            state.tasks.push_back(std::move(task));
        }
        office_screen shown = office(state);
        const vt::screen_size size{1 + static_cast<int>(random() % 40), 1 + static_cast<int>(random() % 200)};
        const looks look = looks_of(nullptr, false, round % 2 == 0);
        for (int k = 0; k < 20; ++k) {
            const overlay drawn = shown.draw(size, look);
            REQUIRE(static_cast<int>(drawn.rows.size()) <= size.rows);
            for (const vt::row& each : drawn.rows) REQUIRE(each.is_valid(size.columns));
            REQUIRE((drawn.cursor || shown.types_to() != 0)); // it may be hidden
            if (drawn.cursor)
                REQUIRE((drawn.cursor->row < size.rows && drawn.cursor->column >= 0 && drawn.cursor->column < size.columns));
            const int some[] = {keys::up,  keys::down,      keys::page_up, keys::page_down, keys::home,
                                keys::end, keys::backspace, keys::escape,  keys::tab,       keys::left};
            if (random() % 10 == 0) static_cast<void>(shown.press_after_prefix(special(keys::tab)));
            pointer_event click;
            click.row = static_cast<int>(random() % 30), click.column = static_cast<int>(random() % 130);
            if (random() % 5 == 0) shown.pointer(click), shown.wheel(static_cast<int>(random() % 7) - 3);
            if (random() % 2 == 0)
                shown.press(special(some[random() % 10]));
            else
                shown.press(key_of_byte(static_cast<char>(1 + random() % 126)));
        }
    }
}

TEST_CASE("Control and a letter change tabs from the Office: new, name, close, undo", "[screens][office]") {
    struct {
        char letter;
        action what;
        bool has_tab;
    } const all[] = {{'n', action::new_tab, false},
                     {'r', action::rename_tab, true},
                     {'x', action::close_tab, true},
                     {'z', action::undo_close, false}};
    for (const auto& each : all) {
        office_screen shown = office(three_tasks());
        const screen_reply reply = shown.press(control(each.letter));
        CHECK(reply.closes);
        REQUIRE(reply.acts);
        CHECK(reply.acts->what == each.what);
        CHECK((reply.acts->number != 0) == each.has_tab);
    }
}

TEST_CASE("Tab gives the keyboard to the previewed tab, until Tab after the prefix", "[screens][office]") {
    passed_on.clear();
    office_screen shown = office(three_tasks());
    (void)shown.draw({24, 80}, plain);
    CHECK(shown.types_to() == 0);
    CHECK_FALSE(shown.press_after_prefix(special(keys::tab))); // what it does everywhere
    shown.press(special(keys::tab));
    REQUIRE(shown.types_to() == 4);
    for (const key_event& each : {key_of_byte('y'), special(keys::enter), special(keys::tab), special(keys::escape),
                                  key_of_byte('\x18'), special(keys::down)})
        CHECK_FALSE(shown.press(each).closes);
    CHECK(passed_on == "4:y 4:Enter 4:Tab 4:Escape 4:C-x 4:Down ");
    shown.wheel(3); // chooses no other tab while this one has the keyboard
    const overlay drawn = shown.draw({24, 80}, plain);
    CHECK(text(drawn.rows[23]) == " C-\\ Tab back to the list; all other keys go to agents/claude");
    CHECK(drawn.cursor == vt::position{5, 48}); // the program's
    CHECK_FALSE(shown.press_after_prefix(key_of_byte('d')));
    CHECK(shown.press_after_prefix(special(keys::tab)));
    CHECK(shown.types_to() == 0);
    type(shown, "db");
    CHECK(passed_on.ends_with("Down "));
    CHECK(enter(shown)->number == 7);
}

TEST_CASE("the keyboard comes back from a tab that ends or takes no keys, and goes to no closed one", "[screens][office]") {
    office_state state = three_tasks();
    office_screen shown({[&state] { return state; }, [](tab_id, int) { return office_preview(); },
                         [](tab_id, const key_event&) { return std::string(); }, "C-b"},
                        1);
    (void)shown.draw({24, 80}, plain);
    shown.press(special(keys::tab));
    CHECK(shown.types_to() == 4);
    state.tasks.erase(state.tasks.begin() + 1);
    (void)shown.draw({24, 80}, plain);
    CHECK(shown.types_to() == 0);

    office_screen refusing = office(three_tasks());
    (void)refusing.draw({24, 80}, plain);
    type(refusing, "logs");
    refusing.press(special(keys::tab));
    CHECK(refusing.types_to() == 6);
    CHECK(refusing.press(key_of_byte('x')).says == "this client is read-only");
    CHECK(refusing.types_to() == 0);
    (void)refusing.draw({24, 40}, plain); // without a preview
    refusing.press(special(keys::tab));
    CHECK(refusing.types_to() == 0);
}

TEST_CASE("^S sorts the Office by state", "[screens][office]") {
    office_screen shown = office(three_tasks());
    shown.press(control('s'));
    const overlay drawn = shown.draw({24, 80}, plain);
    CHECK(text(drawn.rows[4]).starts_with(" ▸ 1 agents/claude"));
    CHECK(text(drawn.rows[6]).starts_with("   3 web/tests "));
    CHECK(text(drawn.rows[8]).starts_with("   2 agents/codex"));
    CHECK(text(drawn.rows[9]).starts_with("   1 ops/logs"));
    CHECK(text(drawn.rows[11]).starts_with("   1 web/shell"));
    shown.press(control('s'));
    CHECK(text(shown.draw({24, 80}, plain).rows[3]).starts_with("  web "));
}

TEST_CASE("a wide Office has two previews, and ^G shows a grid of all", "[screens][office]") {
    office_screen shown = office(three_tasks());
    const std::string wide = text(shown.draw({24, 130}, plain).rows[1]);
    CHECK(wide.find("agents/claude") != std::string::npos);
    CHECK(wide.find("agents/codex") != std::string::npos);
    CHECK(text(shown.draw({24, 120}, plain).rows[1]).find("agents/codex") == std::string::npos);
    shown.press(control('g'));
    std::string all;
    for (const vt::row& each : shown.draw({60, 200}, plain).rows) all += text(each) + "\n";
    for (const char* name : {"web/shell", "web/vim", "web/tests", "agents/claude", "agents/codex", "ops/logs", "ops/db"})
        CHECK(all.find(name) != std::string::npos);
    CHECK(all.find("tab 7 line 1") != std::string::npos);
    shown.press(special(keys::right));
    CHECK(enter(shown)->number == 5);
    shown.press(special(keys::left)), shown.press(special(keys::left));
    CHECK(enter(shown)->number == 3);
    shown.press(control('g'));
    CHECK(text(shown.draw({24, 80}, plain).rows[3]).starts_with("  web "));
}

TEST_CASE("closed tabs stand at the end of the Office, and Enter brings the chosen one back", "[screens][office]") {
    office_state state = three_tasks();
    state.closed = {{"old", {tab(12, 0, "gone", "5 min ago")}}, {"web", {tab(11, 0, "older", "9 min ago")}}};
    office_screen shown = office(state);
    const overlay drawn = shown.draw({24, 80}, plain);
    CHECK(text(drawn.rows[0]).find("7 tabs") != std::string::npos);
    CHECK(text(drawn.rows[13]) == "  closed                          │");
    CHECK(text(drawn.rows[14]) == "     old/gone         5 min ago   │");
    shown.press(special(keys::end)), shown.press(special(keys::up));
    const auto back = enter(shown);
    REQUIRE(back);
    CHECK((back->what == action::undo_close && back->number == 12));
    for (const char letter : {'x', 'r'}) CHECK_FALSE(shown.press(control(letter)).closes);
    type(shown, "older");
    (void)shown.draw({24, 80}, plain);
    CHECK(enter(shown)->number == 11);
}

TEST_CASE("a click in the Office chooses a tab, a double click goes there, the wheel chooses the next", "[screens][office]") {
    office_screen shown = office(three_tasks());
    (void)shown.draw({24, 80}, plain);
    pointer_event click;
    click.row = 6, click.column = 10;
    CHECK_FALSE(shown.pointer(click).closes);
    CHECK(enter(shown)->number == 3);
    shown.wheel(3);
    CHECK(enter(shown)->number == 4);
    click.row = 12, click.clicks = 2;
    CHECK(shown.pointer(click).acts->number == 7);
}
