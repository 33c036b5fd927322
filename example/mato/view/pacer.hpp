// SPDX-License-Identifier: MIT
/// @file pacer.hpp: when the next frame may go.
/// Pure.  Test: test/mato/pacer_test.cpp.
///
/// A frame goes at once when the terminal has been idle, and what follows waits as long as the last one was worth: nothing
/// for a key's echo, a sixtieth of a second for a whole screen. So a flood costs sixty frames a second and not one a read,
/// and nobody waits who types, nor for the last of what a program had to say.
#pragma once

#include <mato/clock.hpp>

#include <algorithm>

namespace mux {

class pacer {
public:
    using time_point = mato::clock::time_point;

    [[nodiscard]] bool may_send(time_point now) const noexcept { return now >= due() || unpaced_ > 0; }
    /// Later with every output, up to the end of the last frame's wait.
    [[nodiscard]] time_point due() const noexcept { return std::min(due_, std::max(output_ + silence, sent_ + least)); }

    /// There is something to show.
    void output(time_point now) noexcept { output_ = now; }

    /// The user typed: what comes of it is shown without waiting, once.
    void typed() noexcept { unpaced_ = std::max(unpaced_, 1); }

    /// The user came to see this: the screen as it is, and what a program that has just been started says first.
    void arrived() noexcept { unpaced_ = 2; }

    /// `flooding`: the program had more to say than was read.
    void sent(time_point now, std::size_t bytes, bool flooding) noexcept {
        unpaced_ = std::max(unpaced_ - 1, 0);
        const auto worth = std::chrono::microseconds(8 * static_cast<long>(std::min<std::size_t>(bytes, 1u << 20)));
        sent_ = now;
        due_ = now + (flooding ? longest : std::min<std::chrono::microseconds>(worth, longest));
    }

    static constexpr std::chrono::microseconds longest{16'667}; ///< sixty frames a second: more is not seen
    static constexpr std::chrono::microseconds silence{1000};   ///< in a flood, the program is heard of sooner
    static constexpr std::chrono::microseconds least{4000};     ///< between frames of a program that often falls silent

private:
    time_point due_{}, sent_{}, output_{};
    int unpaced_ = 0; // frames
};

} // namespace mux
