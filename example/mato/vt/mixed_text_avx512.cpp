// SPDX-License-Identifier: MIT
// decode_mixed and encode_pairs with AVX-512: as with AVX2, but for sixty-four bytes at a time and with masks as bits.
#include "mixed_window.hpp"

#if defined(__x86_64__) && defined(__GNUC__)

#include "mixed_classes.hpp"
#include "unicode.hpp"

#include <immintrin.h>

// No standard library below: its functions would be compiled for this processor only.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vbmi2,bmi,bmi2,popcnt"))), apply_to = function)
#else
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" // g++ 12: its own header leaves values undefined on purpose
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vbmi2,bmi,bmi2,popcnt")
#endif

#include "mixed_loop.hpp"

namespace mux::vt {

namespace {

using bytes = __m512i;
using bits = std::uint64_t; // one per byte

bytes each(std::uint32_t unit) noexcept { return _mm512_set1_epi32(static_cast<int>(unit)); }
bytes same(int b) noexcept { return _mm512_load_si512(detail::every_byte[static_cast<unsigned char>(b)].data()); }
bits equal(bytes v, int b) noexcept { return _mm512_cmpeq_epi8_mask(v, same(b)); }
bits at_least(bytes v, int b) noexcept { return _mm512_cmpge_epu8_mask(v, same(b)); }
bits at_most(bytes v, int b) noexcept { return _mm512_cmple_epu8_mask(v, same(b)); }
bytes left(bytes v, int n, int kept) noexcept {
    return _mm512_and_si512(_mm512_slli_epi16(v, static_cast<unsigned>(n)), same(kept));
}
bytes right(bytes v, int n, int kept) noexcept {
    return _mm512_and_si512(_mm512_srli_epi16(v, static_cast<unsigned>(n)), same(kept));
}
bytes both(bytes a, bytes b) noexcept { return _mm512_and_si512(a, b); }
bytes either(bytes a, bytes b) noexcept { return _mm512_or_si512(a, b); }
bits shared(bytes a, bytes b) noexcept { return _mm512_test_epi8_mask(a, b); }
bytes choose(bytes no, bytes yes, bits which) noexcept { return _mm512_mask_mov_epi8(no, which, yes); }
bytes look_up(const detail::digit_table& table, bytes digits) noexcept {
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(table.data()))), digits);
}

// Sixty-four bytes, and for each the lowest and middle byte and the plane of the code point that begins there.
struct characters {
    bytes low, high, plane;
    detail::byte_masks masks;
    bits wide = 0;
    bits unknown = 0; // the tables do not contain its width
};

void classify(characters& c) noexcept {
    const bytes first = right(c.high, 4, 0x0f), second = both(c.high, same(0x0f)), third = right(c.low, 4, 0x0f);
    const bytes block = both(look_up(detail::block_first, first), look_up(detail::block_second, second));
    const bytes part = both(both(look_up(detail::part_first, first), look_up(detail::part_second, second)),
                            look_up(detail::part_third, third));
    // U+3040, U+3097 to U+309A
    const bits kana_hole = equal(c.low, 0x40) | at_most(_mm512_sub_epi8(c.low, same(0x97)), 3);
    const bits hole = (equal(c.high, 0x30) & kana_hole) | (equal(c.high, 0xff) & equal(c.low, 0));
    const bits elsewhere = hole | c.masks.four;
    const bits in_wide_class = shared(block, same(detail::wide_block)) | shared(part, same(detail::wide_part));
    const bytes classes = either(block, part);
    const bits emoji = c.masks.four & equal(c.plane, 1) & equal(first, 0x0f) &
                       shared(look_up(detail::emoji_second, second), look_up(detail::emoji_third, third));
    c.wide = (in_wide_class & ~elsewhere) | emoji;
    c.unknown = (~shared(classes, classes) | elsewhere) & ~emoji;
}

