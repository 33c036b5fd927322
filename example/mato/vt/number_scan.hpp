// SPDX-License-Identifier: MIT
/// @file number_scan.hpp: the numbers of a control sequence, without branches on how many digits they have.
/// Layer: vt core.  Test: test/mato/vt/sequence_scan_test.cpp (against the parser fed byte by byte).
/// Threads: pure functions.   Blocks: never.
///
/// How long a number is cannot be predicted, and a wrong guess costs more than all the numbers of a sequence.
#pragma once

#include "parameters.hpp"
#include "scan.hpp"

namespace mux::vt {

/// Takes the numbers of a control sequence whose first byte after CSI, or after the prefix, is at `p`.
/// @returns its final byte; nothing, and anything in `to`, if it has something else before that than numbers and what
///          separates them, or does not lie before `end`
const char* scan_numbers(const char* p, const char* end, parameters& to) noexcept;

namespace detail {

/// The same, a digit at a time.
const char* scan_digits(const char* p, const char* end, parameters& to) noexcept;

/// Where the numbers of a sequence end, as bits; bit i speaks of byte i.
struct sequence_shape {
    std::uint32_t ends = 0; ///< no digit
    int final = -1;         ///< the first byte that is neither digit nor semicolon; negative: unknown, or no final byte

    static constexpr int block = 32, most_digits = 4;
    static constexpr int lookahead = 8; ///< bytes behind the block that may be read with it
};

/// What can be told of the bytes at `p` at once: nothing, without a few bytes more than a block before `end`.
sequence_shape shape_of(const char* p, const char* end) noexcept;

/// Two numbers of four digits, the first lowest, in each half of `digits`; zero bytes count for nothing.
/// @returns each in the upper sixteen bits of its half, with anything below them
inline std::uint64_t numbers_of_aligned(std::uint64_t digits) noexcept {
    constexpr std::uint64_t tens = 10 << 8 | 1, hundreds = 100 << 16 | 1;
    digits = ((digits & 0x0f0f'0f0f'0f0f'0f0f) * tens >> 8) & 0x00ff'00ff'00ff'00ff; // two digits each
    return digits * hundreds; // what spills over from the lower half, 100 times 99, does not get that far
}

/// The digits of `word`, first lowest, `length` of them and most_digits at most.
inline std::uint16_t number_of(std::uint32_t word, int length) noexcept {
    // The digits moved to the top of the word, zeros below: then they are thousands to ones.
    const auto digits = static_cast<std::uint32_t>(std::uint64_t{word} << 8 * (sequence_shape::most_digits - length));
    return static_cast<std::uint16_t>(numbers_of_aligned(digits) >> 16);
}

/// scan_numbers() for the commonest: semicolons alone, four digits at most; else nothing.
/// @pre shape.final >= 0
const char* scan_block(const char* p, sequence_shape shape, parameters& to) noexcept;

} // namespace detail

// ---- implementation ----

#if defined(__SSE2__)

inline detail::sequence_shape detail::shape_of(const char* p, const char* end) noexcept {
    constexpr int block = sequence_shape::block;
    if (end - p < block + sequence_shape::lookahead) return {};
    std::uint32_t digits = 0, separators = 0;
    for (int at = 0; at < block; at += block / 2) {
        const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + at));
        digits |= static_cast<std::uint32_t>(_mm_movemask_epi8(decimal_digits(v))) << at;
        separators |= static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(';')))) << at;
    }
    const std::uint32_t others = ~(digits | separators);
    if (others == 0) return {};
    const int final = lowest_bit(others);
    return {~digits, static_cast<unsigned char>(p[final]) - 0x40u < 0x3fu ? final : -1};
}

#else

inline detail::sequence_shape detail::shape_of(const char*, const char*) noexcept { return {}; }

#endif

inline const char* detail::scan_block(const char* p, sequence_shape shape, parameters& to) noexcept {
    static_assert(sequence_shape::block <= parameters::max_count);
    std::uint16_t* const first = to.start();
    std::uint16_t* next = first;
    for (int from = 0;; ++next, shape.ends &= shape.ends - 1) {
        const int at = lowest_bit(shape.ends), length = at - from;
        if (length > sequence_shape::most_digits) return nullptr;
        std::uint32_t word = 0;
        std::memcpy(&word, p + from, sizeof word);
        *next = number_of(word, length);
        from = at + 1;
        if (at == shape.final) break;
    }
    to.finish(static_cast<std::size_t>(next - first) + (shape.final != 0 ? 1 : 0));
    return p + shape.final;
}

inline const char* scan_numbers(const char* p, const char* end, parameters& to) noexcept {
    const detail::sequence_shape shape = detail::shape_of(p, end);
    const char* const final = shape.final >= 0 ? detail::scan_block(p, shape, to) : nullptr;
    return final != nullptr ? final : detail::scan_digits(p, end, to);
}

} // namespace mux::vt
