// SPDX-License-Identifier: MIT
/// @file shutdown.hpp: decides when a stop is graceful and when it is forced.
/// Layer: 2 (policy).  Test: test/toolkit/shutdown_test.cpp.
/// Pure: no clock, no signals; the caller passes requests in and does what is returned.   Blocks: never.
#pragma once

#include "clock.hpp"

#include <concepts>

namespace mato {
inline namespace MATO_ABI {

/// What to do on a request to stop. Returned by a shutdown policy; the caller does it.
enum class stop_action {
    none,  ///< nothing new to do
    begin, ///< stop accepting, end work gracefully, start the deadline
    force, ///< end everything immediately
};

/// Decides what to do on each request to stop, and how long a graceful stop may take.
template <class S> concept shutdown_policy = std::copyable<S> && requires(S policy, const S& constant) {
    { policy.requested() } -> std::same_as<stop_action>;
    { constant.grace() } -> std::same_as<milliseconds>;
};

/// The first request stops gracefully, the second by force. The caller also forces the stop when `grace` has passed.
///
/// @threads a value.
/// @blocks never.
///
/// @code
/// mato::graceful_then_force shutdown(std::chrono::seconds(10));
/// const auto begin = shutdown.requested(); // SIGTERM: stop accepting, finish work within shutdown.grace()
/// const auto force = shutdown.requested(); // a second SIGTERM: end immediately
/// @endcode
class graceful_then_force {
public:
    /// Enough for programs to end (2 s) and a slow disk; the usual limit of a supervisor is 90 s.
    static constexpr milliseconds default_grace{10'000};

    explicit graceful_then_force(milliseconds grace = default_grace) noexcept : grace_(grace) {}
    [[nodiscard]] milliseconds grace() const noexcept { return grace_; }
    stop_action requested() noexcept {
        if (requests_ == 2) return stop_action::none;
        return ++requests_ == 1 ? stop_action::begin : stop_action::force;
    }

private:
    milliseconds grace_;
    int requests_ = 0;
};

/// Every request forces the stop: for a daemon that has no work to finish.
///
/// Its grace period is zero.
///
/// @threads a value.
/// @blocks never.
class immediate {
public:
    [[nodiscard]] static constexpr milliseconds grace() noexcept { return milliseconds(0); }
    [[nodiscard]] static stop_action requested() noexcept { return stop_action::force; }
};

static_assert(shutdown_policy<graceful_then_force> && shutdown_policy<immediate>);

} // namespace MATO_ABI
} // namespace mato
