// SPDX-License-Identifier: MIT
/// @file pacer.hpp: when the next frame may be sent.
/// Pure.  Test: test/mato/pacer_test.cpp.
///
/// A frame is sent immediately if the terminal was idle. The next one waits in proportion to the bytes of the last: about 0 for
/// the echo of a key, 1/60 s for a whole screen. So a flood costs sixty frames a second instead of one per read, and neither
/// typing nor a program's last output is delayed.
#pragma once

#include <mato/clock.hpp>

#include <algorithm>
#include <cstdint>

namespace mux {

/// `flood`: the program has written more than was read.
enum class output_rate : std::uint8_t { ordinary, flood };

class pacer {
public:
    using time_point = mato::clock::time_point;

    [[nodiscard]] bool may_send(time_point now) const noexcept { return now >= due() || unpaced_ > 0; }
    /// It moves with every output, up to the end of the last frame's wait.
    [[nodiscard]] time_point due() const noexcept { return std::min(due_, std::max(output_ + silence, sent_ + least)); }

    /// There is new output.
    void output(time_point now) noexcept { output_ = now; }

    /// The user has typed: the next output is shown without a wait, once.
    void typed() noexcept { unpaced_ = std::max(unpaced_, 1); }

    /// The user has switched to this tab: the current screen and the first output of a new program are shown without a wait.
    void arrived() noexcept { unpaced_ = 2; }

    void sent(time_point now, std::size_t bytes, output_rate rate) noexcept {
        unpaced_ = std::max(unpaced_ - 1, 0);
        const auto worth = std::chrono::microseconds(8 * static_cast<long>(std::min<std::size_t>(bytes, 1u << 20)));
        sent_ = now;
        due_ = now + (rate == output_rate::flood ? longest : std::min<std::chrono::microseconds>(worth, longest));
    }

    static constexpr std::chrono::microseconds longest{16'667}; ///< sixty frames a second: more is not visible
    static constexpr std::chrono::microseconds silence{1000};   ///< in a flood, the program writes again sooner
    static constexpr std::chrono::microseconds least{4000};     ///< between frames of a program that pauses often

private:
    time_point due_{}, sent_{}, output_{};
    int unpaced_ = 0; // frames
};

} // namespace mux
