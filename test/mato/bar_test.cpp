// SPDX-License-Identifier: MIT
// The bar as a row of cells: every width, any number of tabs, names of any text.
#include "screens/bar.hpp"

#include "support/catch.hpp"
#include "support/program_output.hpp"

#include <string>

using namespace mux;

namespace {

std::string text(const bar_drawing& drawn, int columns) {
    std::string all;
    drawn.row.append_text(all, 0, columns);
    return all;
}

bar_state example() {
    bar_state state;
    state.task = "web";
    state.tabs = {{1, "shell"}, {2, "vim"}, {3, "tests", bar_mark::failed}};
    state.shown = 1;
    state.others = {{4, "agents", 1, 0, 2}, {7, "ops", 0, 0, 1}};
    state.prefix = "C-\\";
    return state;
}

looks plain(bool unicode = true) { return looks_of(nullptr, false, unicode); }

} // namespace

TEST_CASE("the bar shows the task, its tabs with marks, what happened in other tasks, and the way to help", "[bar]") {
    const bar_state state = example();
    CHECK(text(draw_bar(state, 80, plain()), 80) ==
          " web  1 shell  2 vim  3 tests ✗  +                  agents !1 ●2  ops ●1  C-\\ ? ");
    CHECK(text(draw_bar(state, 80, plain(false)), 80) ==
          " web  1 shell  2 vim  3 tests x  +                  agents !1 *2  ops *1  C-\\ ? ");
    CHECK(text(draw_bar(state, 52, plain()), 52) == " web  1 shell  2 vim  3 tests ✗  +     !1 ●3  C-\\ ? ");
    CHECK(text(draw_bar(state, 40, plain()), 40) == " web  1  2 vim  3✗  +      !1 ●3  C-\\ ? ");
}

TEST_CASE("a tab that is done has a mark of its own, in the bar and in the sum of another task", "[bar]") {
    bar_state state = example();
    state.tabs[0].mark = bar_mark::done;
    state.others = {{4, "agents", 0, 0, 0, 2}};
    CHECK(text(draw_bar(state, 60, plain()), 60) == " web  1 shell ✓  2 vim  3 tests ✗  +       agents ✓2  C-\\ ? ");
    CHECK(text(draw_bar(state, 60, plain(false)), 60) == " web  1 shell v  2 vim  3 tests x  +       agents v2  C-\\ ? ");
}

TEST_CASE("names are cut before they are left out, and the shown tab is always there", "[bar]") {
    bar_state state = example();
    state.others.clear();
    state.tabs[0].name = "a-very-long-name-of-a-tab-with-much-to-say";
    state.tabs[1].name = "another-long-name";
    CHECK(text(draw_bar(state, 60, plain()), 60) == " web  1 a-very-long…  2 another-lon…  3 tests ✗  +    C-\\ ? ");
    for (int i = 4; i <= 30; ++i) state.tabs.push_back({static_cast<tab_id>(i), "tab" + std::to_string(i)});
    state.shown = 14;
    for (const int columns : {20, 40, 80}) {
        const std::string shown = text(draw_bar(state, columns, plain()), columns);
        CAPTURE(columns, shown);
        CHECK(shown.find("15 tab15") != std::string::npos);
        CHECK(shown.find("‹") != std::string::npos);
        CHECK(shown.find("›") != std::string::npos);
    }
}

TEST_CASE("a click on a tab, on the plus, on a task and on the prefix does what is shown there", "[bar]") {
    const bar_state state = example();
    const bar_drawing drawn = draw_bar(state, 80, plain());
    const auto at = [&](const char* what) {
        const std::string ascii = text(draw_bar(state, 80, plain(false)), 80);
        const auto column = ascii.find(what);
        REQUIRE(column != std::string::npos);
        return drawn.at(static_cast<int>(column));
    };
    REQUIRE(at("shell"));
    CHECK(at("shell")->acts.what == action::tab_by_id);
    CHECK(at("shell")->acts.number == 1);
    CHECK(at("tests")->acts.number == 3);
    CHECK(at("+")->acts.what == action::new_tab);
    CHECK(at("agents")->acts.number == 4);
    CHECK(at("C-")->acts.what == action::help);
    CHECK(at("web") == nullptr);
    CHECK(drawn.at(40) == nullptr);
    CHECK(drawn.at(-1) == nullptr);
}

TEST_CASE("a bar of any state fits into any width, and its areas lie in it", "[bar]") {
    for (unsigned seed = 0; seed < 400; ++seed) {
        CAPTURE(seed);
        support::program_output from(seed);
        bar_state state;
        state.task = from.text();
        for (int i = from.number(1, 30); i > 0; --i)
            state.tabs.push_back({static_cast<tab_id>(i), from.text(), static_cast<bar_mark>(from.number(0, 4))});
        state.shown = static_cast<std::size_t>(from.number(0, static_cast<int>(state.tabs.size()) - 1));
        for (int i = from.number(0, 5); i > 0; --i)
            state.others.push_back({99, from.text(), from.number(0, 3), from.number(0, 3), from.number(0, 300)});
        if (from.number(0, 1) == 0) state.note = "read only";
        state.prefix = "C-b";
        for (const int columns : {1, 2, 3, 5, 10, 20, 40, 80, 300}) {
            CAPTURE(columns);
            const bar_drawing drawn = draw_bar(state, columns, plain(from.number(0, 1) == 0));
            REQUIRE(drawn.row.used() <= columns);
            REQUIRE(drawn.row.is_valid(columns));
            for (const hit_area& each : drawn.areas) {
                REQUIRE(each.from >= 0);
                REQUIRE(each.from < each.to);
                REQUIRE(each.to <= columns);
            }
        }
    }
}
