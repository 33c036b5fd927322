// SPDX-License-Identifier: MIT
/// @file pacer.hpp: when the next frame may go.
/// Pure.  Test: test/mato/pacer_test.cpp.
///
/// A frame goes at once when the terminal has been idle, and what follows waits as long as the last one was worth: nothing
/// for a key's echo, a sixtieth of a second for a whole screen. So a flood costs sixty frames a second and not one a read,
/// and nobody waits who types.
#pragma once

#include <mato/clock.hpp>

#include <algorithm>

namespace mux {

class pacer {
public:
    using time_point = mato::clock::time_point;

    [[nodiscard]] bool may_send(time_point now) const noexcept { return now >= due_ || typed_; }
    [[nodiscard]] time_point due() const noexcept { return due_; }

    /// The user typed: what comes of it is shown without waiting, once.
    void typed() noexcept { typed_ = true; }

    /// `flooding`: the program had more to say than was read.
    void sent(time_point now, std::size_t bytes, bool flooding) noexcept {
        typed_ = false;
        const auto worth = std::chrono::microseconds(8 * static_cast<long>(std::min<std::size_t>(bytes, 1u << 20)));
        due_ = now + (flooding ? longest : std::min<std::chrono::microseconds>(worth, longest));
    }

    static constexpr std::chrono::microseconds longest{16'667}; ///< sixty frames a second: more is not seen

private:
    time_point due_{};
    bool typed_ = false;
};

} // namespace mux
