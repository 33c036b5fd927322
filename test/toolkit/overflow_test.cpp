// SPDX-License-Identifier: MIT
/// @file overflow_test.cpp: a slow client is closed neither early nor late.
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

TEST_CASE("above the hard limit a client is closed immediately, at the limit it stays", "[overflow]") {
    auto policy = limits();
    CHECK(policy.on_queued(1000, start) == keep);
    CHECK(policy.on_queued(1001, start) == drop);
    auto fresh = limits();
    CHECK(fresh.on_queued(1001, start) == drop);
    CHECK(fresh.on_queued(std::numeric_limits<std::size_t>::max(), start) == drop);
}

TEST_CASE("above the soft limit a client has exactly the grace period", "[overflow]") {
    auto policy = limits();
    CHECK(policy.on_queued(101, start) == keep);
    CHECK(policy.on_queued(500, start + 5s) == keep);
    CHECK(policy.on_queued(101, start + 10s - 1ns) == keep);
    CHECK(policy.on_queued(101, start + 10s) == drop);
}

TEST_CASE("two bursts with a drain between them do not add up", "[overflow]") {
    auto policy = limits();
    CHECK(policy.on_queued(900, start) == keep);
    policy.on_drained(0);
    CHECK(policy.on_queued(900, start + 60s) == keep);
    CHECK(policy.on_queued(900, start + 69s) == keep);
    CHECK(policy.on_queued(900, start + 70s) == drop);
}

TEST_CASE("a drain that stays above the soft limit does not restart the timer", "[overflow]") {
    auto policy = limits();
    CHECK(policy.on_queued(900, start) == keep);
    policy.on_drained(101);
    CHECK(policy.on_queued(200, start + 10s) == drop);
}

TEST_CASE("a push that ends at or below the soft limit restarts the timer", "[overflow]") {
    auto policy = limits();
    CHECK(policy.on_queued(101, start) == keep);
    CHECK(policy.on_queued(100, start + 9s) == keep);
    CHECK(policy.on_queued(101, start + 11s) == keep);
    CHECK(policy.on_queued(101, start + 21s - 1ns) == keep);
    CHECK(policy.on_queued(101, start + 21s) == drop);
}

TEST_CASE("a client exactly at the soft limit is never closed", "[overflow]") {
    auto policy = limits();
    for (int hour = 0; hour < 100; ++hour) REQUIRE(policy.on_queued(100, start + std::chrono::hours(hour)) == keep);
}

TEST_CASE("limits of zero: the first byte closes the client, an empty queue never does", "[overflow]") {
    auto nothing = limits(0, 0, 0ms);
    CHECK(nothing.on_queued(0, start) == keep);
    CHECK(nothing.on_queued(1, start) == drop);
    auto impatient = limits(1000, 0, 0ms);
    CHECK(impatient.on_queued(1, start) == keep); // the grace period begins here
    CHECK(impatient.on_queued(2, start) == drop);
}

TEST_CASE("a copied policy has its own timer", "[overflow]") {
    auto policy = limits();
    CHECK(policy.on_queued(500, start) == keep);
    auto copy = policy;
    copy.on_drained(0);
    CHECK(policy.on_queued(500, start + 10s) == drop);
    CHECK(copy.on_queued(500, start + 10s) == keep);
}

TEST_CASE("an endless grace period keeps a client below the hard limit for any time", "[overflow]") {
    auto policy = limits();
    policy.grace = mato::never;
    CHECK(policy.on_queued(900, start) == keep);
    CHECK(policy.on_queued(900, start + std::chrono::hours(24 * 365 * 100)) == keep);
    policy.hard = policy.soft = mato::unlimited;
    CHECK(policy.on_queued(mato::unlimited - 1, start) == keep);
}
