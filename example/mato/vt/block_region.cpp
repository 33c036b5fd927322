// SPDX-License-Identifier: MIT
#include "block_region.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string_view>

namespace mux::vt {

namespace {

constexpr std::string_view magic = "matoblck";
constexpr std::uint32_t version = 1;
constexpr std::size_t version_at = 8, count_at = 16;

// The next process sees this process's stores in the order of the program, once this one is dead. Only the compiler may not
// change that order.
void store_next() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

template <class Number> Number load(const char* from) noexcept {
    Number n;
    std::memcpy(&n, from, sizeof n);
    return n;
}

void store_count(std::span<char> memory, std::uint64_t count) noexcept {
    store_next();
    __atomic_store_n(reinterpret_cast<std::uint64_t*>(memory.data() + count_at), count, __ATOMIC_RELEASE);
}

/// Of the block `i` in its head; 1 for one that was never begun.
std::size_t blocks_of(std::uint32_t capacity) noexcept { return capacity == 0 ? 1 : capacity / block_bytes; }

} // namespace

void block_region::write_head() noexcept {
    std::memcpy(memory_.data() + version_at, &version, sizeof version);
    store_next();
    magic.copy(memory_.data(), magic.size());
    store_next();
}

bool block_region::can_adopt(std::span<const char> memory) noexcept {
    if (memory.size() < memory_for(1) || reinterpret_cast<std::uintptr_t>(memory.data()) % alignof(block_head) != 0)
        return false;
    const auto count = load<std::uint64_t>(memory.data() + count_at);
    if (load<std::uint64_t>(memory.data()) == 0) return count == 0; // no block was used yet
    if (std::string_view(memory.data(), magic.size()) != magic || load<std::uint32_t>(memory.data() + version_at) != version)
        return false;
    if (count > (memory.size() - head_bytes) / block_bytes) return false;
    for (std::size_t i = 0; i < count;) {
        const auto capacity =
            load<std::uint32_t>(memory.data() + head_bytes + i * block_bytes + offsetof(block_head, capacity));
        const std::size_t blocks = blocks_of(capacity);
        if (capacity % block_bytes != 0 || blocks > count - i) return false;
        i += blocks;
    }
    return true;
}

block_region::block_region(std::span<char> memory, adopted) : memory_(memory) {
    used_.resize(static_cast<std::size_t>(load<std::uint64_t>(memory.data() + count_at)));
    for (std::size_t i = 0; i < used_.size();) {
        const std::size_t blocks = blocks_of(at(i)->capacity);
        if (at(i)->sequence == 0 || at(i)->capacity == 0)
            split(i, blocks);
        else
            std::fill_n(used_.begin() + static_cast<std::ptrdiff_t>(i), blocks, true);
        i += blocks;
    }
}

// The first head says how many blocks there are until all others have heads.
void block_region::split(std::size_t i, std::size_t count) noexcept {
    for (std::size_t each = count; each-- > 0;) {
        at(i + each)->sequence = 0;
        store_next();
        at(i + each)->capacity = block_bytes;
        store_next();
    }
}

block_head* block_region::take(std::size_t capacity) {
    const std::size_t wanted = capacity / block_bytes;
    std::size_t begin = first_free_, end = begin;
    while (end < used_.size() && end - begin < wanted) begin = used_[end++] ? end : begin;
    if (wanted == 0 || wanted > most_blocks() - begin) return nullptr; // what is free at the end goes on beyond it
    if (used_.empty()) write_head();
    block_head* const head = at(begin);
    head->sequence = 0;
    store_next();
    head->capacity = static_cast<std::uint32_t>(capacity);
    if (begin + wanted > used_.size()) {
        used_.resize(begin + wanted);
        store_count(memory_, used_.size());
    }
    std::fill_n(used_.begin() + static_cast<std::ptrdiff_t>(begin), wanted, true);
    if (begin == first_free_) first_free_ = begin + wanted;
    return head;
}

void block_region::give(block_head* block) noexcept {
    const auto i = (static_cast<std::size_t>(reinterpret_cast<char*>(block) - memory_.data()) - head_bytes) / block_bytes;
    const std::size_t count = blocks_of(block->capacity);
    split(i, count);
    std::fill_n(used_.begin() + static_cast<std::ptrdiff_t>(i), count, false);
    first_free_ = std::min(first_free_, i);
}

std::vector<block_head*> block_region::left_blocks() {
    std::vector<block_head*> left;
    for (std::size_t i = 0; i < used_.size(); i += blocks_of(at(i)->capacity))
        if (at(i)->sequence != 0) left.push_back(at(i));
    return left;
}

} // namespace mux::vt
