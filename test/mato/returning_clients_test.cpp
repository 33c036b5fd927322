// SPDX-License-Identifier: MIT
#include "daemon/returning_clients.hpp"

#include "support/catch.hpp"

TEST_CASE("a tab awaits each client that showed it, until all are back", "[returning_clients]") {
    mux::returning_clients all;
    CHECK(all.empty());
    CHECK_FALSE(all.awaits(1));
    all.expect({{100, 1, 7, {}}, {101, 1, 9, true}, {102, 2, 8, false}});
    CHECK(all.arrived(100, 1)->activity == 7);
    CHECK(all.awaits(1));
    CHECK(all.arrived(100, 1) == std::nullopt); // once
    CHECK(all.arrived(101, 2) == std::nullopt); // it showed another tab
    CHECK(all.arrived(999, 1) == std::nullopt); // a new client
    CHECK(all.arrived(101, 1)->bar == true);
    CHECK_FALSE(all.awaits(1));
    CHECK(all.awaits(2));
    all.give_up();
    CHECK(all.empty());
    CHECK_FALSE(all.awaits(2));
}

TEST_CASE("two processes with one number that show one tab count as two", "[returning_clients]") {
    mux::returning_clients all; // of two pid namespaces
    all.expect({{100, 1, 7, {}}, {100, 1, 9, {}}});
    CHECK(all.arrived(100, 1)->activity == 7);
    CHECK(all.awaits(1));
    CHECK(all.arrived(100, 1)->activity == 9);
    CHECK_FALSE(all.awaits(1));
}
