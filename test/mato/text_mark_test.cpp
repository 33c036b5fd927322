// SPDX-License-Identifier: MIT
// Marks: a place in a tab's text as a user writes it, and the collected parts of a text.
#include "client/command/text_parts.hpp"
#include "protocol/text_mark.hpp"

#include "support/catch.hpp"

#include <string>

using namespace mux;

TEST_CASE("a mark is written as it is read", "[mato][mark]") {
    CHECK(text_mark{0, 0, 0}.text() == "1.0");
    CHECK(text_mark{56, 12, 3}.text() == "57.12@3");
    for (const text_mark each : {text_mark{0, 0, 1}, text_mark{41, 7, 0}, text_mark{~std::uint64_t{1}, ~std::uint64_t{0}, 9}}) {
        CAPTURE(each.text());
        CHECK(text_mark::parse(each.text()) == each);
    }
}

TEST_CASE("what is not a mark is refused", "[mato][mark]") {
    for (const char* const text :
         {"", "1", "1.", ".1", "0.0", "-1.0", "+1.0", "1.0@", "1.0@0", "1.0@x", "1.0 ", " 1.0", "1.0@3 ", "1,0", "1.0.0",
          "18446744073709551616.0", "1.18446744073709551616", "a.b", "1.0@3@4"}) {
        CAPTURE(text);
        CHECK_FALSE(text_mark::parse(text));
    }
}

TEST_CASE("the place after a text, and the begin of a line in it", "[mato][mark]") {
    CHECK(text_mark{4, 2, 3}.after("") == text_mark{4, 2, 3});
    CHECK(text_mark{4, 2, 3}.after("ab") == text_mark{4, 4, 3});
    CHECK(text_mark{4, 2, 3}.after("ab\n") == text_mark{5, 0, 3});
    CHECK(text_mark{4, 2, 3}.after("ab\n\ncd") == text_mark{6, 2, 3});
    CHECK(begin_of_line("ab\n\ncd", 0) == 0);
    CHECK(begin_of_line("ab\n\ncd", 1) == 3);
    CHECK(begin_of_line("ab\n\ncd", 2) == 4);
    CHECK(begin_of_line("ab\n\ncd", 3) == std::string_view::npos);
    CHECK(begin_of_line("ab\n", 1) == 3);
}

namespace {

text_read part(std::uint64_t line, std::uint64_t column, const std::string& text, std::uint64_t next = 0) {
    text_read result;
    result.tab = 3;
    result.line = line;
    result.column = column;
    result.text = text;
    result.next = next;
    return result;
}

} // namespace

TEST_CASE("places in a text of several parts", "[mato][mark]") {
    text_parts text;
    CHECK(text.add(part(10, 2, "c\nsecond\n", 12)));
    CHECK_FALSE(text.add(part(12, 0, "third")));
    CHECK(text.text() == "c\nsecond\nthird");
    CHECK(text.lost_lines() == 0);
    CHECK(text.begin() == text_mark{10, 2, 3});
    CHECK(text.end() == text_mark{12, 5, 3});
    CHECK(text.mark_at(1) == text_mark{10, 3, 3});
    CHECK(text.mark_at(2) == text_mark{11, 0, 3});
    CHECK(text.mark_at(9) == text_mark{12, 0, 3});
    CHECK(text.line_at(0) == "c");
    CHECK(text.line_at(1) == "c"); // the place after its last byte
    CHECK(text.line_at(2) == "second");
    CHECK(text.line_at(13) == "third");
}

TEST_CASE("lines that are evicted between two parts are counted", "[mato][mark]") {
    text_parts text;
    CHECK(text.add(part(10, 0, "a\n", 11)));
    CHECK_FALSE(text.add(part(15, 0, "b")));
    CHECK(text.lost_lines() == 4);
    CHECK(text.mark_at(2) == text_mark{15, 0, 3});
    const text_parts empty;
    CHECK(empty.end() == text_mark{});
}
