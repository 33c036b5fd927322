// SPDX-License-Identifier: MIT
// decode_mixed with AVX2: determines the widths of thirty-two bytes together and removes continuation bytes, so that nothing is
// done per character.
#include "mixed_classes.hpp"
#include "mixed_text.hpp"
#include "mixed_window.hpp"
#include "processor.hpp"
#include "unicode.hpp"

#include <array>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__)
#define MATO_HAS_AVX2_DECODER
#include <immintrin.h>
#endif

namespace mux::vt {

namespace {
constexpr mixed_codec portable = {detail::decode_mixed_portably, detail::encode_pairs_portably};
}

#if defined(MATO_HAS_AVX2_DECODER)

namespace {

using detail::below;
using detail::every_byte;
using detail::lookahead;
using detail::window;

constexpr int half = 32;
// The upper half of a unit, for a character and for a right half.
constexpr std::uint16_t wide_mark_high = units::wide >> 16, tail_high = units::tail >> 16;

// The bytes before compaction: the lower and the upper half of the unit that begins at each byte.
struct unpacked {
    alignas(half) std::uint16_t low[window];
    alignas(half) std::uint16_t high[window];
    detail::byte_masks masks;
    std::uint64_t wide = 0;
    std::uint64_t unknown = 0; // the tables here do not contain its width
};

// Eight lanes of two bytes: moves the lanes whose bit is set to the front.
using lane_order = std::array<std::uint8_t, 16>;
constexpr std::array<lane_order, 256> make_squeeze() noexcept {
    std::array<lane_order, 256> all{};
    for (unsigned bits = 0; bits < 256; ++bits) {
        std::size_t to = 0;
        for (unsigned lane = 0; lane < 8; ++lane) {
            if ((bits >> lane & 1) == 0) continue;
            all[bits][to++] = static_cast<std::uint8_t>(2 * lane);
            all[bits][to++] = static_cast<std::uint8_t>(2 * lane + 1);
        }
    }
    return all;
}
alignas(16) constexpr std::array<lane_order, 256> squeeze = make_squeeze();

} // namespace

// No standard library below: its functions would be compiled for this processor only.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,popcnt"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,popcnt")
#endif

} // namespace mux::vt

#include "mixed_loop.hpp"

namespace mux::vt {

namespace {

using bytes = __m256i;

bytes same(int b) noexcept {
    return _mm256_load_si256(reinterpret_cast<const bytes*>(every_byte[static_cast<unsigned char>(b)].data()));
}
bytes equal(bytes v, int b) noexcept { return _mm256_cmpeq_epi8(v, same(b)); }
bytes at_least(bytes v, int b) noexcept { return _mm256_cmpeq_epi8(_mm256_max_epu8(v, same(b)), v); }
bytes at_most(bytes v, int b) noexcept { return _mm256_cmpeq_epi8(_mm256_min_epu8(v, same(b)), v); }
bytes left(bytes v, int n, int kept) noexcept { return _mm256_and_si256(_mm256_slli_epi16(v, n), same(kept)); }
bytes right(bytes v, int n, int kept) noexcept { return _mm256_and_si256(_mm256_srli_epi16(v, n), same(kept)); }
bytes both(bytes a, bytes b) noexcept { return _mm256_and_si256(a, b); }
bytes either(bytes a, bytes b) noexcept { return _mm256_or_si256(a, b); }
bytes but(bytes a, bytes b) noexcept { return _mm256_andnot_si256(b, a); }
bytes choose(bytes no, bytes yes, bytes which) noexcept { return _mm256_blendv_epi8(no, yes, which); }
bytes load(const char* p) noexcept { return _mm256_loadu_si256(reinterpret_cast<const bytes*>(p)); }
std::uint64_t mask(bytes v) noexcept { return static_cast<std::uint32_t>(_mm256_movemask_epi8(v)); }
bytes look_up(const detail::digit_table& table, bytes digits) noexcept {
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(table.data()))),
                               digits);
}

// Unpacking works in each half of the register: this order makes the results consecutive.
bytes spread(bytes v) noexcept { return _mm256_permute4x64_epi64(v, 0xd8); }

