// SPDX-License-Identifier: MIT
// Finding in all tabs: the search over their texts, and the list of its hits as rows of cells.
#include "screens/find_list.hpp"
#include "screens/look_back_screen.hpp"
#include "screens/terminal_text.hpp"
#include "vt/terminal.hpp"

#include "support/catch.hpp"

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace mux;

namespace {

const looks plain = looks_of(nullptr, false, true);

/// Tabs by number, all in the task "work". The first of them wrote last.
using outputs = std::vector<std::pair<tab_id, std::string>>;
using terminals = std::map<tab_id, std::shared_ptr<vt::terminal>>;

terminals terminals_of(const outputs& all) {
    terminals made;
    for (const auto& [id, output] : all) {
        vt::terminal_options options;
        options.size = {10, 80};
        options.limits.history.lines = 30'000;
        made[id] = std::make_shared<vt::terminal>(options);
        made[id]->feed(output);
    }
    return made;
}

tabs_source source_of(const outputs& all, std::shared_ptr<terminals> shown) {
    tabs_source source;
    source.list = [all] {
        tabs_source::listing listing;
        for (const auto& [id, output] : all) listing.tabs.push_back({id, "work/tab" + std::to_string(id), "2 min"});
        return listing;
    };
    source.text = [shown](tab_id id) -> std::unique_ptr<const text_source> {
        const auto found = shown->find(id);
        return found == shown->end() ? nullptr : std::make_unique<terminal_text>(found->second);
    };
    return source;
}

tabs_source source_of(const outputs& all) { return source_of(all, std::make_shared<terminals>(terminals_of(all))); }

void finish(screen& search) {
    while (search.has_work()) search.work();
}

void type(screen& to, std::string_view keys) {
    for (const char each : keys) to.press(key_of_byte(each));
    finish(to);
}

key_event special(int number) {
    key_event pressed;
    pressed.key = number;
    return pressed;
}

std::string text(const vt::row& row) {
    std::string all;
    row.append_text(all, 0, row.used());
    return all.substr(0, all.find_last_not_of(' ') + 1);
}

std::vector<std::string> rows(screen& drawn, vt::screen_size size = {10, 80}) {
    std::vector<std::string> all;
    for (const vt::row& each : drawn.draw(size, plain).rows) all.push_back(text(each));
    return all;
}

std::string repeated(std::string_view line, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all.append(line).append("\r\n");
    return all;
}

} // namespace

TEST_CASE("a search in all tabs lists each line with a hit, by tab, the newest first", "[find]") {
    find_list list(source_of({{3, "one\r\nan error here\r\nerror error\r\n"}, {1, "fine"}, {2, "  an Error"}}), "error");
    CHECK(list.has_work());
    finish(list);
    const auto shown = rows(list);
    CHECK(shown[0] == " Find in all tabs" + std::string(56, ' ') + "3 tabs");
    CHECK(shown[1] == "▸ work/tab3            2 min   error error");
    CHECK(shown[2] == "  work/tab3            2 min   an error here");
    CHECK(shown[3] == "  work/tab2            2 min     an Error");
    CHECK(shown[4] == "");
    CHECK(shown[9] == " find  error   1 of 3 in 2 tabs   Enter go  Esc back");
}

TEST_CASE("Enter in the list of hits goes to the line of the chosen one, and Escape goes back", "[find]") {
    find_list list(source_of({{3, "x\r\nan error\r\nerror\r\n"}, {2, "漢 error"}}), "error");
    finish(list);
    static_cast<void>(list.draw({10, 80}, plain));
    const auto chosen = [&] {
        const screen_reply reply = list.press(special(keys::enter));
        REQUIRE((reply.closes && reply.acts && reply.acts->what == action::go_to_line));
        CHECK(reply.acts->answer == "error");
        return std::to_string(reply.acts->number) + ":" + std::to_string(reply.acts->line) + "." +
               std::to_string(reply.acts->column);
    };
    CHECK(chosen() == "3:2.0");
    list.press(special(keys::down));
    CHECK(chosen() == "3:1.3");
    list.press(key_of_byte('\x12')); // C-r
    CHECK(chosen() == "2:0.3");
    list.wheel(3);
    CHECK(chosen() == "2:0.3");
    list.press(special(keys::page_up));
    CHECK(chosen() == "3:2.0");
    pointer_event click;
    click.row = 2;
    CHECK_FALSE(list.pointer(click).closes);
    CHECK(chosen() == "3:1.3");
    click.row = 3, click.clicks = 2;
    CHECK(list.pointer(click).acts->number == 2);
    click.row = 7;
    CHECK_FALSE(list.pointer(click).closes);
    const screen_reply back = list.press(special(keys::escape));
    CHECK((back.closes && !back.acts));
}

