// SPDX-License-Identifier: MIT
// A store in memory: what it gives out never overlaps, and memory left at any point is adopted or refused.
#include "vt/block_region.hpp"

#include "vt/block_list.hpp"
#include "vt/bytes.hpp"

#include <catch2/catch.hpp>

#include <cstring>
#include <map>
#include <random>
#include <string>

using namespace mux::vt;

namespace {

using memory = std::vector<std::uint64_t>; // aligned

memory zeroes(std::size_t blocks) { return memory(block_region::memory_for(blocks * block_bytes) / 8); }
std::span<char> bytes_of(memory& m) { return {reinterpret_cast<char*>(m.data()), m.size() * 8}; }

void append(block_list& list, std::string_view record) {
    char* const to = list.begin_record(record.size());
    REQUIRE(to != nullptr);
    record.copy(to, record.size());
    list.finish_record(record.size());
}

std::vector<std::string> all_of(const block_list& list) {
    std::vector<std::string> all;
    for (const block_list::block& b : list.blocks())
        for (std::size_t i = 0; i < b.size(); ++i) all.emplace_back(b.record(i));
    return all;
}

} // namespace

TEST_CASE("blocks of a region do not overlap, and what was given back is used again", "[block_region]") {
    memory m = zeroes(64);
    block_region region(bytes_of(m));
    std::mt19937 random(5);
    std::map<char*, std::size_t> out; // the block and its size
    for (int step = 0; step < 20'000; ++step) {
        if (random() % 2 == 0 || out.empty()) {
            const std::size_t capacity = block_bytes * (1 + random() % (random() % 4 == 0 ? 9 : 1));
            block_head* const block = region.take(capacity);
            if (!block) continue;
            REQUIRE(block->capacity == capacity);
            REQUIRE(block->sequence == 0);
            char* const begin = reinterpret_cast<char*>(block);
            REQUIRE(begin >= bytes_of(m).data() + block_region::head_bytes);
            REQUIRE(begin + capacity <= bytes_of(m).data() + m.size() * 8);
            const auto next = out.lower_bound(begin);
            if (next != out.end()) REQUIRE(begin + capacity <= next->first);
            if (next != out.begin()) REQUIRE(std::prev(next)->first + std::prev(next)->second <= begin);
            out[begin] = capacity;
            std::memset(begin + sizeof(block_head), 0xff, capacity - sizeof(block_head));
            block->sequence = static_cast<std::uint64_t>(step) + 1;
        } else {
            const auto any = std::next(out.begin(), static_cast<std::ptrdiff_t>(random() % out.size()));
            auto* const block = reinterpret_cast<block_head*>(any->first);
            block->sequence = 0;
            region.give(block);
            out.erase(any);
        }
        if (step % 500 == 0) { // another process finds the same blocks
            memory copy = m;
            REQUIRE(block_region::can_adopt(bytes_of(copy)));
            block_region next(bytes_of(copy), block_region::adopted{});
            const auto left = next.left_blocks();
            REQUIRE(left.size() == out.size());
            auto expected = out.begin();
            for (const block_head* const block : left) {
                CHECK(reinterpret_cast<const char*>(block) - bytes_of(copy).data() == expected->first - bytes_of(m).data());
                CHECK(block->capacity == expected->second);
                ++expected;
            }
        }
    }
    CHECK(region.touched_bytes() <= 64 * block_bytes);
    CHECK(region.take(65 * block_bytes) == nullptr);
}

