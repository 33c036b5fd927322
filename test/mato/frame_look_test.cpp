// SPDX-License-Identifier: MIT
/// @file frame_look_test.cpp: the palette, the colours that a terminal has, and the shape of its cursor.
#include "support/catch.hpp"
#include "support/framed_terminal.hpp"

#include <string>

using namespace mux;
using namespace support;

TEST_CASE("changing or resetting a palette colour repaints the cells that use it", "[frame]") {
    vt::terminal tab = make(3, 20), viewer = make(3, 20);
    terminal_features features = everything();
    frame_composer composer({3, 20}, features);
    const auto show = [&] {
        std::string frame;
        composer.compose(tab, {}, frame);
        viewer.feed(frame);
        return difference(tab, viewer, composer.offset());
    };
    tab.feed("\033[31mred");
    REQUIRE(show() == "");
    for (const char* change : {"\033]4;1;rgb:12/34/56\007", "\033]4;1;rgb:12/34/57\007", "\033]104;1\007"}) {
        tab.feed(change);
        CHECK(show() == "");
    }
}

TEST_CASE("a change of the palette draws the cells in its colours again, and clears nothing", "[frame]") {
    vt::terminal tab = make(3, 40), viewer = make(3, 40);
    frame_composer composer({3, 40}, everything());
    const auto show = [&] {
        std::string frame;
        composer.compose(tab, {}, frame);
        viewer.feed(frame);
        CHECK(difference(tab, viewer, composer.offset()) == "");
        return frame;
    };
    composer.forget();
    tab.feed("plain words\r\n\033[31mred\033[m and \033[38;2;1;2;3mexact\033[m\r\n\033[44mblue below\033[32m");
    show();
    for (const char* change : {"\033]4;1;rgb:12/34/56\033\\", "\033]4;1;rgb:12/34/57\033\\", "\033]104;1\033\\"}) {
        tab.feed(change);
        const std::string frame = show();
        CHECK(frame.find("\033[2J") == std::string::npos);
        CHECK(frame.find("red") != std::string::npos);
        CHECK(frame.find("plain") == std::string::npos);
        CHECK(frame.find("exact") == std::string::npos);
        CHECK(show() == "");
    }
    tab.feed("\033]4;2;rgb:aa/bb/cc\033\\g"); // the pen's own colour
    show();
    tab.feed("\033]10;rgb:ff/ff/ff\033\\");
    CHECK(show().find("\033[2J") == std::string::npos);
}

TEST_CASE("colours are reduced to those of the terminal, and none means none", "[frame]") {
    const auto shown = [](colour_depth depth, const char* sequence) {
        vt::terminal tab = make(2, 10);
        tab.feed(std::string(sequence) + "x");
        terminal_features f;
        f.colours = depth;
        frame_composer composer({2, 10}, f);
        std::string frame;
        composer.compose(tab, {}, frame);
        return frame;
    };
    CHECK(shown(colour_depth::direct, "\033[38;2;255;0;0m").find("\033[38;2;255;0;0mx") != std::string::npos);
    CHECK(shown(colour_depth::indexed, "\033[38;2;255;0;0m").find("\033[38;5;196mx") != std::string::npos);
    CHECK(shown(colour_depth::indexed, "\033[48;2;128;128;128m").find("\033[48;5;244mx") != std::string::npos);
    CHECK(shown(colour_depth::sixteen, "\033[38;5;196m").find("\033[91mx") != std::string::npos);
    CHECK(shown(colour_depth::sixteen, "\033[31m").find("\033[31mx") != std::string::npos);
    CHECK(shown(colour_depth::none, "\033[1;31;44m").find("\033[1mx") != std::string::npos);
}

TEST_CASE("the terminal's cursor keeps the user's shape until a program sets one, and gets it back afterwards", "[frame]") {
    vt::terminal tab = make(3, 20);
    frame_composer composer({3, 20}, everything());
    const auto told = [&](std::string_view bytes) { // sequences about the cursor's shape
        tab.feed(bytes);
        std::string frame, found;
        composer.compose(tab, {}, frame);
        for (auto at = frame.find("\033["); at != std::string::npos; at = frame.find("\033[", at + 1)) {
            const auto end = frame.find_first_not_of("?0123456789; ", at + 2);
            const std::string each = frame.substr(at + 2, end - at - 1);
            if (each.ends_with(" q") || each.starts_with("?12")) found += "<" + each + ">";
        }
        return found;
    };
    CHECK(told("first") == "");
    CHECK(told("\033[?12l\033[?25h") == ""); // terminfo's cnorm
    CHECK(told("\033[?12;25h") == "<?12h>"); // cvvis
    CHECK(told("\033[?12l\033[?25h") == "<?12l>");
    CHECK(told("\033[5 q") == "<5 q>");
    CHECK(told("\033[?12l") == "<6 q>");
    CHECK(told("\033[?12h") == "<5 q>");
    CHECK(told("\033[0 q") == "<0 q>");
    CHECK(told("\033[0 q") == "");
    CHECK(told("\033[4 q") == "<4 q>");
    CHECK(told("\033c") == "<0 q>");
    CHECK(told("\033[1 q\033[0 q") == ""); // between two frames
    CHECK(told("\033[?12h\033[1 q") == "<1 q>");
    CHECK(told("\033[ q\033[?12h") == "<0 q><?12h>");
    CHECK(told("\033[2 q") == "<2 q>");
}

TEST_CASE("a tab that sets no cursor shape restores the user's after one that does", "[frame]") {
    vt::terminal shaping = make(3, 20), plain = make(3, 20), viewer = make(3, 20);
    shaping.feed("\033[6 q");
    frame_composer composer({3, 20}, everything());
    const auto show = [&](const vt::terminal& tab) {
        composer.forget();
        std::string frame;
        composer.compose(tab, {}, frame);
        viewer.feed(frame);
        return viewer.cursor().shape;
    };
    CHECK(show(plain) == vt::cursor_shape::own);
    CHECK(show(shaping) == vt::cursor_shape::bar);
    CHECK(show(plain) == vt::cursor_shape::own);
    CHECK(show(shaping) == vt::cursor_shape::bar);
}
