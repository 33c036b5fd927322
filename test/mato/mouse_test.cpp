// SPDX-License-Identifier: MIT
/// @file mouse_test.cpp: reports of the mouse in every mode and encoding of xterm's.
#include "view/mouse.hpp"

#include "support/catch.hpp"

using mux::mouse_encoding;
using mux::mouse_report;
using mux::mouse_tracking;

namespace {

std::optional<mouse_report> parse(std::string_view bytes) { return mux::parse_mouse(mux::parse_input_sequence(bytes)); }

std::string encode(mouse_report report, mouse_encoding encoding, mouse_tracking tracking = mouse_tracking::all) {
    return mux::encode_mouse(report, tracking, encoding);
}

/// A letter for each tracking mode that includes the report: x10, buttons, highlight, drags, all.
std::string wanted_by(unsigned code, bool release = false) {
    std::string out;
    for (const auto& [letter, tracking] : {std::pair{'n', mouse_tracking::none},
                                           {'x', mouse_tracking::x10},
                                           {'b', mouse_tracking::buttons},
                                           {'h', mouse_tracking::highlight},
                                           {'d', mouse_tracking::drags},
                                           {'a', mouse_tracking::all}})
        if (mux::is_wanted({code, 1, 1, release}, tracking)) out += letter;
    return out;
}

} // namespace

// ---- the contract ----

TEST_CASE("SGR reports are parsed", "[mouse]") {
    CHECK(parse("\x1b[<0;12;34M") == mouse_report{0, 12, 34, false});
    CHECK(parse("\x1b[<2;1;1m") == mouse_report{2, 1, 1, true});
    CHECK(parse("\x1b[<65;300;200M") == mouse_report{65, 300, 200, false});
    CHECK(parse("\x1b[<0;-4;0M") == mouse_report{0, -4, 0, false});
}

TEST_CASE("each mode reports what was asked for", "[mouse]") {
    CHECK(wanted_by(0) == "xbhda");
    CHECK(wanted_by(2) == "xbhda");
    CHECK(wanted_by(0 + mouse_report::control) == "xbhda");
    CHECK(wanted_by(0, true) == "bhda");
    CHECK(wanted_by(64) == "bhda");  // the wheel
    CHECK(wanted_by(67) == "bhda");  // to the side
    CHECK(wanted_by(128) == "bhda"); // the eighth button
    CHECK(wanted_by(32) == "da");    // motion with the left button
    CHECK(wanted_by(32 + 131) == "da");
    CHECK(wanted_by(35) == "a"); // with none
    CHECK(wanted_by(35 + mouse_report::shift) == "a");
}

TEST_CASE("a wheel has neither release nor motion", "[mouse]") {
    CHECK(wanted_by(64, true) == "");
    CHECK(wanted_by(64 + 32) == "");
}

TEST_CASE("one report in each encoding", "[mouse]") {
    const mouse_report press{0, 10, 5, false};
    CHECK(encode(press, mouse_encoding::plain) == "\x1b[M *%");
    CHECK(encode(press, mouse_encoding::utf8) == "\x1b[M *%");
    CHECK(encode(press, mouse_encoding::urxvt) == "\x1b[32;10;5M");
    CHECK(encode(press, mouse_encoding::sgr) == "\x1b[<0;10;5M");
    CHECK(encode(press, mouse_encoding::sgr_pixels) == "\x1b[<0;10;5M");
}

TEST_CASE("a release names its button only in SGR, and keeps its modifiers", "[mouse]") {
    const mouse_report release{2 + mouse_report::control, 10, 5, true};
    CHECK(encode(release, mouse_encoding::sgr) == "\x1b[<18;10;5m");
    CHECK(encode(release, mouse_encoding::plain) == "\x1b[M3*%"); // 3 + 16 + 32
    CHECK(encode(release, mouse_encoding::urxvt) == "\x1b[51;10;5M");
}

TEST_CASE("wheel, motion and further buttons keep their codes", "[mouse]") {
    CHECK(encode({64, 1, 1}, mouse_encoding::plain) == "\x1b[M`!!");
    CHECK(encode({35, 1, 1}, mouse_encoding::plain) == "\x1b[MC!!");
    CHECK(encode({65 + mouse_report::shift, 1, 1}, mouse_encoding::urxvt) == "\x1b[101;1;1M");
    CHECK(encode({128, 1, 1}, mouse_encoding::plain) == "\x1b[M\xa0!!");
    CHECK(encode({128, 1, 1}, mouse_encoding::utf8) == "\x1b[M\xc2\xa0!!"); // ctlseqs: the button is encoded too
}

TEST_CASE("mode 9 has no modifiers", "[mouse]") {
    CHECK(encode({1 + mouse_report::modifiers, 1, 1}, mouse_encoding::plain, mouse_tracking::x10) == "\x1b[M!!!");
    CHECK(encode({1 + mouse_report::modifiers, 1, 1}, mouse_encoding::sgr, mouse_tracking::x10) == "\x1b[<1;1;1M");
}

// ---- the refusals ----

TEST_CASE("other sequences are not SGR reports", "[mouse]") {
    for (const char* bytes : {"\x1b[0;1;1M", "\x1b[<0;1M", "\x1b[<0;1;1;1M", "\x1b[<;1;1M", "\x1b[<0;1;1~", "\x1b[<0:1;1;1M",
                              "\x1b[<0;1; M", "\x1b[<256;1;1M", "\x1b[<-1;1;1M", "\x1b[<0;--1;1M", "\x1b[<M"}) {
        CAPTURE(bytes);
        CHECK_FALSE(parse(bytes));
    }
}

// ---- the edges ----

TEST_CASE("a byte reaches 223 columns, two bytes of UTF-8 2015, decimals all", "[mouse]") {
    CHECK(encode({0, 223, 1}, mouse_encoding::plain) == "\x1b[M \xff!");
    CHECK(encode({0, 224, 1}, mouse_encoding::plain) == "");
    CHECK(encode({0, 1, 224}, mouse_encoding::plain) == "");
    CHECK(encode({0, 95, 96}, mouse_encoding::utf8) == "\x1b[M \x7f\xc2\x80");
    CHECK(encode({0, 1, 2015}, mouse_encoding::utf8) == "\x1b[M !\xdf\xbf");
    CHECK(encode({0, 1, 2016}, mouse_encoding::utf8) == "");
    CHECK(encode({0, 2016, 1}, mouse_encoding::utf8) == "");
    CHECK(encode({0, 0, 1}, mouse_encoding::plain) == "");
    CHECK(encode({0, 5000, 5000}, mouse_encoding::urxvt) == "\x1b[32;5000;5000M");
    CHECK(encode({0, 5000, 5000}, mouse_encoding::sgr) == "\x1b[<0;5000;5000M");
}

TEST_CASE("positions that are too large become the largest", "[mouse]") {
    CHECK(parse("\x1b[<0;65536;99999999999999999999M") == mouse_report{0, 65535, 65535, false});
    CHECK(parse("\x1b[<0;-99999999999;1M") == mouse_report{0, -65535, 1, false});
}
