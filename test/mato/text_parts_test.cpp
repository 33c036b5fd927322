// SPDX-License-Identifier: MIT
// A text that arrives in parts: its marks, its lines, and which of its bytes are echoes.
#include "client/command/text_parts.hpp"

#include "support/catch.hpp"

#include <string>

using namespace mux;

namespace {

text_read part_of(std::uint64_t line, std::string text, std::uint64_t next = 0, std::uint64_t column = 0) {
    text_read part;
    part.tab = 3;
    part.line = line;
    part.column = column;
    part.next = next;
    part.text = std::move(text);
    return part;
}

} // namespace

TEST_CASE("bytes of a text in parts are places in the tab", "[mato][text_parts]") {
    text_parts all;
    CHECK(all.add(part_of(10, "ab\ncd\n", 12, 4)));
    CHECK_FALSE(all.add(part_of(12, "ef\ngh")));
    CHECK(all.text() == "ab\ncd\nef\ngh");
    CHECK(all.begin() == text_mark{10, 4, 3});
    CHECK(all.mark_at(1) == text_mark{10, 5, 3}); // the first line's text began before
    CHECK(all.mark_at(4) == text_mark{11, 1, 3});
    CHECK(all.mark_at(6) == text_mark{12, 0, 3});
    CHECK(all.end() == text_mark{13, 2, 3});
    CHECK(all.line_at(1) == "ab");
    CHECK(all.line_at(4) == "cd");
    CHECK(all.line_at(11) == "gh");
    CHECK(all.lost_lines() == 0);
}

TEST_CASE("lines that were evicted between two parts are counted", "[mato][text_parts]") {
    text_parts all;
    CHECK(all.add(part_of(0, "a\n", 1)));
    CHECK_FALSE(all.add(part_of(8, "i")));
    CHECK(all.lost_lines() == 7);
    CHECK(all.mark_at(2) == text_mark{8, 0, 3});
}

TEST_CASE("echoes are bytes of the whole text", "[mato][text_parts]") {
    text_parts all;
    text_read first = part_of(0, "$ make\n", 1), second = part_of(1, "$ test\n");
    first.echoes = {{2, 6}};
    second.echoes = {{2, 6}};
    all.add(first);
    all.add(second);
    for (std::size_t end = 0; end <= all.text().size(); ++end) {
        CAPTURE(end);
        CHECK(all.ends_in_echo(end) == ((end > 2 && end <= 6) || (end > 9 && end <= 13)));
    }
}
