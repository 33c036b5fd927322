// SPDX-License-Identifier: MIT
/// @file stand_ins.hpp: policies that a test decides about.
#pragma once

#include <mato/peer.hpp>

namespace support {

/// A lock, held or not.
struct held_proof {
    bool held = true;
    [[nodiscard]] bool is_held() const noexcept { return held; }
};

/// A peer policy that refuses everybody.
struct nobody_at_all {
    static constexpr bool checks = true;
    [[nodiscard]] bool allows(const mato::peer_credentials&) const noexcept { return false; }
};

} // namespace support
