// SPDX-License-Identifier: MIT
/// @file input_queue_test.cpp: in order, bounded, and every sender learns how much was read.
#include "tab/input_queue.hpp"

#include "support/catch.hpp"

#include <random>
#include <vector>

namespace {

using source = mux::reply_target;

struct report {
    source from;
    std::size_t bytes;
    bool operator==(const report&) const = default;
};

/// Takes `size` bytes from the front; finished items go to `done`.
void take(mux::input_queue& queue, std::size_t size, std::vector<report>& done) {
    queue.taken(size, [&](source from, std::size_t bytes) { done.push_back({from, bytes}); });
}

} // namespace

// ---- the contract ----

TEST_CASE("bytes leave in the order of arrival, and each item reports its end once", "[input_queue]") {
    mux::input_queue queue(100);
    std::vector<report> done;
    CHECK(queue.empty());
    CHECK(queue.front().empty());
    REQUIRE(queue.push({1, 0}, "abc"));
    REQUIRE(queue.push({2, 7}, "de"));
    CHECK(queue.bytes() == 5);
    CHECK(queue.front() == "abc");
    take(queue, 2, done);
    CHECK(queue.front() == "c");
    CHECK(done.empty());
    take(queue, 1, done);
    CHECK(queue.front() == "de");
    take(queue, 2, done);
    CHECK(done == std::vector<report>{{{1, 0}, 3}, {{2, 7}, 2}});
    CHECK(queue.empty());
    CHECK(queue.bytes() == 0);
}

TEST_CASE("a cancelled request is removed, and the bytes that were read of it are reported", "[input_queue]") {
    mux::input_queue queue(100);
    std::vector<report> done;
    for (const auto& [from, bytes] : {std::pair{source{1, 5}, "aaaa"}, {source{2, 5}, "bb"}, {source{1, 6}, "cc"}})
        REQUIRE(queue.push(from, bytes));
    take(queue, 3, done);
    CHECK(queue.cancel(1, 5) == 3);
    CHECK(queue.front() == "bb");
    CHECK(queue.bytes() == 4);
    CHECK(queue.cancel(1, 5) == 0);
    CHECK(queue.cancel(9, std::nullopt) == 0);
    CHECK(queue.cancel(1, std::nullopt) == 0);
    CHECK(queue.bytes() == 2);
    CHECK(queue.front() == "bb");
    CHECK(done.empty());
}

TEST_CASE("clearing reports to every sender how much was read", "[input_queue]") {
    mux::input_queue queue(100);
    std::vector<report> done, lost;
    REQUIRE(queue.push({1, 1}, "abc"));
    REQUIRE(queue.push({2, 2}, "d"));
    take(queue, 2, done);
    queue.clear([&](source from, std::size_t taken) { lost.push_back({from, taken}); });
    CHECK(lost == std::vector<report>{{{1, 1}, 2}, {{2, 2}, 0}});
    CHECK(queue.empty());
    CHECK(queue.bytes() == 0);
    CHECK(queue.push({1, 0}, std::string(100, 'x')));
}

TEST_CASE("any order of pushes, takes and cancels agrees with a simple list", "[input_queue]") {
    std::mt19937 random(GENERATE(range(0u, 30u)));
    struct entry {
        source from;
        std::string bytes;
        std::size_t taken = 0;
    };
    const std::size_t bound = 20 + random() % 200;
    mux::input_queue queue(bound);
    std::vector<entry> reference;
    const auto bytes_left = [&] {
        std::size_t sum = 0;
        for (const auto& each : reference) sum += each.bytes.size() - each.taken;
        return sum;
    };
    for (int round = 0; round < 500; ++round) {
        const source from{1 + random() % 3, static_cast<std::uint32_t>(random() % 3)};
        switch (random() % 6) {
        case 0:
        case 1:
        case 2: {
            const std::string bytes(1 + random() % 40, static_cast<char>('a' + random() % 26));
            const bool fits = bytes_left() + bytes.size() <= bound;
            REQUIRE(queue.push(from, bytes) == fits);
            if (fits) reference.push_back({from, bytes});
            break;
        }
        case 3:
        case 4: {
            if (reference.empty()) break;
            auto& first = reference.front();
            const std::size_t size = random() % (first.bytes.size() - first.taken + 1);
            std::vector<report> done, expected;
            take(queue, size, done);
            first.taken += size;
            if (first.taken == first.bytes.size()) {
                expected.push_back({first.from, first.bytes.size()});
                reference.erase(reference.begin());
            }
            REQUIRE(done == expected);
            break;
        }
        default: {
            const bool all = random() % 2 == 0;
            std::size_t taken = 0;
            std::erase_if(reference, [&](const entry& each) {
                if (each.from.client != from.client || (!all && each.from.request != from.request)) return false;
                taken += each.taken;
                return true;
            });
            REQUIRE(queue.cancel(from.client, all ? std::nullopt : std::optional(from.request)) == taken);
        }
        }
        REQUIRE(queue.bytes() == bytes_left());
        REQUIRE(queue.empty() == reference.empty());
        REQUIRE(queue.front() == (reference.empty() ? "" : reference.front().bytes.substr(reference.front().taken)));
    }
}