struct width_classes {
    bytes wide;
    bytes unknown;
};

// For code points with the digits `plane`, `high`, `low`; `four` where they are above the BMP.
width_classes classify(bytes plane, bytes high, bytes low, bytes four) noexcept {
    const bytes first = right(high, 4, 0x0f), second = both(high, same(0x0f)), third = right(low, 4, 0x0f);
    const bytes block = both(look_up(detail::block_first, first), look_up(detail::block_second, second));
    const bytes part = both(both(look_up(detail::part_first, first), look_up(detail::part_second, second)),
                            look_up(detail::part_third, third));
    const bytes kana_hole = either(equal(low, 0x40), at_most(_mm256_sub_epi8(low, same(0x97)), 3)); // U+3040, U+3097 to U+309A
    const bytes hole = either(both(equal(high, 0x30), kana_hole), both(equal(high, 0xff), equal(low, 0)));
    const bytes elsewhere = either(hole, four);
    const bytes not_wide = equal(either(both(block, same(detail::wide_block)), both(part, same(detail::wide_part))), 0);
    const bytes in_none = equal(either(block, part), 0);

    const bytes emoji_class = both(look_up(detail::emoji_second, second), look_up(detail::emoji_third, third));
    const bytes emoji = but(both(both(four, equal(plane, 1)), equal(first, 0x0f)), equal(emoji_class, 0));
    return {either(but(same(0xff), either(not_wide, elsewhere)), emoji), but(either(in_none, elsewhere), emoji)};
}

// Reads 32 bytes and `lookahead` more. `before`: the bytes before `p` that begin a wide character; returns those of this block.
bytes look_at(const char* p, int at, bytes before, unpacked& out) noexcept {
    const bytes v = load(p + at), next = load(p + at + 1), after = load(p + at + 2), last = load(p + at + 3);
    const bytes two = at_least(v, 0xc0), three = at_least(v, 0xe0), four = at_least(v, 0xf0);
    const bytes control = either(at_most(v, 0x1f), equal(v, 0x7f));
    const bytes nowhere = either(equal(both(v, same(0xfe)), 0xc0), at_least(v, 0xf5));
    const bytes overlong = both(equal(v, 0xe0), _mm256_cmpgt_epi8(same(0xa0), next));

    // The character for one, two, three and four bytes.
    bytes low = choose(v, either(left(v, 6, 0xc0), both(next, same(0x3f))), two);
    low = choose(low, either(left(next, 6, 0xc0), both(after, same(0x3f))), three);
    low = choose(low, either(left(after, 6, 0xc0), both(last, same(0x3f))), four);
    bytes high = both(two, right(v, 2, 0x07));
    high = choose(high, either(left(v, 4, 0xf0), right(next, 2, 0x0f)), three);
    high = choose(high, either(left(next, 4, 0xf0), right(after, 2, 0x0f)), four);
    bytes plane = both(four, either(left(v, 2, 0x1c), right(next, 4, 0x03)));

    const width_classes width = classify(plane, high, low, four);
    // The byte after one that begins a wide character is its right half.
    const bytes tail = _mm256_alignr_epi8(width.wide, _mm256_permute2x128_si256(before, width.wide, 0x21), 15);
    const bytes flags = either(both(width.wide, same(wide_mark_high >> 8)), both(tail, same(tail_high >> 8)));
    low = spread(but(low, tail));
    high = spread(but(high, tail));
    plane = spread(but(plane, tail));
    const bytes upper = spread(flags);
    auto* const lows = reinterpret_cast<bytes*>(out.low + at);
    auto* const highs = reinterpret_cast<bytes*>(out.high + at);
    _mm256_store_si256(lows, _mm256_unpacklo_epi8(low, high));
    _mm256_store_si256(lows + 1, _mm256_unpackhi_epi8(low, high));
    _mm256_store_si256(highs, _mm256_unpacklo_epi8(plane, upper));
    _mm256_store_si256(highs + 1, _mm256_unpackhi_epi8(plane, upper));

    detail::byte_masks& m = out.masks;
    m.begins |= mask(_mm256_cmpgt_epi8(v, same(-65))) << at; // signed: continuation bytes are everything below -64
    m.stops |= mask(either(either(control, nowhere), overlong)) << at;
    m.two |= mask(two) << at;
    m.three |= mask(three) << at;
    m.four |= mask(four) << at;
    out.wide |= mask(width.wide) << at;
    out.unknown |= mask(width.unknown) << at;
    return width.wide;
}

