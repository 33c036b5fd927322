// SPDX-License-Identifier: MIT
/// @file crc32c.hpp: the checksum CRC-32C, with the processor's instruction if it has one.
/// Layer: 0 (platform).  Test: test/toolkit/two_slots_test.cpp.
/// Threads: safe.   Blocks: never.
/// Source: RFC 3720 appendix B.4 (test values); polynomial 0x1EDC6F41, reflected 0x82F63B78.
#pragma once

#include "abi.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace mato {
inline namespace MATO_ABI {
namespace detail {

/// The checksum of `bytes`, continuing the checksum `before` of the bytes preceding them.
[[nodiscard]] inline std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) noexcept;

// ---- implementation ----

/// `of[k][b]`: the effect of byte b on the sum when k more bytes follow it in the same step.
struct crc32c_tables {
    std::uint32_t of[8][256]{};
    constexpr crc32c_tables() noexcept {
        for (std::uint32_t byte = 0; byte < 256; ++byte) {
            std::uint32_t sum = byte;
            for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ (sum & 1 ? 0x82F63B78U : 0U);
            of[0][byte] = sum;
        }
        for (int k = 1; k < 8; ++k)
            for (std::uint32_t byte = 0; byte < 256; ++byte)
                of[k][byte] = (of[k - 1][byte] >> 8) ^ of[0][of[k - 1][byte] & 0xFF];
    }
};
inline constexpr crc32c_tables crc32c_table;

inline std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t sum) noexcept {
    const auto& of = crc32c_table.of;
    const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
    std::size_t left = bytes.size();
    for (; left >= 8; left -= 8, at += 8) {
        sum ^= static_cast<std::uint32_t>(at[0]) | static_cast<std::uint32_t>(at[1]) << 8 |
               static_cast<std::uint32_t>(at[2]) << 16 | static_cast<std::uint32_t>(at[3]) << 24;
        sum = of[7][sum & 0xFF] ^ of[6][sum >> 8 & 0xFF] ^ of[5][sum >> 16 & 0xFF] ^ of[4][sum >> 24] ^ of[3][at[4]] ^
              of[2][at[5]] ^ of[1][at[6]] ^ of[0][at[7]];
    }
    for (; left > 0; --left, ++at) sum = (sum >> 8) ^ of[0][(sum ^ *at) & 0xFF];
    return sum;
}

#if defined(__x86_64__)
[[gnu::target("sse4.2")]] inline std::uint32_t crc32c_sse42(std::string_view bytes, std::uint32_t sum) noexcept {
    const char* at = bytes.data();
    std::size_t left = bytes.size();
    std::uint64_t wide = sum;
    for (; left >= 8; left -= 8, at += 8) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, at, sizeof eight);
        wide = __builtin_ia32_crc32di(wide, eight);
    }
    sum = static_cast<std::uint32_t>(wide);
    for (; left > 0; --left, ++at) sum = __builtin_ia32_crc32qi(sum, static_cast<unsigned char>(*at));
    return sum;
}
#endif

inline std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) noexcept {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return ~crc32c_sse42(bytes, ~before);
#endif
    return ~crc32c_portable(bytes, ~before);
}

} // namespace detail
} // namespace MATO_ABI
} // namespace mato
