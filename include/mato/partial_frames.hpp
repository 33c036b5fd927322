// SPDX-License-Identifier: MIT
/// @file partial_frames.hpp: copies of partially sent frames, so that sending can finish after the ring has dropped them.
/// Layer: 3 (mechanism; no asio, no descriptor).  Test: test/toolkit/partial_frames_test.cpp.
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

/// One copy of a frame, shared by all subscribers that have sent a part of it. A copy lives as long as an outbox holds it,
/// which may be longer than this object.
///
/// Used by `fan_out` when the ring drops a frame.
///
/// @threads one object and its copies, one thread.
/// @blocks never.
class partial_frames {
public:
    /// @pre the ring still has the frame
    [[nodiscard]] shared_frame copy(const frame_ring& ring, std::uint64_t sequence);
    [[nodiscard]] bool has(std::uint64_t sequence) const { return kept_->frames.count(sequence) > 0; }
    [[nodiscard]] std::size_t bytes() const noexcept { return kept_->bytes; } ///< of all copies alive

private:
    struct kept {
        std::unordered_map<std::uint64_t, std::weak_ptr<const std::string>> frames;
        std::size_t bytes = 0;
    };
    std::shared_ptr<kept> kept_ = std::make_shared<kept>();
};

// ---- implementation ----

inline shared_frame partial_frames::copy(const frame_ring& ring, std::uint64_t sequence) {
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