TEST_CASE("memory that is no region, or a damaged one, is refused", "[block_region]") {
    memory m = zeroes(8);
    m[0] = 1;
    CHECK_FALSE(block_region::can_adopt(bytes_of(m)));
    m[0] = 0;
    block_region region(bytes_of(m));
    for (const std::size_t blocks : {1u, 3u, 2u}) region.take(blocks * block_bytes)->sequence = blocks;
    CHECK(block_region::can_adopt(bytes_of(m)));
    CHECK_FALSE(block_region::can_adopt(bytes_of(m).first(100)));
    CHECK_FALSE(block_region::can_adopt(bytes_of(m).first(block_region::memory_for(5 * block_bytes)))); // it has six
    const auto damaged = [&](std::size_t at, std::uint64_t value) {
        memory copy = m;
        copy[at / 8] = value;
        return !block_region::can_adopt(bytes_of(copy));
    };
    CHECK(damaged(0, 0));  // it has blocks, so it has a head
    CHECK(damaged(8, 2));  // a newer version
    CHECK(damaged(16, 9)); // more blocks than there is memory
    CHECK(damaged(16, 5)); // the last block goes over the end
    const std::size_t capacity = block_region::head_bytes + offsetof(block_head, kind);
    CHECK(damaged(capacity, std::uint64_t{7 * block_bytes} << 32));
    CHECK(damaged(capacity, std::uint64_t{100} << 32));
}

TEST_CASE("a region without blocks leaves its memory untouched, and another process begins it", "[block_region]") {
    const bool has_died_in_head = GENERATE(false, true);
    memory m = zeroes(8);
    const memory before = m;
    { const block_region untouched(bytes_of(m)); }
    CHECK(m == before);
    if (has_died_in_head) m[1] = 1; // the version, which is written first
    REQUIRE(block_region::can_adopt(bytes_of(m)));
    block_region next(bytes_of(m), block_region::adopted{});
    CHECK(next.left_blocks().empty());
    CHECK(next.touched_bytes() == 0);
    next.take(2 * block_bytes)->sequence = 7;
    REQUIRE(block_region::can_adopt(bytes_of(m)));
    block_region last(bytes_of(m), block_region::adopted{});
    REQUIRE(last.left_blocks().size() == 1);
    CHECK(last.left_blocks().front()->sequence == 7);
}

TEST_CASE("what a published checkpoint says of a list stays true, whatever the list does until the next", "[block_list]") {
    std::mt19937 random(31);
    memory m = zeroes(400);
    block_region region(bytes_of(m));
    block_list list(region, block_kind::lines);
    block_list others(region, block_kind::links); // of the same store, of another kind
    std::string checkpoint;
    std::vector<std::string> then;
    std::size_t most_aside = 0;
    for (int step = 0; step < 6000; ++step) {
        const unsigned what = random() % 1000;
        if (what < 600) {
            append(list,
                   std::string(1 + random() % (random() % 50 == 0 ? 40'000 : 900), static_cast<char>('!' + random() % 90)));
            if (what < 50) append(others, std::string(700, 'o'));
        } else if (what < 750 && list.size() > 0) {
            list.pop_front();
        } else if (what < 990) {
            for (unsigned n = random() % 40; n > 0 && list.size() > 0; --n) list.pop_back();
        } else if (what == 990) {
            list.clear();
        } else if (what == 991) {
            list.retire();
        }
        most_aside = std::max(most_aside, list.blocks_kept_aside());
        if (random() % 20 == 0) {
            std::string buffer;
            byte_writer out(buffer);
            list.write(out);
            checkpoint = out.written();
            list.published();
            others.published();
            then = all_of(list);
            CHECK(list.blocks_kept_aside() == 0);
        }
        if (checkpoint.empty()) continue;
        memory copy = m; // this process dies here
        REQUIRE(block_region::can_adopt(bytes_of(copy)));
        block_region next(bytes_of(copy), block_region::adopted{});
        const auto left = next.left_blocks();
        block_list found(next, block_kind::lines);
        byte_reader in(checkpoint);
        std::size_t missing = 0;
        REQUIRE(found.adopt(in, left, missing));
        REQUIRE(in.at_end());
        // Some may have been removed at the front since. All others are there.
        const auto all = all_of(found);
        REQUIRE(missing + all.size() == then.size());
        REQUIRE(std::equal(all.begin(), all.end(), then.begin() + static_cast<std::ptrdiff_t>(missing)));
        found.published();
        append(found, "and more");
        REQUIRE(found.size() == all.size() + 1);
    }
    CHECK(most_aside > 1);
}
