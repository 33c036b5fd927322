// SPDX-License-Identifier: MIT
/// @file read_turns.hpp: how much of a flooding tab is read, and when, so that the echo of keys is not delayed.
/// Pure.  Test: test/mato/read_turns_test.cpp, test/mato/turns_process_test.cpp.
///
/// Tabs that flood share one turn of the event loop, which limits the delay of a key's echo in the daemon. The rest is the
/// machine's load: each flooding program runs again after some of its output is read, and competes with the program that gets
/// the key. So while a user types, flooding tabs are read for a quarter of the time, all in the same quarter. In the other
/// three their programs wait for room, and the processor is free for the key. They always make progress.
#pragma once

#include <mato/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace mux {

class read_turns {
public:
    using time_point = mato::clock::time_point;

    static constexpr std::size_t turn_bytes = 64u << 10, least_bytes = 4u << 10;
    /// The time that all flooding tabs may occupy the loop together: few bytes can be much work. A key's echo waits for two or
    /// three turns; one millisecond is a tenth of what a person may notice.
    static constexpr std::chrono::microseconds turn_time{1000};
    /// Cells between two checks of the clock: 0.1 ms of ordinary output, 0.5 ms of the slowest.
    static constexpr std::int64_t work_between_looks = 16 * 1024;
    static constexpr mato::milliseconds period{4}, open{1};
    static constexpr mato::milliseconds typing{50}; ///< after a key: about the interval between two keys of a fast typist

    void typed(time_point now) noexcept { typing_until_ = now + typing; }
    void flood_begins() noexcept { ++flooding_; }
    void flood_ends() noexcept { --flooding_; }

    /// Bytes that one tab may read in its turn.
    [[nodiscard]] std::size_t share() const noexcept {
        return std::max(turn_bytes / std::max<std::size_t>(flooding_, 1), least_bytes);
    }
    /// The time for one tab's turn, without the work between two checks of the clock.
    [[nodiscard]] std::chrono::microseconds time_share() const noexcept {
        return turn_time / static_cast<int>(std::max<std::size_t>(flooding_, 1));
    }
    /// When a tab that floods, and in which nothing is typed, may be read: `now` or earlier means immediately.
    [[nodiscard]] time_point next(time_point now) const noexcept {
        if (now >= typing_until_) return now;
        const auto phase = now.time_since_epoch() % period;
        return phase < open ? now : std::min(now + (period - phase), typing_until_);
    }

private:
    std::size_t flooding_ = 0;
    time_point typing_until_{};
};

} // namespace mux
