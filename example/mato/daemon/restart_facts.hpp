// SPDX-License-Identifier: MIT
/// @file restart_facts.hpp: what the death of the daemon's process before this one was about, and what it cost.
#pragma once

#include "protocol/ids.hpp"

#include <cstdint>

namespace mux {

struct restart_facts {
    tab_id tab = 0;                     ///< whose output was interpreted at that moment; 0: none
    std::uint64_t skipped_bytes = 0;    ///< of output, that no process could interpret
    std::uint64_t input_bytes_lost = 0; ///< that were typed, and that no program has read
};

} // namespace mux
