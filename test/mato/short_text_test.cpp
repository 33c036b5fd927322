// SPDX-License-Identifier: MIT
/// @file short_text_test.cpp: text of any bytes becomes a printable line that is not too long.
#include "protocol/short_text.hpp"

#include <mato/printable.hpp>

#include "support/catch.hpp"
#include "support/program_output.hpp"

TEST_CASE("a short text is as it was, and one that is too long is cut after a character", "[short text]") {
    CHECK(mux::short_text("", 10).empty());
    CHECK(mux::short_text("build done", 10) == "build done");
    CHECK(mux::short_text("build is done", 10) == "build i…");
    CHECK(mux::short_text("日本語", 9) == "日本語");
    CHECK(mux::short_text("日本語", 8) == "日…");
    CHECK(mux::short_text("abcd", 3) == "…");
}

TEST_CASE("what would control a terminal is shown as its bytes", "[short text]") {
    CHECK(mux::short_text("a\033]2;x\007b", 64) == R"(a\x1b]2;x\x07b)");
    CHECK(mux::short_text("a\u202eb", 64) == R"(a\xe2\x80\xaeb)");
    CHECK(mux::short_text("\xff\x9b", 64) == R"(\xff\x9b)");
    CHECK(mux::short_text("a\033b", 5) == R"(a…)"); // an escaped byte is not cut in two
}

TEST_CASE("any bytes become printable text within the limit", "[short text]") {
    for (unsigned seed = 0; seed < 300; ++seed) {
        CAPTURE(seed);
        support::program_output from(seed);
        const std::string bytes = from.text();
        for (const std::size_t most : {3u, 4u, 7u, 20u, 1000u}) {
            const std::string made = mux::short_text(bytes, most);
            CHECK(made.size() <= most);
            CHECK(mato::printable(made) == made);
        }
    }
}
