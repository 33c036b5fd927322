// SPDX-License-Identifier: MIT
/// @file asciicast_test.cpp: lines of an asciicast v2 file.
#include "client/asciicast.hpp"

#include "support/asciicast_reader.hpp"
#include "support/catch.hpp"

#include <random>
#include <string>

using mux::asciicast_writer;

namespace {

struct cast {
    std::string text;
    asciicast_writer writer{text};
    explicit cast(std::uint64_t at = 0) {
        writer.begin({{24, 80}, 1700000000, "", "", {}}, at);
        text.clear();
    }
};

} // namespace

// ---- the contract ----

TEST_CASE("the header is one line with all known members", "[asciicast]") {
    std::string text;
    asciicast_writer(text).begin({{40, 120}, 1700000000, "a \"title\"", "make\n-j2", {{"TERM", "xterm-256color"}}}, 5);
    CHECK(text == "{\"version\": 2, \"width\": 120, \"height\": 40, \"timestamp\": 1700000000, \"title\": \"a \\\"title\\\"\", "
                  "\"command\": \"make\\n-j2\", \"env\": {\"TERM\": \"xterm-256color\"}}\n");
    text.clear();
    asciicast_writer(text).begin({{24, 80}, 7, "", "", {}}, 5);
    CHECK(text == "{\"version\": 2, \"width\": 80, \"height\": 24, \"timestamp\": 7}\n");
}

TEST_CASE("events are lines of time, kind and text", "[asciicast]") {
    cast c(1'000'000);
    c.writer.output(1'000'000, "a\r\n\033[1m\"\\");
    c.writer.resize(2'500'000, {43, 132});
    c.writer.marker(3'000'001, "here");
    CHECK(c.text ==
          "[0.000000, \"o\", \"a\\r\\n\\u001b[1m\\\"\\\\\"]\n[1.500000, \"r\", \"132x43\"]\n[2.000001, \"m\", \"here\"]\n");
    CHECK(c.writer.seconds() == 2);
}

TEST_CASE("a character cut by the end of the output waits for its rest", "[asciicast]") {
    cast c;
    c.writer.output(1, "a\xe2\x82");
    c.writer.output(2, "\xac");
    CHECK(c.text == "[0.000001, \"o\", \"a\"]\n[0.000002, \"o\", \"\xe2\x82\xac\"]\n");
    c.text.clear();
    c.writer.output(3, "\xf0\x9f"); // nothing to show yet
    CHECK(c.text.empty());
    c.writer.cut(4); // its rest is lost
    CHECK(c.text == "[0.000004, \"o\", \"\xef\xbf\xbd\xef\xbf\xbd\"]\n");
    c.text.clear();
    c.writer.cut(5);
    CHECK(c.text.empty());
}

// ---- the edges ----

TEST_CASE("time does not run backwards, and does not begin before the start", "[asciicast]") {
    cast c(1000);
    c.writer.output(3000, "b");
    c.writer.output(2000, "a");
    c.writer.output(10, "c");
    CHECK(c.text == "[0.002000, \"o\", \"b\"]\n[0.002000, \"o\", \"a\"]\n[0.002000, \"o\", \"c\"]\n");
    cast early(1000);
    early.writer.output(10, "x");
    CHECK(early.text == "[0.000000, \"o\", \"x\"]\n");
}

TEST_CASE("bytes that are not UTF-8 become replacement characters", "[asciicast]") {
    cast c;
    c.writer.output(0, "a\xff\x80z");
    CHECK(c.text == "[0.000000, \"o\", \"a\xef\xbf\xbd\xef\xbf\xbdz\"]\n");
}

TEST_CASE("for any split of the text, the joined events are the text and each line is JSON", "[asciicast]") {
    std::mt19937 random(3);
    const std::string all = "h\xc3\xa9llo \xe2\x82\xac \xf0\x9f\x99\x82 \033[31m\"\\\r\n\t\x01\x7f \xe6\x97\xa5\xe6\x9c\xac";
    for (int round = 0; round < 500; ++round) {
        cast c;
        for (std::size_t at = 0, size; at < all.size(); at += size) {
            size = 1 + random() % 6;
            c.writer.output(at, std::string_view(all).substr(at, size));
        }
        c.writer.cut(99);
        const auto read =
            support::asciicast::read("{\"version\": 2, \"width\": 1, \"height\": 1, \"timestamp\": 1}\n" + c.text);
        REQUIRE(read.problem == "");
        REQUIRE(read.output() == all);
    }
}
