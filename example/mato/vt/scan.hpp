// SPDX-License-Identifier: MIT
/// @file scan.hpp: finds and copies runs of plain bytes sixteen at a time.
/// Layer: vt core.  Test: test/mato/vt/text_test.cpp (every function against its one-byte definition).
/// Threads: pure functions.   Blocks: never.
/// SSE2 if the compiler's baseline has it, else portable words of eight bytes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace mux::vt {

/// 0x20 to 0x7e: one column, one unit, no decoding.
[[nodiscard]] inline bool is_plain(char byte) noexcept { return static_cast<unsigned char>(byte) - 0x20u < 0x5fu; }

/// A byte that may end a control string: C0 (BEL, CAN, SUB, ESC).
[[nodiscard]] inline bool stops_string(char byte) noexcept { return static_cast<unsigned char>(byte) < 0x20; }

/// The position of the lowest set bit.
inline int lowest_bit(std::uint64_t nonzero) noexcept {
#if defined(__GNUC__)
    return __builtin_ctzll(nonzero); // without the test for zero in std::countr_zero
#else
    return std::countr_zero(nonzero);
#endif
}

/// Copies the plain bytes at `from` into units, at most `room` of them; returns how many. The first `scratch` units from `to`
/// may be overwritten with garbage past the counted ones.
std::size_t widen_plain(const char* from, const char* end, std::uint32_t* to, std::size_t room, std::size_t scratch) noexcept;

/// Converts the plain bytes at `from` to units; reads and writes plain_step of them. @returns how many are plain
inline constexpr std::size_t plain_step = 16;
std::size_t widen_step(const char* from, std::uint32_t* to) noexcept;

/// The first byte of [p, end) for which stops_string() holds, or `end`.
const char* find_string_stop(const char* p, const char* end) noexcept;

/// Narrows units to bytes if each is a plain character: below 0x80, and not an erased cell. @returns false if one is not;
/// `count` bytes then hold garbage.
bool narrow_plain(const std::uint32_t* units, std::size_t count, char* to) noexcept;

// ---- implementation ----

#if defined(__SSE2__)

namespace detail {

inline unsigned plain_mask(__m128i v) noexcept {
    // Signed: bytes of 0x80 and above are negative and fail like controls.
    const __m128i printable = _mm_cmpgt_epi8(v, _mm_set1_epi8(0x1f));
    const __m128i del = _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_andnot_si128(del, printable)));
}

/// All bits of each byte that is a decimal digit.
inline __m128i decimal_digits(__m128i v) noexcept {
    const __m128i value = _mm_sub_epi8(v, _mm_set1_epi8('0'));
    return _mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value);
}

inline void widen16(__m128i v, std::uint32_t* to) noexcept {
    const __m128i zero = _mm_setzero_si128();
    const __m128i low = _mm_unpacklo_epi8(v, zero), high = _mm_unpackhi_epi8(v, zero);
    auto* out = reinterpret_cast<__m128i*>(to);
    _mm_storeu_si128(out, _mm_unpacklo_epi16(low, zero));
    _mm_storeu_si128(out + 1, _mm_unpackhi_epi16(low, zero));
    _mm_storeu_si128(out + 2, _mm_unpacklo_epi16(high, zero));
    _mm_storeu_si128(out + 3, _mm_unpackhi_epi16(high, zero));
}

} // namespace detail

inline std::size_t widen_step(const char* from, std::uint32_t* to) noexcept {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    detail::widen16(v, to);
    return static_cast<std::size_t>(lowest_bit(~std::uint64_t{detail::plain_mask(v)}));
}

inline std::size_t widen_plain(const char* from, const char* end, std::uint32_t* to, std::size_t room,
                               std::size_t scratch) noexcept {
    std::size_t done = 0;
    const auto available = static_cast<std::size_t>(end - from);
    while (available - done >= 16) {
        const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + done));
        const unsigned mask = detail::plain_mask(v);
        if (mask == 0xffff && room - done >= 16) {
            detail::widen16(v, to + done);
            done += 16;
            continue;
        }
        auto run = static_cast<std::size_t>(std::countr_one(mask));
        if (run > room - done) run = room - done;
        if (scratch >= done + 16) {
            detail::widen16(v, to + done);
        } else {
            for (std::size_t i = 0; i < run; ++i) to[done + i] = static_cast<unsigned char>(from[done + i]);
        }
        return done + run;
    }
    const std::size_t most = room < available ? room : available;
    while (done < most && is_plain(from[done])) {
        to[done] = static_cast<unsigned char>(from[done]);
        ++done;
    }
    return done;
}

