// SPDX-License-Identifier: MIT
/// @file begun_frames.hpp: copies of frames that were sent in part, to be finished when the ring has forgotten them.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/begun_frames_test.cpp.
/// Threads: distinct objects are independent.   Blocks: never.
#pragma once

#include "frame_ring.hpp"
#include "outbox.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

namespace mato {
inline namespace MATO_ABI {

/// One copy of a frame for all who are in it. It lives as long as an outbox holds it, which may be longer than this object.
class begun_frames {
public:
    /// @pre the ring has it
    [[nodiscard]] shared_frame copy(const frame_ring& ring, std::uint64_t sequence);
    [[nodiscard]] bool has(std::uint64_t sequence) const { return kept_->frames.count(sequence) > 0; }
    [[nodiscard]] std::size_t bytes() const noexcept { return kept_->bytes; } ///< of all copies that live

private:
    struct kept {
        std::unordered_map<std::uint64_t, std::weak_ptr<const std::string>> frames;
        std::size_t bytes = 0;
    };
    std::shared_ptr<kept> kept_ = std::make_shared<kept>();
};

// ---- implementation ----

inline shared_frame begun_frames::copy(const frame_ring& ring, std::uint64_t sequence) {
    if (const auto known = kept_->frames.find(sequence); known != kept_->frames.end()) return known->second.lock();
    auto bytes = std::make_unique<std::string>();
    for (const auto part : ring.bytes(ring.begin_of(sequence), ring.end_of(sequence))) bytes->append(part);
    const shared_frame fresh(bytes.release(), [all = kept_, sequence](const std::string* gone) {
        all->frames.erase(sequence);
        all->bytes -= gone->size();
        delete gone;
    });
    kept_->frames.emplace(sequence, fresh);
    kept_->bytes += fresh->size();
    return fresh;
}

} // namespace MATO_ABI
} // namespace mato
