// SPDX-License-Identifier: MIT
/// @file frame_ring_test.cpp: numbers and positions never change, and the oldest frames are dropped.
#include <mato/frame_ring.hpp>

#include "support/catch.hpp"

#include <string>
#include <type_traits>

namespace {

std::string text(const mato::frame_ring& ring, std::uint64_t sequence) {
    std::string all;
    for (const auto part : ring.bytes(ring.begin_of(sequence), ring.end_of(sequence))) all += part;
    return all;
}
std::uint64_t push(mato::frame_ring& ring, const std::string& frame) {
    while (!ring.has_room(frame.size())) ring.pop();
    return ring.push(frame);
}

} // namespace

TEST_CASE("frames are numbered from 1 and found by number and by position", "[frame_ring]") {
    mato::frame_ring ring(4096);
    CHECK(ring.next() == 1);
    CHECK(ring.at(0) == 1);
    CHECK(ring.push("one") == 1);
    CHECK(ring.push("t", "w", "o") == 2);
    CHECK(ring.push("three") == 3);
    CHECK(text(ring, 1) == "one");
    CHECK(text(ring, 2) == "two");
    CHECK(text(ring, 3) == "three");
    CHECK(ring.end() == 11);
    const std::uint64_t at[] = {1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 4};
    const std::uint64_t boundary[] = {0, 0, 0, 3, 3, 3, 6, 6, 6, 6, 6, 11};
    for (std::uint64_t place = 0; place <= 11; ++place) {
        CHECK(ring.at(place) == at[place]);
        CHECK(ring.boundary(place) == boundary[place]);
    }
}

TEST_CASE("the newest frames of any size stay complete where the memory wraps", "[frame_ring]") {
    mato::frame_ring ring(1024);
    for (std::uint64_t i = 1; i <= 5000; ++i) {
        const std::string frame(static_cast<std::size_t>(1 + i * 7919 % ring.largest()), static_cast<char>('a' + i % 26));
        REQUIRE(push(ring, frame) == i);
        REQUIRE(ring.end() - ring.begin() <= ring.capacity());
        for (std::uint64_t kept = ring.oldest(); kept < ring.next(); ++kept) {
            const auto size = static_cast<std::size_t>(1 + kept * 7919 % ring.largest());
            REQUIRE(text(ring, kept) == std::string(size, static_cast<char>('a' + kept % 26)));
            REQUIRE(ring.at(ring.begin_of(kept)) == kept);
            REQUIRE(ring.at(ring.end_of(kept) - 1) == kept);
        }
    }
}

TEST_CASE("small frames are dropped when the index is full, large ones when the data is full", "[frame_ring]") {
    mato::frame_ring ring(1024); // 16 index slots
    for (int i = 0; i < 100; ++i) push(ring, "x");
    CHECK(ring.next() - ring.oldest() == 16);
    push(ring, std::string(ring.largest(), 'x'));
    push(ring, std::string(ring.largest(), 'y'));
    CHECK(ring.next() - ring.oldest() == 2);
    CHECK(text(ring, ring.oldest()) == std::string(ring.largest(), 'x'));
}

TEST_CASE("a superseded frame is marked and keeps its position", "[frame_ring]") {
    mato::frame_ring ring(1024);
    ring.push("one");
    ring.push("two");
    ring.supersede(1);
    CHECK(ring.is_superseded(1));
    CHECK_FALSE(ring.is_superseded(2));
    CHECK(ring.end_of(1) == 3);
    CHECK(text(ring, 2) == "two");
}

TEST_CASE("a size below the minimum is raised to the minimum", "[frame_ring]") {
    const mato::frame_ring ring(0);
    CHECK(ring.capacity() + 16 * 8 == mato::frame_ring::least_bytes);
    STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<mato::frame_ring>);
}