// Reads at most `available` bytes; the others are zeros, which are controls.
void look_at(const char* p, std::ptrdiff_t available, characters& c) noexcept {
    const auto load = [p, available](int at) {
        const std::ptrdiff_t n = available - at;
        const bits there = detail::below(static_cast<int>(n <= 0 ? 0 : n < detail::window ? n : detail::window));
        return _mm512_maskz_loadu_epi8(there, p + at);
    };
    const bytes v = load(0), next = load(1), after = load(2), last = load(3);
    const bits two = at_least(v, 0xc0), three = at_least(v, 0xe0), four = at_least(v, 0xf0);
    const bits control = at_most(v, 0x1f) | equal(v, 0x7f);
    const bits nowhere = equal(both(v, same(0xfe)), 0xc0) | at_least(v, 0xf5);
    const bits overlong = equal(v, 0xe0) & _mm512_cmplt_epi8_mask(next, same(0xa0)); // signed, as continuation bytes are
    c.masks = {_mm512_cmpgt_epi8_mask(v, same(-65)), control | nowhere | overlong, two, three, four};

    // The character for one, two, three and four bytes.
    c.low = choose(v, either(left(v, 6, 0xc0), both(next, same(0x3f))), two);
    c.low = choose(c.low, either(left(next, 6, 0xc0), both(after, same(0x3f))), three);
    c.low = choose(c.low, either(left(after, 6, 0xc0), both(last, same(0x3f))), four);
    c.high = _mm512_maskz_mov_epi8(two, right(v, 2, 0x07));
    c.high = choose(c.high, either(left(v, 4, 0xf0), right(next, 2, 0x0f)), three);
    c.high = choose(c.high, either(left(next, 4, 0xf0), right(after, 2, 0x0f)), four);
    c.plane = _mm512_maskz_mov_epi8(four, either(left(v, 2, 0x1c), right(next, 4, 0x03)));
    classify(c);
}

// The code point of the well-formed character at `p`, with the length given by the masks; 0 if it is invalid after all.
std::uint32_t code_at(const char* p) noexcept {
    const auto part = [p](int i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(p[i])) & 0x3f; };
    const auto b = static_cast<unsigned char>(*p);
    if (b < 0x80) return b;
    if (b < 0xe0) return (b & 0x1fu) << 6 | part(1);
    if (b < 0xf0) return (b & 0xfu) << 12 | part(1) << 6 | part(2);
    const std::uint32_t code = (b & 7u) << 18 | part(1) << 12 | part(2) << 6 | part(3);
    return code - 0x10000 < 0x100000 ? code : 0; // overlong, or above U+10FFFF
}

// Resolves what the classes leave open. @returns the place of a character without its own column, else `count`
int resolve_unknown_widths(const char* p, characters& c, int count) noexcept {
    for (bits rest = c.unknown & c.masks.begins & detail::below(count); rest != 0; rest &= rest - 1) {
        const int at = lowest_bit(rest), width = width_of(code_at(p + at));
        if (width == 0) return at;
        c.wide |= bits{static_cast<unsigned>(width) - 1u} << at;
    }
    return count;
}

