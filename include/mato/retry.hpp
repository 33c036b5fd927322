// SPDX-License-Identifier: MIT
/// @file retry.hpp: retries after transient errors, with growing waits and a time limit.
/// Layer: 2 (policy).  Test: test/toolkit/retry_test.cpp.
/// Threads: distinct objects are independent.   Blocks: `retry`, at most `total`; `backoff` never.
/// Source: "full jitter": each wait is uniform in [0, cap], so that clients that failed together do not retry together.
#pragma once

#include "clock.hpp"
#include "detail/number_cast.hpp"
#include "error.hpp"
#include "sys.hpp"

#include <concepts>
#include <cstdint>
#include <optional>

namespace mato {
inline namespace MATO_ABI {

/// `next` returns the next wait, or empty to give up.
template <class B> concept backoff_policy = std::copyable<B> && requires(B policy, clock::time_point now) {
    { policy.next(now) } -> std::same_as<std::optional<milliseconds>>;
};

/// The options of `exponential_backoff`. The defaults suit a client that waits for a daemon to start.
struct backoff_options {
    milliseconds first{2};     ///< cap of the first wait
    milliseconds longest{250}; ///< largest cap
    milliseconds total{5000};  ///< time limit from the first failure; the last wait is shortened to end there
};

/// Doubles the cap of each wait, with full jitter, and gives up after a total time.
///
/// The default backoff policy.
///
/// @threads a value.
/// @blocks never.
///
/// @code
/// const int answer = mato::retry(
///     [attempts = 0](mato::error_out out) mutable {
///         if (++attempts < 3) out.set(mato::errc::busy, "ask");
///         return attempts;
///     },
///     why, mato::exponential_backoff({.total = std::chrono::seconds(10)}));
/// if (!why) std::printf("succeeded at attempt %d\n", answer);
/// @endcode
class exponential_backoff {
public:
    /// The seed must differ between processes that fail together; the default does.
    explicit exponential_backoff(backoff_options options = {}, std::uint64_t seed = process_seed())
        : options_(options), cap_(options.first), random_(seed) {}

    [[nodiscard]] std::optional<milliseconds> next(clock::time_point now) {
        if (give_up_at_ == clock::time_point()) give_up_at_ = detail::later(now, options_.total);
        if (now >= give_up_at_) return std::nullopt;
        const milliseconds cap = cap_ < milliseconds(0) ? milliseconds(0) : cap_;
        cap_ = cap < options_.longest / 2 ? cap * 2 : options_.longest;
        const milliseconds wait(static_cast<milliseconds::rep>(draw() % (static_cast<std::uint64_t>(cap.count()) + 1)));
        const auto left = std::chrono::ceil<milliseconds>(give_up_at_ - now);
        return wait < left ? wait : left;
    }

private:
    static std::uint64_t process_seed() noexcept {
        const auto time = static_cast<std::uint64_t>(clock::now().time_since_epoch().count());
        const auto pid = static_cast<std::uint64_t>(sys::getpid());
        return time ^ (pid << 40);
    }
    /// SplitMix64 (Steele, Lea, Flood 2014). Including <random> would double the compile time of this header.
    std::uint64_t draw() noexcept {
        std::uint64_t z = random_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    backoff_options options_;
    milliseconds cap_;
    clock::time_point give_up_at_{}; // the first wait sets it
    std::uint64_t random_;
};

static_assert(backoff_policy<exponential_backoff>);

/// The clock and the sleep of `retry`; tests replace it.
///
/// It blocks the calling thread.
///
/// @threads safe.
/// @blocks `wait`, for the given time.
struct thread_sleeper {
    [[nodiscard]] clock::time_point now() const noexcept { return clock::now(); }
    void wait(milliseconds span) const noexcept { sys::sleep_ms(detail::number_cast<long>(span.count())); }
};

/// Calls `attempt(error_out)` until it succeeds, fails with an error that is not `cond::transient`, or the policy gives up.
/// Then the last error is reported. @returns the result of the last call.
template <class Attempt, class Backoff = exponential_backoff, class Sleeper = thread_sleeper>
auto retry(Attempt attempt, error_out out, Backoff policy = Backoff(), Sleeper sleeper = {}) {
    static_assert(backoff_policy<Backoff>,
                  "mato: a backoff policy needs `std::optional<milliseconds> next(clock::time_point)`, see retry.hpp");
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
