// SPDX-License-Identifier: MIT
/// @file input_reader_mouse_test.cpp: mouse reports and scroll keys go to the program or to the viewer, depending on the tab's
/// modes.
#include "view/input_reader.hpp"

#include "support/catch.hpp"
#include "support/input_viewer.hpp"

#include <string>
#include <string_view>

using mux::input_context;
using mux::mouse_encoding;
using mux::mouse_tracking;
using support::effect;
using support::mouse_context;
using viewer = support::input_viewer;

// ---- mouse ----

TEST_CASE("mouse reports are converted to the program's encoding and its place on the viewer's screen", "[input_reader]") {
    auto with = mouse_context(mouse_tracking::buttons);
    with.top = 5;
    with.left = 20;
    with.rows = 50;
    with.columns = 200;
    CHECK(effect("a\x1b[<0;3;4Mb", with) == "a\x1b[<0;23;9Mb");
    with.encoding = mouse_encoding::plain;
    CHECK(effect("\x1b[<0;3;4M\x1b[<0;3;4m", with) == "\x1b[M \x37)\x1b[M#\x37)");
    with.encoding = mouse_encoding::urxvt;
    CHECK(effect("\x1b[<0;3;4M", with) == "\x1b[32;23;9M");
    with.rows = 7;
    with.columns = 21;
    CHECK(effect("\x1b[<0;3;4M", with) == "\x1b[32;21;7M");
}

TEST_CASE("positions outside the tab are moved to its edge", "[input_reader]") {
    auto with = mouse_context(mouse_tracking::drags);
    with.rows = 10;
    with.columns = 30;
    CHECK(effect("\x1b[<0;31;11M", with) == "\x1b[<0;30;10M");
    CHECK(effect("\x1b[<0;-3;0M", with) == "\x1b[<0;1;1M");
    CHECK(effect("\x1b[<0;99999999999;1M", with) == "\x1b[<0;30;1M");
    // Motion along the edge is one motion.
    CHECK(effect("\x1b[<32;31;5M\x1b[<32;32;5M\x1b[<32;33;6M", with) == "\x1b[<32;30;5M\x1b[<32;30;6M");
    CHECK(effect("\x1b[<32;30;5M\x1b[<0;30;5m\x1b[<32;30;5M", with) == "\x1b[<32;30;5M\x1b[<0;30;5m\x1b[<32;30;5M");
}

TEST_CASE("pixels become cells and cells become pixels, by the size of the viewer's cells", "[input_reader]") {
    auto with = mouse_context(mouse_tracking::buttons, mouse_encoding::sgr_pixels);
    with.cell_width = 10;
    with.cell_height = 20;
    with.left = 2;
    with.top = 1;
    with.pixels = true;
    CHECK(effect("\x1b[<0;15;25M", with) == "\x1b[<0;35;45M");
    CHECK(effect("\x1b[<0;5000;5000M", with) == "\x1b[<0;800;480M");
    with.pixels = false;
    CHECK(effect("\x1b[<0;1;1M", with) == "\x1b[<0;25;30M");
    with.pixels = true;
    with.encoding = mouse_encoding::sgr;
    CHECK(effect("\x1b[<0;10;20M\x1b[<0;11;21M", with) == "\x1b[<0;3;2M\x1b[<0;4;3M");
    with.cell_width = 0; // unknown
    CHECK(effect("\x1b[<0;10;20M", with) == "");
    with.encoding = mouse_encoding::sgr_pixels;
    CHECK(effect("\x1b[<0;10;20M", with) == "");
    with.left = with.top = 0;
    CHECK(effect("\x1b[<0;10;20M", with) == "\x1b[<0;10;20M");
}

TEST_CASE("pixels are those of the tab's cells, also if the viewer's terminal reports no size", "[input_reader]") {
    auto with = mouse_context(mouse_tracking::buttons, mouse_encoding::sgr_pixels);
    with.tab_cell_width = 8;
    with.tab_cell_height = 16;
    CHECK(effect("\x1b[<0;5;3M", with) == "\x1b[<0;36;40M");
    with.left = 2;
    with.top = 1;
    CHECK(effect("\x1b[<0;1;1M\x1b[<0;1;1m", with) == "\x1b[<0;20;24M\x1b[<0;20;24m");
    with.cell_width = 10;
    with.cell_height = 20;
    CHECK(effect("\x1b[<0;1;1M", with) == "\x1b[<0;20;24M");
    with.encoding = mouse_encoding::sgr;
    CHECK(effect("\x1b[<0;1;1M", with) == "\x1b[<0;3;2M");
}

