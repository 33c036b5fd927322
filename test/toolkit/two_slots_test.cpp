// SPDX-License-Identifier: MIT
/// @file two_slots_test.cpp: the newest published state is found complete, whenever the writer is killed.
#include <mato/two_slots.hpp>

#include "support/catch.hpp"
#include "support/deaths.hpp"

#include <random>
#include <type_traits>

using support::deaths;
using support::kept_memory;

namespace {

using slots = mato::two_slots<>;
using dying_slots = mato::two_slots<deaths>;

constexpr std::size_t published_at = 64, slot_0 = 128;

std::string text(std::mt19937& random, std::size_t size) {
    std::string made(size, '\0');
    for (char& each : made) each = static_cast<char>(random());
    return made;
}

mato::failure refusal(std::span<char> memory) {
    mato::failure why;
    const auto adopted = slots::adopt(memory, why);
    CHECK(adopted.newest().empty());
    CHECK(adopted.capacity() == 0);
    CHECK((why.step == "adopt slots" && !why.message().empty()));
    return why;
}

} // namespace

// ---- the contract ----

TEST_CASE("the newest state is the last published one, with its position", "[two_slots]") {
    kept_memory memory(slots::memory_for(100));
    mato::failure why;
    auto made = slots::create(memory, why);
    REQUIRE_FALSE(why);
    CHECK(made.capacity() == 128); // whole cache lines
    CHECK(made.newest().empty());
    CHECK(made.generation() == 0);
    CHECK(slots::adopt(memory, why).newest().empty());
    CHECK_FALSE(why);
    for (std::uint64_t i = 1; i < 9; ++i) {
        const std::string state(static_cast<std::size_t>(i * 5 % 7), static_cast<char>('a' + i));
        REQUIRE(made.publish(state, 1000 * i, why));
        const auto next = slots::adopt(memory, why);
        REQUIRE_FALSE(why);
        for (const slots* each : {&static_cast<const slots&>(made), &next}) {
            CHECK(each->newest() == state);
            CHECK(each->position() == 1000 * i);
            CHECK(each->generation() == i);
        }
    }
    REQUIRE(made.publish("without a position", why));
    CHECK(made.position() == 0);
}

TEST_CASE("an adopted state stays valid until the second publish", "[two_slots]") {
    kept_memory memory(slots::memory_for(64));
    mato::failure why;
    auto made = slots::create(memory, why);
    made.publish("one", why);
    made.publish("two", why);
    const auto seen = slots::adopt(memory, why).newest();
    made.publish("three", why);
    CHECK(seen == "two");
    made.publish("four", why);
    CHECK(seen != "two");
}

TEST_CASE("the format is as documented in the header", "[two_slots]") {
    kept_memory memory(slots::memory_for(64));
    mato::failure why;
    auto made = slots::create(memory, why);
    made.publish("one", 7, why);
    made.publish("three", 0x0102030405060708, why);
    const std::string_view all = memory.text();
    using namespace std::string_view_literals;
    CHECK(all.substr(0, 24) == "matoslot\1\0\0\0\x80\0\0\0\x40\0\0\0\0\0\0\0"sv);
    CHECK(all.substr(published_at, 8) == "\2\0\0\0\0\0\0\0"sv);
    CHECK(all.substr(slot_0, 24) == "\2\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\10\7\6\5\4\3\2\1"sv);
    CHECK(all.substr(slot_0 + 64, 5) == "three");
    CHECK(all.substr(slot_0 + 128, 24) == "\1\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0"sv);
    CHECK(all.substr(slot_0 + 192, 3) == "one");
    CHECK(mato::detail::load_number<std::uint32_t>(all.data() + slot_0 + 24) ==
          mato::detail::crc32c(std::string(all.substr(slot_0, 24)) + "three"));
}

TEST_CASE("the checksum is CRC-32C, with and without the processor's instruction", "[two_slots]") {
    using namespace mato::detail;
    CHECK(crc32c("123456789") == 0xE3069283U);
    CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AAU); // RFC 3720 B.4
    CHECK(crc32c(std::string(32, '\xFF')) == 0x62A8AB43U);
    CHECK(crc32c("6789", crc32c("12345")) == 0xE3069283U);
    std::mt19937 random(1);
    const std::string bytes = text(random, 300);
    for (std::size_t begin = 0; begin < 9; ++begin)
        for (std::size_t size = 0; begin + size <= bytes.size(); ++size) {
            const auto part = std::string_view(bytes).substr(begin, size);
            REQUIRE(crc32c(part) == ~crc32c_portable(part, ~0U));
        }
}

