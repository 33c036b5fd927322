// SPDX-License-Identifier: MIT
/// @file number_scan.hpp: reads the numbers of a control sequence, without branches on their digits.
/// Layer: vt core.  Test: test/mato/vt/sequence_scan_test.cpp (against the parser fed byte by byte).
/// Threads: pure functions.   Blocks: never.
///
/// The length of a number cannot be predicted, and a misprediction costs more than all the numbers of a sequence.
#pragma once

#include "parameters.hpp"
#include "scan.hpp"

namespace mux::vt {

/// Reads the numbers of a control sequence whose first byte after CSI, or after the prefix, is at `p`.
/// @returns its final byte; nothing, with garbage in `to`, if it contains anything except numbers and their separators before
/// that, or is not complete before `end`
const char* scan_numbers(const char* p, const char* end, parameters& to) noexcept;

namespace detail {

/// The same, one digit at a time.
const char* scan_digits(const char* p, const char* end, parameters& to) noexcept;

/// The ends of a sequence's numbers, as bits; bit i belongs to byte i.
struct sequence_shape {
    std::uint32_t ends = 0; ///< not a digit
    int final = -1;         ///< the first byte that is neither digit nor semicolon; negative: unknown, or not a final byte

    static constexpr int block = 32, most_digits = 4;
    static constexpr int lookahead = 8; ///< bytes after the block that may be read with it
};

/// The shape of the bytes at `p`, in one step; nothing unless a block and a few more bytes are before `end`.
sequence_shape shape_of(const char* p, const char* end) noexcept;

/// Two numbers of four digits, the first lowest, in each half of `digits`; zero bytes have no effect.
/// @returns each in the upper sixteen bits of its half, with garbage below them
inline std::uint64_t numbers_of_aligned(std::uint64_t digits) noexcept {
    constexpr std::uint64_t tens = 10 << 8 | 1, hundreds = 100 << 16 | 1;
    digits = ((digits & 0x0f0f'0f0f'0f0f'0f0f) * tens >> 8) & 0x00ff'00ff'00ff'00ff; // two digits each
    return digits * hundreds; // the overflow of the lower half, 100 times 99, does not reach the upper one
}

/// The `length` digits of `word`, first lowest, at most most_digits.
inline std::uint16_t number_of(std::uint32_t word, int length) noexcept {
    // The digits are moved to the top of the word, with zeros below: they become thousands to ones.
    const auto digits = static_cast<std::uint32_t>(std::uint64_t{word} << 8 * (sequence_shape::most_digits - length));
    return static_cast<std::uint16_t>(numbers_of_aligned(digits) >> 16);
}

/// scan_numbers() for the most common form: only semicolons, at most four digits; else nothing.
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
