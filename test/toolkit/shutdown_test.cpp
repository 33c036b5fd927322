// SPDX-License-Identifier: MIT
/// @file shutdown_test.cpp: the first request begins, the second forces, later ones have no effect.
#include <mato/shutdown.hpp>

#include "support/catch.hpp"

#include <type_traits>

using mato::stop_action;
using namespace std::chrono_literals;

TEST_CASE("the first request begins, the second forces, the rest change nothing", "[shutdown]") {
    mato::graceful_then_force policy;
    CHECK(policy.requested() == stop_action::begin);
    CHECK(policy.requested() == stop_action::force);
    for (int i = 0; i < 1000; ++i) REQUIRE(policy.requested() == stop_action::none);
}

TEST_CASE("the grace period is the caller's or ten seconds, and no request changes it", "[shutdown]") {
    CHECK(mato::graceful_then_force().grace() == 10s);
    mato::graceful_then_force policy(250ms);
    CHECK(policy.grace() == 250ms);
    CHECK(policy.requested() == stop_action::begin);
    CHECK(policy.requested() == stop_action::force);
    CHECK(policy.grace() == 250ms);
}

TEST_CASE("immediate forces at every request and has no grace period", "[shutdown]") {
    mato::immediate policy;
    CHECK(policy.grace() == 0ms);
    for (int i = 0; i < 3; ++i) CHECK(policy.requested() == stop_action::force);
}

TEST_CASE("a grace period of zero and a very long one are kept unchanged", "[shutdown]") {
    CHECK(mato::graceful_then_force(0ms).grace() == 0ms);
    CHECK(mato::graceful_then_force(mato::milliseconds::max()).grace() == mato::milliseconds::max());
    mato::graceful_then_force none(0ms);
    CHECK(none.requested() == stop_action::begin);
}

TEST_CASE("a copy continues independently from its state", "[shutdown]") {
    mato::graceful_then_force policy;
    CHECK(policy.requested() == stop_action::begin);
    mato::graceful_then_force copy = policy;
    CHECK(copy.requested() == stop_action::force);
    CHECK(policy.requested() == stop_action::force);
    CHECK(copy.requested() == stop_action::none);
    static_assert(!std::is_convertible_v<mato::milliseconds, mato::graceful_then_force>);
}
