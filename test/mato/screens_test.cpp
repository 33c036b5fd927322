// SPDX-License-Identifier: MIT
// Screens of mato's own, as rows of cells: no terminal is needed.
#include "screens/actions.hpp"
#include "screens/bottom_row.hpp"
#include "screens/help_screen.hpp"
#include "screens/text_row.hpp"

#include "support/catch.hpp"

#include <set>
#include <string>
#include <vector>

using namespace mux;

namespace {

const auto default_keys = std::make_shared<const key_map>();

std::string text(const vt::row& row) {
    std::string all;
    row.append_text(all, 0, row.used());
    return all.substr(0, all.find_last_not_of(' ') + 1);
}

std::string text(const overlay& drawn) {
    std::string all;
    for (const vt::row& each : drawn.rows) all += text(each) + "\n";
    return all;
}

key_event typed(char c) { return key_of_byte(c); }
key_event special(int number) {
    key_event e;
    e.key = number;
    return e;
}

void check_fits(const overlay& drawn, vt::screen_size size) {
    CHECK(drawn.top >= 0);
    CHECK(drawn.top + static_cast<int>(drawn.rows.size()) <= size.rows);
    for (const vt::row& each : drawn.rows) {
        CHECK(each.used() <= size.columns);
        CHECK(each.is_valid(size.columns));
    }
}

const std::vector<vt::screen_size> sizes{{1, 1}, {5, 20}, {10, 40}, {24, 80}, {100, 300}};

} // namespace

TEST_CASE("text is cut to its columns, and control characters are shown", "[screens]") {
    CHECK(clipped("shell", 5) == "shell");
    CHECK(clipped("shells", 5) == "shel…");
    CHECK(clipped("shells", 5, false) == "shel>");
    CHECK(clipped("漢字漢字", 5) == "漢字…");
    CHECK(clipped("漢字漢字", 4) == "漢…"); // a wide character is not halved
    CHECK(clipped("x", 0) == "");
    CHECK(clipped("e\u0301", 1) == "e\u0301");
    CHECK(clipped("a\x1b[31mb", 20) == "a\\x1b[31mb");
    CHECK(clipped("a\u202eb", 20) == "a\\xe2\\x80\\xaeb");
    CHECK(text_columns("漢e\u0301x") == 4);
    vt::row row;
    CHECK(put_text(row, 2, 7, "漢字漢", {}) == 7);
    CHECK(text(row) == "  漢字…");
    CHECK(row.is_valid(7));
}

TEST_CASE("each key after the prefix has one action, in every form that terminals send", "[screens]") {
    CHECK(default_keys->action_of(typed('d'))->what == action::detach);
    CHECK(default_keys->action_of(typed('\x04'))->what == action::detach);  // Ctrl still held
    CHECK(default_keys->action_of(typed('\x1a'))->what == action::suspend); // but C-z is a key of its own
    CHECK_FALSE(default_keys->action_of(typed('z')));
    CHECK(default_keys->action_of(typed('n'))->what == action::next_tab);
    CHECK(default_keys->action_of(typed('N'))->what == action::next_task);
    CHECK(default_keys->action_of(typed('\t'))->what == action::last_tab);
    CHECK(default_keys->action_of(typed('3'))->number == 3);
    CHECK(default_keys->action_of(typed('0'))->number == 10);
    CHECK_FALSE(default_keys->action_of(special(keys::up)));
    key_event alt = typed('d');
    alt.modifiers |= key_event::alt;
    CHECK_FALSE(default_keys->action_of(alt));
    CHECK(name_of(alt) == "M-d");
    CHECK(name_of(special(keys::page_up)) == "PageUp");
    CHECK(name_of(typed('\x18')) == "C-x");
    std::set<std::string_view> used, names;
    for (const action_entry& each : all_actions) {
        CHECK(names.insert(each.name).second);
        for (std::string_view rest = each.keys; !rest.empty();) {
            const auto end = std::min(rest.find(' '), rest.size());
            CAPTURE(rest.substr(0, end));
            CHECK(used.insert(rest.substr(0, end)).second);
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }
}

TEST_CASE("the help screen names every key at every size", "[screens]") {
    for (const vt::screen_size size : sizes)
        for (const bool unicode : {true, false}) {
            CAPTURE(size.rows, size.columns, unicode);
            help_screen help("C-\\", default_keys);
            const looks look = looks_of(nullptr, false, unicode);
            std::string seen = text(help.draw(size, look));
            for (int i = 0; i < 100; ++i) { // to the end, a row at a time
                help.press(special(keys::down));
                const overlay drawn = help.draw(size, look);
                check_fits(drawn, size);
                seen += text(drawn);
            }
            if (size.columns < 40) continue;
            for (const action_entry& each : all_actions) CHECK(seen.find(each.text) != std::string::npos);
        }
}

TEST_CASE("a key in the help screen does its work, scrolls, or goes back", "[screens]") {
    help_screen help("C-b", default_keys);
    const looks look = looks_of(nullptr, true, true);
    const vt::screen_size small{8, 40};
    const std::string first = text(help.draw(small, look));
    CHECK(first.find("after C-b") != std::string::npos);
    CHECK(first.find("more below") != std::string::npos);
    CHECK_FALSE(help.press(special(keys::end)).closes);
    const std::string last = text(help.draw(small, look));
    CHECK(last.find("more below") == std::string::npos);
    CHECK(last.find("type C-b") != std::string::npos);
    help.press(special(keys::home));
    CHECK(text(help.draw(small, look)) == first);
    CHECK(help.press(typed('\x1b')).closes);
    CHECK(help.press(typed('q')).closes);
    CHECK_FALSE(help.press(typed('~')).closes);
    const screen_reply reply = help.press(typed('c'));
    CHECK(reply.closes);
    REQUIRE(reply.acts);
    CHECK(reply.acts->what == action::new_tab);
}

TEST_CASE("a hint and a message take the last row, cut to its width", "[screens]") {
    for (const vt::screen_size size : sizes) {
        CAPTURE(size.rows, size.columns);
        const looks look = looks_of(nullptr, false, true);
        check_fits(hint_row("C-\\", *default_keys, size, look), size);
        check_fits(message_row("this client is read-only \x1b]0;x\a", size, look), size);
        CHECK(hint_row("C-\\", *default_keys, size, look).top == size.rows - 1);
    }
    const looks look = looks_of(nullptr, false, true);
    CHECK(text(hint_row("C-\\", *default_keys, {24, 80}, look)) ==
          " C-\\  c new  n next  x close  Space office  [ history  / find  d detach  ? all\n");
    CHECK(text(hint_row("C-\\", *default_keys, {24, 20}, look)) == " C-\\  c new  n next\n");
    CHECK(text(message_row("copied\n2", {24, 80}, look)) == " copied\\x0a2\n");
}

TEST_CASE("a bar's ground is made from the terminal's own colours, or reversed", "[screens]") {
    vt::host_colours dark;
    dark.at[vt::palette::foreground] = vt::wide_rgb{0xffff, 0xffff, 0xffff};
    dark.at[vt::palette::background] = vt::wide_rgb{0, 0, 0};
    const looks known = looks_of(&dark, true, true);
    CHECK(known.ground.background == vt::colour::direct({30, 30, 30})); // 12 % of 255
    CHECK_FALSE(known.ground.has(vt::attributes::inverse));
    for (const looks& other : {looks_of(nullptr, true, true), looks_of(&dark, false, true)}) {
        CHECK(other.ground.background.is_default());
        CHECK(other.ground.has(vt::attributes::inverse));
        CHECK(other.lifted != other.ground);
    }
}
