// SPDX-License-Identifier: MIT
/// @file number_cast.hpp: casts between number types that are the same type on some systems, without a compiler's warning
/// there. Layer: 0 (platform).  Test: test/matrix.sh. Pure.   Threads: safe.   Blocks: never.
#pragma once

#include "abi.hpp"

namespace mato {
inline namespace MATO_ABI {
namespace detail {

template <class One, class Other> inline constexpr bool is_same_number = false;
template <class One> inline constexpr bool is_same_number<One, One> = true;

template <class To, class From> [[nodiscard]] constexpr To number_cast(From value) noexcept {
    if constexpr (is_same_number<To, From>)
        return value;
    else
        return static_cast<To>(value);
}

/// For numbers of bytes that fit into memory: 64 bits in a protocol or a stream's position, as an index.
template <class From> [[nodiscard]] constexpr decltype(sizeof 0) size_cast(From value) noexcept {
    return number_cast<decltype(sizeof 0)>(value);
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
