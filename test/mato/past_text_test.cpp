// SPDX-License-Identifier: MIT
/// @file past_text_test.cpp: what a terminal shows becomes a text that another terminal shows alike, but dimmed.
#include "tab/past_text.hpp"

#include "support/catch.hpp"

#include <random>

using namespace mux;

namespace {

constexpr std::size_t all_lines = 100'000, enough = 1u << 20;

vt::terminal made(vt::screen_size size, std::string_view output = {}) {
    vt::terminal_options options;
    options.size = size;
    options.limits.history.lines = 5000;
    options.limits.history.bytes = 1u << 20;
    vt::terminal shown(options);
    shown.feed(output);
    return shown;
}

/// Lines as the program wrote them, without blanks and empty lines at the end.
std::string lines_of(const vt::terminal& shown) {
    std::string text;
    const auto end_line = [&] {
        while (text.ends_with(' ')) text.pop_back();
        text += '\n';
    };
    vt::row line;
    for (std::size_t i = 0; i < shown.history_lines(); ++i) {
        shown.read_history_line(i, line);
        line.append_text(text, 0, line.used());
        const bool goes_on = i + 1 == shown.history_lines() && shown.is_history_open();
        if (!goes_on || shown.is_set(vt::mode::alternate_screen)) end_line();
    }
    for (int r = 0; r < shown.size().rows; ++r) {
        shown.row_at(r).append_text(text, 0, shown.row_at(r).used());
        if (!shown.row_at(r).wraps) end_line();
    }
    while (text.ends_with('\n') || text.ends_with(' ')) text.pop_back();
    return text;
}

vt::terminal again(const vt::terminal& shown, std::size_t lines = all_lines, std::size_t most = enough) {
    return made(shown.size(), past_text(shown, lines, most));
}

/// All text on the screen is dimmed, and none of it is bold.
bool is_dimmed(const vt::terminal& shown) {
    for (int r = 0; r < shown.size().rows; ++r)
        for (int c = 0; c < shown.row_at(r).used(); ++c) {
            const vt::style look = shown.row_at(r).style_at(c);
            if (shown.row_at(r).at(c) == vt::units::blank) continue;
            if (!look.has(vt::attributes::faint) || look.has(vt::attributes::bold)) return false;
        }
    return true;
}

} // namespace

TEST_CASE("the text of a terminal shows the same lines in another one, dimmed and with their colours", "[past_text]") {
    const auto first = made({5, 20}, "one\r\n\033[1;31mred\033[m plain\r\n\r\n\033[4:3;48;2;1;2;3mcurly\033[m\r\nlast");
    const auto second = again(first);
    CHECK(lines_of(second) == lines_of(first));
    CHECK(is_dimmed(second));
    const auto text = past_text(first, all_lines, enough);
    CHECK(text.find("\033[2;31m") != std::string::npos);
    CHECK(text.find("48;2;1;2;3") != std::string::npos);
    CHECK(text.ends_with("\r\n"));
    CHECK(lines_of(again(second)) == lines_of(first)); // and once more
}

TEST_CASE("any output gives the same lines at any size: wide, combining, wrapped and erased text", "[past_text]") {
    const unsigned seed = GENERATE(range(0u, 40u));
    std::mt19937 random(seed);
    const vt::screen_size sizes[] = {{24, 80}, {3, 7}, {1, 2}, {50, 200}, {10, 33}};
    const vt::screen_size size = sizes[seed % 5];
    const std::string_view parts[] = {
        "word ", "\xe6\xbc\xa2\xe5\xad\x97",     "e\xcc\x81", "\xf0\x9f\x98\x80", "\r\n", "\033[1;33m", "\033[m", "\033[7m",
        "\t",    "a long part without a blank ", "\033[K",    "\033[44m   \033[m"};
    std::string output;
    for (int i = 0; i < 400; ++i) output += parts[random() % std::size(parts)];
    const auto first = made(size, output);
    INFO("seed " << seed << ", " << size.columns << "x" << size.rows);
    const auto second = again(first);
    CHECK(lines_of(second) == lines_of(first));
    CHECK(is_dimmed(second));
}

TEST_CASE("only the newest lines of history are in the text", "[past_text]") {
    std::string output;
    for (int i = 1; i <= 100; ++i) output += "line " + std::to_string(i) + "\r\n";
    const auto first = made({10, 40}, output);
    const std::size_t lines = GENERATE(0u, 1u, 20u, 91u, 5000u);
    const std::string text = lines_of(again(first, lines));
    const std::size_t oldest = lines >= 91 ? 1 : 92 - lines; // the screen has 92 to 100, and an empty row
    CHECK(text.starts_with("line " + std::to_string(oldest) + "\n"));
    CHECK(text.ends_with("\nline 100"));
}

TEST_CASE("a text that would be too large begins with the oldest line that fits", "[past_text]") {
    const int columns = GENERATE(80, 7);
    std::string output;
    for (int i = 1; i <= 300; ++i) output += "a line that wraps in a narrow terminal " + std::to_string(i) + "\r\n";
    const auto first = made({10, columns}, output);
    for (const std::size_t most : {0u, 10u, 60u, 200u, 2000u, 10'000u}) {
        INFO(most);
        const std::string text = past_text(first, all_lines, most);
        CHECK(text.size() <= most);
        const std::string lines = lines_of(made({10, columns}, text));
        CHECK((lines.empty() || lines.starts_with("a line that wraps")));
        CHECK((lines.empty() || lines.ends_with(" 300")));
    }
}

TEST_CASE("of the alternate screen the text has what is on it, below the history, and no mode is set", "[past_text]") {
    std::string output;
    for (int i = 1; i <= 30; ++i) output += "line " + std::to_string(i) + "\r\n";
    const auto first = made({5, 20}, output + "\033[?1049h\033[?1000h\033[?2004h\033[2;4r\033[Heditor\033[3;1H~");
    const auto second = again(first);
    CHECK_FALSE(second.is_set(vt::mode::alternate_screen));
    CHECK(lines_of(second).ends_with("line 26\neditor\n\n~"));
    CHECK(past_text(first, all_lines, enough).find("\033[?") == std::string::npos);
}

TEST_CASE("links, images and titles are not in the text", "[past_text]") {
    const auto first =
        made({5, 40}, "\033]2;title\a\033]8;;http://there\033\\link\033]8;;\033\\ \033Pq#0;2;0;0;0#0~~@@\033\\ text");
    const std::string text = past_text(first, all_lines, enough);
    CHECK(text.find("there") == std::string::npos);
    CHECK(text.find("\033]") == std::string::npos);
    CHECK(text.find("\033P") == std::string::npos);
    CHECK(text.find("link") != std::string::npos);
}
