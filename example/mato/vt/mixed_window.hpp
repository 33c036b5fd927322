// SPDX-License-Identifier: MIT
/// @file mixed_window.hpp: the characters of sixty-four bytes that can be taken together. Internal to mixed_text.
/// Layer: vt core.  Test: test/mato/vt/text_test.cpp.
/// Threads: pure functions.   Blocks: never.
#pragma once

#include "mixed_text.hpp"
#include "scan.hpp"

#include <cstdint>

namespace mux::vt::detail {

/// The bytes examined together: as many as a mask has bits.
inline constexpr int window = 64;
/// The remaining bytes of a character that begins at the window's end.
inline constexpr int lookahead = 3;

/// Bit i belongs to byte i.
struct byte_masks {
    std::uint64_t begins = 0; ///< not a continuation
    std::uint64_t stops = 0;  ///< C0, DEL, and bytes that never occur in UTF-8: Unicode table 3-7
    std::uint64_t two = 0;    ///< lead bytes of at least two, three, four bytes
    std::uint64_t three = 0;
    std::uint64_t four = 0;
};

inline int highest_bit(std::uint64_t nonzero) noexcept { return 63 - std::countl_zero(nonzero); }

/// The bits below `bit`; all for 64.
inline std::uint64_t below(int bit) noexcept { return bit == window ? ~std::uint64_t{0} : (std::uint64_t{1} << bit) - 1; }

struct extent {
    int bytes = 0;        ///< of whole, well-formed characters
    bool goes_on = false; ///< the next window begins after them
};

/// @pre nothing after a stop is used: `m` may lack it
inline extent whole_characters(const byte_masks& m) noexcept {
    // Each lead byte must be followed by its continuation bytes, and nothing else.
    const int stop = m.stops == 0 ? window : lowest_bit(m.stops);
    const std::uint64_t promised = m.two << 1 | m.three << 2 | m.four << 3;
    const std::uint64_t wrong = ~(promised ^ m.begins) & (stop == window ? ~std::uint64_t{0} : below(stop + 1));
    int count = stop;
    if (wrong != 0 || stop == window) {
        // Without the last character: it is ill-formed, or its end is unknown yet.
        const std::uint64_t before = m.begins & (wrong != 0 ? below(lowest_bit(wrong)) : ~std::uint64_t{0});
        count = before != 0 ? highest_bit(before) : 0;
    }
    // Sixteen plain bytes in a row are faster elsewhere.
    std::uint64_t plain = m.begins & ~m.two & below(stop);
    for (const int step : {1, 2, 4, 8}) plain &= plain >> step;
    const bool turns_plain = plain != 0 && lowest_bit(plain) <= count;
    if (turns_plain) count = lowest_bit(plain);
    return {count, !turns_plain && wrong == 0 && stop == window && count > 0};
}

decoded_run decode_mixed_portably(const char* p, const char* end, unit* to, int room, std::size_t scratch) noexcept;
std::optional<std::size_t> encode_pairs_portably(const unit* units, std::size_t count, char* to) noexcept;

/// @pre has_avx512() (processor.hpp)
decoded_run decode_mixed_avx512(const char* p, const char* end, unit* to, int room, std::size_t scratch) noexcept;
std::optional<std::size_t> encode_pairs_avx512(const unit* units, std::size_t count, char* to) noexcept;

} // namespace mux::vt::detail
