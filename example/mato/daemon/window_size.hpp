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

/// A viewer of a tab, with the size of its terminal.
struct sized_viewer {
    terminal_size size;
    std::uint64_t activity = 0; ///< the highest was active last
    bool counts = true;         ///< false: --ignore-size, read-only
};

/// `latest` follows the viewer that typed, attached or resized last; `smallest` and `largest` choose each dimension separately;
/// `manual` keeps `current`, and so do all others if no viewer counts.
/// The cell size is the latest viewer's.
[[nodiscard]] inline terminal_size choose_size(window_size policy, terminal_size current,
                                               std::span<const sized_viewer> viewers) {
    const sized_viewer* latest = nullptr;
    vt::screen_size result;
    for (const sized_viewer& each : viewers) {
        if (!each.counts) continue;
        const bool first = latest == nullptr;
        if (first || each.activity > latest->activity) latest = &each;
        const auto pick = [&](int a, int b) {
            return first ? b : policy == window_size::smallest ? std::min(a, b) : std::max(a, b);
        };
        result = {pick(result.rows, each.size.cells.rows), pick(result.columns, each.size.cells.columns)};
    }
    if (!latest || policy == window_size::manual) return current;
    if (policy == window_size::latest) return latest->size;
    return {result, latest->size.cell};
}

} // namespace mux
