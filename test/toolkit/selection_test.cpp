// SPDX-License-Identifier: MIT
/// @file selection_test.cpp: which frames are wanted, and the sums of those that are not, while the ring turns.
#include <mato/selection.hpp>

#include "support/catch.hpp"

#include <string>

namespace {

struct world {
    mato::frame_ring ring{1024};
    mato::selection chosen{ring, [](std::string_view) { return true; }};

    void publish(std::size_t bytes, bool is_wanted) {
        while (!ring.has_room(bytes)) ring.pop();
        chosen.note(ring, ring.push(std::string(bytes, 'x')),
                    is_wanted ? mato::selection::verdict::wanted : mato::selection::verdict::refused);
    }
};

} // namespace

TEST_CASE("what is not wanted and not passed is summed up", "[selection]") {
    world w;
    for (int i = 0; i < 6; ++i) w.publish(10 + static_cast<std::size_t>(i), i % 2 == 0); // 2, 4 and 6 are not wanted
    CHECK(w.chosen.frames_ahead() == 3);
    CHECK(w.chosen.bytes_ahead() == 11 + 13 + 15);
    CHECK(w.chosen.wants(1));
    CHECK_FALSE(w.chosen.wants(2));
    const auto passed = w.chosen.unwanted(w.ring, 1, 5, 7);
    CHECK((passed.frames == 2 && passed.bytes == 11 + 13));
    w.chosen.pass(passed);
    CHECK(w.chosen.frames_ahead() == 1);
    CHECK(w.chosen.bytes_ahead() == 15);
    CHECK(w.chosen.forget(w.ring, 6, 7) == 1);
    CHECK(w.chosen.bytes_ahead() == 0);
}

TEST_CASE("of frames that the ring has dropped the sum stays exact", "[selection]") {
    world w;
    for (int i = 1; i <= 1000; ++i) w.publish(50, i % 3 == 0);
    CHECK(w.ring.oldest() > 900);
    CHECK(w.chosen.frames_ahead() == 1000 - 333);
    const auto before = w.chosen.unwanted(w.ring, 1, w.ring.oldest(), w.ring.next());
    w.chosen.pass(before);
    const std::uint64_t passed = before.frames;
    CHECK(passed == w.ring.oldest() - 1 - (w.ring.oldest() - 1) / 3);
    CHECK(w.chosen.frames_ahead() == 667 - passed);
    CHECK(w.chosen.bytes_ahead() == 50 * (667 - passed));
    w.chosen.pass(w.chosen.unwanted(w.ring, w.ring.oldest(), w.ring.next(), w.ring.next()));
    CHECK(w.chosen.frames_ahead() == 0);
    CHECK(w.chosen.bytes_ahead() == 0);
}

TEST_CASE("a decision can be changed to not wanted", "[selection]") {
    world w;
    w.publish(10, true);
    w.chosen.note(w.ring, 1, mato::selection::verdict::refused);
    CHECK_FALSE(w.chosen.wants(1));
    CHECK(w.chosen.frames_ahead() == 1);
}
