// SPDX-License-Identifier: MIT
/// @file read_turns.hpp: how much of a flooding tab is read, and when, so that keys come first.
/// Pure.  Test: test/mato/read_turns_test.cpp, test/mato/turns_process_test.cpp.
///
/// One turn of the loop is shared by the tabs that flood. That bounds what the daemon adds to a key's echo; the rest is the
/// machine's: every flooding program runs again for what was read of it, and the key's program stands in line with them. So
/// while somebody types, tabs that flood are read a quarter of the time, all in the same quarter, and rest for the other
/// three: their programs wait for room, and the machine is free for the key. They still get on, however long the typing.
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
    /// How long all tabs that flood may hold the loop together: few bytes can be much work. A key's echo waits for two turns
    /// or three, and a millisecond is a tenth of what a person may notice.
    static constexpr std::chrono::microseconds turn_time{1000};
    /// Cells between two looks at the clock: a tenth of a millisecond of the usual, a half of the costliest.
    static constexpr std::int64_t work_between_looks = 16 * 1024;
    static constexpr mato::milliseconds period{4}, open{1};
    static constexpr mato::milliseconds typing{50}; ///< after a key: about the gap between two of a fast typist's

    void typed(time_point now) noexcept { typing_until_ = now + typing; }
    void flooding(bool more) noexcept { more ? ++flooding_ : --flooding_; }

    /// Bytes one tab may read in its turn.
    [[nodiscard]] std::size_t share() const noexcept {
        return std::max(turn_bytes / std::max<std::size_t>(flooding_, 1), least_bytes);
    }
    /// How long one tab may take for its turn, but for the work between two looks at the clock.
    [[nodiscard]] std::chrono::microseconds time_share() const noexcept {
        return turn_time / static_cast<int>(std::max<std::size_t>(flooding_, 1));
    }
    /// When a tab that floods, and that nobody types in, may be read: not after `now` means at once.
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
