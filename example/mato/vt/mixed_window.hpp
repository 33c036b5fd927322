// SPDX-License-Identifier: MIT
/// @file mixed_window.hpp: which characters of sixty-four bytes may be taken at once. Internal to mixed_text.
/// Layer: vt core.  Test: test/mato/vt/text_test.cpp.
/// Threads: pure functions.   Blocks: never.
#pragma once

#include "mixed_text.hpp"
#include "scan.hpp"

#include <cstdint>

namespace mux::vt::detail {

/// What is looked at before anything is decided: as many bytes as a mask has bits.
inline constexpr int window = 64;
/// The last bytes of a character that begins at the window's end.
inline constexpr int lookahead = 3;

/// Bit i speaks of byte i.
struct byte_masks {
    std::uint64_t begins = 0; ///< not a continuation
    std::uint64_t stops = 0;  ///< C0, DEL, and what is nowhere in UTF-8: Unicode table 3-7
    std::uint64_t two = 0;    ///< promises at least a second byte, a third, a fourth
    std::uint64_t three = 0;
    std::uint64_t four = 0;
};

inline int highest_bit(std::uint64_t nonzero) noexcept { return 63 - std::countl_zero(nonzero); }

/// The bits below `bit`; all for 64.
inline std::uint64_t below(int bit) noexcept { return bit == window ? ~std::uint64_t{0} : (std::uint64_t{1} << bit) - 1; }

struct extent {
    int bytes = 0;        ///< of whole, well-formed characters
    bool goes_on = false; ///< the next window begins behind them
};

/// @pre what is behind a stop is not looked at: it may be missing from `m`
inline extent whole_characters(const byte_masks& m) noexcept {
    // What follows every first byte must be what it promises, and nothing else.
    const int stop = m.stops == 0 ? window : lowest_bit(m.stops);
    const std::uint64_t promised = m.two << 1 | m.three << 2 | m.four << 3;
    const std::uint64_t wrong = ~(promised ^ m.begins) & (stop == window ? ~std::uint64_t{0} : below(stop + 1));
    int count = stop;
    if (wrong != 0 || stop == window) {
        // The last character is left: it is ill-formed, or how it ends is not known yet.
        const std::uint64_t before = m.begins & (wrong != 0 ? below(lowest_bit(wrong)) : ~std::uint64_t{0});
        count = before != 0 ? highest_bit(before) : 0;
    }
    // Sixteen plain bytes in a row are done faster by others.
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
