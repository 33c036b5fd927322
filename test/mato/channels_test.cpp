// SPDX-License-Identifier: MIT
/// @file channels_test.cpp: who gets a signal, and which signals are kept.
#include "daemon/channels.hpp"

#include "support/catch.hpp"

namespace {

using mux::reply_target;

std::string clients(const std::vector<reply_target>& all) {
    std::string text;
    for (const reply_target& each : all) text += std::to_string(each.client) + " ";
    return text;
}

} // namespace

TEST_CASE("a signal reaches all that wait, and only them", "[channels]") {
    mux::channels all;
    CHECK_FALSE(all.take_or_wait("a", {1, 1}));
    CHECK_FALSE(all.take_or_wait("a", {2, 1}));
    CHECK_FALSE(all.take_or_wait("b", {3, 1}));
    CHECK(clients(all.signal("a")) == "1 2 ");
    CHECK_FALSE(all.take_or_wait("a", {4, 1})); // it was used up
    CHECK(clients(all.signal("a")) == "4 ");
    CHECK(clients(all.signal("b")) == "3 ");
}

TEST_CASE("a signal that comes first is kept once", "[channels]") {
    mux::channels all;
    CHECK(all.signal("a").empty());
    CHECK(all.signal("a").empty());
    CHECK(all.take_or_wait("a", {1, 1}));
    CHECK_FALSE(all.take_or_wait("a", {1, 2}));
}

TEST_CASE("a client that has left gets no signal; what was kept stays", "[channels]") {
    mux::channels all;
    static_cast<void>(all.signal("kept"));
    CHECK_FALSE(all.take_or_wait("a", {1, 1}));
    CHECK_FALSE(all.take_or_wait("a", {2, 1}));
    CHECK_FALSE(all.take_or_wait("b", {1, 2}));
    all.forget(1);
    CHECK(clients(all.signal("a")) == "2 ");
    CHECK(all.signal("b").empty()); // kept: none waits any more
    CHECK(all.take_or_wait("b", {3, 1}));
    CHECK(all.take_or_wait("kept", {3, 2}));
}

TEST_CASE("kept signals and waiting requests are bounded", "[channels]") {
    mux::channels all;
    for (std::size_t i = 0; i < mux::channels::most_kept; ++i) {
        REQUIRE(all.may_signal("n" + std::to_string(i)));
        static_cast<void>(all.signal("n" + std::to_string(i)));
    }
    CHECK_FALSE(all.may_signal("one more"));
    CHECK(all.may_signal("n5"));
    CHECK_FALSE(all.take_or_wait("waits", {1, 1}));
    CHECK(all.may_signal("waits"));
    CHECK(all.take_or_wait("n5", {1, 2}));
    CHECK(all.may_signal("one more"));
    for (std::uint32_t i = 1; i < mux::channels::most_waiting; ++i) static_cast<void>(all.take_or_wait("w", {2, i}));
    CHECK_FALSE(all.may_wait());
    all.forget(2);
    CHECK(all.may_wait());
}
