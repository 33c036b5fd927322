// SPDX-License-Identifier: MIT
/// @file restart_schedule.hpp: when the next worker starts after a death, or that none does.
/// Layer: 3 (mechanism; no asio).  Test: test/toolkit/keeper_test.cpp.
/// Threads: values.   Blocks: never.
#pragma once

#include "../handover.hpp"

#include <array>
#include <optional>

namespace mato {
inline namespace MATO_ABI {
namespace detail {

class restart_schedule {
public:
    static constexpr std::size_t most_counted = 64; ///< deaths that are remembered

    explicit restart_schedule(restart_limits limits) noexcept : limits_(limits) {}

    /// A worker died. @returns when the next one starts; nothing: too many died, wait for a reason to try.
    [[nodiscard]] std::optional<clock::time_point> died(clock::time_point now) noexcept;

private:
    restart_limits limits_;
    std::array<clock::time_point, most_counted> at_{}; // the oldest first
    std::size_t count_ = 0;
};

// ---- implementation ----

inline std::optional<clock::time_point> restart_schedule::died(clock::time_point now) noexcept {
    std::size_t recent = 0;
    const std::size_t skipped = count_ == most_counted ? 1 : 0;
    for (std::size_t i = skipped; i < count_; ++i)
        if (later(at_[i], limits_.within) > now) at_[recent++] = at_[i];
    at_[recent++] = now;
    count_ = recent;
    if (limits_.deaths != unlimited && recent >= limits_.deaths) return std::nullopt;
    constexpr milliseconds spans[] = {milliseconds(0), milliseconds(0), milliseconds(100), milliseconds(1000)};
    const milliseconds span = recent <= std::size(spans) ? spans[recent - 1] : limits_.longest;
    return later(now, span < limits_.longest ? span : limits_.longest);
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
