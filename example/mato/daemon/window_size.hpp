// SPDX-License-Identifier: MIT
/// @file window_size.hpp: the size of a tab that several terminals show.
/// Pure.  Test: test/mato/window_size_test.cpp.
#pragma once

#include "pty/spawn.hpp"
#include "settings.hpp"

#include <algorithm>
#include <cstdint>
#include <span>

namespace mux {

struct viewer_size {
    terminal_size size;
    std::uint64_t activity = 0; ///< the highest was active last
    bool counts = true;         ///< false: --ignore-size, read-only
};

/// `latest` follows the viewer that typed, attached or resized last; `smallest` and `largest` choose each dimension separately;
/// `manual` keeps `current`, and so do all others if no viewer counts.
/// The cell size is the latest viewer's.
[[nodiscard]] inline terminal_size choose_size(window_size policy, terminal_size current,
                                               std::span<const viewer_size> viewers) {
    const viewer_size* latest = nullptr;
    terminal_size result{0, 0};
    for (const viewer_size& each : viewers) {
        if (!each.counts) continue;
        const bool first = latest == nullptr;
        if (first || each.activity > latest->activity) latest = &each;
        const auto pick = [&](std::uint16_t a, std::uint16_t b) {
            return first ? b : policy == window_size::smallest ? std::min(a, b) : std::max(a, b);
        };
        result = {pick(result.rows, each.size.rows), pick(result.columns, each.size.columns)};
    }
    if (!latest || policy == window_size::manual) return current;
    if (policy == window_size::latest) return latest->size;
    result.cell_width = latest->size.cell_width, result.cell_height = latest->size.cell_height;
    return result;
}

} // namespace mux
