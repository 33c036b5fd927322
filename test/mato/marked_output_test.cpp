// SPDX-License-Identifier: MIT
/// @file marked_output_test.cpp: marks are found however the output is cut, and nothing else is taken for one.
#include "client/command/marked_output.hpp"

#include "support/catch.hpp"

#include <string>
#include <string_view>
#include <vector>

using mux::marked_output;

namespace {

/// Texts as they are, marks in brackets; pieces of text are joined.
std::string read(const std::vector<std::string_view>& parts) {
    marked_output output;
    std::string all;
    for (const std::string_view part : parts)
        for (const auto& each : output.feed(part)) all += each.is_mark ? "[" + each.text + "]" : each.text;
    return all;
}

} // namespace

TEST_CASE("marks are found in output that is cut at any byte", "[marks]") {
    const std::string text = "a\033[1mb\033]133;C\aone\r\n\033]0;title\a\033]133;D;7;aid=1\033\\$ \033]133;A\a\033";
    const std::string wanted = "a\033[1mb[C]one\r\n\033]0;title\a[D;7;aid=1]$ [A]";
    CHECK(read({text}) == wanted);
    for (std::size_t cut = 0; cut <= text.size(); ++cut)
        CHECK(read({std::string_view(text).substr(0, cut), std::string_view(text).substr(cut)}) == wanted);
    std::vector<std::string_view> bytes;
    for (const char& each : text) bytes.emplace_back(&each, 1);
    CHECK(read(bytes) == wanted);
}

TEST_CASE("what is not a mark is text, also a mark without an end", "[marks]") {
    CHECK(read({"\033]13;x\a\033]1337;File=x\a\033]133\a"}) == "\033]13;x\a\033]1337;File=x\a\033]133\a");
    const std::string endless = "\033]133;C" + std::string(2 * marked_output::most_mark, 'x');
    CHECK(read({endless}) == endless);
    CHECK(read({"\033]133;C\033[m"}) == "[C]\033[m"); // another sequence ends it
}

TEST_CASE("the code of a mark, if it has one", "[marks]") {
    const auto code = [](const char* text) { return marked_output::piece{text, true}.code(); };
    CHECK(code("D;0") == 0);
    CHECK(code("D;130;aid=3") == 130);
    CHECK_FALSE(code("D"));
    CHECK_FALSE(code("D;"));
    CHECK_FALSE(code("D;-1"));
    CHECK_FALSE(code("D;aid=3"));
    CHECK(marked_output::piece{"D;0", true}.letter() == 'D');
    CHECK(marked_output::piece{"D", false}.letter() == '\0');
}
