// SPDX-License-Identifier: MIT
#include "tab/program_paste.hpp"

#include "support/catch.hpp"

#include <string>

using mux::program_paste;

namespace {

bool is_open_after(std::string_view bytes) { return program_paste().is_open_after(bytes); }

} // namespace

TEST_CASE("what was sent ends within a paste after a begin mark and until an end mark", "[paste]") {
    CHECK_FALSE(is_open_after(""));
    CHECK_FALSE(is_open_after("plain \x1b[A \x1b[20~ \x1b[2000~"));
    CHECK(is_open_after("\x1b[200~"));
    CHECK(is_open_after("before \x1b[200~ text \x1b[20"));
    CHECK_FALSE(is_open_after("\x1b[200~text\x1b[201~"));
    CHECK_FALSE(is_open_after("\x1b[200~text\x1b[201~ more"));
    CHECK(is_open_after("\x1b[200~\x1b[201~\x1b[200~"));
    CHECK_FALSE(is_open_after("\x1b[201~"));
    CHECK(is_open_after("\x1b\x1b[200~"));    // an ESC before the mark
    CHECK(is_open_after("\x1b[20\x1b[200~")); // a mark that was cut, then a whole one
    CHECK_FALSE(is_open_after("\x1b[202~\x1b[2 00~"));
}

TEST_CASE("the marks of a paste are found in any split", "[paste]") {
    const std::string all = "a\x1b[200~b\x1b[2c\x1b[201~d\x1b[200~";
    for (std::size_t first = 0; first <= all.size(); ++first)
        for (std::size_t second = first; second <= all.size(); ++second) {
            program_paste paste;
            paste.passed(std::string_view(all).substr(0, first));
            CHECK(paste.is_open() == is_open_after(std::string_view(all).substr(0, first)));
            paste.passed(std::string_view(all).substr(first, second - first));
            paste.passed(std::string_view(all).substr(second));
            CHECK(paste.is_open());
        }
}

TEST_CASE("whose paste it is lasts until that client ends it, and reaches the next process", "[paste]") {
    program_paste paste;
    CHECK(paste.word() == 0);
    paste.begins(77);
    paste.passed(program_paste::begin_mark);
    paste.ends(78);
    CHECK(paste.client() == 77);
    CHECK_FALSE(paste.is_away());
    program_paste next = program_paste::of(paste.word());
    CHECK(next.client() == 77);
    CHECK(next.is_away());
    CHECK(next.is_open());
    next.begins(77); // it is back
    CHECK_FALSE(next.is_away());
    next.ends(77);
    CHECK(next.client() == 0);
    CHECK(next.is_open());
    next.passed(program_paste::end_mark);
    CHECK(next.word() == 0);
    CHECK_FALSE(program_paste::of(0).is_away());
    CHECK(program_paste::of(next.word() | 0xffffffffu).client() == 0xffffffffu);
}
