// SPDX-License-Identifier: MIT
/// @file request_table_test.cpp: requests by number and in order, compared with plain containers.
#include <mato/async_client.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace {

using table = mato::detail::request_table<std::unique_ptr<int>>;
using list = table::list;

std::vector<std::uint64_t> in(const table& all, list which) {
    std::vector<std::uint64_t> found;
    for (auto number = all.first(which); number != 0; number = all.next(number)) found.push_back(number);
    return found;
}

} // namespace

TEST_CASE("a number that was taken finds nothing, also when its place is used again", "[request_table]") {
    table all;
    const auto first = all.add(std::make_unique<int>(1));
    CHECK((first != 0 && all.size() == 1 && *all.take(first) == 1 && all.size() == 0));
    const auto second = all.add(std::make_unique<int>(2));
    CHECK(second != first);
    CHECK((all.find(first) == nullptr && all.list_of(first) == list::none && **all.find(second) == 2));
    for (const std::uint64_t forged : {std::uint64_t{0}, second + 1, ~std::uint64_t{0}, std::uint64_t{1} << 62})
        CHECK(all.find(forged) == nullptr);
}

TEST_CASE("any sequence of calls leaves the lists as plain containers would be", "[request_table]") {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        std::mt19937 random(seed);
        table all;
        std::deque<std::uint64_t> waiting, sent;
        std::map<std::uint64_t, int> values;
        for (int step = 0; step < 2'000; ++step) {
            const auto choice = random() % 4;
            if (choice < 2) {
                const int value = static_cast<int>(random() % 1'000'000);
                const auto number = all.add(std::make_unique<int>(value));
                CHECK(values.emplace(number, value).second);
                waiting.push_back(number);
            } else if (choice == 2 && !waiting.empty()) {
                const auto at = waiting.begin() + static_cast<std::ptrdiff_t>(random() % waiting.size());
                all.mark_sent(*at);
                sent.push_back(*at);
                waiting.erase(at);
            } else if (auto& from = random() % 2 ? waiting : sent; choice == 3 && !from.empty()) {
                const auto at = from.begin() + static_cast<std::ptrdiff_t>(random() % from.size());
                CHECK(*all.take(*at) == values.at(*at));
                values.erase(*at);
                from.erase(at);
            }
        }
        CHECK(std::ranges::equal(in(all, list::waiting), waiting));
        CHECK(std::ranges::equal(in(all, list::sent), sent));
        CHECK(all.size() == values.size());
        for (const auto& [number, value] : values) CHECK(**all.find(number) == value);
    }
}
