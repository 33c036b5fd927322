// SPDX-License-Identifier: MIT
/// @file asker.hpp: the client and the request that a later answer is for.
#pragma once

#include <cstdint>

namespace mux {

/// By number: the client may have disconnected by then.
struct asker {
    std::uint64_t client = 0;
    std::uint32_t request = 0;
    bool operator==(const asker&) const = default;
};

} // namespace mux
