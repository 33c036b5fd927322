// SPDX-License-Identifier: MIT
/// @file window_size_test.cpp: one size for several terminals.
#include "daemon/window_size.hpp"

#include "support/catch.hpp"

#include <vector>

using mux::choose_size;
using mux::sized_viewer;
using mux::terminal_size;
using mux::window_size;

namespace {
constexpr terminal_size current{{24, 80}, {}};
const std::vector<sized_viewer> viewers{{{{30, 100}, {}}, 2, true}, {{{50, 60}, {}}, 3, true}, {{{40, 200}, {}}, 1, true}};
} // namespace

TEST_CASE("latest follows the viewer that was active last", "[window_size]") {
    CHECK(choose_size(window_size::latest, current, viewers) == terminal_size{{50, 60}, {}});
}

TEST_CASE("smallest and largest choose each dimension separately", "[window_size]") {
    CHECK(choose_size(window_size::smallest, current, viewers) == terminal_size{{30, 60}, {}});
    CHECK(choose_size(window_size::largest, current, viewers) == terminal_size{{50, 200}, {}});
}

TEST_CASE("manual keeps the current size", "[window_size]") {
    CHECK(choose_size(window_size::manual, current, viewers) == current);
}

TEST_CASE("a single viewer sets the size under every policy except manual", "[window_size]") {
    const std::vector<sized_viewer> one{{{{1, 65535}, {}}, 0, true}};
    for (const auto policy : {window_size::latest, window_size::smallest, window_size::largest})
        CHECK(choose_size(policy, current, one) == terminal_size{{1, 65535}, {}});
}

TEST_CASE("a viewer that does not count has no effect, however recently it was active", "[window_size]") {
    std::vector<sized_viewer> some = viewers;
    some.push_back({{{1, 1}, {}}, 99, false});
    some.insert(some.begin(), {{{500, 500}, {}}, 98, false});
    CHECK(choose_size(window_size::latest, current, some) == terminal_size{{50, 60}, {}});
    CHECK(choose_size(window_size::smallest, current, some) == terminal_size{{30, 60}, {}});
    CHECK(choose_size(window_size::largest, current, some) == terminal_size{{50, 200}, {}});
}

TEST_CASE("if no viewer counts, the size stays", "[window_size]") {
    const std::vector<sized_viewer> none{{{{1, 1}, {}}, 5, false}};
    for (const auto policy : {window_size::latest, window_size::smallest, window_size::largest, window_size::manual}) {
        CHECK(choose_size(policy, current, {}) == current);
        CHECK(choose_size(policy, current, none) == current);
    }
}

TEST_CASE("of two with equal activity the first is used", "[window_size]") {
    const std::vector<sized_viewer> even{{{{10, 10}, {}}, 4, true}, {{{20, 20}, {}}, 4, true}};
    CHECK(choose_size(window_size::latest, current, even) == terminal_size{{10, 10}, {}});
}
