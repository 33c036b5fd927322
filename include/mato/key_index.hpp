// SPDX-License-Identifier: MIT
/// @file key_index.hpp: finds the newest frame of each key in a ring.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/key_index_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.
#pragma once

#include "frame_ring.hpp"

#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace mato {
inline namespace MATO_ABI {

/// Holds at most twice as many keys as the ring has frames, plus 64.
///
/// Used by `fan_out` for `publish_keyed`.
///
/// @threads distinct objects are independent; one object, one thread.
/// @blocks never.
class key_index {
public:
    /// The ring's newest frame has this key: marks the previous frame of the key as superseded.
    void add(frame_ring& ring, std::uint64_t key);
    [[nodiscard]] std::size_t size() const noexcept { return newest_.size(); } ///< keys; some may be of dropped frames

private:
    std::unordered_map<std::uint64_t, std::uint64_t> newest_;
};

// ---- implementation ----

inline void key_index::add(frame_ring& ring, std::uint64_t key) {
    const std::uint64_t sequence = ring.next() - 1;
    const auto [at, fresh] = newest_.try_emplace(key, sequence);
    if (!fresh && at->second >= ring.oldest()) ring.supersede(at->second);
    at->second = sequence;
    if (newest_.size() > 2 * (ring.next() - ring.oldest()) + 64) // most belong to dropped frames
        std::erase_if(newest_, [&](const auto& known) { return known.second < ring.oldest(); });
}

} // namespace MATO_ABI
} // namespace mato
