// SPDX-License-Identifier: MIT
/// @file coarse_clock.hpp: the time of the last timer tick, for deadlines that are set very often.
/// Layer: 1 (vocabulary).  Test: test/toolkit/async_client_test.cpp.
/// Threads: safe.   Blocks: never.
#pragma once

#include "../clock.hpp"

#include <time.h>

namespace mato {
inline namespace MATO_ABI {
namespace detail {

/// The time of mato::clock at the last tick, in an eighth of the time that clock::now needs: 3 instead of 23 ns. Where the
/// system has no such clock, the exact time. steady_clock is CLOCK_MONOTONIC in libstdc++ and libc++.
[[nodiscard]] inline clock::time_point coarse_now() noexcept {
#ifdef CLOCK_MONOTONIC_COARSE
    timespec now{};
    if (::clock_gettime(CLOCK_MONOTONIC_COARSE, &now) == 0)
        return clock::time_point(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
#endif
    return clock::now();
}

inline constexpr milliseconds coarse_step{10}; ///< of the slowest tick in use, 100 Hz

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
