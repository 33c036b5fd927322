// SPDX-License-Identifier: MIT
/// @file frame_overlay_test.cpp: rows of mato's own over a tab: screens, the bar, messages, history.
#include "support/catch.hpp"
#include "support/framed_terminal.hpp"
#include "support/program_output.hpp"

#include <string>

using namespace mux;
using namespace support;

TEST_CASE("history and an overlay are shown and removed again without a trace", "[frame]") {
    vt::terminal tab = make(5, 20), viewer = make(5, 20);
    frame_composer composer({5, 20}, everything());
    const auto compose = [&](const frame_composer::request& wanted) {
        std::string frame;
        composer.compose(tab, wanted, frame);
        viewer.feed(frame);
    };
    for (int i = 1; i <= 30; ++i) tab.feed("line " + std::to_string(i) + (i < 30 ? "\r\n" : ""));
    compose({});
    REQUIRE(difference(tab, viewer, {}) == "");
    compose({.rows_back = 10});
    vt::text_line line;
    viewer.read_row(0, line);
    CHECK(line.text.starts_with("line 16"));
    CHECK(line.text.ends_with(" 10/25 "));
    CHECK_FALSE(viewer.cursor().visible);
    const overlay help = lines({"first", "second"});
    compose({.over = &help});
    viewer.read_row(1, line);
    CHECK(line.text.starts_with("second"));
    tab.feed("\r\nmore");
    compose({});
    CHECK(difference(tab, viewer, composer.offset()) == "");
}

TEST_CASE("a bar keeps its row while the tab above it scrolls, wraps, and moves its cursor", "[frame]") {
    for (int seed = 0; seed < 40; ++seed) {
        CAPTURE(seed);
        program_output from(static_cast<unsigned>(seed));
        vt::terminal tab = make(9, 30), viewer = make(10, 30);
        frame_composer composer({10, 30}, everything());
        std::string frame;
        for (int step = 0; step < 60; ++step) {
            tab.feed(from.number(0, 2) == 0 ? from.burst() : "\r\n" + from.text());
            overlay bar = lines({"bar " + std::to_string(step / 7)}, 9, overlay::rest::tab);
            const bool is_hidden = step % 13 == 12; // the bar is off: its row shows what the tab has there, nothing
            frame.clear();
            composer.compose(tab, {.over = is_hidden ? nullptr : &bar, .reserved = is_hidden ? 0 : 1}, frame);
            viewer.feed(frame);
            vt::text_line last;
            viewer.read_row(9, last);
            const std::string shown = last.text.substr(0, last.text.find_last_not_of(' ') + 1);
            REQUIRE(shown == (is_hidden ? "" : "bar " + std::to_string(step / 7)));
            vt::terminal above = make(9, 30);
            for (int r = 0; r < 9; ++r)
                for (int c = 0; c < 30; ++c)
                    REQUIRE(cell(viewer, viewer.row_at(r), c, true) == cell(tab, tab.row_at(r), c, true));
            const auto want = tab.cursor(), got = viewer.cursor();
            REQUIRE(got.visible == want.visible);
            if (want.visible) REQUIRE(got.at == want.at);
        }
    }
}

TEST_CASE("a message covers the tab's last row, with the cursor in it, and leaves no trace", "[frame]") {
    vt::terminal tab = make(4, 20), viewer = make(4, 20);
    frame_composer composer({4, 20}, everything());
    const auto compose = [&](const frame_composer::request& wanted) {
        std::string frame;
        composer.compose(tab, wanted, frame);
        viewer.feed(frame);
    };
    tab.feed("one\r\ntwo\r\nthree\r\nfour");
    compose({});
    const overlay message = lines({"message"}, 3, overlay::rest::tab);
    compose({.over = &message});
    vt::text_line line;
    viewer.read_row(3, line);
    CHECK(line.text.starts_with("message"));
    viewer.read_row(2, line);
    CHECK(line.text.starts_with("three"));
    CHECK_FALSE(viewer.cursor().visible);
    tab.feed("\r\nfive\r\nsix" + std::string(30, 'x')); // scrolls and wraps under it
    compose({.over = &message});
    viewer.read_row(3, line);
    CHECK(line.text.starts_with("message"));
    compose({});
    CHECK(difference(tab, viewer, composer.offset()) == "");

    overlay asks = lines({"name: "}, 3, overlay::rest::tab);
    asks.cursor = vt::position{3, 6};
    compose({.over = &asks});
    CHECK(viewer.cursor().visible);
    CHECK(viewer.cursor().at == vt::position{3, 6});
    const overlay beyond = lines({"a", "b", "c"}, 3, overlay::rest::tab); // rows beyond the terminal's end are not shown
    compose({.over = &beyond});
    viewer.read_row(3, line);
    CHECK(line.text.starts_with("a"));
}
