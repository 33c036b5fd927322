// SPDX-License-Identifier: MIT
/// @file deadline.hpp: waits for a fact, with a deadline.
#pragma once

#include <algorithm>
#include <chrono>
#include <poll.h>

namespace support {

using namespace std::chrono_literals;

/// Long enough for a busy machine; only a failing test waits that long.
inline constexpr std::chrono::milliseconds patience = 20s;

class stopwatch {
public:
    [[nodiscard]] std::chrono::milliseconds elapsed() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began_);
    }

private:
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

class deadline {
public:
    explicit deadline(std::chrono::milliseconds limit) : at_(std::chrono::steady_clock::now() + limit) {}
    [[nodiscard]] bool passed() const { return std::chrono::steady_clock::now() >= at_; }
    /// For poll(2): 0 when passed.
    [[nodiscard]] int milliseconds() const {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - std::chrono::steady_clock::now()).count();
        return static_cast<int>(std::clamp<decltype(left)>(left, 0, 3'600'000));
    }

private:
    std::chrono::steady_clock::time_point at_;
};

/// For facts without a descriptor (a file, a state in proc(5)): polls. @returns whether the fact became true.
template <class Fact> [[nodiscard]] bool wait_until(Fact holds, std::chrono::milliseconds limit = patience) {
    constexpr int look_again_ms = 3;
    const deadline until(limit);
    while (!holds()) {
        if (until.passed()) return static_cast<bool>(holds());
        ::poll(nullptr, 0, look_again_ms);
    }
    return true;
}

} // namespace support
