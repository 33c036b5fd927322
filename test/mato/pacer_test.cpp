// SPDX-License-Identifier: MIT
#include "view/pacer.hpp"

#include "support/catch.hpp"

using namespace std::chrono_literals;
using mux::pacer;

namespace {
const pacer::time_point start = pacer::time_point{} + 1h;
}

TEST_CASE("the first frame goes at once, and so does the next when the last one was small", "[pacer]") {
    pacer p;
    CHECK(p.may_send(start));
    p.sent(start, 0, false);
    CHECK(p.may_send(start));
    p.sent(start, 20, false); // a key's echo
    p.output(start);
    CHECK_FALSE(p.may_send(start));
    CHECK(p.may_send(start + 200us));
}

TEST_CASE("a whole screen, and a flood of any size, wait a sixtieth of a second and no longer", "[pacer]") {
    pacer p;
    p.sent(start, 1u << 30, false);
    p.output(start + 16ms);
    CHECK_FALSE(p.may_send(start + 16ms));
    CHECK(p.may_send(start + 17ms));
    p.sent(start, 1, true);
    p.output(start + 16ms);
    CHECK_FALSE(p.may_send(start + 16ms));
    CHECK(p.due() == start + pacer::longest);
}

TEST_CASE("when a program falls silent its last words are not kept waiting", "[pacer]") {
    pacer p;
    p.sent(start, 100'000, true);
    for (auto at = start; at < start + 10ms; at += 500us) { // it goes on
        p.output(at);
        CHECK_FALSE(p.may_send(at));
        CHECK(p.due() > at);
    }
    CHECK(p.may_send(start + 9500us + pacer::silence));
    p.sent(start + 11ms, 100'000, true);
    p.output(start + 12ms); // falls silent again at once
    CHECK_FALSE(p.may_send(start + 11ms + pacer::least - 1us));
    CHECK(p.may_send(start + 11ms + pacer::least));
}

TEST_CASE("what comes of a key is shown without waiting, once", "[pacer]") {
    pacer p;
    p.sent(start, 100'000, true);
    p.typed();
    CHECK(p.may_send(start + 1us));
    p.sent(start + 1us, 100'000, true);
    CHECK_FALSE(p.may_send(start + 2us));
}

TEST_CASE("who has just come sees two frames without waiting: the screen, and what its program says first", "[pacer]") {
    pacer p;
    p.sent(start, 100'000, true);
    p.arrived();
    p.typed(); // is no third one
    CHECK(p.may_send(start + 1us));
    p.sent(start + 1us, 100'000, true);
    CHECK(p.may_send(start + 2us));
    p.sent(start + 2us, 100'000, true);
    CHECK_FALSE(p.may_send(start + 3us));
}
