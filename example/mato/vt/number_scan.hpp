// SPDX-License-Identifier: MIT
/// @file number_scan.hpp: the numbers of a control sequence, without branches on how many digits they have.
/// Layer: vt core.  Test: test/mato/vt/text_test.cpp (against the parser fed byte by byte).
/// Threads: pure functions.   Blocks: never.
///
/// How long a number is cannot be predicted, and a wrong guess costs more than all the numbers of a sequence.
#pragma once

#include "parameters.hpp"
#include "scan.hpp"

namespace mato::vt {

/// Takes the numbers of a control sequence whose first byte after CSI, or after the prefix, is at `p`.
/// @returns its final byte; nothing, and anything in `to`, if it has something else before that than numbers and what
///          separates them, or does not lie before `end`
const char* scan_numbers(const char* p, const char* end, parameters& to) noexcept;

namespace detail {

/// The same, a digit at a time.
const char* scan_digits(const char* p, const char* end, parameters& to) noexcept;

/// The same for the commonest: semicolons alone, four digits at most, and a few bytes more before `end`; else nothing.
const char* scan_block(const char* p, const char* end, parameters& to) noexcept;

} // namespace detail

// ---- implementation ----

#if defined(__SSE2__)

inline const char* detail::scan_block(const char* p, const char* end, parameters& to) noexcept {
    constexpr int block = 32, most_digits = 4;
    if (end - p < block + most_digits) return nullptr;
    const auto digits = [p](int at) {
        const __m128i v = _mm_sub_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + at)), _mm_set1_epi8('0'));
        return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(9)), v)));
    };
    static_assert(block <= parameters::max_count);
    std::uint16_t* const first = to.start();
    std::uint16_t* next = first;
    int from = 0;
    std::uint32_t others = ~(digits(0) | digits(block / 2) << block / 2);
    for (; others != 0; others &= others - 1) {
        const int at = lowest_bit(others), length = at - from;
        if (length > most_digits) return nullptr;
        // The digits moved to the top of a word, zeros below: then they are thousands to ones.
        std::uint32_t word = 0;
        std::memcpy(&word, p + from, sizeof word);
        word = static_cast<std::uint32_t>(std::uint64_t{word} << 8 * (most_digits - length)) & 0x0f0f0f0f;
        word = (word * (10 << 8 | 1) >> 8) & 0x00ff00ff; // two digits each
        *next = static_cast<std::uint16_t>(word * (100 << 16 | 1) >> 16);
        const char c = p[at];
        if (c == ';') {
            ++next;
            from = at + 1;
            continue;
        }
        if (static_cast<unsigned char>(c) - 0x40u >= 0x3fu) return nullptr;
        to.finish(static_cast<std::size_t>(next - first) + (at != 0 ? 1 : 0));
        return p + at;
    }
    return nullptr;
}

#else

inline const char* detail::scan_block(const char*, const char*, parameters&) noexcept { return nullptr; }

#endif

inline const char* scan_numbers(const char* p, const char* end, parameters& to) noexcept {
    const char* const final = detail::scan_block(p, end, to);
    return final != nullptr ? final : detail::scan_digits(p, end, to);
}

} // namespace mato::vt
