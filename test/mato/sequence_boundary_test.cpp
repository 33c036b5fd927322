// SPDX-License-Identifier: MIT
/// @file sequence_boundary_test.cpp: output is split before a sequence or character that would be incomplete.
#include "tab/sequence_boundary.hpp"

#include "protocol/utf8_length.hpp"
#include "support/catch.hpp"
#include "vt/terminal.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using mux::sequence_boundary;
using namespace std::string_literals;

TEST_CASE("complete sequences and characters stay, incomplete ones wait", "[sequence_boundary]") {
    CHECK(sequence_boundary("") == 0);
    CHECK(sequence_boundary("plain\r\n") == 7);
    CHECK(sequence_boundary("a\033[31mb") == 7);
    CHECK(sequence_boundary("a\033(0") == 4);
    CHECK(sequence_boundary("a\033]0;title\ab") == 12);
    CHECK(sequence_boundary("a\033]0;title\033\\b") == 13);
    CHECK(sequence_boundary("a\033P1$r\033\\") == 8);
    for (const char* cut : {"\033", "\033[", "\033[31", "\033[?25;", "\033(", "\033]0;title", "\033]0;title\033", "\033Pq\a",
                            "\033_G", "\xc3", "\xe2\x82", "\xf0\x9f\x99", "\033[31;\n"}) {
        INFO(cut);
        CHECK(sequence_boundary("text"s + cut) == 4);
        CHECK(sequence_boundary("\033[1m"s + cut) == 4);
    }
}

TEST_CASE("bytes that end a sequence early do so here too", "[sequence_boundary]") {
    for (const char* text : {"\033[3\030", "\033[3\032x", "\033]0;t\030", "\033[3\033[m", "\033\033[m", "\033]0;t\033[m"}) {
        INFO(text);
        CHECK(sequence_boundary(text) == std::string_view(text).size());
    }
    CHECK(sequence_boundary("\033[3\033") == 0);
}

TEST_CASE("the Linux console's palette sequences need no terminator", "[sequence_boundary]") {
    for (const char* text : {"\033]P1ff0000", "\033]P1ff0000hello", "\033]R", "\033]Rhello", "\033]P12zx", "\033]P12\033[m"}) {
        INFO(text);
        CHECK(sequence_boundary(text) == std::string_view(text).size());
    }
    for (const char* cut : {"\033]P", "\033]P1ff000", "\033]"}) {
        INFO(cut);
        CHECK(sequence_boundary("text"s + cut) == 4);
    }
}

TEST_CASE("bytes that do not begin a character do not wait", "[sequence_boundary]") {
    for (const char* text : {"\x80", "\xff", "\xc0", "\xe0\x80", "\xed\xa0", "\xf4\x90", "\xc3\xa9", "\xc3\xa9\xa9", "\xf5"}) {
        INFO(text);
        CHECK(mux::utf8_unfinished(text) == 0);
    }
    CHECK(mux::utf8_unfinished("") == 0);
    CHECK(mux::utf8_unfinished("\xe2") == 1);
    CHECK(mux::utf8_unfinished("\xe2\x82") == 2);
    CHECK(mux::utf8_unfinished("a\xf0\x9f\x99") == 3);
    CHECK(mux::utf8_unfinished("\xe2\x82\xac") == 0);
}

TEST_CASE("the emulator agrees for any bytes and any split", "[sequence_boundary]") {
    std::mt19937 random(5);
    const std::vector<std::string> pieces{
        "\033", "\033", "[",  "]",    "P", "\\", ";",    "0",        "12",           "H",
        "K",    " ",    "\a", "\030", "a", "(",  "\x7f", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x99\x82"};
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes;
        for (auto n = random() % 24; n > 0; --n) bytes += pieces[random() % pieces.size()];
        bytes.resize(bytes.size() - std::min<std::size_t>(bytes.size(), random() % 3));
        mux::vt::terminal screen;
        screen.feed(bytes.substr(0, sequence_boundary(bytes)));
        INFO(round);
        CAPTURE(bytes);
        REQUIRE(screen.is_between_sequences());
    }
}
