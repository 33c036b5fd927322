// SPDX-License-Identifier: MIT
#include <mato/key_index.hpp>

#include "support/catch.hpp"

#include <string>

namespace {
void push(mato::frame_ring& ring, std::size_t size = 10) {
    while (!ring.has_room(size)) ring.pop();
    ring.push(std::string(size, 'x'));
}
} // namespace

TEST_CASE("only the newest frame of a key is not superseded", "[key_index]") {
    mato::frame_ring ring(mato::frame_ring::least_bytes);
    mato::key_index keys;
    for (const std::uint64_t key : {1u, 2u, 1u, 1u}) {
        push(ring);
        keys.add(ring, key);
    }
    push(ring); // without a key
    CHECK(ring.is_superseded(1));
    CHECK_FALSE(ring.is_superseded(2));
    CHECK(ring.is_superseded(3));
    CHECK_FALSE(ring.is_superseded(4));
    CHECK_FALSE(ring.is_superseded(5));
    CHECK(ring.end_of(3) == 30); // the mark is not part of the position
}

TEST_CASE("a frame that the ring has dropped is not marked", "[key_index]") {
    mato::frame_ring ring(mato::frame_ring::least_bytes);
    mato::key_index keys;
    push(ring);
    keys.add(ring, 1);
    while (ring.oldest() == 1) push(ring, 100);
    push(ring);
    keys.add(ring, 1);
    for (auto each = ring.oldest(); each < ring.next(); ++each) CHECK_FALSE(ring.is_superseded(each));
}

TEST_CASE("keys that are never used again do not accumulate", "[key_index]") {
    mato::frame_ring ring(mato::frame_ring::least_bytes);
    mato::key_index keys;
    for (std::uint64_t key = 0; key < 10'000; ++key) {
        push(ring);
        keys.add(ring, key);
        REQUIRE(keys.size() <= 2 * (ring.next() - ring.oldest()) + 64);
    }
}
