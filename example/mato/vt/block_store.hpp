// SPDX-License-Identifier: MIT
/// @file block_store.hpp: where blocks of history lie: on the heap, or in memory that outlives the process.
/// Layer: vt core.  Test: test/mato/vt/block_list_test.cpp.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mux::vt {

/// The smallest block, and the unit of every capacity. A half-full last block costs little, and so does allocating one.
inline constexpr std::size_t block_bytes = 16 * 1024;

/// What the records of a block are.
enum class block_kind : std::uint32_t { lines = 1, links = 2, images = 3 };

/// The first bytes of a block. Records follow; their starts, 16 bits each, grow downwards from the block's end.
struct block_head {
    std::uint64_t sequence; ///< rises from one block of a kind to the next; 0: the block is free
    block_kind kind;
    std::uint32_t capacity; ///< bytes, this head included: a multiple of `block_bytes`
    std::uint32_t used;     ///< bytes from the block's start to the end of the last record; set when the next block begins
    std::uint32_t records;  ///< set together with `used`
};

/// Allocates blocks. The user of a block writes its head; the store only reads it.
class block_store {
public:
    block_store() = default;
    block_store(const block_store&) = delete;
    block_store& operator=(const block_store&) = delete;
    virtual ~block_store() = default;

    /// @param capacity a multiple of `block_bytes`. @returns a block with that capacity in its head and sequence 0, aligned to
    /// 8 bytes; nullptr when the store is full
    [[nodiscard]] virtual block_head* take(std::size_t capacity) = 0;
    /// The block may be used again. @pre its sequence is 0
    virtual void give(block_head* block) noexcept = 0;
    /// The user of the block ends, and says nothing about the block.
    virtual void leave(block_head* block) noexcept = 0;
    /// The blocks with a sequence that an earlier process left. Each capacity is within the store.
    [[nodiscard]] virtual std::vector<block_head*> left_blocks() { return {}; }
};

/// Blocks on the heap. `leave` frees them.
[[nodiscard]] block_store& heap_blocks() noexcept;

} // namespace mux::vt
