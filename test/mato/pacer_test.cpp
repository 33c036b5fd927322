// SPDX-License-Identifier: MIT
#include "view/pacer.hpp"

#include "support/catch.hpp"

using namespace std::chrono_literals;
using mux::output_rate;
using mux::pacer;

namespace {
const pacer::time_point start = pacer::time_point{} + 1h;
}

TEST_CASE("the first frame is sent immediately, and so is the next if the last one was small", "[pacer]") {
    pacer p;
    CHECK(p.may_send(start));
    p.sent(start, 0, output_rate::ordinary);
    CHECK(p.may_send(start));
    p.sent(start, 20, output_rate::ordinary); // a key's echo
    p.output(start);
    CHECK_FALSE(p.may_send(start));
    CHECK(p.may_send(start + 200us));
}

TEST_CASE("a whole screen, and a flood of any size, wait a sixtieth of a second at most", "[pacer]") {
    pacer p;
    p.sent(start, 1u << 30, output_rate::ordinary);
    p.output(start + 16ms);
    CHECK_FALSE(p.may_send(start + 16ms));
    CHECK(p.may_send(start + 17ms));
    p.sent(start, 1, output_rate::flood);
    p.output(start + 16ms);
    CHECK_FALSE(p.may_send(start + 16ms));
    CHECK(p.due() == start + pacer::longest);
}

TEST_CASE("the last output before a pause is not delayed", "[pacer]") {
    pacer p;
    p.sent(start, 100'000, output_rate::flood);
    for (auto at = start; at < start + 10ms; at += 500us) { // it continues
        p.output(at);
        CHECK_FALSE(p.may_send(at));
        CHECK(p.due() > at);
    }
    CHECK(p.may_send(start + 9500us + pacer::silence));
    p.sent(start + 11ms, 100'000, output_rate::flood);
    p.output(start + 12ms); // pauses again immediately
    CHECK_FALSE(p.may_send(start + 11ms + pacer::least - 1us));
    CHECK(p.may_send(start + 11ms + pacer::least));
}

TEST_CASE("the first output after a key is shown without a wait, once", "[pacer]") {
    pacer p;
    p.sent(start, 100'000, output_rate::flood);
    p.typed();
    CHECK(p.may_send(start + 1us));
    p.sent(start + 1us, 100'000, output_rate::flood);
    CHECK_FALSE(p.may_send(start + 2us));
}

TEST_CASE("after an attach two frames are sent without a wait: the screen, and the program's first output", "[pacer]") {
    pacer p;
    p.sent(start, 100'000, output_rate::flood);
    p.arrived();
    p.typed(); // does not add a third one
    CHECK(p.may_send(start + 1us));
    p.sent(start + 1us, 100'000, output_rate::flood);
    CHECK(p.may_send(start + 2us));
    p.sent(start + 2us, 100'000, output_rate::flood);
    CHECK_FALSE(p.may_send(start + 3us));
}
