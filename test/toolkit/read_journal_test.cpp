// SPDX-License-Identifier: MIT
/// @file read_journal_test.cpp: after a crash at any point all read bytes are found, none of them twice.
#include <mato/read_journal.hpp>

#include "support/catch.hpp"
#include "support/deaths.hpp"

#include <mato/two_slots.hpp>

#include <algorithm>
#include <random>
#include <type_traits>

using support::deaths;
using support::kept_memory;

namespace {

using journal = mato::read_journal<>;
using dying_journal = mato::read_journal<deaths>;
constexpr std::size_t end_at = 64, armed_at = 72, begin_at = 80, log_at = 128;

/// Like read(2): writes the bytes without counting them.
template <class Journal> void read_into(Journal& to, std::string_view bytes) {
    char* const at = to.arm();
    REQUIRE(at != nullptr);
    bytes.copy(at, bytes.size());
}
template <class Journal> void read_whole(Journal& to, std::string_view bytes) {
    read_into(to, bytes);
    to.commit(bytes.size());
}

/// Text, which has no byte of the pattern.
std::string text(std::mt19937& random, std::size_t size) {
    std::string made(size, '\0');
    for (char& each : made) each = static_cast<char>(random() % 0xF8);
    return made;
}

mato::failure refusal(std::span<char> memory) {
    mato::failure why;
    auto adopted = journal::adopt(memory, why);
    CHECK(adopted.arm() == nullptr);
    CHECK(adopted.since_checkpoint().empty());
    CHECK((why.step == "adopt read journal" && !why.message().empty()));
    return why;
}

} // namespace

// ---- the contract ----

