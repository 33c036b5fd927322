// SPDX-License-Identifier: MIT
/// @file clock.hpp: time as a parameter.
/// Layer: 1 (vocabulary).  Test: test/toolkit/clock_test.cpp.
/// Threads: safe.   Blocks: never.
///
/// Durations and limits have the same meaning everywhere in the toolkit. 0 means immediately, or none. `never` is a wait
/// without end, `unlimited` a limit that is never reached. A value too large for the clock or the counter means the same: no
/// value of an option overflows.
#pragma once

#include "detail/abi.hpp"
#include "detail/chrono.hpp"

#include <cstddef>

namespace mato {
inline namespace MATO_ABI {

/// The clock of every limit and deadline. It is monotonic: setting the wall clock does not end a wait early.
using clock = std::chrono::steady_clock;
using milliseconds = std::chrono::milliseconds;

inline constexpr milliseconds never = milliseconds::max();
inline constexpr std::size_t unlimited = static_cast<std::size_t>(-1);

namespace detail {
/// `at + span`, clamped to the range of the clock.
template <class Rep, class Period>
[[nodiscard]] constexpr clock::time_point later(clock::time_point at, std::chrono::duration<Rep, Period> span) noexcept {
    using seconds = std::chrono::duration<double>; // cannot overflow; the year of margin covers its rounding
    constexpr seconds year(366 * 24 * 3600.0);
    if (seconds(span) >= seconds(clock::time_point::max() - at) - year) return clock::time_point::max();
    if (seconds(span) <= seconds(clock::duration::min()) + year) return clock::time_point::min();
    return at + std::chrono::duration_cast<clock::duration>(span);
}
} // namespace detail

/// The time at which a wait ends. Pass the same deadline to several steps to give them one common time limit.
///
/// @threads a value.
/// @blocks never.
///
/// @code
/// pollfd first{-1, POLLIN, 0}, second{-1, POLLIN, 0};
/// const auto until = mato::deadline::in(std::chrono::milliseconds(2)); // for both waits together
/// mato::sys::poll(&first, 1, until.poll_timeout());
/// mato::sys::poll(&second, 1, until.poll_timeout());
/// if (until.passed()) std::printf("no input in time\n");
/// @endcode
class deadline {
public:
    explicit deadline(clock::time_point at) noexcept : at_(at) {}
    template <class Rep, class Period> [[nodiscard]] static deadline in(std::chrono::duration<Rep, Period> span) noexcept {
        return deadline(detail::later(clock::now(), span));
    }
    [[nodiscard]] static deadline never() noexcept { return deadline(clock::time_point::max()); }

    [[nodiscard]] clock::time_point at() const noexcept { return at_; }
    [[nodiscard]] bool passed(clock::time_point now = clock::now()) const noexcept { return now >= at_; }

    /// Milliseconds left, rounded up: rounded down, poll(2) would return early and the caller would spin. 0 when passed.
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
