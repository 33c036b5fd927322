// SPDX-License-Identifier: MIT
#include <mato/partial_frames.hpp>

#include "support/catch.hpp"

#include <memory>
#include <string>

namespace {
struct stream {
    mato::frame_ring ring{mato::frame_ring::least_bytes};
    void push(const std::string& text) {
        while (!ring.has_room(text.size())) ring.pop();
        ring.push(text);
    }
};
} // namespace

TEST_CASE("a copy outlives the ring's frame, and all subscribers share it", "[partial_frames]") {
    stream s;
    mato::partial_frames begun;
    s.push("first");
    s.push("second");
    const auto one = begun.copy(s.ring, 1), same = begun.copy(s.ring, 1), other = begun.copy(s.ring, 2);
    CHECK(one == same);
    CHECK(begun.bytes() == 11);
    for (int i = 0; i < 50; ++i) s.push(std::string(100, 'x'));
    CHECK(*one == "first");
    CHECK(*other == "second");
}

TEST_CASE("a copy that is no longer used is freed, and is created again on demand", "[partial_frames]") {
    stream s;
    mato::partial_frames begun;
    s.push("frame");
    auto one = begun.copy(s.ring, 1), same = one;
    one.reset();
    CHECK(begun.has(1));
    same.reset();
    CHECK_FALSE(begun.has(1));
    CHECK(begun.bytes() == 0);
    CHECK(*begun.copy(s.ring, 1) == "frame");
}

TEST_CASE("a frame that wraps in the ring is copied completely", "[partial_frames]") {
    stream s;
    mato::partial_frames begun;
    for (int i = 0; i < 40; ++i) {
        const std::string text(static_cast<std::size_t>(90 + i), static_cast<char>('a' + i % 26));
        s.push(text);
        CHECK(*begun.copy(s.ring, s.ring.next() - 1) == text);
    }
}

TEST_CASE("a copy may outlive the object that made it", "[partial_frames]") {
    stream s;
    s.push("frame");
    auto begun = std::make_unique<mato::partial_frames>();
    auto copy = begun->copy(s.ring, 1);
    begun.reset();
    CHECK(*copy == "frame");
    copy.reset(); // AddressSanitizer detects a double free or a leak
}
