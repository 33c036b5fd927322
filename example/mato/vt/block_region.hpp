// SPDX-License-Identifier: MIT
/// @file block_region.hpp: a block store in memory that the caller gives, and that may outlive the process.
/// Layer: vt core.  Test: test/mato/vt/block_region_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
///
/// The memory: 8 "matoblck" · 4 version · 4 unused · 8 how many blocks were ever used · 40 unused · the blocks. The head is
/// written with the first block: a store without blocks touches no page of sparse memory. All in it is valid between any two
/// stores of this process, so another one can adopt it after this one's death.
#pragma once

#include "block_store.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace mux::vt {

class block_region final : public block_store {
public:
    static constexpr std::size_t head_bytes = 64;
    /// Bytes of memory for so many bytes of blocks.
    [[nodiscard]] static constexpr std::size_t memory_for(std::size_t bytes) noexcept {
        return head_bytes + (bytes + block_bytes - 1) / block_bytes * block_bytes;
    }

    /// An empty store. @pre the memory is all zeroes, aligned to 8 bytes, and for one block at least
    explicit block_region(std::span<char> memory) noexcept : memory_(memory) {}
    /// The store that another process left, which is dead. Damaged memory is refused, and not changed.
    [[nodiscard]] static bool can_adopt(std::span<const char> memory) noexcept;
    struct adopted {};
    /// @pre can_adopt(memory)
    block_region(std::span<char> memory, adopted);

    block_head* take(std::size_t capacity) override;
    void give(block_head* block) noexcept override;
    void leave(block_head*) noexcept override {} // the memory stays
    std::vector<block_head*> left_blocks() override;

    /// Bytes of the blocks that were ever used: what the store has made of sparse memory.
    [[nodiscard]] std::size_t touched_bytes() const noexcept { return used_.size() * block_bytes; }

private:
    [[nodiscard]] block_head* at(std::size_t i) const noexcept {
        return reinterpret_cast<block_head*>(memory_.data() + head_bytes + i * block_bytes);
    }
    [[nodiscard]] std::size_t most_blocks() const noexcept { return (memory_.size() - head_bytes) / block_bytes; }
    void write_head() noexcept;
    void split(std::size_t i, std::size_t count) noexcept;

    std::span<char> memory_;
    std::vector<bool> used_;     // of each block that was ever used
    std::size_t first_free_ = 0; // no block before it is free
};

} // namespace mux::vt
