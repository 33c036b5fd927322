// SPDX-License-Identifier: MIT
/// @file raw_store_test.cpp: the newest output of a tab without an emulator, for any reads and any death.
#include "tab/raw_emulator.hpp"
#include "tab/raw_store.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <fcntl.h>
#include <random>
#include <string>
#include <unistd.h>

namespace {

using mux::raw_store;

std::unique_ptr<raw_store> store_of(std::size_t capacity) {
    mato::failure why;
    auto made = raw_store::create(capacity, why);
    INFO(why.message());
    REQUIRE(made);
    return made;
}

mato::unique_fd file_of(const raw_store& store) { return mato::unique_fd(::fcntl(store.native_handle(), F_DUPFD_CLOEXEC, 3)); }

/// What the next process has, if this one dies here.
std::unique_ptr<raw_store> next_of(const raw_store& store) {
    mato::failure why;
    auto next = raw_store::adopt(file_of(store), why);
    INFO(why.message());
    REQUIRE(next);
    return next;
}

void read(raw_store& store, std::string_view bytes) {
    char* const to = store.arm();
    REQUIRE(to != nullptr);
    bytes.copy(to, bytes.size());
    store.commit(bytes.size());
}

std::string random_text(std::mt19937& random, std::size_t size) {
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>(random() % 128);
    return text;
}

} // namespace

TEST_CASE("a store without an emulator has the newest output, in order, in every next process", "[raw_store]") {
    std::mt19937 random(GENERATE(range(0u, 12u)));
    const std::size_t capacity = 1 + random() % 20'000;
    auto store = store_of(capacity);
    std::string reference;
    for (int round = 0; round < 150; ++round) {
        const std::string bytes = random_text(random, random() % (1 + (random() % 3 == 0 ? raw_store::most_read : 100)));
        if (random() % 8 == 0)
            store->append(bytes);
        else
            read(*store, bytes);
        reference += bytes;
        if (random() % 5 == 0) store = next_of(*store);
        REQUIRE(store->end() == reference.size());
        REQUIRE(store->size() >= std::min(capacity, reference.size()));
        REQUIRE(store->size() < 2 * (capacity + raw_store::most_read + 64));
        const std::uint64_t begin = store->end() - store->size();
        REQUIRE(store->all() == reference.substr(begin));
        std::string pieces;
        for (std::uint64_t at = begin; at < store->end();) {
            const auto part = store->from(at, 1 + random() % 5000);
            REQUIRE_FALSE(part.empty());
            pieces += part;
            at += part.size();
        }
        REQUIRE(pieces == reference.substr(begin));
    }
}

TEST_CASE("what a killed read has taken is in the next process, at every place in the journals", "[raw_store]") {
    const std::size_t capacity = 6000;
    auto store = store_of(capacity);
    std::string reference;
    std::mt19937 random(5);
    for (int round = 0; round < 60; ++round) {
        const std::string bytes = random_text(random, 1 + random() % raw_store::most_read);
        bytes.copy(store->arm(), bytes.size()); // and no commit: the process dies
        reference += bytes;
        store = next_of(*store);
        REQUIRE(store->end() == reference.size());
        REQUIRE(store->size() >= std::min(capacity, reference.size()));
        REQUIRE(store->all() == reference.substr(reference.size() - store->size()));
        REQUIRE(store->arm() != nullptr);
        store = next_of(*store); // a death in a read that has taken nothing
        REQUIRE(store->end() == reference.size());
    }
}

TEST_CASE("positions that are not kept are empty", "[raw_store]") {
    auto store = store_of(4096);
    CHECK(store->from(0, 10).empty());
    for (int i = 0; i < 9; ++i) read(*store, std::string(4000, 'x'));
    CHECK(store->from(0, 10).empty());
    CHECK(store->from(store->end(), 10).empty());
    CHECK(store->from(~std::uint64_t{0}, 10).empty());
    CHECK(store->from(store->end() - 1, 10) == "x");
}

TEST_CASE("a ring in a store shows no more than its capacity, and begins a replay at a line", "[raw_store]") {
    auto store = store_of(5000);
    mux::raw_emulator ring(5000, *store);
    std::string reference;
    for (int line = 0; reference.size() < 30'000; ++line) {
        const std::string text = "line " + std::to_string(line) + "\n";
        line % 2 == 0 ? read(*store, text) : ring.feed(text);
        reference += text;
    }
    CHECK(ring.end() == reference.size());
    CHECK(ring.begin() == reference.size() - 5000);
    std::string shown;
    for (std::uint64_t at = ring.replay_begin(); at < ring.end(); at += ring.from(at, 999).size()) shown += ring.from(at, 999);
    CHECK(shown.starts_with("line "));
    CHECK(shown.size() > 4900);
    CHECK(reference.ends_with(shown));
}

TEST_CASE("what the process that died had noted of a tab without an emulator is known", "[raw_store]") {
    auto store = store_of(4096);
    CHECK_FALSE(store->was_recorded());
    store->input_waits(17);
    store->is_recorded(true);
    const auto next = next_of(*store);
    CHECK(next->unread_input() == 17);
    CHECK(next->was_recorded());
}

TEST_CASE("a store of output of no size or too large a size is refused", "[raw_store]") {
    for (const std::size_t capacity : {std::size_t{0}, raw_store::most_capacity + 1}) {
        mato::failure why;
        CHECK(raw_store::create(capacity, why) == nullptr);
        CHECK(why.code == std::errc::invalid_argument);
    }
}

TEST_CASE("a damaged memory file of output is refused or has some output, and crashes nothing", "[raw_store]") {
    std::mt19937 random(GENERATE(range(0u, 8u)));
    auto store = store_of(4096);
    for (int i = 0; i < 5; ++i) read(*store, random_text(random, 3000));
    for (int round = 0; round < 200; ++round) {
        const auto copy = store_of(4096);
        std::string all(12'000, '\0');
        REQUIRE(::pread(store->native_handle(), all.data(), all.size(), 0) == static_cast<ssize_t>(all.size()));
        for (auto flips = 1 + random() % 4; flips > 0; --flips) {
            const std::size_t at = random() % 2 == 0 ? random() % 256 : random() % all.size();
            all[at] = static_cast<char>(random());
        }
        if (random() % 4 == 0) all.replace(16, 8, random_text(random, 8));
        REQUIRE(::pwrite(copy->native_handle(), all.data(), all.size(), 0) == static_cast<ssize_t>(all.size()));
        mato::failure why;
        const auto next = raw_store::adopt(file_of(*copy), why);
        CHECK((next != nullptr) == !why);
        if (!next) continue;
        CHECK(next->all().size() == next->size());
        for (int i = 0; i < 5; ++i) read(*next, std::string(4000, 'y'));
        CHECK(next->from(next->end() - 1, 1) == "y");
    }
}

TEST_CASE("a memory file that is another thing is not taken for output", "[raw_store]") {
    mato::failure why;
    auto file = mato::memory_file::create("mato:other", 4096, why);
    CHECK(raw_store::adopt(std::move(file), why) == nullptr);
    CHECK(why.code == mato::errc::malformed);
    auto store = store_of(100);
    const std::uint32_t newer = 2;
    REQUIRE(::pwrite(store->native_handle(), &newer, sizeof newer, 8) == sizeof newer);
    why = {};
    CHECK(raw_store::adopt(file_of(*store), why) == nullptr);
    CHECK(why.code == mato::errc::version_mismatch);
}