// ---- a crash at every point ----

TEST_CASE("a crash after any store, and inside it at any byte, leaves the old state or the new one", "[two_slots]") {
    kept_memory memory(slots::memory_for(300));
    std::mt19937 random(2);
    mato::failure why;
    auto made = dying_slots::create(memory, why);
    std::string old;
    std::uint64_t old_position = 0;
    for (int turn = 0; turn < 40; ++turn) {
        const std::string state = text(random, random() % 321);
        deaths::watch(memory);
        REQUIRE(made.publish(state, 1 + random(), why));
        const auto images = deaths::stop_watching(); // before, head, body, published
        REQUIRE(images.size() == 4);
        for (std::size_t store = 0; store < images.size(); ++store) {
            const bool is_new = store == 3;
            for (auto& image : store == 0 || is_new ? std::vector{images[store]}
                                                    : support::torn_between(images[store - 1], images[store], random)) {
                const auto found = slots::adopt(image, why);
                REQUIRE_FALSE(why);
                REQUIRE(found.newest() == (is_new ? state : old));
                REQUIRE(found.position() == (is_new ? made.position() : old_position));
            }
        }
        old = state;
        old_position = made.position();
    }
}

TEST_CASE("after a crash the next process continues to publish, for random schedules", "[two_slots]") {
    for (unsigned schedule = 0; schedule < 300; ++schedule) {
        std::mt19937 random(schedule);
        kept_memory memory(slots::memory_for(random() % 500 + 1));
        mato::failure why;
        auto made = dying_slots::create(memory, why);
        std::string newest;
        std::uint64_t generation = 0;
        for (int turn = 0; turn < 30; ++turn) {
            const std::string state = text(random, random() % (made.capacity() + 1));
            deaths::watch(memory);
            REQUIRE(made.publish(state, why));
            auto images = deaths::stop_watching();
            const std::size_t dies = random() % 8; // in half of the cases it is not killed
            if (dies > 2) newest = state, ++generation;
            if (dies < images.size()) {
                memory = images[dies];
                made = dying_slots::adopt(memory, why);
                INFO("schedule " << schedule << ", turn " << turn << ": " << why.message());
                REQUIRE_FALSE(why);
            }
            REQUIRE(made.newest() == newest);
            REQUIRE(made.generation() == generation);
        }
    }
}

// ---- the refusals ----

TEST_CASE("a state larger than a slot is refused, and the newest stays", "[two_slots]") {
    kept_memory memory(slots::memory_for(64));
    mato::failure why;
    auto made = slots::create(memory, why);
    REQUIRE(made.publish(std::string(64, 'x'), why));
    CHECK_FALSE(made.publish(std::string(65, 'y'), why));
    CHECK(why.code == mato::errc::frame_too_large);
    CHECK(why.message() == "publish: the state has 65 bytes, the capacity of a slot is 64");
    CHECK(made.newest() == std::string(64, 'x'));
    CHECK(slots::adopt(memory, why).newest() == std::string(64, 'x'));
    slots none;
    CHECK_FALSE(none.publish("", why));
    CHECK(why.code == mato::errc::frame_too_large);
    CHECK(none.newest().empty());
}

TEST_CASE("memory that is too small or not aligned is refused for slots", "[two_slots]") {
    kept_memory memory(slots::memory_for(64) + 8);
    const auto all = static_cast<std::span<char>>(memory);
    mato::failure why;
    CHECK(slots::create(all.first(slots::memory_for(64)), why).capacity() == 64);
    CHECK_FALSE(why);
    CHECK(slots::create(all.first(slots::memory_for(64) - 1), why).capacity() == 0);
    CHECK(why.code == std::errc::invalid_argument);
    CHECK(why.message() == "create slots: 383 bytes are too few; at least 384 are needed");
    CHECK_THROWS_AS(slots::create(all.first(0)), mato::error);
    CHECK(slots::create(all.subspan(1), why).capacity() == 0);
    CHECK(why.code == std::errc::invalid_argument);
    CHECK(refusal(all.subspan(4)).code == std::errc::invalid_argument);
    CHECK_THROWS_AS(slots::adopt(all.subspan(4)), mato::error);
}

