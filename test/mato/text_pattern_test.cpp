// SPDX-License-Identifier: MIT
/// @file text_pattern_test.cpp: bounded searches for a regular expression.
#include "protocol/text_pattern.hpp"

#include "support/catch.hpp"
#include "support/deadline.hpp"
#include "support/process_facts.hpp"

#include <string>
#include <utility>

using namespace std::chrono_literals;
using mux::text_pattern;
using mux::text_search;

namespace {

text_pattern compiled(std::string_view pattern) {
    std::string problem;
    auto made = text_pattern::compile(pattern, problem);
    INFO(problem);
    REQUIRE(made);
    return std::move(*made);
}

bool finds(std::string_view pattern, std::string text) {
    const text_pattern wanted = compiled(pattern);
    text_search search(wanted, std::move(text));
    while (search.step() == text_search::state::searching) {
    }
    return search.step() == text_search::state::found;
}

std::string problem_of(std::string_view pattern) {
    std::string problem;
    CHECK_FALSE(text_pattern::compile(pattern, problem));
    return problem;
}

} // namespace

// ---- the contract ----

TEST_CASE("^ and $ match at line ends, and a match may span lines", "[text_pattern]") {
    const std::string text = "one two\nprompt> \nthree";
    CHECK(finds("^prompt> $", text));
    CHECK(finds("two$", text));
    CHECK(finds("two\\nprompt", text));
    CHECK(finds("(?s)one.*three", text));
    CHECK_FALSE(finds("one.*three", text));
    CHECK_FALSE(finds("^two", text));
    CHECK_FALSE(finds("prompt>$", text));
    CHECK(finds("\\Aone", text));
    CHECK_FALSE(finds("\\Aprompt", text));
    CHECK(finds("three\\z", text));
    CHECK(finds("", ""));
    CHECK_FALSE(finds("x", ""));
    CHECK(finds("^.日", "é日本"));
}

TEST_CASE("an invalid pattern is refused with the problem and its place", "[text_pattern]") {
    CHECK(problem_of("a(b") == "at byte 2, '(b': this '(' has no ')'");
    CHECK(problem_of("(a)b(c(d)") == "at byte 5, '(c(d)': this '(' has no ')'");
    CHECK(problem_of("ab)c") == "at byte 3, ')c': this ')' has no '('");
    CHECK(problem_of("x[a") == "at byte 2, '[a': this '[' has no ']'");
    CHECK(problem_of("[z-a]") == "at byte 2, 'z-a]': this range of characters is not valid");
    CHECK(problem_of("*a") == "at byte 1, '*a': there is nothing to repeat");
    CHECK(problem_of("a*|*") == "at byte 4, '*': there is nothing to repeat");
    CHECK(problem_of("abc\\") == "at byte 4, '\\': a backslash at the end escapes nothing");
    CHECK(problem_of("a(?=b)") == "at byte 2, '(?=b)': this group is unknown; look-ahead and look-behind are not supported");
    CHECK(problem_of("(a)\\1") == "at byte 4, '\\1': this escape is unknown; back-references are not supported");
    CHECK(problem_of("x{1001}") == "at byte 2, '{1001}': this repeats too often; at most 1000 times are allowed");
    CHECK(problem_of("a\xff") == "at byte 2, '\xff': this is not valid UTF-8");
}

// ---- the bounds ----

TEST_CASE("a pattern's length and its compiled size are bounded", "[text_pattern]") {
    static_cast<void>(compiled(std::string(text_pattern::most_bytes, 'a')));
    CHECK(problem_of(std::string(text_pattern::most_bytes + 1, 'a')) == "it has 4097 bytes; at most 4096 are allowed");
    CHECK(problem_of("((\\pL{100}){10}\\pN{500})") == "it is too large once its repetitions are expanded");
    CHECK(problem_of("(" + std::string(1000, 'a')) == "this '(' has no ')'");
}

TEST_CASE("patterns that make other matchers recurse or backtrack take linear time", "[text_pattern]") {
    const std::string line(75'000, 'a'); // 500 columns and 150 rows that wrap
    const support::stopwatch watch;
    CHECK_FALSE(finds("(a|x)*y", line));
    CHECK_FALSE(finds("a.*b", line));
    CHECK_FALSE(finds("(a+)+$b", line));
    CHECK_FALSE(finds("(a*)*(a*)*b", line));
    CHECK_FALSE(finds("(.*)(.*)(.*)(.*)b", line));
    CHECK(watch.elapsed() < (support::sanitized ? 20s : 4s));
}

TEST_CASE("the work of one step is bounded for any pattern", "[text_pattern]") {
    const std::string line(4'000'000, 'a');
    for (const std::string pattern : {"a{1000}b", "(a|aa|aaa){300}b", "[^b]{1000}b", "(.?){900}b", "(x+x+)+y", "\\pL{8}b"}) {
        CAPTURE(pattern);
        const text_pattern wanted = compiled(pattern);
        CHECK(wanted.step_bytes() >= text_pattern::least_step);
        CHECK(wanted.step_bytes() <= text_pattern::most_step);
        text_search search(wanted, line);
        const support::stopwatch watch;
        CHECK(search.step() == text_search::state::searching);
        CHECK(watch.elapsed() < (support::sanitized ? 20s : 3s));
    }
}

// ---- the edges ----

TEST_CASE("a match is found at any place, also at the edges of steps", "[text_pattern]") {
    const std::size_t step = text_pattern::most_step;
    for (const std::size_t at :
         {std::size_t{0}, step / 2 - 3, step / 2, step - 6, step - 3, step - 1, step, 2 * step - 2, 3 * step}) {
        CAPTURE(at);
        std::string text(4 * step, '.');
        text.replace(at, 6, "needle");
        CHECK(finds("ne+dle", text));
        CHECK(finds("ne+dle\\.", text));
        CHECK(finds("^needle", text) == (at == 0)); // the beginning of a step is not a line's
        CHECK_FALSE(finds("needle$", text));        // nor is its end
        text[at + 6] = '\n';
        CHECK(finds("needle$", text));
    }
}
