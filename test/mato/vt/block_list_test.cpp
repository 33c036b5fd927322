// SPDX-License-Identifier: MIT
// Records in blocks against a deque of strings, and what a store is asked for.
#include "vt/block_list.hpp"

#include "vt/history.hpp"
#include "vt/packed_line.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <deque>
#include <random>
#include <set>
#include <string>

using namespace mux::vt;

namespace {

/// A store of so many bytes that remembers what it has given out.
class counting_store final : public block_store {
public:
    explicit counting_store(std::size_t most = 64u << 20) : left_(most) {}
    ~counting_store() override { CHECK(out_.empty()); }

    block_head* take(std::size_t capacity) override {
        REQUIRE(capacity % block_bytes == 0);
        if (capacity > left_) return nullptr;
        left_ -= capacity;
        auto* const block = static_cast<block_head*>(std::malloc(capacity));
        std::memset(static_cast<void*>(block), 0xa5, capacity); // a block of a store may hold anything
        block->sequence = 0;
        block->capacity = static_cast<std::uint32_t>(capacity);
        out_.insert(block);
        return block;
    }
    void give(block_head* block) noexcept override {
        CHECK(block->sequence == 0);
        leave(block);
    }
    void leave(block_head* block) noexcept override {
        CHECK(out_.erase(block) == 1);
        left_ += block->capacity;
        std::free(block);
    }
    std::size_t blocks_out() const { return out_.size(); }

private:
    std::size_t left_;
    std::set<block_head*> out_;
};

bool append(block_list& list, const std::string& record, std::size_t bound) {
    char* const to = list.begin_record(bound);
    if (!to) return false;
    record.copy(to, record.size());
    list.finish_record(record.size());
    return true;
}

std::deque<std::string> all_of(const block_list& list) {
    std::deque<std::string> all;
    for (const block_list::block& b : list.blocks())
        for (std::size_t i = 0; i < b.size(); ++i) all.emplace_back(b.record(i));
    return all;
}

row line_of(int length) {
    row r;
    for (int c = 0; c < length; ++c) r.put(c, static_cast<char32_t>('a' + c % 26), 1, {}, length);
    return r;
}

} // namespace

TEST_CASE("a list of records does what a deque of strings does", "[block_list]") {
    counting_store store;
    std::mt19937 random(21);
    for (const std::size_t longest : {10u, 300u, 5000u, 70'000u}) {
        block_list list(store, block_kind::lines);
        std::deque<std::string> model;
        for (int step = 0; step < 3000; ++step) {
            const unsigned what = random() % 100;
            if (what < 70) {
                std::string record(1 + random() % longest, static_cast<char>('!' + random() % 90));
                REQUIRE(append(list, record, record.size() + random() % 40)); // the bound is over the truth
                model.push_back(std::move(record));
            } else if (what < 85 && !model.empty()) {
                list.pop_front();
                model.pop_front();
            } else if (what < 98 && !model.empty()) {
                CHECK(list.back() == model.back());
                list.pop_back();
                model.pop_back();
            } else if (what == 98 && !model.empty()) {
                for (std::size_t n = list.pop_front_block(); n > 0; --n) model.pop_front();
            } else if (what == 99 && random() % 20 == 0) {
                list.clear();
                model.clear();
                CHECK(store.blocks_out() == 0);
            }
            REQUIRE(list.size() == model.size());
        }
        CHECK(all_of(list) == model);
    }
}

TEST_CASE("a block's records begin within its first 64 KiB, whatever its size", "[block_list]") {
    counting_store store;
    block_list list(store, block_kind::lines);
    std::deque<std::string> model;
    for (const std::size_t size : {100'000u, 10u, 65'000u, 400u, 3u, 65'536u, 1u, 65'535u - 24u, 1u, 65'536u - 24u, 1u}) {
        std::string record(size, static_cast<char>('a' + model.size()));
        REQUIRE(append(list, record, record.size()));
        model.push_back(std::move(record));
    }
    CHECK(all_of(list) == model);
}

TEST_CASE("a record's bytes stay where they are and as they are", "[block_list]") {
    counting_store store;
    block_list list(store, block_kind::lines);
    REQUIRE(append(list, "first", 5));
    const std::string_view first = list.blocks().front().record(0);
    for (int i = 0; i < 20'000; ++i) REQUIRE(append(list, std::to_string(i), 8));
    for (int i = 0; i < 20'000; ++i) list.pop_back();
    CHECK(list.blocks().front().record(0).data() == first.data());
    CHECK(first == "first");
}

TEST_CASE("what was measured of a block is measured again once its records or the width change", "[block_list]") {
    counting_store store;
    block_list list(store, block_kind::lines);
    int computed = 0;
    const auto measure = [&](int width) {
        return list.blocks().front().measured(width, [&] { return static_cast<std::size_t>(++computed); });
    };
    REQUIRE(append(list, "a", 1));
    CHECK(measure(80) == 1);
    CHECK(measure(80) == 1);
    CHECK(measure(81) == 2);
    REQUIRE(append(list, "b", 1));
    CHECK(measure(81) == 3);
    list.pop_back();
    REQUIRE(append(list, "c", 1)); // as many as before, but others
    CHECK(measure(81) == 4);
    list.pop_front();
    CHECK(measure(81) == 5);
}

TEST_CASE("a list gives back each block it took, and keeps one to be used next", "[block_list]") {
    counting_store store;
    {
        block_list list(store, block_kind::lines);
        const std::string record(6000, 'x');
        for (int i = 0; i < 100; ++i) { // two records a block
            REQUIRE(append(list, record, record.size()));
            while (list.size() > 4) list.pop_front();
            CHECK(store.blocks_out() <= 4);
        }
        CHECK(list.memory_bytes() >= store.blocks_out() * block_bytes);
    }
    CHECK(store.blocks_out() == 0);
}

TEST_CASE("history in a store that is full drops the oldest lines, and a line larger than the store", "[history]") {
    counting_store store(4 * block_bytes);
    history h({.lines = 1000, .bytes = 16u << 20, .store = &store});
    const row line = line_of(500);
    for (int i = 0; i < 1000; ++i) h.push(line);
    CHECK(h.size() + h.first() == 1000);
    CHECK(h.size() > 3 * block_bytes / 502);
    row read;
    for (std::size_t i = 0; i < h.size(); ++i) {
        h.read(i, read);
        REQUIRE(read.used() == 500);
    }
    // Wide characters and a style for each cell: more bytes than four blocks have.
    row large;
    for (int c = 0; c < history::max_line; c += 2) {
        style s;
        s.foreground = colour::direct({1, static_cast<std::uint8_t>(c >> 8), static_cast<std::uint8_t>(c)});
        large.put(c, 0x6f22, 2, s, history::max_line);
    }
    h.push(large);
    CHECK(h.size() == 0);
    CHECK(h.first() == 1001);
    h.push(line);
    CHECK(h.size() == 1);
}
