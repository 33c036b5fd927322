// SPDX-License-Identifier: MIT
#include "tab/read_turns.hpp"

#include "support/catch.hpp"

using mux::read_turns;
using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

read_turns::time_point at(microseconds since) { return read_turns::time_point(since); }

} // namespace

TEST_CASE("the tabs that flood share one turn of the loop, down to one read each", "[read_turns]") {
    read_turns turns;
    CHECK(turns.share() == read_turns::turn_bytes);
    turns.flood_begins();
    CHECK(turns.share() == read_turns::turn_bytes);
    turns.flood_begins();
    CHECK(turns.share() == read_turns::turn_bytes / 2);
    for (int i = 0; i < 500; ++i) turns.flood_begins();
    CHECK(turns.share() == read_turns::least_bytes);
    for (int i = 0; i < 502; ++i) turns.flood_ends();
    CHECK(turns.share() == read_turns::turn_bytes);
}

TEST_CASE("the tabs that flood share the time of one turn, for any kind of work", "[read_turns]") {
    read_turns turns;
    CHECK(turns.time_share() == read_turns::turn_time);
    for (int i = 0; i < 4; ++i) turns.flood_begins();
    CHECK(turns.time_share() == read_turns::turn_time / 4);
}

TEST_CASE("while nothing is typed, a flood is read whenever there is output", "[read_turns]") {
    const read_turns turns;
    for (int us = 0; us < 10'000; us += 100) CHECK(turns.next(at(microseconds(us))) == at(microseconds(us)));
}

TEST_CASE("while a user types, floods are read for a quarter of the time, all in the same quarter", "[read_turns]") {
    read_turns turns;
    const auto begin = at(milliseconds(1000));
    turns.typed(begin);
    int open = 0;
    for (int us = 0; us < 48'000; us += 100) {
        const auto now = begin + microseconds(us);
        const auto next = turns.next(now);
        CHECK(next >= now);
        CHECK(next - now < read_turns::period);
        CHECK(turns.next(next) == next); // so they all begin together
        open += next == now;
    }
    CHECK(open == 120);
}

TEST_CASE("a flood continues as before when the typing ends, and never waits longer than that", "[read_turns]") {
    read_turns turns;
    const auto key = at(microseconds(1'000'700));
    turns.typed(key);
    const auto end = key + read_turns::typing;
    CHECK(turns.next(end) == end);
    for (int us = 0; us < 50'000; us += 50) CHECK(turns.next(key + microseconds(us)) <= end);
    turns.typed(key + milliseconds(49)); // another key in that time prolongs it
    CHECK(turns.next(end + microseconds(500)) > end + microseconds(500));
}
