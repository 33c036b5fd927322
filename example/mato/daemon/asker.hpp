// SPDX-License-Identifier: MIT
/// @file asker.hpp: whom an answer goes to that is given later.
#pragma once

#include <cstdint>

namespace mux {

/// By number: the client may have left by then.
struct asker {
    std::uint64_t client = 0;
    std::uint32_t request = 0;
    bool operator==(const asker&) const = default;
};

} // namespace mux
