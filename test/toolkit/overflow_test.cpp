// SPDX-License-Identifier: MIT
/// @file overflow_test.cpp: a slow client is let go neither early nor late.
#include <mato/overflow.hpp>

#include "support/catch.hpp"

#include <limits>

using mato::overflow_verdict;
using namespace std::chrono_literals;

namespace {
const mato::clock::time_point start{};
constexpr auto keep = overflow_verdict::keep;
constexpr auto drop = overflow_verdict::disconnect;
mato::disconnect limits(std::size_t hard = 1000, std::size_t soft = 100, mato::milliseconds grace = 10s) {
    mato::disconnect policy;
    policy.hard = hard;
    policy.soft = soft;
    policy.grace = grace;
    return policy;
}
} // namespace

TEST_CASE("over the hard limit a client goes at once, on it the client stays", "[overflow]") {
    auto policy = limits();
    CHECK(policy.on_queued(1000, start) == keep);
    CHECK(policy.on_queued(1001, start) == drop);
    auto fresh = limits();
    CHECK(fresh.on_queued(1001, start) == drop);
    CHECK(fresh.on_queued(std::numeric_limits<std::size_t>::max(), start) == drop);
}

TEST_CASE("over the soft limit a client has the whole grace and not a moment more", "[overflow]") {
    auto policy = limits();
    CHECK(policy.on_queued(101, start) == keep);
    CHECK(policy.on_queued(500, start + 5s) == keep);
    CHECK(policy.on_queued(101, start + 10s - 1ns) == keep);
    CHECK(policy.on_queued(101, start + 10s) == drop);
}

TEST_CASE("two bursts with a drain between are two bursts", "[overflow]") {
    auto policy = limits();
    CHECK(policy.on_queued(900, start) == keep);
    policy.on_drained(0);
    CHECK(policy.on_queued(900, start + 60s) == keep);
    CHECK(policy.on_queued(900, start + 69s) == keep);
    CHECK(policy.on_queued(900, start + 70s) == drop);
}

TEST_CASE("a drain that stays over the soft limit does not start the timer anew", "[overflow]") {
    auto policy = limits();
    CHECK(policy.on_queued(900, start) == keep);
    policy.on_drained(101);
    CHECK(policy.on_queued(200, start + 10s) == drop);
}

TEST_CASE("a push that ends at or below the soft limit starts the timer anew", "[overflow]") {
    auto policy = limits();
    CHECK(policy.on_queued(101, start) == keep);
    CHECK(policy.on_queued(100, start + 9s) == keep);
    CHECK(policy.on_queued(101, start + 11s) == keep);
    CHECK(policy.on_queued(101, start + 21s - 1ns) == keep);
    CHECK(policy.on_queued(101, start + 21s) == drop);
}

TEST_CASE("exactly the soft limit is never too slow, however long", "[overflow]") {
    auto policy = limits();
    for (int hour = 0; hour < 100; ++hour) REQUIRE(policy.on_queued(100, start + std::chrono::hours(hour)) == keep);
}

TEST_CASE("limits of nothing: the first byte ends it, an empty queue never does", "[overflow]") {
    auto nothing = limits(0, 0, 0ms);
    CHECK(nothing.on_queued(0, start) == keep);
    CHECK(nothing.on_queued(1, start) == drop);
    auto impatient = limits(1000, 0, 0ms);
    CHECK(impatient.on_queued(1, start) == keep); // the grace begins here
    CHECK(impatient.on_queued(2, start) == drop);
}

TEST_CASE("a copied policy has a timer of its own", "[overflow]") {
    auto policy = limits();
    CHECK(policy.on_queued(500, start) == keep);
    auto copy = policy;
    copy.on_drained(0);
    CHECK(policy.on_queued(500, start + 10s) == drop);
    CHECK(copy.on_queued(500, start + 10s) == keep);
}

TEST_CASE("a grace that never ends keeps a client below the hard limit for any time", "[overflow]") {
    auto policy = limits();
    policy.grace = mato::never;
    CHECK(policy.on_queued(900, start) == keep);
    CHECK(policy.on_queued(900, start + std::chrono::hours(24 * 365 * 100)) == keep);
    policy.hard = policy.soft = mato::unlimited;
    CHECK(policy.on_queued(mato::unlimited - 1, start) == keep);
}