inline const char* find_string_stop(const char* p, const char* end) noexcept {
    for (; end - p >= 16; p += 16) {
        const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
        const auto mask = static_cast<unsigned>(_mm_movemask_epi8(control));
        if (mask != 0) return p + std::countr_zero(mask);
    }
    while (p < end && !stops_string(*p)) ++p;
    return p;
}

inline bool narrow_plain(const std::uint32_t* units, std::size_t count, char* to) noexcept {
    const auto four = [units](std::size_t at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(units + at)); };
    const auto eight = [&four](std::size_t at) { return _mm_packs_epi32(four(at), four(at + 4)); };
    // Both packs saturate: values below 1 or above 0x7f stay so in a signed byte.
    const auto plain = [](__m128i v) { return _mm_movemask_epi8(_mm_cmpgt_epi8(v, _mm_setzero_si128())); };
    const auto sixteen = [&](std::size_t at) {
        const __m128i v = _mm_packus_epi16(eight(at), eight(at + 8));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to + at), v);
        return plain(v) == 0xffff;
    };
    const auto half = [&](std::size_t at) {
        const __m128i both = eight(at), v = _mm_packus_epi16(both, both);
        _mm_storel_epi64(reinterpret_cast<__m128i*>(to + at), v);
        return plain(v) == 0xffff;
    };
    // The last ones may be done twice: their number is not a branch.
    if (count >= 16) {
        for (std::size_t i = 0; i + 16 <= count; i += 16)
            if (!sixteen(i)) return false;
        return sixteen(count - 16);
    }
    if (count >= 8) return half(0) && half(count - 8);
    std::uint32_t wrong = 0;
    for (std::size_t i = 0; i < count; ++i) {
        wrong |= units[i] - 1 >= 0x7f;
        to[i] = static_cast<char>(units[i]);
    }
    return wrong == 0;
}

#else

namespace detail {

inline constexpr std::uint64_t each_byte = 0x0101010101010101u;
inline constexpr std::uint64_t high_bits = 0x8080808080808080u;

inline std::uint64_t load8(const char* p) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, p, sizeof word);
    return word;
}

/// Sets the high bit of some byte if any byte of `word` may be below `bound` or above 0x7f; never the reverse.
inline bool may_be_below(std::uint64_t word, unsigned bound) noexcept {
    return (((word - each_byte * bound) | word) & high_bits) != 0;
}

} // namespace detail

inline std::size_t widen_step(const char* from, std::uint32_t* to) noexcept {
    std::size_t n = 0;
    for (; n < plain_step && is_plain(from[n]); ++n) to[n] = static_cast<unsigned char>(from[n]);
    return n;
}

inline std::size_t widen_plain(const char* from, const char* end, std::uint32_t* to, std::size_t room, std::size_t) noexcept {
    std::size_t done = 0;
    const auto available = static_cast<std::size_t>(end - from);
    const std::size_t most = room < available ? room : available;
    while (most - done >= 8) {
        const std::uint64_t word = detail::load8(from + done);
        if (detail::may_be_below(word, 0x20) || ((word + detail::each_byte) & detail::high_bits) != 0) break;
        for (int i = 0; i < 8; ++i)
            to[done + static_cast<std::size_t>(i)] = static_cast<unsigned char>(from[done + static_cast<std::size_t>(i)]);
        done += 8;
    }
    while (done < most && is_plain(from[done])) {
        to[done] = static_cast<unsigned char>(from[done]);
        ++done;
    }
    return done;
}

inline const char* find_string_stop(const char* p, const char* end) noexcept {
    while (end - p >= 8 && !detail::may_be_below(detail::load8(p), 0x20)) p += 8;
    while (p < end && !stops_string(*p)) ++p;
    return p;
}

inline bool narrow_plain(const std::uint32_t* units, std::size_t count, char* to) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        if (units[i] - 1 >= 0x7f) return false;
        to[i] = static_cast<char>(units[i]);
    }
    return true;
}

#endif

} // namespace mux::vt
