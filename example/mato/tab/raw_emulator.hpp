// SPDX-License-Identifier: MIT
/// @file raw_emulator.hpp: no emulation: the last bytes that a program wrote, numbered, for a replay.
/// Pure.  Test: test/mato/raw_emulator_test.cpp.
#pragma once

#include "raw_store.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mux {

/// A ring of bytes. Positions are 64-bit and count from the program's first byte.
class raw_emulator {
public:
    explicit raw_emulator(std::size_t capacity) : capacity_(capacity) {}
    /// The ring is that store, which must live longer. What is read into the store is in the ring without `feed`.
    raw_emulator(std::size_t capacity, raw_store& store) : capacity_(capacity), store_(&store) {}

    void feed(std::string_view bytes);

    [[nodiscard]] std::uint64_t begin() const noexcept { return end() - size(); } ///< position of the oldest byte kept
    [[nodiscard]] std::uint64_t end() const noexcept { return store_ ? store_->end() : end_; }

    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

    /// Where a replay of the last `most` bytes begins: at the oldest of them, or, if older bytes were lost, after the first
    /// newline within `search_bytes`, so that the replay does not begin inside an escape sequence.
    [[nodiscard]] std::uint64_t replay_begin(std::size_t most = ~std::size_t{0}) const;

    /// Bytes from `position` on, at most `most`, up to where the ring wraps. Empty if `position` is not kept.
    [[nodiscard]] std::string_view from(std::uint64_t position, std::size_t most) const noexcept;

    /// But for the store.
    [[nodiscard]] std::size_t memory_bytes() const noexcept { return ring_.capacity() + sizeof *this; }

    static constexpr std::size_t search_bytes = 4096; ///< a longer line may be shown from its middle

private:
    [[nodiscard]] std::size_t size() const noexcept { return store_ ? std::min(store_->size(), capacity_) : size_; }

    std::size_t capacity_;
    raw_store* store_ = nullptr;
    std::vector<char> ring_; // grows to capacity_, then wraps
    std::uint64_t end_ = 0;
    std::size_t size_ = 0, write_at_ = 0;
};

} // namespace mux
