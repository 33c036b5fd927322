// SPDX-License-Identifier: MIT
/// @file retry.hpp: trying again, but only what may pass, ever more slowly, and not for ever.
/// Layer: 2 (policy).  Test: test/toolkit/retry_test.cpp.
/// Threads: distinct objects are independent.   Blocks: `retry`, at most `total`; `backoff` never.
/// Source: "full jitter": each wait is uniform in [0, cap], so that clients that failed together do not return together.
#pragma once

#include "clock.hpp"
#include "error.hpp"
#include "sys.hpp"

#include <algorithm>
#include <concepts>
#include <optional>
#include <random>
#include <utility>

namespace mato {
inline namespace MATO_ABI {

/// The next wait, or nothing when it is time to give up.
template <class B> concept backoff_policy = std::copyable<B> && requires(B policy, clock::time_point now) {
    { policy.next(now) } -> std::same_as<std::optional<milliseconds>>;
};

struct backoff_options {
    milliseconds first{2};     ///< cap of the first wait
    milliseconds longest{250}; ///< where doubling ends
    milliseconds total{5000};  ///< from the first failure; the last wait is cut so as not to pass it
};

/// Doubling caps with full jitter, under one total deadline.
class exponential_backoff {
public:
    explicit exponential_backoff(backoff_options options = {}, std::uint32_t seed = std::random_device{}())
        : options_(options), cap_(options.first), random_(seed) {}

    [[nodiscard]] std::optional<milliseconds> next(clock::time_point now) {
        if (!give_up_at_) give_up_at_ = now + options_.total;
        if (now >= *give_up_at_) return std::nullopt;
        const milliseconds cap = cap_;
        cap_ = std::min(cap_ * 2, options_.longest);
        const milliseconds wait(std::uniform_int_distribution<milliseconds::rep>(0, cap.count())(random_));
        return std::min(wait, std::chrono::ceil<milliseconds>(*give_up_at_ - now));
    }

private:
    backoff_options options_;
    milliseconds cap_;
    std::optional<clock::time_point> give_up_at_{};
    std::minstd_rand random_;
};

static_assert(backoff_policy<exponential_backoff>);

/// How `retry` passes the time; a test passes its own.
struct thread_sleeper {
    [[nodiscard]] clock::time_point now() const noexcept { return clock::now(); }
    void wait(milliseconds span) const noexcept { sys::sleep_ms(static_cast<long>(span.count())); }
};

/// Calls `attempt(error_out)` until it succeeds, fails with what is not `cond::transient`, or the policy gives up; then the
/// last error stands. @returns what the last call returned.
template <class Attempt, backoff_policy Backoff = exponential_backoff, class Sleeper = thread_sleeper>
auto retry(Attempt attempt, error_out out, Backoff policy = Backoff(), Sleeper sleeper = {}) {
    for (;;) {
        failure why;
        auto result = attempt(error_out(why));
        if (!why) return result;
        const auto wait = why.code == cond::transient ? policy.next(sleeper.now()) : std::nullopt;
        if (!wait) {
            out.set(why);
            return result;
        }
        sleeper.wait(*wait);
    }
}

} // namespace MATO_ABI
} // namespace mato