TEST_CASE("what is typed in the list of hits is searched again, and says why it cannot be", "[find]") {
    find_list list(source_of({{1, "abc\r\nabd\r\n"}}), "");
    CHECK_FALSE(list.has_work());
    CHECK(rows(list)[9] == " find     Enter go  Esc back");
    CHECK_FALSE(list.press(special(keys::enter)).closes);
    type(list, "ab");
    CHECK(rows(list)[9] == " find  ab   1 of 2 in 1 tab   Enter go  Esc back");
    type(list, "c");
    CHECK(rows(list)[9] == " find  abc   1 of 1 in 1 tab   Enter go  Esc back");
    type(list, "x");
    CHECK(rows(list)[9] == " find  abcx   not found   Enter go  Esc back");
    type(list, "\x15re:a[");
    CHECK(rows(list)[9].find("this '[' has no ']'") != std::string::npos);
    type(list, "c]");
    CHECK(rows(list)[9].find("not found") != std::string::npos);
    list.press(special(keys::enter));
    for (const char each : std::string("\x15"
                                       "abd"))
        list.press(key_of_byte(each));
    CHECK(list.press(special(keys::enter)).closes); // before a turn of the event loop
}

TEST_CASE("a search in all tabs is cut into slices, and bounded for each tab and for all", "[find]") {
    outputs all;
    for (tab_id id = 1; id <= 3; ++id) all.push_back({id, repeated("one needle of many", 3'000)});
    find_list list(source_of(all), "needle");
    list.work();
    CHECK(rows(list)[1].starts_with("▸ work/tab1")); // after one slice
    CHECK(rows(list)[0].find("searching, 0 of 3 tabs") != std::string::npos);
    CHECK(rows(list)[9].find("+ in 1 tab") != std::string::npos);
    finish(list);
    CHECK(rows(list)[9].find("1 of 6000+ in 3 tabs") != std::string::npos); // 2000 of each

    all.clear();
    for (tab_id id = 1; id <= 12; ++id) all.push_back({id, repeated(std::string(70, 'a'), 2'500)});
    tabs_find search(source_of(all));
    search.begin("a");
    std::size_t turns = 0, bytes = 0;
    for (; search.is_searching(); ++turns) search.work();
    CHECK(turns > 20);
    CHECK(search.hits().size() == tabs_find::most_hits);
    CHECK(search.is_cut());
    for (const tab_hit& each : search.hits()) bytes += each.text.size();
    CHECK(bytes <= tabs_find::most_hits * tabs_find::most_text);
}

TEST_CASE("a tab that closes during a search in all tabs is left out", "[find]") {
    const outputs all{{1, repeated("needle", 3'000)}, {2, "needle"}, {3, "a needle"}};
    const auto shown = std::make_shared<terminals>(terminals_of(all));
    tabs_find search(source_of(all, shown));
    search.begin("needle");
    search.work();
    const std::size_t before = search.hits().size();
    CHECK(before > 0);
    shown->erase(1), shown->erase(2);
    while (search.is_searching()) search.work();
    CHECK(search.hits().size() == before + 1);
    CHECK(search.tabs()[search.hits().back().tab].id == 3);
}

TEST_CASE("the hit of a long line is kept and shown in a narrow terminal, marked", "[find]") {
    find_list list(source_of({{1, std::string(500, 'x') + " 漢needle " + std::string(500, 'y')}}), "needle");
    finish(list);
    for (const int columns : {24, 40, 80, 200}) {
        CAPTURE(columns);
        const overlay drawn = list.draw({10, columns}, plain);
        const std::string row = text(drawn.rows[1]);
        CHECK(row.find("needle") != std::string::npos);
        int column = 0;
        while (column < columns && drawn.rows[1].at(column) != 'n') ++column;
        CHECK(drawn.rows[1].style_at(column).has(vt::attributes::bold));
    }
}

TEST_CASE("from the list of hits one comes to the line, with all hits of that tab marked", "[find]") {
    std::string output;
    for (int i = 1; i <= 100; ++i) output += "line " + std::to_string(i) + (i % 10 == 0 ? " failed\r\n" : "\r\n");
    const auto shown = terminals_of({{1, output}});
    look_back_screen there(std::make_unique<terminal_text>(shown.at(1)), {10, 80}, 0);
    there.show_found("failed", {49, 8});
    finish(there);
    const overlay drawn = there.draw({10, 80}, plain);
    CHECK(there.cursor() == text_position{49, 8});
    CHECK(text(drawn.rows.back()).starts_with(" history  "));
    REQUIRE(drawn.cursor);
    CHECK(drawn.rows[static_cast<std::size_t>(drawn.cursor->row)].style_at(8).has(vt::attributes::inverse));
    there.press(key_of_byte('\x12')); // C-r: the next older one
    CHECK(there.cursor() == text_position{39, 8});
}

TEST_CASE("^A in the find row asks for all tabs, with what was typed", "[find]") {
    const auto shown = terminals_of({{1, "some text"}});
    look_back_screen finder(std::make_unique<terminal_text>(shown.at(1)), {10, 80}, 0);
    finder.find();
    type(finder, "tex");
    const screen_reply reply = finder.press(key_of_byte('\x01'));
    CHECK_FALSE(reply.closes);
    REQUIRE(reply.acts);
    CHECK((reply.acts->what == action::find_all && reply.acts->answer == "tex"));
}

TEST_CASE("any keys leave a list of hits on a terminal of any size", "[find]") {
    std::minstd_rand random(GENERATE(3u, 4u));
    const outputs all{{1, "漢字漢字 ab e\u0301e\u0302\r\na\r\n"},
                      {2, repeated("\tab漢b", 40)},
                      {3, ""},
                      {9, "\u202e"
                          "aab"}};
    find_list list(source_of(all), "a");
    constexpr int some[] = {keys::up,   keys::down, keys::page_up, keys::page_down,
                            keys::home, keys::end,  keys::enter,   keys::backspace};
    const std::string typed = "ab漢*[(.re:\x12\x13\x15\x17\x7f";
    for (int i = 0; i < 3'000; ++i) {
        const auto pick = [&](std::size_t n) { return random() % n; };
        if (pick(2) == 0)
            list.press(special(some[pick(8)]));
        else
            list.press(key_of_byte(typed[pick(typed.size())]));
        if (pick(5) == 0) list.wheel(static_cast<int>(pick(9)) - 4);
        pointer_event click;
        click.row = static_cast<int>(pick(12)), click.clicks = 1 + static_cast<int>(pick(3));
        if (pick(5) == 0) list.pointer(click);
        if (pick(2) == 0) list.work();
        const vt::screen_size size{1 + static_cast<int>(pick(12)), 1 + static_cast<int>(pick(110))};
        const overlay drawn = list.draw(size, looks_of(nullptr, false, i % 2 == 0));
        REQUIRE(static_cast<int>(drawn.rows.size()) == size.rows);
        for (const vt::row& each : drawn.rows) REQUIRE(each.is_valid(size.columns));
        REQUIRE(drawn.cursor);
        REQUIRE((drawn.cursor->row < size.rows && drawn.cursor->column >= 0 && drawn.cursor->column < size.columns));
    }
}
