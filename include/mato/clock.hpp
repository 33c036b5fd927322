// SPDX-License-Identifier: MIT
/// @file clock.hpp: time as a parameter.
/// Layer: 1 (vocabulary).  Test: test/toolkit/clock_test.cpp.
/// Threads: safe.   Blocks: never.
///
/// Every duration and limit of the toolkit means what it says. 0 is no time and no amount: at once, none. `never` is a wait
/// that does not end, `unlimited` an amount that is not reached; so is whatever is too large for the clock or the counter: no
/// value of an option overflows.
#pragma once

#include "detail/abi.hpp"
#include "detail/chrono.hpp"

#include <cstddef>

namespace mato {
inline namespace MATO_ABI {

/// The time base of every limit and deadline: monotonic, so that setting the wall clock ends nothing early.
using clock = std::chrono::steady_clock;
using milliseconds = std::chrono::milliseconds;

inline constexpr milliseconds never = milliseconds::max();
inline constexpr std::size_t unlimited = static_cast<std::size_t>(-1);

namespace detail {
/// `at + span`, or the clock's end where that lies beyond it; the clock's beginning for what lies before that.
template <class Rep, class Period>
[[nodiscard]] constexpr clock::time_point later(clock::time_point at, std::chrono::duration<Rep, Period> span) noexcept {
    using seconds = std::chrono::duration<double>; // wide enough to compare in; where it is inexact, there are years to spare
    constexpr seconds year(366 * 24 * 3600.0);
    if (seconds(span) >= seconds(clock::time_point::max() - at) - year) return clock::time_point::max();
    if (seconds(span) <= seconds(clock::duration::min()) + year) return clock::time_point::min();
    return at + std::chrono::duration_cast<clock::duration>(span);
}
} // namespace detail

/// A point after which waiting is over. Passing one through several steps makes them share one budget.
class deadline {
public:
    explicit deadline(clock::time_point at) noexcept : at_(at) {}
    template <class Rep, class Period> [[nodiscard]] static deadline in(std::chrono::duration<Rep, Period> span) noexcept {
        return deadline(detail::later(clock::now(), span));
    }
    [[nodiscard]] static deadline never() noexcept { return deadline(clock::time_point::max()); }

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
