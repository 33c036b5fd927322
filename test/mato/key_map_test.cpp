// SPDX-License-Identifier: MIT
// Which keys after the prefix do what, with and without the user's changes.
#include "screens/bottom_row.hpp"
#include "screens/help_screen.hpp"
#include "screens/key_map.hpp"

#include "support/catch.hpp"

#include <memory>
#include <string>

using namespace mux;

namespace {

action action_of(const key_map& keys, char typed) {
    const auto found = keys.action_of(key_of_byte(typed));
    REQUIRE(found);
    return found->what;
}

std::string text(const overlay& shown) {
    std::string all;
    for (const vt::row& row : shown.rows) {
        row.append_text(all, 0, row.used());
        all += '\n';
    }
    return all;
}

} // namespace

TEST_CASE("without changes every key of the table does its action", "[mato][keys]") {
    const key_map keys;
    for (const action_entry& each : all_actions) {
        CAPTURE(each.name);
        std::string all;
        for (const std::string& name : keys.keys_of(each.what)) all += (all.empty() ? "" : " ") + name;
        CHECK(all == each.keys);
    }
}

TEST_CASE("a changed action has its keys alone, and other actions lose them", "[mato][keys]") {
    const key_map keys({{"find", {"n", "F5"}}, {"office", {"C-a"}}, {"suspend", {}}});
    CHECK(action_of(keys, 'n') == action::find);
    key_event f5;
    f5.key = tilde_keys + 15;
    CHECK(keys.action_of(f5)->what == action::find);
    CHECK_FALSE(keys.action_of(key_of_byte('/')));
    CHECK(keys.keys_of(action::next_tab).empty());
    CHECK(action_of(keys, '\x01') == action::office);
    CHECK(action_of(keys, 'a') == action::tab_that_needs_you);
    CHECK_FALSE(keys.action_of(key_of_byte(' ')));
    CHECK_FALSE(keys.action_of(key_of_byte('\x1a')));
    CHECK(action_of(keys, 'd') == action::detach);
    CHECK(action_of(keys, '\x04') == action::detach); // Ctrl still held
}

TEST_CASE("two actions may exchange their keys", "[mato][keys]") {
    const key_map keys({{"next-tab", {"p"}}, {"previous-tab", {"n"}}});
    CHECK(action_of(keys, 'p') == action::next_tab);
    CHECK(action_of(keys, 'n') == action::previous_tab);
}

TEST_CASE("help and hint show the keys as configured", "[mato][keys]") {
    const auto keys = std::make_shared<const key_map>(key_changes{{"find", {"n", "F5"}}, {"new-tab", {"C-t"}}});
    const looks look = looks_of(nullptr, false, true);
    help_screen help("C-b", keys);
    CHECK(text(help.draw({40, 80}, look)).find("n F5   find") != std::string::npos);
    const auto back = help.press(key_of_byte('n'));
    REQUIRE(back.acts);
    CHECK(back.acts->what == action::find);
    const std::string hint = text(hint_row("C-b", *keys, {24, 80}, look));
    CHECK(hint.find("C-t new") != std::string::npos);
    CHECK(hint.find("next") == std::string::npos); // its key is taken
}
