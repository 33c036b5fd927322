// SPDX-License-Identifier: MIT
/// @file input_context_test.cpp: the state for reading a viewer's input follows the tab's program.
#include "view/input_context.hpp"

#include "support/catch.hpp"
#include "vt/terminal.hpp"

#include <string>
#include <utility>

using mux::input_context;
using mux::mouse_encoding;
using mux::mouse_tracking;

TEST_CASE("the context follows the modes of the tab's program", "[input_reader]") {
    mux::vt::terminal tab({.size = {10, 30}});
    input_context with;
    with.follow(tab);
    CHECK(with.rows == 10);
    CHECK(with.columns == 30);
    CHECK(with.mouse == mouse_tracking::none);
    CHECK(with.encoding == mouse_encoding::plain);
    CHECK_FALSE((with.focus || with.bracketed_paste || with.alternate_screen || with.application_cursor));
    tab.feed("\x1b[?1h\x1b[?1049h\x1b[?1002h\x1b[?1004h\x1b[?1006h\x1b[?1007h\x1b[?2004h\x1b[=3u");
    with.follow(tab);
    CHECK(with.mouse == mouse_tracking::drags);
    CHECK(with.encoding == mouse_encoding::sgr);
    CHECK((with.focus && with.bracketed_paste && with.alternate_screen && with.alternate_scroll && with.application_cursor));
    CHECK(with.kitty_flags == 3);
    const std::pair<const char*, mouse_tracking> trackings[] = {{"9", mouse_tracking::x10},
                                                                {"1000", mouse_tracking::buttons},
                                                                {"1001", mouse_tracking::highlight},
                                                                {"1003", mouse_tracking::all}};
    for (const auto& [mode, tracking] : trackings) {
        tab.feed(std::string("\x1b[?").append(mode).append("h"));
        with.follow(tab);
        CHECK(with.mouse == tracking);
    }
    const std::pair<const char*, mouse_encoding> encodings[] = {
        {"1005", mouse_encoding::utf8}, {"1015", mouse_encoding::urxvt}, {"1016", mouse_encoding::sgr_pixels}};
    for (const auto& [mode, encoding] : encodings) {
        tab.feed(std::string("\x1b[?").append(mode).append("h"));
        with.follow(tab);
        CHECK(with.encoding == encoding);
    }
}
