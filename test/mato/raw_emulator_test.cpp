// SPDX-License-Identifier: MIT
/// @file raw_emulator_test.cpp: the last bytes, each at its position, for any feeds.
#include "tab/raw_emulator.hpp"

#include "support/catch.hpp"

#include <random>

namespace {

/// All bytes kept from `position` on, in pieces of at most `most`.
std::string rest(const mux::raw_emulator& emulator, std::uint64_t position, std::size_t most = 1000) {
    std::string text;
    for (;;) {
        const auto piece = emulator.from(position + text.size(), most);
        if (piece.empty()) return text;
        CHECK(piece.size() <= most);
        text += piece;
    }
}

} // namespace

// ---- the contract ----

TEST_CASE("positions count from the first byte ever written", "[raw_emulator]") {
    mux::raw_emulator emulator(4);
    CHECK(emulator.begin() == 0);
    CHECK(emulator.end() == 0);
    emulator.feed("abc");
    CHECK(emulator.begin() == 0);
    CHECK(emulator.end() == 3);
    emulator.feed("def");
    CHECK(emulator.begin() == 2);
    CHECK(emulator.end() == 6);
    CHECK(rest(emulator, 2) == "cdef");
    CHECK(rest(emulator, 5) == "f");
}

TEST_CASE("any feeds give the last bytes of the whole", "[raw_emulator]") {
    std::mt19937 random(GENERATE(range(0u, 25u)));
    const std::size_t capacity = 1 + random() % 700;
    mux::raw_emulator emulator(capacity);
    std::string reference;
    for (int round = 0; round < 120; ++round) {
        std::string bytes(random() % (random() % 5 == 0 ? 3 * capacity : 40), '\0');
        for (char& c : bytes) c = static_cast<char>(random());
        emulator.feed(bytes);
        reference += bytes;
        REQUIRE(emulator.end() == reference.size());
        REQUIRE(emulator.begin() == reference.size() - std::min(capacity, reference.size()));
        REQUIRE(rest(emulator, emulator.begin(), 1 + random() % 300) == reference.substr(emulator.begin()));
        const auto middle = emulator.begin() + random() % (emulator.end() - emulator.begin() + 1);
        REQUIRE(rest(emulator, middle) == reference.substr(middle));
    }
}

TEST_CASE("a replay starts at the first byte if none is lost", "[raw_emulator]") {
    mux::raw_emulator emulator(10);
    CHECK(emulator.replay_begin() == 0);
    emulator.feed("a\nb");
    CHECK(emulator.replay_begin() == 0);
    emulator.feed("0123456");
    CHECK(emulator.begin() == 0);
    CHECK(emulator.replay_begin() == 0);
}

TEST_CASE("a replay starts after a newline if bytes are lost, wherever the ring wraps", "[raw_emulator]") {
    for (std::size_t shift = 0; shift < 24; ++shift) {
        mux::raw_emulator emulator(20);
        const std::string text = std::string(20 + shift, 'x') + "yyyy\nzzz";
        emulator.feed(text);
        REQUIRE(emulator.begin() > 0);
        CHECK(rest(emulator, emulator.replay_begin()) == "zzz");
    }
}

// ---- the refusals ----

TEST_CASE("bytes that are lost or not written yet are empty", "[raw_emulator]") {
    mux::raw_emulator emulator(4);
    CHECK(emulator.from(0, 10).empty());
    emulator.feed("abcdef");
    CHECK(emulator.from(1, 10).empty());
    CHECK(emulator.from(6, 10).empty());
    CHECK(emulator.from(~std::uint64_t{0}, 10).empty());
    CHECK(emulator.from(2, 0).empty());
    CHECK_FALSE(emulator.from(2, 1).empty());
}

// ---- the edges ----

TEST_CASE("the newline is searched within its limit and not beyond it", "[raw_emulator]") {
    constexpr std::size_t bound = mux::raw_emulator::search_bytes;
    const auto replay_offset = [](std::size_t newline_at, std::size_t written_before) {
        const std::size_t capacity = 3 * bound;
        mux::raw_emulator emulator(capacity);
        emulator.feed(std::string(written_before, 'x')); // where the ring wraps
        std::string text(capacity, 'x');
        text[newline_at] = '\n';
        emulator.feed(text);
        return emulator.replay_begin() - emulator.begin();
    };
    for (const std::size_t before : {std::size_t{1}, std::size_t{100}, 3 * bound - 100, 2 * bound, 3 * bound}) {
        CAPTURE(before);
        CHECK(replay_offset(0, before) == 1);
        CHECK(replay_offset(bound - 1, before) == bound);
        CHECK(replay_offset(bound, before) == 0);
        CHECK(replay_offset(bound + 50, before) == 0);
    }
}

TEST_CASE("capacities of zero and of one byte", "[raw_emulator]") {
    mux::raw_emulator none(0);
    none.feed("abc");
    CHECK(none.begin() == 3);
    CHECK(none.end() == 3);
    CHECK(none.from(2, 9).empty());
    CHECK(none.replay_begin() == 3);
    mux::raw_emulator one(1);
    for (const char* text : {"a", "", "bcd"}) one.feed(text);
    CHECK(rest(one, 3) == "d");
    CHECK(one.end() == 4);
}

// ---- the promises about absence ----

TEST_CASE("memory is not allocated before it is needed, and never much more than the capacity", "[raw_emulator]") {
    mux::raw_emulator emulator(1 << 20);
    CHECK(emulator.memory_bytes() < 1000);
    emulator.feed("x");
    CHECK(emulator.memory_bytes() < 1000);
    for (int i = 0; i < 3000; ++i) emulator.feed(std::string(1000, 'x'));
    CHECK(emulator.memory_bytes() <= 2 * (1 << 20) + 1000);
}
