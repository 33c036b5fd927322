// SPDX-License-Identifier: MIT
/// @file plain_output_test.cpp: a program's output as text: all of it, once.
#include "client/command/plain_output.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <string>
#include <string_view>

using mux::plain_output;

namespace {

std::string plain(const std::string& bytes, std::size_t piece = std::string::npos) {
    std::string text;
    plain_output output({24, 80}, [&text](std::string_view part) { text += part; });
    for (std::size_t at = 0; at < bytes.size(); at += std::min(piece, bytes.size() - at)) output.feed(bytes.substr(at, piece));
    output.finish();
    return text;
}

} // namespace

TEST_CASE("nothing, one line, blanks, no final newline", "[output]") {
    CHECK(plain("").empty());
    CHECK(plain("one\r\n") == "one\n");
    CHECK(plain("one") == "one");
    CHECK(plain("\r\n\r\none\r\n\r\n") == "\n\none\n\n");
    CHECK(plain("  two  words  \r\nlast ") == "  two  words  \nlast ");
    CHECK(plain("\033[1;32mgreen\033[m\r\nprogress 10%\rprogress 99%\r\n") == "green\nprogress 99%\n");
}

TEST_CASE("a wrapped line is one line, of any length", "[output]") {
    for (const std::size_t size : {79u, 80u, 81u, 160u, 5'000u, 16'384u, 16'400u, 16'401u, 32'800u, 100'000u, 1u << 20}) {
        const std::string line(size, 'x');
        CAPTURE(size);
        CHECK((plain(line) == line)); // without the text in the message
        CHECK((plain(line + "\r\nnext\r\n") == line + "\nnext\n"));
    }
}

TEST_CASE("any number of lines, in pieces of any size", "[output]") {
    std::string bytes, text;
    for (int i = 0; i < 150'000; ++i) {
        bytes += std::to_string(i) + "\r\n";
        text += std::to_string(i) + "\n";
    }
    CHECK((plain(bytes) == text));
    CHECK((plain(bytes, 777) == text));
}

TEST_CASE("text after the screen was cleared is handed on, and the alternate screen is not", "[output]") {
    CHECK(plain("one\r\ntwo\r\n\033[H\033[2Jthree\r\n", 5) == "one\ntwo\nthree\n");
    CHECK(plain("one\r\n\033[?1049h\033[Hedited\r\nmore\033[?1049ltwo\r\n", 3) == "one\ntwo\n");
    CHECK(plain("one\r\n\033[?1049hlost") == "one\n");
}

TEST_CASE("a line is handed on when the cursor is below it", "[output]") {
    std::string text;
    plain_output output({24, 80}, [&text](std::string_view part) { text += part; });
    output.feed("half");
    CHECK(text.empty());
    output.feed(" a line\r");
    CHECK(text.empty());
    output.feed("\nnext");
    CHECK(text == "half a line\n");
    output.finish();
    CHECK(text == "half a line\nnext");
}
