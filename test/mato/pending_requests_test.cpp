// SPDX-License-Identifier: MIT
/// @file pending_requests_test.cpp: every waiting request is answered once, and none for another tab.
#include "daemon/pending_requests.hpp"

#include "support/catch.hpp"

#include <optional>
#include <vector>

using mux::pending_requests;
using mux::reply_target;
using targets = std::vector<reply_target>;

namespace {

targets of_removals(const std::vector<pending_requests::removal>& taken) {
    targets all;
    for (const auto& each : taken) all.push_back(each.who);
    return all;
}

} // namespace

TEST_CASE("the requests that wait for a tab are returned once, in order", "[pending_requests]") {
    pending_requests pending;
    pending.await_exit(1, {10, 100});
    pending.await_exit(2, {10, 101});
    pending.await_exit(1, {11, 7});
    pending.await_exit(1, {10, 102});
    CHECK(pending.take_exits(3) == targets{});
    CHECK(pending.take_exits(1) == targets{{10, 100}, {11, 7}, {10, 102}});
    CHECK(pending.take_exits(1) == targets{});
    CHECK(pending.take_exits(2) == targets{{10, 101}});
}

TEST_CASE("an end does not count as output, nor output as an end", "[pending_requests]") {
    pending_requests pending;
    pending.await_exit(1, {10, 1});
    pending.await_output(1, {10, 2});
    CHECK(pending.take_outputs(1) == targets{{10, 2}});
    CHECK(pending.take_outputs(1) == targets{});
    CHECK(pending.take_exits(1) == targets{{10, 1}});
}

TEST_CASE("a change is for those that wait for it, and the end of a tab for all that wait for one of its changes",
          "[pending_requests]") {
    using mux::said_state, mux::tab_change;
    pending_requests pending;
    CHECK_FALSE(pending.awaits_change(1, tab_change::bell));
    pending.await_change(1, tab_change::bell, said_state::none, {10, 1});
    pending.await_change(1, tab_change::state, said_state::done, {10, 2});
    pending.await_change(1, tab_change::state, said_state::blocked, {10, 3});
    pending.await_change(2, tab_change::bell, said_state::none, {11, 4});
    CHECK(pending.awaits_change(1, tab_change::bell));
    CHECK(pending.awaits_change(2, tab_change::bell));
    CHECK_FALSE(pending.awaits_change(2, tab_change::state));
    CHECK_FALSE(pending.awaits_change(3, tab_change::bell));
    CHECK(pending.take_changes({.tab = 3, .what = tab_change::bell}) == targets{});
    CHECK(pending.take_changes({.tab = 1, .what = tab_change::notice}) == targets{});
    CHECK(pending.take_changes({.tab = 1, .what = tab_change::state, .state = said_state::blocked}) == targets{{10, 3}});
    CHECK(pending.take_changes({.tab = 1, .what = tab_change::bell}) == targets{{10, 1}});
    CHECK(pending.take_changes(1) == targets{{10, 2}});
    pending.forget(11);
    CHECK_FALSE(pending.awaits_change(2, tab_change::bell));
}

TEST_CASE("a removal of several tabs is complete with the last of them", "[pending_requests]") {
    pending_requests pending;
    pending.await_removal({1, 2}, {10, 1});
    pending.await_removal({2}, {11, 2});
    CHECK(pending.awaits_removal(1));
    CHECK(pending.awaits_removal(2));
    CHECK_FALSE(pending.awaits_removal(3));
    CHECK(of_removals(pending.take_removals(3)) == targets{});
    CHECK(of_removals(pending.take_removals(2)) == targets{{11, 2}});
    CHECK_FALSE(pending.awaits_removal(2));
    CHECK(pending.awaits_removal(1));
    CHECK(of_removals(pending.take_removals(2)) == targets{});
    CHECK(of_removals(pending.take_removals(1)) == targets{{10, 1}});
    CHECK_FALSE(pending.awaits_removal(1));
}

TEST_CASE("a respawn belongs to one tab and is taken once", "[pending_requests]") {
    pending_requests pending;
    CHECK(pending.take_respawn(1) == std::nullopt);
    pending.await_respawn(1, {10, 1});
    pending.await_respawn(2, {10, 2});
    CHECK(pending.is_respawning(1));
    CHECK(pending.take_respawn(1) == reply_target{10, 1});
    CHECK_FALSE(pending.is_respawning(1));
    CHECK(pending.take_respawn(1) == std::nullopt);
    CHECK(pending.is_respawning(2));
}

TEST_CASE("a client that left gets no answer; its respawn still happens", "[pending_requests]") {
    pending_requests pending;
    for (const std::uint64_t client : {10u, 11u}) {
        pending.await_exit(1, {client, 1});
        pending.await_output(1, {client, 2});
        pending.await_removal({1}, {client, 3});
    }
    pending.await_respawn(1, {10, 4});
    pending.forget(10);
    CHECK(pending.take_exits(1) == targets{{11, 1}});
    CHECK(pending.take_outputs(1) == targets{{11, 2}});
    CHECK(pending.awaits_removal(1));
    CHECK(of_removals(pending.take_removals(1)) == targets{{11, 3}});
    CHECK_FALSE(pending.awaits_removal(1)); // what it wanted gone alone is not kept from a respawn
    CHECK(pending.take_respawn(1) == reply_target{10, 4});
}

TEST_CASE("the waits of one client and of all are limited, and an answered one makes room", "[pending_requests]") {
    pending_requests pending;
    std::uint32_t count = 0;
    for (; pending.has_room(1); ++count)
        count % 2 ? pending.await_exit(1 + count % 3, {1, count}) : pending.await_output(9, {1, count});
    CHECK(count == pending_requests::most_of_client);
    CHECK(pending.has_room(2));
    CHECK(pending.take_outputs(9).size() == count / 2);
    CHECK(pending.has_room(1));
    std::size_t all = count / 2;
    for (std::uint64_t client = 2; pending.has_room(client); ++client)
        while (pending.has_room(client)) pending.await_removal({7}, {client, 1}), ++all;
    CHECK(all == pending_requests::most_in_all);
    CHECK_FALSE(pending.has_room(99'999));
    pending.forget(2);
    CHECK(pending.has_room(99'999));
    CHECK(pending.has_room(2));
}

TEST_CASE("a process that did not end in one of several tabs is reported with the answer for all", "[pending_requests]") {
    pending_requests pending;
    pending.await_removal({1, 2, 3}, {10, 1});
    pending.await_removal({2}, {11, 2});
    pending.note_trouble(1, "tab 1: left");
    CHECK(pending.take_removals(1).empty());
    CHECK(pending.take_removals(2).front().trouble.empty());
    pending.note_trouble(3, "tab 3: left");
    CHECK(pending.take_removals(3).front().trouble == "tab 1: left; tab 3: left");
}
