// SPDX-License-Identifier: MIT
// Lines that `send` has typed, and where a text shows them again.
#include "daemon/typed_lines.hpp"

#include "support/catch.hpp"

#include <string>
#include <vector>

using namespace mux;

namespace {

/// A text that begins with this line of the tab.
text_read text_at(std::uint64_t line, std::string text, std::uint64_t column = 0) {
    text_read part;
    part.line = line;
    part.column = column;
    part.text = std::move(text);
    return part;
}

std::vector<std::string> echoed(const typed_lines& typed, const text_read& part) {
    std::vector<std::string> all;
    for (const byte_range& each : typed.echoes_in(part)) all.push_back(part.text.substr(each.begin, each.end - each.begin));
    return all;
}

using texts = std::vector<std::string>;

} // namespace

TEST_CASE("a typed line is found where the cursor was, and only there", "[mato][typed_lines]") {
    typed_lines typed;
    typed.type("echo DONE\r", {5, 2, 0});
    CHECK(echoed(typed, text_at(5, "$ echo DONE\necho DONE\nDONE")) == texts{"echo DONE"});
    CHECK(typed.echoes_in(text_at(3, "a\nb\n$ echo DONE\nDONE")) == std::vector{byte_range{6, 15}});
    CHECK(typed.echoes_in(text_at(5, "echo DONE\nDONE", 2)) == std::vector{byte_range{0, 9}});
    CHECK(typed.echoes_in(text_at(5, "DONE\nDONE", 7)).empty()); // the text begins within the line
    CHECK(typed.echoes_in(text_at(6, "$ echo DONE")).empty());
    CHECK(typed.echoes_in(text_at(2, "$ echo DONE\n")).empty());
    CHECK(typed.echoes_in(text_at(5, "")).empty());
    CHECK(typed.echoes_in(text_at(5, "$ something else")).empty());
}

TEST_CASE("a line typed in parts is one line once Enter is typed", "[mato][typed_lines]") {
    typed_lines typed;
    typed.type("echo ", {1, 2, 0});
    typed.type("DONE", {1, 7, 0});
    CHECK(typed.echoes_in(text_at(1, "$ echo DONE")).empty()); // a person may wait for what was typed
    typed.type("\r", {1, 11, 0});
    CHECK(echoed(typed, text_at(1, "$ echo DONE")) == texts{"echo DONE"});
}

TEST_CASE("a line that was edited, hidden or too long is not remembered", "[mato][typed_lines]") {
    const text_read shown = text_at(0, "$ echo DONE");
    for (const std::string bytes : {"echo DONES\x7f\r",
                                    "\x15"
                                    "echo DONE\r",
                                    "echo DON\033[DE\r", "\techo DONE\r"}) {
        typed_lines typed;
        typed.type(bytes, {0, 2, 0});
        CHECK(typed.echoes_in(shown).empty());
        typed.type("echo DONE\r", {0, 2, 0}); // the next line is
        CHECK(echoed(typed, shown) == texts{"echo DONE"});
    }
    typed_lines hidden;
    hidden.forget_line();
    hidden.type("echo DONE\r", {0, 2, 0});
    CHECK(hidden.echoes_in(shown).empty());
    typed_lines large;
    large.type(std::string(typed_lines::most_bytes, 'a') + "\r", {0, 0, 0});
    large.type(std::string(typed_lines::most_bytes + 1, 'b') + "\r", {1, 0, 0});
    CHECK(echoed(large, text_at(0, std::string(typed_lines::most_bytes, 'a') + "\n" +
                                       std::string(typed_lines::most_bytes + 1, 'b'))) ==
          texts{std::string(typed_lines::most_bytes, 'a')});
}

TEST_CASE("of several lines typed at once the first one's place is known", "[mato][typed_lines]") {
    typed_lines typed;
    typed.type("echo a\necho b\n", {0, 2, 0});
    CHECK(echoed(typed, text_at(0, "$ echo a\necho b\na\n$ echo b")) == texts{"echo a"});
    typed.type("\r\r", {5, 0, 0}); // empty lines are no text
    typed.type("   \r", {5, 0, 0});
    CHECK(typed.echoes_in(text_at(5, "   ")).empty());
    typed.type("x  \r", {5, 0, 0}); // blanks at a line's end are not in its text
    CHECK(echoed(typed, text_at(5, "x")) == texts{"x"});
}

TEST_CASE("the newest lines are remembered", "[mato][typed_lines]") {
    typed_lines typed;
    std::string shown;
    texts newest;
    for (std::size_t i = 0; i < 3 * typed_lines::most_lines; ++i) {
        const std::string line = "line " + std::to_string(i);
        typed.type(line + "\r", {i, 0, 0});
        shown += line + "\n";
        if (i >= 2 * typed_lines::most_lines) newest.push_back(line);
    }
    CHECK(echoed(typed, text_at(0, shown)) == newest);
}
