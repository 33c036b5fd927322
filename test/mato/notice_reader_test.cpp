// SPDX-License-Identifier: MIT
/// @file notice_reader_test.cpp: the notices of programs, in the forms of three terminals, and what is none.
#include "tab/notice_reader.hpp"

#include "vt/terminal.hpp"

#include <mato/printable.hpp>

#include "support/catch.hpp"
#include "support/program_output.hpp"

#include <vector>

namespace {

using mux::notice_form;

/// What a terminal that gets these bytes tells: all notices.
std::vector<mux::program_notice> notices_in(std::string_view bytes) {
    mux::vt::terminal terminal;
    terminal.feed(bytes);
    mux::notice_reader reader;
    std::vector<mux::program_notice> all;
    for (const mux::vt::event& each : terminal.take_events())
        if (each.kind == mux::vt::event_kind::notification)
            if (auto made = reader.read(each)) all.push_back(std::move(*made));
    return all;
}

std::string only(std::string_view bytes, notice_form form) {
    const auto all = notices_in(bytes);
    REQUIRE(all.size() == 1);
    CHECK(all[0].form == form);
    return all[0].text;
}

} // namespace

TEST_CASE("each form of a notice is read", "[notice]") {
    CHECK(only("\033]9;the build is done\007", notice_form::osc_9) == "the build is done");
    CHECK(only("\033]9;12 tests failed\033\\", notice_form::osc_9) == "12 tests failed");
    CHECK(only("\033]777;notify;make;done; at last\007", notice_form::osc_777) == "make: done; at last");
    CHECK(only("\033]777;notify;make\007", notice_form::osc_777) == "make");
    CHECK(only("\033]777;notify;;body\007", notice_form::osc_777) == "body");
    CHECK(only("\033]99;;Hello\033\\", notice_form::osc_99) == "Hello");
    CHECK(only("\033]99;i=1:d=0;Hello\033\\\033]99;i=1:p=body;more\033\\", notice_form::osc_99) == "Hello: more");
    CHECK(only("\033]99;i=1:d=0;He\033\\\033]99;i=1:d=0;llo\033\\\033]99;i=1:d=1:p=body;\033\\", notice_form::osc_99) ==
          "Hello");
    CHECK(only("\033]99;e=1;SGVsbG8=\033\\", notice_form::osc_99) == "Hello");
    CHECK(only("\033]99;i=1:d=0;Hello\033\\\033]99;i=1:p=icon;AAAA\033\\", notice_form::osc_99) == "Hello");
}

TEST_CASE("progress reports, other commands and queries are no notices", "[notice]") {
    for (const char* bytes : {"\033]9;4;1;50\007", "\033]9;4\007", "\033]9;1;500\007", "\033]9;12;\007", "\033]9;\007",
                              "\033]777;precmd\007", "\033]777;container;push;x\007", "\033]777;notify;;\007",
                              "\033]99;i=1:p=?;\033\\", "\033]99;i=1:d=0;unfinished\033\\", "\033]99;\033\\"})
        CHECK(notices_in(bytes).empty());
}

TEST_CASE("a part of another notice ends the one that was not complete", "[notice]") {
    const auto all = notices_in("\033]99;i=a:d=0;lost\033\\\033]99;i=b;whole\033\\\033]99;i=a;again\033\\");
    REQUIRE(all.size() == 2);
    CHECK(all[0].text == "whole");
    CHECK(all[1].text == "again");
}

TEST_CASE("a notice is one printable line of a limited length, however long its parts are", "[notice]") {
    const std::string escape = only("\033]99;e=1;GxtdMjt4BwE=\033\\", notice_form::osc_99); // ESC ESC ]2;x BEL SOH
    CHECK(escape == R"(\x1b\x1b]2;x\x07\x01)");
    CHECK(only("\033]9;a\u202eb\007", notice_form::osc_9) == R"(a\xe2\x80\xaeb)");
    std::string parts;
    for (int i = 0; i < 100; ++i) parts += "\033]99;i=1:d=0;" + std::string(900, 'x') + "\033\\";
    CHECK(only(parts + "\033]99;i=1:p=body;y\033\\", notice_form::osc_99).size() <= mux::notice_reader::most_text);
    CHECK(only("\033]9;" + std::string(100'000, 'x') + "\007", notice_form::osc_9).size() <= mux::notice_reader::most_text);
}

TEST_CASE("any strings give printable notices within the limit", "[notice]") {
    for (unsigned seed = 0; seed < 300; ++seed) {
        CAPTURE(seed);
        support::program_output from(seed);
        mux::notice_reader reader;
        for (int i = 0; i < 20; ++i) {
            mux::vt::event event;
            event.kind = mux::vt::event_kind::notification;
            event.target = from.number(0, 2) == 0 ? "9" : from.number(0, 1) == 0 ? "777" : "99";
            event.text = (from.number(0, 1) == 0 ? "notify;" : "i=1:d=0:e=1;") + from.text();
            const auto made = reader.read(event);
            if (!made) continue;
            CHECK(made->text.size() <= mux::notice_reader::most_text);
            CHECK(mato::printable(made->text) == made->text);
        }
    }
}
