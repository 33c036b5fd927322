// SPDX-License-Identifier: MIT
/// @file shutdown.hpp: when a stop is asked for politely, and when it is over.
/// Layer: 2 (policy).  Test: test/toolkit/shutdown_test.cpp.
/// Pure: no clock, no signals; the host passes events in and does what is returned.   Blocks: never.
#pragma once

#include "clock.hpp"

#include <concepts>

namespace mato {
inline namespace MATO_ABI {

enum class stop_action {
    none,  ///< nothing new to do
    begin, ///< stop accepting, ask everything to end, start the deadline
    force, ///< end everything now
};

/// What to do on each request to stop, and how long the polite phase may take.
template <class S> concept shutdown_policy = std::copyable<S> && requires(S policy, const S& constant) {
    { policy.requested() } -> std::same_as<stop_action>;
    { constant.grace() } -> std::same_as<milliseconds>;
};

/// The first request begins, the second forces; so does the end of `grace`, which the host times.
class graceful_then_force {
public:
    /// Longer than mato's own grace for programs (2 s) plus a slow disk; a supervisor's usual limit is 90 s.
    static constexpr milliseconds default_grace{10'000};

    explicit graceful_then_force(milliseconds grace = default_grace) noexcept : grace_(grace) {}
    [[nodiscard]] milliseconds grace() const noexcept { return grace_; }
    stop_action requested() noexcept {
        if (asked_ == 2) return stop_action::none;
        return ++asked_ == 1 ? stop_action::begin : stop_action::force;
    }

private:
    milliseconds grace_;
    int asked_ = 0;
};

/// Every request forces: for a daemon with nothing to lose.
class immediate {
public:
    [[nodiscard]] static constexpr milliseconds grace() noexcept { return milliseconds(0); }
    [[nodiscard]] static stop_action requested() noexcept { return stop_action::force; }
};

static_assert(shutdown_policy<graceful_then_force> && shutdown_policy<immediate>);

} // namespace MATO_ABI
} // namespace mato