TEST_CASE("events that the program did not ask for are not reported", "[input_reader]") {
    CHECK(effect("\x1b[<0;1;1M\x1b[<0;1;1m\x1b[<35;2;2M") == "");
    CHECK(effect("\x1b[<35;2;2M\x1b[<32;2;2M", mouse_context(mouse_tracking::buttons)) == "");
    CHECK(effect("\x1b[<1;2M\x1b[<M\x1b[<1;2;3;4M", mouse_context(mouse_tracking::all)) == ""); // not valid reports
}

TEST_CASE("without a mouse mode the wheel scrolls the viewer, or types arrows on the alternate screen", "[input_reader]") {
    CHECK(effect("\x1b[<64;1;1M\x1b[<65;1;1M") == "{back 3}{forth 3}");
    CHECK(effect("\x1b[<68;1;1M\x1b[<66;1;1M\x1b[<64;1;1m") == "{back 3}");
    input_context with;
    with.alternate_screen = true;
    CHECK(effect("\x1b[<64;1;1M", with) == "");
    with.alternate_scroll = true;
    CHECK(effect("\x1b[<64;1;1M\x1b[<65;1;1M", with) == "\x1b[A\x1b[A\x1b[A\x1b[B\x1b[B\x1b[B");
    with.application_cursor = true;
    CHECK(effect("\x1b[<64;1;1M", with) == "\x1bOA\x1bOA\x1bOA");
    with.kitty_flags = 4; // flag 4 (alternate keys) does not change arrows
    CHECK(effect("\x1b[<64;1;1M", with) == "\x1bOA\x1bOA\x1bOA");
    with.kitty_flags = 1;
    CHECK(effect("\x1b[<64;1;1M", with) == "\x1b[A\x1b[A\x1b[A");
    with.mouse = mouse_tracking::buttons;
    with.encoding = mouse_encoding::sgr;
    CHECK(effect("\x1b[<64;1;1M", with) == "\x1b[<64;1;1M");
    with.mouse = mouse_tracking::x10; // without the wheel
    CHECK(effect("\x1b[<64;1;1M", with) == "");
}

TEST_CASE("while scrolled the mouse belongs to the viewer, except the release of a press that was reported", "[input_reader]") {
    viewer v(mouse_context(mouse_tracking::drags));
    CHECK(v.feed("\x1b[<0;1;1M").take() == "\x1b[<0;1;1M");
    v.context.scrolled = true;
    CHECK(v.feed("\x1b[<32;2;2M\x1b[<64;2;2M").take() == "{back 3}");
    CHECK(v.feed("\x1b[<0;2;2m").take() == "\x1b[<0;2;2m");
    CHECK(v.feed("\x1b[<0;2;2M\x1b[<0;2;2m").take() == "");
}

// ---- scrolling by keys ----

TEST_CASE("Shift-PageUp and Shift-PageDown scroll the viewer on the primary screen", "[input_reader]") {
    CHECK(effect("\x1b[5;2~\x1b[6;2~") == "{page back}{page forth}");
    CHECK(effect("\x1b[5;66~\x1b[5;130:1~\x1b[57421;2u\x1b[57422;2u") == "{page back}{page back}{page back}{page forth}");
    CHECK(effect("\x1b[5;2:1~\x1b[5;2:2~\x1b[5;2:3~") == "{page back}{page back}");
    CHECK(effect("\x1b[5;2:1~\x1b[57441;1:3u\x1b[5;1:3~") == "{page back}\x1b[57441;1:3u"); // Shift came up first
    CHECK(effect("\x1b[5;6~\x1b[5;3~") == "\x1b[5;6~\x1b[5;3~");
    input_context with;
    with.alternate_screen = true;
    CHECK(effect("\x1b[5;2~\x1b[6;2~", with) == "\x1b[5;2~\x1b[6;2~");
}

TEST_CASE("a key typed while scrolled returns to the bottom and is passed on", "[input_reader]") {
    input_context with;
    with.scrolled = true;
    CHECK(effect("ab", with) == "{bottom}ab");
    CHECK(effect("\x1b[A", with) == "{bottom}\x1b[A");
    CHECK(effect("\x1b[200~x\x1b[201~", with) == "{bottom}x");
    CHECK(effect("\x1b[5;2~\x1b[<64;1;1M\x1b[I\x1b[57441;1:3u", with) == "{page back}{back 3}{focus}\x1b[57441;1:3u");
    CHECK(effect("\x1b[97;1:3ux", with) == "\x1b[97;1:3u{bottom}x"); // a release is not a typed key
    CHECK(effect("\x1c"
                 "d",
                 with) == "{key d}");
    with.alternate_screen = true;
    CHECK(effect("\x1b[5;2~\x1b[<65;1;1M", with) == "{page back}{forth 3}");
    CHECK(effect("a\x1b[5;2~", with) == "{bottom}a\x1b[5;2~"); // no longer scrolled: for the program
    with.readonly = true;
    CHECK(effect("ab", with) == "{bottom}");
}
