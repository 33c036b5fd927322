// SPDX-License-Identifier: MIT
#include "tab/feed_marks.hpp"

#include "support/catch.hpp"

#include <csignal>

using mux::feed_marks;
using verdict = mux::feed_marks::verdict;

namespace {

struct kept_words {
    std::uint64_t memory[feed_marks::words] = {};
    [[nodiscard]] feed_marks marks() { return feed_marks(memory); } // of the next process
};

} // namespace

TEST_CASE("a process that died while it interpreted nothing leaves nothing to suspect", "[feed_marks]") {
    kept_words kept;
    CHECK(kept.marks().judge(0, 0, SIGSEGV, 1) == verdict::innocent);
    kept.marks().feeds_from(100);
    CHECK(kept.marks().judge(150, 150, SIGSEGV, 1) == verdict::innocent); // what it interpreted had its effects
    kept.marks().feeds_from(100);
    CHECK(kept.marks().judge(100, 150, 0, 1) == verdict::innocent); // an upgrade
}

TEST_CASE("output that ends the process with a fault is interpreted in pieces, and the piece that does it again is left out",
          "[feed_marks]") {
    kept_words kept;
    kept.marks().feeds_from(100);
    CHECK(kept.marks().judge(100, 500, SIGSEGV, 1) == verdict::suspected);
    CHECK_FALSE(kept.marks().is_left_out(164));
    kept.marks().replays(164);
    CHECK(kept.marks().judge(100, 500, SIGABRT, 2) == verdict::suspected);
    CHECK(kept.marks().is_left_out(164));
    CHECK_FALSE(kept.marks().is_left_out(100));
    CHECK_FALSE(kept.marks().is_left_out(228));
    // A death for another reason before the checkpoint does not bring it back.
    CHECK(kept.marks().judge(100, 500, SIGKILL, 3) == verdict::suspected);
    CHECK(kept.marks().is_left_out(164));
    kept.marks().replayed();
    kept.marks().passed(64);
    CHECK(kept.marks().bytes_left_out() == 64);
    CHECK_FALSE(kept.marks().is_left_out(164));
    CHECK(kept.marks().judge(500, 500, SIGKILL, 4) == verdict::innocent);
}

TEST_CASE("a kill from outside leaves out a piece only if it meets the same one twice, and quarantines nothing",
          "[feed_marks]") {
    kept_words kept;
    kept.marks().feeds_from(0);
    CHECK(kept.marks().judge(0, 500, SIGKILL, 1) == verdict::suspected);
    for (const std::uint64_t piece : {64u, 128u, 192u, 128u}) {
        kept.marks().replays(piece);
        CHECK(kept.marks().judge(0, 500, SIGKILL, 1) == verdict::suspected);
        CHECK_FALSE(kept.marks().is_left_out(piece));
    }
    kept.marks().replays(128);
    CHECK(kept.marks().judge(0, 500, SIGKILL, 1) == verdict::suspected);
    CHECK(kept.marks().is_left_out(128));
}

TEST_CASE("a death in a replay of everything is followed by pieces", "[feed_marks]") {
    kept_words kept;
    kept.marks().replays();
    CHECK(kept.marks().judge(0, 500, SIGBUS, 1) == verdict::suspected);
    CHECK_FALSE(kept.marks().is_left_out(0));
}

TEST_CASE("the third fault within a minute quarantines; a later one counts as the first", "[feed_marks]") {
    const std::uint64_t third = GENERATE(60u, 61u);
    kept_words kept;
    for (const std::uint64_t now : {std::uint64_t{1}, std::uint64_t{20}, third + 1}) {
        kept.marks().feeds_from(0);
        const auto expected = now == third + 1 && third == 60 ? verdict::quarantined : verdict::suspected;
        CHECK(kept.marks().judge(0, 10, SIGSEGV, now) == expected);
    }
}

TEST_CASE("two pieces that are left out take what lies between them along", "[feed_marks]") {
    kept_words kept;
    for (const std::uint64_t piece : {256u, 64u}) {
        kept.marks().replays(piece);
        CHECK(kept.marks().judge(0, 500, SIGILL, 1) == verdict::suspected);
    }
    CHECK(kept.marks().is_left_out(64));
    CHECK(kept.marks().is_left_out(128));
    CHECK(kept.marks().is_left_out(256));
    CHECK_FALSE(kept.marks().is_left_out(0));
    CHECK_FALSE(kept.marks().is_left_out(320));
}