TEST_CASE("committed bytes are in the log, in order, until a checkpoint", "[read_journal]") {
    kept_memory memory(journal::memory_for(10'000));
    mato::failure why;
    auto made = journal::create(memory, why);
    REQUIRE_FALSE(why);
    CHECK(made.capacity() == 10'000);
    read_whole(made, "first ");
    read_whole(made, "second");
    CHECK(made.since_checkpoint() == "first second");
    CHECK(made.used() == 12);
    CHECK(journal::adopt(memory, why).since_checkpoint() == "first second");
    made.checkpoint();
    CHECK(made.since_checkpoint().empty());
    CHECK(made.begin() == 12);
    read_whole(made, "third");
    CHECK(made.since_checkpoint() == "third");
    CHECK(made.end() == 17);
    const auto next = journal::adopt(memory, why);
    CHECK(next.since_checkpoint() == "third");
    CHECK(next.begin() == 12);
    CHECK(next.end() == 17);
    CHECK(next.in_flight() == 0);
}

TEST_CASE("a read of any size that was not committed is recovered exactly", "[read_journal]") {
    kept_memory memory(journal::memory_for(1'000'000));
    std::mt19937 random(1);
    mato::failure why;
    auto made = journal::create(memory, why);
    std::string all;
    for (std::size_t size = 0; size <= journal::most_read; size += size < 64 || size > 4032 ? 1 : 61) {
        const std::string bytes = text(random, size);
        read_into(made, bytes);
        CHECK(made.in_flight() == size);
        made = journal::adopt(memory, why);
        REQUIRE_FALSE(why);
        CHECK(made.in_flight() == size);
        CHECK(made.since_checkpoint() == all);
        CHECK((made.arm() == nullptr) == (size > 0)); // bytes that are not recovered yet must not be overwritten
        CHECK(made.recover() == size);
        all += bytes;
        REQUIRE(made.since_checkpoint() == all);
        CHECK(made.recover() == 0);
        CHECK(journal::adopt(memory, why).in_flight() == 0);
        if (made.full()) made.checkpoint(), all.clear();
    }
}

TEST_CASE("a read without bytes leaves nothing, however often it is tried", "[read_journal]") {
    kept_memory memory(journal::memory_for(100));
    mato::failure why;
    auto made = journal::create(memory, why);
    read_whole(made, "before");
    char* const to = made.arm();
    for (int i = 0; i < 3; ++i) CHECK(made.arm() == to);
    CHECK(made.in_flight() == 0);
    made = journal::adopt(memory, why);
    CHECK(made.recover() == 0);
    CHECK(made.arm() == to);
    read_whole(made, ", and on");
    CHECK(made.since_checkpoint() == "before, and on");
}

TEST_CASE("of binary bytes only the last ones of an interrupted read that equal the pattern are missed", "[read_journal]") {
    kept_memory memory(journal::memory_for(100));
    std::mt19937 random(3);
    mato::failure why;
    int missed = 0;
    for (int turn = 0; turn < 3000; ++turn) {
        auto made = journal::create(memory, why);
        std::string bytes = text(random, random() % 300 + 1);
        for (char& each : bytes) each = static_cast<char>(random());
        std::size_t expected = bytes.size();
        while (expected > 0 && bytes[expected - 1] == *mato::detail::read_pattern.from(expected - 1)) --expected;
        read_into(made, bytes);
        REQUIRE(made.in_flight() == expected);
        missed += expected != bytes.size();
    }
    CHECK(missed < 3000 / 256 * 3);
}

TEST_CASE("the format is as documented in the header, and the pattern is fixed", "[read_journal]") {
    kept_memory memory(journal::memory_for(0x1234));
    mato::failure why;
    auto made = journal::create(memory, why);
    read_whole(made, "12345");
    made.checkpoint();
    read_whole(made, "678");
    read_into(made, "x");
    using namespace std::string_view_literals;
    const std::string_view all = memory.text();
    CHECK(all.substr(0, 24) == "matoread\1\0\0\0\x80\0\0\0\x34\x12\0\0\0\0\0\0"sv);
    CHECK(all.substr(end_at, 8) == "\10\0\0\0\0\0\0\0"sv);
    CHECK(all.substr(armed_at, 8) == "\10\0\0\0\0\0\0\0"sv);
    CHECK(all.substr(begin_at, 8) == "\5\0\0\0\0\0\0\0"sv);
    CHECK(all.substr(log_at, 4) == "678x");
    const std::string_view pattern(mato::detail::read_pattern.from(0), 4096);
    CHECK(mato::detail::crc32c(pattern) == 0xF44945FBU); // the same in every version
    CHECK(std::all_of(pattern.begin(), pattern.end(), [](char each) { return static_cast<unsigned char>(each) >= 0xF8; }));
    CHECK(std::string_view(mato::detail::read_pattern.from(4095), 4096) ==
          std::string(pattern.substr(4095)) + std::string(pattern.substr(0, 4095)));
}

TEST_CASE("a state saved just before the crash is aligned with the log", "[read_journal]") {
    kept_memory memory(journal::memory_for(100));
    mato::failure why;
    auto made = journal::create(memory, why);
    read_whole(made, "12345");
    made.checkpoint();
    read_whole(made, "678");
    CHECK(made.resume_after(5, why)); // the log follows the state
    CHECK(made.since_checkpoint() == "678");
    for (const std::uint64_t other : {0U, 4U, 6U, 7U, 9U}) {
        CHECK_FALSE(made.resume_after(other, why));
        CHECK(why.code == mato::errc::malformed);
        CHECK(made.since_checkpoint() == "678");
    }
    CHECK(why.message() == "resume read journal: the saved state includes 9 bytes, but the log has bytes 5 to 8");
    CHECK(made.resume_after(8, why)); // the state includes all of it
    CHECK(made.since_checkpoint().empty());
    CHECK(journal::adopt(memory, why).begin() == 8);
}

// ---- a crash at every point ----

TEST_CASE("a crash after any store, and inside it at any byte, loses nothing and repeats nothing", "[read_journal]") {
    kept_memory memory(journal::memory_for(9000));
    std::mt19937 random(4);
    mato::failure why;
    auto made = dying_journal::create(memory, why);
    std::string log;
    int examined = 0;
    for (int turn = 0; turn < 60; ++turn) {
        const std::string bytes = text(random, random() % 3 == 0 ? random() % 4096 : random() % 40);
        const std::string before = log;
        const bool checkpoints = made.full() || random() % 5 == 0;
        deaths::watch(memory);
        if (checkpoints) {
            made.checkpoint(); // disarmed, forgotten
            deaths::after(0);
        } else {
            read_into(made, bytes); // pattern, if there is something to fill; armed
            deaths::after(0);       // read(2) returned
            made.commit(bytes.size());
        }
        const auto images = deaths::stop_watching();
        const std::size_t taken = checkpoints ? images.size() : images.size() - 2; // from here the terminal no longer has them
        if (checkpoints)
            log.clear();
        else
            log += bytes;
        for (std::size_t i = 0; i < images.size(); ++i) {
            const bool is_read = !checkpoints && i == taken;
            // The kernel's copy is complete when a process can be killed; words are atomic; only the pattern can be partially
            // written.
            const bool can_tear = !checkpoints && i > 0 && i + 3 < images.size();
            auto torn = can_tear ? support::torn_between(images[i - 1], images[i], random) : std::vector{images[i]};
            for (auto& image : torn) {
                ++examined;
                auto found = journal::adopt(image, why);
                INFO("turn " << turn << ", image " << i << ": " << why.message());
                REQUIRE_FALSE(why);
                REQUIRE(found.recover() == (is_read ? bytes.size() : 0));
                const std::string& expected = checkpoints ? (i >= 2 ? log : before) : i >= taken ? log : before;
                REQUIRE(found.since_checkpoint() == expected);
                REQUIRE((found.arm() != nullptr || found.full()));
            }
        }
    }
    CHECK(examined > 300);
}

TEST_CASE("a journal and its states contain all read bytes for random schedules with crashes", "[read_journal]") {
    unsigned long long died = 0, found_in_flight = 0, joined = 0;
    for (unsigned schedule = 0; schedule < 250; ++schedule) {
        std::mt19937 random(schedule + 1);
        const std::size_t capacity = 1 + random() % 9000;
        using dying_slots = mato::two_slots<deaths>;
        constexpr std::size_t slot_bytes = dying_slots::memory_for(64);
        kept_memory memory(slot_bytes + journal::memory_for(capacity));
        const auto parts = [&] {
            const auto all = static_cast<std::span<char>>(memory);
            return std::pair(all.first(slot_bytes), all.subspan(slot_bytes));
        };
        mato::failure why;
        auto slots = dying_slots::create(parts().first, why);
        auto made = dying_journal::create(parts().second, why);
        std::string model;       // all bytes read from the terminal
        std::uint32_t state = 0; // of the consumer: a sum of all its input
        const auto feed = [&](std::string_view bytes) { state = mato::detail::crc32c(bytes, state); };
        const auto as_text = [&] { return std::string(reinterpret_cast<const char*>(&state), sizeof state); };
        for (int turn = 0; turn < 50; ++turn) {
            const bool checkpoints = made.full() || random() % 12 == 0;
            const std::string bytes = checkpoints ? "" : text(random, random() % 4 ? random() % 200 : random() % 4096);
            deaths::watch(memory);
            std::size_t taken = 0; // images from here on are after the read
            if (checkpoints) {
                REQUIRE(slots.publish(as_text(), made.end(), why));
                made.checkpoint();
            } else {
                read_into(made, bytes);
                deaths::after(0);
                made.commit(bytes.size());
            }
            const auto images = deaths::stop_watching();
            taken = images.size() - 2;
            const std::size_t dies = random() % (2 * images.size());
            if (checkpoints || dies >= taken) model += bytes;
            if (dies >= images.size()) {
                feed(bytes);
            } else { // the next process
                ++died;
                memory = images[dies];
                slots = dying_slots::adopt(parts().first, why);
                REQUIRE_FALSE(why);
                made = dying_journal::adopt(parts().second, why);
                REQUIRE_FALSE(why);
                found_in_flight += made.recover() > 0;
                joined += slots.position() != made.begin();
                REQUIRE(made.resume_after(slots.position(), why));
                state = 0;
                if (!slots.newest().empty()) slots.newest().copy(reinterpret_cast<char*>(&state), sizeof state);
                feed(made.since_checkpoint());
            }
            INFO("schedule " << schedule << ", turn " << turn);
            REQUIRE(made.end() == model.size());
            REQUIRE(made.since_checkpoint() == std::string_view(model).substr(static_cast<std::size_t>(made.begin())));
            REQUIRE(state == mato::detail::crc32c(model));
        }
    }
    CHECK(died > 3000); // including each kind of crash
    CHECK(found_in_flight > 300);
    CHECK(joined > 30);
}

// ---- the refusals ----

TEST_CASE("a full log accepts no read, and every read that begins has room", "[read_journal]") {
    for (const std::size_t capacity : {1U, 100U, 4095U, 4096U, 4097U, 5000U}) {
        kept_memory memory(journal::memory_for(capacity));
        mato::failure why;
        auto made = journal::create(memory, why);
        for (int round = 0; round < 3; ++round) {
            if (capacity > 1) {
                for (std::size_t left = capacity - 1; left > 0;) { // up to the last byte where a read may begin
                    const std::size_t n = std::min<std::size_t>(left, 4095);
                    read_whole(made, std::string(n, 'x'));
                    left -= n;
                }
            }
            CHECK_FALSE(made.full());
            read_into(made, std::string(4095, 'y'));
            auto next = journal::adopt(memory, why);
            REQUIRE_FALSE(why);
            CHECK(next.recover() == 4095);
            CHECK(next.full());
            CHECK(next.arm() == nullptr);
            CHECK(next.used() == capacity - 1 + 4095);
            CHECK(journal::adopt(memory, why).used() == next.used());
            CHECK_FALSE(why);
            made = std::move(next);
            made.checkpoint();
            CHECK(made.arm() != nullptr);
        }
    }
}

TEST_CASE("memory that is too small or not aligned is refused", "[read_journal]") {
    kept_memory memory(journal::memory_for(1) + 8);
    const auto all = static_cast<std::span<char>>(memory);
    mato::failure why;
    CHECK(journal::create(all.first(journal::memory_for(1)), why).capacity() == 1);
    CHECK_FALSE(why);
    CHECK(journal::create(all.first(journal::memory_for(0)), why).full());
    CHECK(why.code == std::errc::invalid_argument);
    CHECK(why.message() == "create read journal: 4223 bytes are too few; at least 4224 are needed");
    CHECK_THROWS_AS(journal::create(all.first(0)), mato::error);
    CHECK(journal::create(all.subspan(1), why).full());
    CHECK(why.code == std::errc::invalid_argument);
    CHECK(refusal(all.subspan(4)).code == std::errc::invalid_argument);
    CHECK_THROWS_AS(journal::adopt(all.subspan(4)), mato::error);
}

TEST_CASE("memory of another kind, damaged or newer, is refused with a reason", "[read_journal]") {
    kept_memory memory(journal::memory_for(100));
    mato::failure why;
    auto made = journal::create(memory, why);
    read_whole(made, "12345");
    made.checkpoint();
    read_whole(made, "678");
    read_into(made, "9");
    struct forgery {
        std::size_t at;
        std::string bytes;
        const char* reason;
    };
    const std::string all_ones(8, '\xFF');
    const char* const counts = "its byte counts are damaged";
    const char* const under_way = "it records a read in progress at an impossible position";
    for (const auto& [at, bytes, reason] :
         {forgery{0, "matoslot", "the memory does not begin with the magic number of this format"},
          {8, std::string("\0\0", 2), "its head is damaged"},
          {12, std::string("\x7F\0\0\0", 4), "its head is damaged"},
          {12, "\xFF\xFF\xFF\xFF", "its head is damaged"},
          {12, std::string("\x88\0\0\0", 4), "its log does not fit into the memory"},
          {12, std::string("\0\x10\0\0", 4), "its log does not fit into the memory"},
          {16, std::string("\x65"), "its log does not fit into the memory"},
          {16, std::string(8, '\0'), "its log does not fit into the memory"},
          {16, all_ones, "its log does not fit into the memory"},
          {16, std::string("\x9C\xEF\xFF\xFF\xFF\xFF\xFF\xFF"), "its log does not fit into the memory"},
          {end_at, std::string("\4"), counts},
          {end_at, all_ones, counts},
          {end_at, std::string("\x68\x10"), counts}, // one more than the capacity
          {begin_at, std::string("\xA"), counts},
          {begin_at, all_ones, counts},
          {armed_at, std::string("\4"), under_way},
          {armed_at, std::string("\xA"), under_way},
          {armed_at, std::string("\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), under_way}}) {
        kept_memory forged = memory;
        bytes.copy(forged.data() + at, bytes.size());
        INFO("at " << at << ", " << bytes.size() << " bytes");
        const auto refused = refusal(forged);
        CHECK(refused.code == mato::errc::malformed);
        CHECK(refused.detail == reason);
    }
    kept_memory full = memory; // armed after the last byte where a read may begin
    for (const std::size_t word : {end_at, armed_at}) full.data()[word] = 105;
    CHECK(refusal(full).detail == under_way);
    kept_memory newer = memory;
    newer.data()[9] = 1;
    CHECK(refusal(newer).code == mato::errc::version_mismatch);
    CHECK(refusal(newer).detail == "it has format version 257, this program reads up to 1");
    kept_memory minor = memory; // and a field this version does not know
    minor.data()[10] = 9, minor.data()[30] = 1, minor.data()[100] = 1;
    CHECK(journal::adopt(minor, why).in_flight() == 1);
    const auto all = static_cast<std::span<char>>(memory);
    for (std::size_t size = 0; size < all.size(); ++size) CHECK(refusal(all.first(size)).code == mato::errc::malformed);
}

TEST_CASE("later writes of another process never cause access outside the memory", "[read_journal]") {
    kept_memory memory(journal::memory_for(100));
    mato::failure why;
    auto made = journal::create(memory, why);
    read_whole(made, "12345");
    for (const char filling : {'\0', '\xFF', '\5'}) {
        std::fill(memory.data(), memory.data() + memory.text().size(), filling);
        CHECK(made.in_flight() <= journal::most_read);
        CHECK(made.since_checkpoint().size() == 5);
        CHECK(made.arm() == memory.data() + log_at + 5);
    }
}

// ---- the promises about absence ----

TEST_CASE("a journal has one owner and can be moved; without memory it is full", "[read_journal]") {
    static_assert(!std::is_copy_constructible_v<journal>);
    static_assert(std::is_nothrow_move_constructible_v<journal> && std::is_nothrow_move_assignable_v<journal>);
    kept_memory memory(journal::memory_for(100));
    mato::failure why;
    auto first = journal::create(memory, why);
    read_whole(first, "12345");
    journal second(std::move(first));
    CHECK(second.since_checkpoint() == "12345");
    for (journal* none : {&first}) {
        CHECK(none->arm() == nullptr);
        CHECK(none->in_flight() == 0);
        CHECK(none->recover() == 0);
        CHECK(none->since_checkpoint().empty());
        none->checkpoint();
    }
    auto& same = second;
    second = std::move(same);
    CHECK(second.since_checkpoint() == "12345");
}
