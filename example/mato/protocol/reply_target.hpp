// SPDX-License-Identifier: MIT
/// @file reply_target.hpp: the client and the request that a later answer is for.
#pragma once

#include <cstdint>

namespace mux {

/// By number: the client may have disconnected by then. `request` 0: no answer is expected.
struct reply_target {
    std::uint64_t client = 0;
    std::uint32_t request = 0;
    bool operator==(const reply_target&) const = default;
};

} // namespace mux