TEST_CASE("memory that is not slots, damaged or newer, is refused with a reason", "[two_slots]") {
    kept_memory memory(slots::memory_for(64));
    mato::failure why;
    slots::create(memory, why).publish("state", 3, why);
    struct forgery {
        std::size_t at;
        std::string bytes;
        const char* reason;
    };
    const std::string all_ones(8, '\xFF');
    for (const auto& [at, bytes, reason] :
         {forgery{0, "matoread", "the memory does not begin with the magic number of this format"},
          {0, std::string(8, '\0'), "the memory does not begin with the magic number of this format"},
          {8, std::string("\0\0", 2), "its head is damaged"},
          {12, std::string("\x7F\0\0\0", 4), "its head is damaged"},
          {12, std::string("\x84\0\0\0", 4), "its head is damaged"},
          {12, "\xFF\xFF\xFF\xFF", "its head is damaged"},
          {12, std::string("\x80\1\0\0", 4), "its slots do not fit into the memory"},
          {16, std::string(8, '\0'), "its slots do not fit into the memory"},
          {16, std::string("\x41\0", 2), "its slots do not fit into the memory"},
          {16, std::string("\x80\0", 2), "its slots do not fit into the memory"},
          {16, all_ones, "its slots do not fit into the memory"},
          {16, std::string("\xC0\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8), "its slots do not fit into the memory"},
          {published_at, std::string("\2"), "the head of the newest state is damaged"},
          {published_at, std::string("\3"), "the head of the newest state is damaged"},
          {published_at, all_ones, "the head of the newest state is damaged"},
          {slot_0 + 128 + 8, std::string("\x41"), "the head of the newest state is damaged"},
          {slot_0 + 128 + 8, all_ones, "the head of the newest state is damaged"},
          {slot_0 + 128 + 8, std::string("\4"), "the newest state is damaged: its checksum differs"},
          {slot_0 + 128 + 16, std::string("\4"), "the newest state is damaged: its checksum differs"},
          {slot_0 + 128 + 24, std::string(4, '\0'), "the newest state is damaged: its checksum differs"},
          {slot_0 + 192, std::string("S"), "the newest state is damaged: its checksum differs"}}) {
        kept_memory forged = memory;
        bytes.copy(forged.data() + at, bytes.size());
        const auto refused = refusal(forged);
        INFO("at " << at);
        CHECK(refused.code == mato::errc::malformed);
        CHECK(refused.detail == reason);
    }
    kept_memory newer = memory;
    newer.data()[8] = 2;
    CHECK(refusal(newer).code == mato::errc::version_mismatch);
    CHECK(refusal(newer).detail == "it has format version 2, this program reads up to 1");
    kept_memory minor = memory; // and a field this version does not know
    minor.data()[10] = 9, minor.data()[30] = 1, minor.data()[90] = 1;
    CHECK(slots::adopt(minor, why).newest() == "state");
    const auto all = static_cast<std::span<char>>(memory);
    for (std::size_t size = 0; size < all.size(); ++size) CHECK(refusal(all.first(size)).code == mato::errc::malformed);
}

TEST_CASE("later writes of another process into slots never cause access outside the memory", "[two_slots]") {
    kept_memory memory(slots::memory_for(64));
    mato::failure why;
    auto made = slots::create(memory, why);
    made.publish("state", why);
    std::fill(memory.data(), memory.data() + memory.text().size(), '\xFF');
    CHECK(made.newest().size() == 5);
    CHECK(made.publish(std::string(64, 'x'), why));
    CHECK(made.newest() == std::string(64, 'x'));
}

// ---- the promises about absence ----

TEST_CASE("slots have one owner, and can be moved", "[two_slots]") {
    static_assert(!std::is_copy_constructible_v<slots>);
    static_assert(std::is_nothrow_move_constructible_v<slots> && std::is_nothrow_move_assignable_v<slots>);
    kept_memory memory(slots::memory_for(64));
    mato::failure why;
    auto first = slots::create(memory, why);
    first.publish("state", why);
    slots second(std::move(first));
    CHECK(second.newest() == "state");
    CHECK(first.newest().empty());
    CHECK_FALSE(first.publish("from nowhere", why));
    auto& same = second;
    second = std::move(same);
    CHECK(second.newest() == "state");
}