// Writes the units whose bits are set in `kept`, one after the other, and seven more.
void squeeze_units(const unpacked& from, std::uint64_t kept, unit* to) noexcept {
    for (int at = 0; kept != 0; at += 8, kept >>= 8) {
        const std::size_t bits = kept & 0xff;
        const __m128i order = _mm_load_si128(reinterpret_cast<const __m128i*>(squeeze[bits].data()));
        const __m128i low = _mm_shuffle_epi8(_mm_load_si128(reinterpret_cast<const __m128i*>(from.low + at)), order);
        const __m128i high = _mm_shuffle_epi8(_mm_load_si128(reinterpret_cast<const __m128i*>(from.high + at)), order);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_unpacklo_epi16(low, high));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 4), _mm_unpackhi_epi16(low, high));
        to += __builtin_popcountll(bits);
    }
}

// Resolves what the classes leave open. @returns the place of a character without its own column, else `count`
int resolve_unknown_widths(unpacked& u, int count) noexcept {
    for (std::uint64_t rest = u.unknown & u.masks.begins & below(count); rest != 0; rest &= rest - 1) {
        const int at = lowest_bit(rest);
        const std::uint32_t code = u.low[at] | static_cast<std::uint32_t>(u.high[at]) << 16;
        const bool is_past_bmp = (u.masks.four >> at & 1) != 0; // otherwise overlong, or above U+10FFFF
        const int width = is_past_bmp && code - 0x10000 >= 0x100000 ? 0 : width_of(code);
        if (width == 0) return at;
        if (width == 1) continue;
        u.wide |= std::uint64_t{1} << at;
        u.high[at] |= wide_mark_high;
        u.low[at + 1] = 0;
        u.high[at + 1] = tail_high;
    }
    return count;
}

struct avx2_scan {
    using characters = unpacked;

    static void look(const char* p, std::ptrdiff_t available, unpacked& u) noexcept {
        char padded[window + half]; // zeros are controls, so reading stops at the end
        if (available < window + lookahead) {
            std::memset(padded, 0, sizeof padded);
            std::memcpy(padded, p, static_cast<std::size_t>(available));
            p = padded;
        }
        bytes wide = _mm256_setzero_si256();
        for (int at = 0; at < window && u.masks.stops == 0; at += half) wide = look_at(p, at, wide, u);
    }
    static int resolve(const char*, unpacked& u, int count) noexcept { return resolve_unknown_widths(u, count); }
    static int bit_number(std::uint64_t bits, int n) noexcept {
        for (; n > 0; --n) bits &= bits - 1;
        return lowest_bit(bits);
    }
    static void put(const unpacked& u, std::uint64_t kept, int found, unit* to, std::size_t scratch) noexcept {
        if (scratch >= static_cast<std::size_t>(found) + 8) return squeeze_units(u, kept, to);
        unit exact[window + 8];
        squeeze_units(u, kept, exact);
        std::memcpy(to, exact, static_cast<std::size_t>(found) * sizeof(unit));
    }
};

decoded_run decode_mixed_avx2(const char* p, const char* end, unit* to, int room, std::size_t scratch) noexcept {
    return decode_windows<avx2_scan>(p, end, to, room, scratch);
}

bytes pack(bytes first, bytes second) noexcept { return spread(_mm256_packus_epi32(first, second)); }
bytes same_pair(int v) noexcept { return _mm256_set1_epi16(static_cast<short>(v)); }

