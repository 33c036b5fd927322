// SPDX-License-Identifier: MIT
/// @file clock_test.cpp: deadlines, and the milliseconds poll(2) may wait.
#include <mato/clock.hpp>

#include "support/catch.hpp"

#include <limits>

using namespace std::chrono_literals;
using mato::deadline;

namespace {
const mato::clock::time_point now{1h}; // only one test here uses the real time
}

TEST_CASE("a deadline passes at its point, and not before", "[clock]") {
    const deadline until(now);
    CHECK(until.at() == now);
    CHECK_FALSE(until.passed(now - 1ns));
    CHECK(until.passed(now));
    CHECK(until.passed(now + 1ns));
}

TEST_CASE("a deadline in a span counts from now", "[clock]") {
    const auto before = mato::clock::now();
    const auto until = deadline::in(1h);
    CHECK(until.at() >= before + 1h);
    CHECK(until.at() <= mato::clock::now() + 1h);
    CHECK_FALSE(until.passed());
    CHECK(deadline::in(0ms).passed());
    CHECK(deadline::in(-1ms).passed());
}

TEST_CASE("the time-out is rounded up, so that a caller does not wake early and spin", "[clock]") {
    const deadline until(now);
    CHECK(until.poll_timeout(now - 1ns) == 1);
    CHECK(until.poll_timeout(now - 1ms) == 1);
    CHECK(until.poll_timeout(now - 1ms - 1ns) == 2);
    CHECK(until.poll_timeout(now - 1s) == 1000);
    CHECK(until.poll_timeout(now) == 0);
    CHECK(until.poll_timeout(now + 1h) == 0);
}

TEST_CASE("a far deadline is reduced to the largest time-out of poll(2)", "[clock]") {
    CHECK(deadline(now + 1'000'000'000ms).poll_timeout(now) == 1'000'000'000);
    CHECK(deadline(now + 1'000'000'001ms).poll_timeout(now) == 1'000'000'000);
    CHECK(deadline(mato::clock::time_point::max()).poll_timeout(mato::clock::time_point{}) == 1'000'000'000);
}

TEST_CASE("the clock cannot be set back", "[clock]") { STATIC_REQUIRE(mato::clock::is_steady); }

TEST_CASE("never, and every span that is too long for the clock, does not pass", "[clock]") {
    using namespace std::chrono;
    for (const auto& each : {mato::deadline::in(mato::never), mato::deadline::never(), mato::deadline::in(hours::max()),
                             mato::deadline::in(nanoseconds::max()), mato::deadline::in(seconds::max() / 2),
                             mato::deadline::in(hours(24 * 366 * 290))}) {
        CHECK_FALSE(each.passed());
        CHECK_FALSE(each.passed(mato::clock::now() + hours(24 * 365 * 200)));
        CHECK(each.poll_timeout() > 1'000'000);
    }
    CHECK(mato::deadline::in(hours(24 * 365 * 100)).at() < mato::deadline::never().at()); // a century is a span like any other
}

TEST_CASE("no time, and every span that lies in the past, has passed", "[clock]") {
    using namespace std::chrono;
    for (const auto& each : {mato::deadline::in(mato::milliseconds(0)), mato::deadline::in(mato::milliseconds::min()),
                             mato::deadline::in(hours::min()), mato::deadline::in(nanoseconds::min())}) {
        CHECK(each.passed());
        CHECK(each.poll_timeout() == 0);
    }
}