// Writes the `kept` units, `found` of them, one after the other.
void put_units(const characters& c, bits kept, int found, unit* to) noexcept {
    static_assert(units::wide == 0x40u << 24 && units::tail == 0x20u << 24);
    constexpr int step = 16, plane_kept = 0x1f, flags_kept = 0xe0;
    const bits tail = c.wide << 1;
    alignas(64) unsigned char low[detail::window], high[detail::window], rest[detail::window];
    const auto squeeze = [kept](bits which, bytes v) {
        return _mm512_maskz_compress_epi8(kept, _mm512_maskz_mov_epi8(which, v));
    };
    _mm512_store_si512(low, squeeze(~tail, c.low));
    _mm512_store_si512(high, squeeze(~tail, c.high));
    const bytes plane = either(c.plane, _mm512_maskz_mov_epi8(c.wide, same(units::wide >> 24)));
    _mm512_store_si512(rest, squeeze(~bits{0}, choose(plane, same(units::tail >> 24), tail)));
    for (int at = 0; at < found; at += step) {
        const auto wider = [at](const unsigned char* from) {
            return _mm512_cvtepu8_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(from + at)));
        };
        const bytes r = wider(rest);
        const bytes code = either(wider(low), _mm512_slli_epi32(wider(high), 8));
        const bytes above =
            either(_mm512_slli_epi32(both(r, each(plane_kept)), 16), _mm512_slli_epi32(both(r, each(flags_kept)), 24));
        const int left_over = found - at;
        const auto some = static_cast<__mmask16>(left_over >= step ? 0xffff : (1u << left_over) - 1);
        _mm512_mask_storeu_epi32(to + at, some, either(code, above));
    }
}

struct avx512_scan {
    using characters = vt::characters;

    static void look(const char* p, std::ptrdiff_t available, characters& c) noexcept { look_at(p, available, c); }
    static int resolve(const char* p, characters& c, int count) noexcept { return resolve_unknown_widths(p, c, count); }
    static int bit_number(bits from, int n) noexcept { return lowest_bit(_pdep_u64(bits{1} << n, from)); }
    static void put(const characters& c, bits kept, int found, unit* to, std::size_t) noexcept {
        put_units(c, kept, found, to);
    }
};

} // namespace

decoded_run detail::decode_mixed_avx512(const char* p, const char* end, unit* to, int room, std::size_t scratch) noexcept {
    return decode_windows<avx512_scan>(p, end, to, room, scratch);
}

// Sixteen units per step. Each lane has the unit's own value, or the lower surrogate of the previous unit.
std::optional<std::size_t> detail::encode_pairs_avx512(const unit* units, std::size_t count, char* to) noexcept {
    constexpr std::size_t step = 16;
    if (count > 0 && (units[count - 1] & units::wide) != 0) return std::nullopt; // its right half is cut off
    bytes before = _mm512_setzero_si512();
    unsigned impossible = 0;
    int saved = 0;
    for (std::size_t i = 0; i < count; i += step) {
        const auto there = static_cast<__mmask16>(count - i >= step ? 0xffff : (1u << (count - i)) - 1);
        const bytes u = _mm512_maskz_loadu_epi32(there, units + i), code = both(u, each(units::code_mask));
        const __mmask16 past = _mm512_cmpgt_epu32_mask(code, each(0xffff));
        impossible |= _mm512_test_epi32_mask(u, each(units::cluster)) | (past & _mm512_testn_epi32_mask(u, each(units::wide)));
        const bytes own = _mm512_mask_mov_epi32(code, _mm512_test_epi32_mask(u, each(units::tail)), each(pair_tail));
        const bytes upper = _mm512_mask_add_epi32(own, past, _mm512_srli_epi32(code, 10), each(0xd800 - (0x10000 >> 10)));
        const bytes lower = _mm512_maskz_or_epi32(past, both(code, each(0x3ff)), each(0xdc00));
        const bytes pairs = _mm512_max_epu32(upper, _mm512_alignr_epi32(lower, before, step - 1));
        _mm512_mask_cvtepi32_storeu_epi16(to + 2 * i, there, pairs);
        before = lower;
        // Three bytes each, except for those that need fewer: two surrogates make four and a mark.
        const auto one = static_cast<unsigned>(_mm512_mask_cmple_epu32_mask(there, pairs, each(0x7f)));
        const auto two = static_cast<unsigned>(_mm512_mask_cmple_epu32_mask(there, pairs, each(0x7ff)));
        saved += __builtin_popcountll(std::uint64_t{one} << 32 | two << 16 | past);
    }
    if (impossible != 0) return std::nullopt;
    return 3 * count - static_cast<std::size_t>(saved);
}

} // namespace mux::vt

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