// Sixteen units per step; the last step takes the last sixteen and counts only the new ones.
std::optional<std::size_t> encode_pairs_avx2(const unit* units, std::size_t count, char* to) noexcept {
    constexpr std::size_t step = 16;
    static_assert(pair_tail == 1 && units::tail == 1u << 29);
    alignas(half) static constexpr std::int16_t ramp[2 * step] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    if (count < step) return detail::encode_pairs_portably(units, count, to);
    if ((units[count - 1] & units::wide) != 0) return std::nullopt; // its right half is cut off
    const bytes zero = _mm256_setzero_si256(), low_half = _mm256_set1_epi32(0xffff);
    bytes seen = zero, narrow_past = zero, shorter = zero, fresh = same_pair(-1);
    for (std::size_t i = 0;;) {
        const bytes first = _mm256_loadu_si256(reinterpret_cast<const bytes*>(units + i));
        const bytes second = _mm256_loadu_si256(reinterpret_cast<const bytes*>(units + i + step / 2));
        const bytes low = pack(both(first, low_half), both(second, low_half));
        const bytes high = pack(_mm256_srli_epi32(first, 16), _mm256_srli_epi32(second, 16));
        seen = either(seen, high);
        const bytes plane = both(high, same_pair(0x1f)), past = _mm256_cmpgt_epi16(plane, zero);
        const bytes is_wide = _mm256_srai_epi16(_mm256_slli_epi16(high, 1), 15);
        narrow_past = either(narrow_past, but(past, is_wide));
        const bytes own = either(low, both(_mm256_srli_epi16(high, 13), same_pair(1)));
        // A wide character above U+FFFF: the upper surrogate in its place, the lower one in that of its right half.
        const bytes upper = _mm256_add_epi16(either(_mm256_slli_epi16(plane, 6), _mm256_srli_epi16(low, 10)),
                                             same_pair(0xd800 - (0x10000 >> 10)));
        const bytes lower = both(past, either(both(low, same_pair(0x3ff)), same_pair(0xdc00)));
        const unit before = i > 0 ? units[i - 1] & units::code_mask : 0;
        const int carried = before > 0xffff ? static_cast<int>(0xdc00 | (before & 0x3ff)) : 0;
        const bytes shifted = either(_mm256_alignr_epi8(lower, _mm256_permute2x128_si256(lower, lower, 0x08), 14),
                                     _mm256_zextsi128_si256(_mm_cvtsi32_si128(carried)));
        const bytes pairs = _mm256_max_epu16(choose(own, upper, past), shifted);
        _mm256_storeu_si256(reinterpret_cast<bytes*>(to + 2 * i), pairs);
        // Three bytes each, except for those that need fewer: two surrogates make four and a mark.
        const bytes is_one = _mm256_cmpeq_epi16(_mm256_min_epu16(pairs, same_pair(0x7f)), pairs);
        const bytes is_two = _mm256_cmpeq_epi16(_mm256_min_epu16(pairs, same_pair(0x7ff)), pairs);
        const bytes saved = _mm256_add_epi16(_mm256_add_epi16(is_one, is_two), past);
        shorter = _mm256_sub_epi16(shorter, both(fresh, saved));
        i += step;
        if (i == count) break;
        if (i + step <= count) continue;
        fresh = _mm256_loadu_si256(reinterpret_cast<const bytes*>(ramp + (count - i)));
        i = count - step;
    }
    constexpr std::uint64_t cluster_bits = 0xaaaaaaaa; // the upper byte of each pair
    if ((mask(seen) & cluster_bits) != 0 || mask(narrow_past) != 0) return std::nullopt;
    alignas(half) std::uint32_t sums[8];
    _mm256_store_si256(reinterpret_cast<bytes*>(sums), _mm256_madd_epi16(shorter, same_pair(1)));
    std::size_t bytes_needed = 3 * count;
    for (const std::uint32_t s : sums) bytes_needed -= s;
    return bytes_needed;
}

} // namespace

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

std::span<const mixed_codec> mixed_codecs() noexcept {
    static constexpr mixed_codec all[] = {
        portable, {decode_mixed_avx2, encode_pairs_avx2}, {detail::decode_mixed_avx512, detail::encode_pairs_avx512}};
    return std::span(all).first(!detail::has_avx2() ? 1 : !detail::has_avx512() ? 2 : 3);
}

#else

std::span<const mixed_codec> mixed_codecs() noexcept {
    static constexpr mixed_codec all[] = {portable};
    return all;
}

#endif

} // namespace mux::vt
