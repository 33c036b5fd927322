// SPDX-License-Identifier: MIT
/// @file clock.hpp: time as a parameter.
/// Layer: 1 (vocabulary).  Test: test/toolkit/clock_test.cpp.
/// Threads: safe.   Blocks: never.
#pragma once

#include "detail/abi.hpp"
#include "detail/chrono.hpp"

namespace mato {
inline namespace MATO_ABI {

/// The time base of every limit and deadline: monotonic, so that setting the wall clock ends nothing early.
using clock = std::chrono::steady_clock;
using milliseconds = std::chrono::milliseconds;

/// A point after which waiting is over. Passing one through several steps makes them share one budget.
class deadline {
public:
    explicit deadline(clock::time_point at) noexcept : at_(at) {}
    [[nodiscard]] static deadline in(clock::duration span) noexcept { return deadline(clock::now() + span); }

    [[nodiscard]] clock::time_point at() const noexcept { return at_; }
    [[nodiscard]] bool passed(clock::time_point now = clock::now()) const noexcept { return now >= at_; }

    /// Whole milliseconds left, rounded up so that poll(2) never wakes a moment too early and spins; 0 when passed.
    [[nodiscard]] int poll_timeout(clock::time_point now = clock::now()) const noexcept {
        if (passed(now)) return 0;
        const auto left = std::chrono::ceil<milliseconds>(at_ - now).count();
        return static_cast<int>(left < longest_poll ? left : longest_poll);
    }

private:
    static constexpr milliseconds::rep longest_poll = 1'000'000'000; // poll(2) takes an int; 11 days, callers loop
    clock::time_point at_;
};

} // namespace MATO_ABI
} // namespace mato
