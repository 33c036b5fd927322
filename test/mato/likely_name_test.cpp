// SPDX-License-Identifier: MIT
/// @file likely_name_test.cpp: which known name a mistyped word is taken for.
#include "protocol/likely_name.hpp"

#include "support/catch.hpp"

#include <vector>

TEST_CASE("a beginning, else the fewest mistakes, else none", "[likely name]") {
    const std::vector<std::string> known{"attach", "detach", "capture", "status", "state"};
    CHECK(mux::likely_name("atach", known) == "attach");
    CHECK(mux::likely_name("cap", known) == "capture");
    CHECK(mux::likely_name("detahc", known) == "detach");
    CHECK(mux::likely_name("stats", known) == "status");
    CHECK(mux::likely_name("stat", known) == "status");
    CHECK(mux::likely_name("split", known).empty());
    CHECK(mux::likely_name("", known).empty());
    CHECK(mux::likely_name("xy", known).empty()); // two mistakes would make any short word
    CHECK(mux::likely_name(std::string(1000, 'a'), known).empty());
    CHECK(mux::likely_name("attach", {}).empty());
}
