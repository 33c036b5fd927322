// SPDX-License-Identifier: MIT
/// @file stand_ins.hpp: policies controlled by a test.
#pragma once

#include <mato/peer.hpp>

namespace support {

/// A lock, held or not.
struct held_proof {
    bool held = true;
    [[nodiscard]] bool is_held() const noexcept { return held; }
};

/// A peer policy that refuses every client.
struct nobody_at_all {
    static constexpr bool checks = true;
    [[nodiscard]] bool allows(const mato::peer_credentials&) const noexcept { return false; }
};

} // namespace support
