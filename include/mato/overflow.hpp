// SPDX-License-Identifier: MIT
/// @file overflow.hpp: what happens to a client that does not read.
/// Layer: 2 (policy).  Test: test/toolkit/overflow_test.cpp.
/// Pure: bytes and time go in, a verdict comes out.   Blocks: never.
#pragma once

#include "clock.hpp"

#include <concepts>
#include <cstddef>
#include <optional>

namespace mato {
inline namespace MATO_ABI {

enum class overflow_verdict {
    keep,       ///< queue it
    disconnect, ///< close the client with errc::slow_consumer
};

/// Asked with the bytes that would be queued after each push, and told of every drain.
template <class O> concept overflow_policy = std::copyable<O> && requires(O policy, std::size_t queued, clock::time_point now) {
    { policy.on_queued(queued, now) } -> std::same_as<overflow_verdict>;
    { policy.on_drained(queued) } -> std::same_as<void>;
};

/// Closes a client at `hard` bytes at once, and one that stays over `soft` for `grace`. Below `soft` the timer starts anew:
/// two bursts with a drain between are two bursts, not one long one. Asked when something is queued: a client that is sent
/// nothing may keep what it has not read, which is within the bound.
struct disconnect {
    std::size_t hard = std::size_t{1} << 20; ///< bytes; 1 MiB: seconds of a fast terminal
    std::size_t soft = std::size_t{1} << 18; ///< bytes; what a reading client never reaches
    milliseconds grace{10'000};

    overflow_verdict on_queued(std::size_t queued, clock::time_point now) noexcept {
        if (queued > hard) return overflow_verdict::disconnect;
        if (queued <= soft)
            over_since_.reset();
        else if (!over_since_)
            over_since_ = now;
        else if (now - *over_since_ >= grace)
            return overflow_verdict::disconnect;
        return overflow_verdict::keep;
    }
    void on_drained(std::size_t queued) noexcept {
        if (queued <= soft) over_since_.reset();
    }

private:
    std::optional<clock::time_point> over_since_{};
};

static_assert(overflow_policy<disconnect>);

} // namespace MATO_ABI
} // namespace mato
