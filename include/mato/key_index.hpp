// SPDX-License-Identifier: MIT
/// @file key_index.hpp: which of a ring's frames is the newest of its key.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/key_index_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.
#pragma once

#include "frame_ring.hpp"

#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace mato {
inline namespace MATO_ABI {

/// Holds at most twice as many keys as the ring has frames, and 64.
class key_index {
public:
    /// The ring's newest frame is of this key: the one before it is superseded.
    void add(frame_ring& ring, std::uint64_t key);
    [[nodiscard]] std::size_t size() const noexcept { return newest_.size(); } ///< keys; some may be of frames that are gone

private:
    std::unordered_map<std::uint64_t, std::uint64_t> newest_;
};

// ---- implementation ----

inline void key_index::add(frame_ring& ring, std::uint64_t key) {
    const std::uint64_t sequence = ring.next() - 1;
    const auto [at, fresh] = newest_.try_emplace(key, sequence);
    if (!fresh && at->second >= ring.oldest()) ring.supersede(at->second);
    at->second = sequence;
    if (newest_.size() > 2 * (ring.next() - ring.oldest()) + 64) // most are of frames that are gone
        std::erase_if(newest_, [&](const auto& known) { return known.second < ring.oldest(); });
}

} // namespace MATO_ABI
} // namespace mato
