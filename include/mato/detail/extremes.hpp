// SPDX-License-Identifier: MIT
/// @file extremes.hpp: the smallest and the largest of a few numbers, without the cost of a larger standard header.
/// Layer: 0 (platform).
/// Pure.   Threads: safe.   Blocks: never.
#pragma once

#include "abi.hpp"

namespace mato {
inline namespace MATO_ABI {
namespace detail {

template <class T> [[nodiscard]] constexpr T least(T one, T other) noexcept { return other < one ? other : one; }
template <class T> [[nodiscard]] constexpr T least(T one, T other, T third) noexcept { return least(least(one, other), third); }
template <class T> [[nodiscard]] constexpr T greatest(T one, T other) noexcept { return one < other ? other : one; }
/// `value`, or the end of the range from `low` to `high` that is nearer to it.
template <class T> [[nodiscard]] constexpr T within(T value, T low, T high) noexcept {
    return value < low ? low : high < value ? high : value;
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