// ---- the refusals ----

TEST_CASE("an item that would exceed the limit is not queued at all", "[input_queue]") {
    mux::input_queue queue(5);
    CHECK_FALSE(queue.push({1, 0}, "123456"));
    CHECK(queue.empty());
    CHECK(queue.push({1, 0}, "12345"));
    CHECK_FALSE(queue.push({1, 0}, "x"));
    CHECK(queue.push({1, 0}, "")); // an empty item always fits
    CHECK(queue.bytes() == 5);
}

// ---- the edges ----

TEST_CASE("an empty item is finished by taking zero bytes", "[input_queue]") {
    mux::input_queue queue(5);
    std::vector<report> done;
    REQUIRE(queue.push({1, 3}, ""));
    CHECK_FALSE(queue.empty());
    take(queue, 0, done);
    CHECK(done == std::vector<report>{{{1, 3}, 0}});
    CHECK(queue.empty());
}

TEST_CASE("a finished item's callback may push", "[input_queue]") {
    mux::input_queue queue(5);
    REQUIRE(queue.push({1, 0}, "ab"));
    queue.taken(2, [&](source, std::size_t) { CHECK(queue.push({1, 0}, "cdefg")); });
    CHECK(queue.front() == "cdefg");
}

TEST_CASE("items of one byte count with their memory: their number is limited as their bytes are", "[input_queue]") {
    using mux::input_queue;
    for (const std::size_t bound : {std::size_t{1} << 16, std::size_t{16} << 20}) {
        input_queue queue(bound);
        std::uint32_t count = 0;
        while (queue.push({1, count + 1}, "x")) ++count;
        CHECK(count == std::max(bound / input_queue::item_cost, input_queue::fewest_items));
        CHECK(queue.bytes() == count);
        CHECK(queue.memory_bytes() == count * (input_queue::item_cost + 1));
        CHECK_FALSE(queue.push({2, 0}, ""));
        CHECK(queue.cancel(1, 1) == 0);
        CHECK(queue.push({2, 0}, "y"));
        CHECK(queue.cancel(1, std::nullopt) == 0);
        CHECK(queue.front() == "y");
        CHECK(queue.bytes() == 1);
    }
}

TEST_CASE("cancelling a request among a hundred thousand costs a search, not a walk", "[input_queue]") {
    mux::input_queue queue(32u << 20);
    constexpr std::uint32_t others = 100'000;
    for (std::uint32_t n = 1; n <= others; ++n) REQUIRE(queue.push({1, n}, "x"));
    REQUIRE(queue.push({2, 7}, "mine"));
    for (std::uint32_t n = 1; n <= others; ++n) CHECK(queue.cancel(3, n) == 0); // with a walk each it would be 10^10 steps
    CHECK(queue.cancel(2, 7) == 0);
    CHECK(queue.bytes() == others);
}

TEST_CASE("all requests with one number are cancelled, and the others stay in order", "[input_queue]") {
    mux::input_queue queue(100);
    std::vector<report> done;
    for (const char* const text : {"a", "b", "c"}) {
        REQUIRE(queue.push({1, 5}, text));
        REQUIRE(queue.push({1, 6}, text));
        REQUIRE(queue.push({1, 0}, text));
    }
    take(queue, 1, done); // the first of the two under one number
    CHECK(done == std::vector<report>{{{1, 5}, 1}});
    CHECK(queue.cancel(1, 5) == 0);
    CHECK(queue.bytes() == 6);
    std::string order;
    while (!queue.empty()) {
        order += queue.front();
        take(queue, 1, done);
    }
    CHECK(order == "aabbcc");
    CHECK(done.size() == 7);
}
