// SPDX-License-Identifier: MIT
/// @file words_test.cpp: a line is split into the words that a shell would make of it.
#include "client/command/words.hpp"

#include "support/catch.hpp"

#include <random>

namespace {

using words = std::vector<std::string>;

words split(std::string_view line) {
    std::string problem;
    const auto result = mux::split_words(line, problem);
    INFO(line);
    CHECK(problem.empty());
    return result;
}
std::string problem_of(std::string_view line) {
    std::string problem;
    static_cast<void>(mux::split_words(line, problem));
    return problem;
}

/// Quoted so that a shell reads it as one word.
std::string as_word(const std::string& word) {
    std::string text = "'";
    for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
    return text + "'";
}

} // namespace

// ---- the contract ----

TEST_CASE("blanks separate words, quotes join them", "[words]") {
    CHECK(split("send 1 Enter") == words{"send", "1", "Enter"});
    CHECK(split("  a\t b  ") == words{"a", "b"});
    CHECK(split("'a b' \"c d\" e\\ f") == words{"a b", "c d", "e f"});
    CHECK(split("a'b'\"c\"\\d") == words{"abcd"});
    CHECK(split("'' \"\"") == words{"", ""});
    CHECK(split("").empty());
    CHECK(split(" \t ").empty());
}

TEST_CASE("a backslash is literal in single quotes, and special in double quotes before four bytes", "[words]") {
    CHECK(split(R"('a\b\')") == words{R"(a\b\)"});
    CHECK(split(R"("\\ \" \$ \` \n")") == words{R"(\ " $ ` \n)"});
    CHECK(split(R"(\n \\ \')") == words{"n", "\\", "'"});
}

TEST_CASE("nothing is expanded", "[words]") {
    CHECK(split("$HOME `x` * # ~ a;b") == words{"$HOME", "`x`", "*", "#", "~", "a;b"});
}

// ---- the refusals ----

TEST_CASE("an open quotation and a backslash at the end are reported", "[words]") {
    CHECK(problem_of("a 'b") == "a quotation that begins with ' is not closed");
    CHECK(problem_of("\"a b") == "a quotation that begins with \" is not closed");
    CHECK(problem_of("\"a\\\"") == "a quotation that begins with \" is not closed");
    CHECK(problem_of("a \\") == "the line ends after a \\");
}

// ---- the edges ----

TEST_CASE("quoted words are read back, and any bytes are words or a problem", "[words]") {
    std::mt19937 random(11);
    constexpr std::string_view alphabet("ab '\"\\\t$`\xc3\xa9\x01");
    const auto any = [&](std::size_t most) {
        std::string text(random() % (most + 1), ' ');
        for (char& c : text) c = alphabet[random() % alphabet.size()];
        return text;
    };
    for (int round = 0; round < 5000; ++round) {
        words all(random() % 5);
        std::string line;
        for (auto& word : all) line += as_word(word = any(8)) + " ";
        CHECK(split(line) == all);
        std::string problem;
        for (const auto& word : mux::split_words(any(20), problem)) CHECK(word.size() <= 20);
    }
}
