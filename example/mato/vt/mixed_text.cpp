// SPDX-License-Identifier: MIT
#include "mixed_text.hpp"

#include "mixed_window.hpp"
#include "scan.hpp"
#include "unicode.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <optional>

namespace mux::vt {

namespace {

constexpr std::array<std::uint32_t, 5> markers = {0, 0, 0xc080, 0xe08080, 0xf0808080};

std::uint32_t big_endian(std::uint32_t v) noexcept {
    if constexpr (std::endian::native == std::endian::big) return v;
    return v << 24 | (v << 8 & 0xff0000) | (v >> 8 & 0xff00) | v >> 24;
}

using detail::below;
using detail::byte_masks;
using detail::lookahead;
using detail::window;

constexpr int group = 16;

// One group. `codes[i]`: the code point that begins at byte i, if any; 0 beyond the BMP. Reads `lookahead` bytes past the
// group.
byte_masks look(const char* p, std::uint16_t* codes) noexcept {
#if defined(__SSE2__)
    const auto load = [p](int at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + at)); };
    const auto same = [](int b) { return _mm_set1_epi8(static_cast<char>(b)); };
    const auto mask = [](__m128i v) { return static_cast<std::uint64_t>(_mm_movemask_epi8(v)); };
    const auto left = [same](__m128i v, int n, int kept) { return _mm_and_si128(_mm_slli_epi16(v, n), same(kept)); };
    const auto right = [same](__m128i v, int n, int kept) { return _mm_and_si128(_mm_srli_epi16(v, n), same(kept)); };
    const auto choose = [](__m128i which, __m128i yes, __m128i no) {
        return _mm_or_si128(_mm_and_si128(which, yes), _mm_andnot_si128(which, no));
    };
    const __m128i v = load(0), next = load(1);
    const auto at_least = [&](int b) { return _mm_cmpeq_epi8(_mm_max_epu8(v, same(b)), v); };
    const __m128i two = at_least(0xc0), three = at_least(0xe0), four = at_least(0xf0);
    const __m128i control = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(v, same(0x1f)), v), _mm_cmpeq_epi8(v, same(0x7f)));
    const __m128i nowhere = _mm_or_si128(_mm_cmpeq_epi8(_mm_and_si128(v, same(0xfe)), same(0xc0)), at_least(0xf5));
    const __m128i overlong = _mm_and_si128(_mm_cmpeq_epi8(v, same(0xe0)), _mm_cmpgt_epi8(same(0xa0), next));
    // The low and the high byte of each code, then both side by side.
    const __m128i second = _mm_and_si128(next, same(0x3f)), third = _mm_and_si128(load(2), same(0x3f));
    const __m128i low =
        choose(three, _mm_or_si128(left(second, 6, 0xc0), third), choose(two, _mm_or_si128(left(v, 6, 0xc0), second), v));
    const __m128i high =
        choose(three, _mm_or_si128(left(v, 4, 0xf0), right(second, 2, 0x0f)), _mm_and_si128(two, right(v, 2, 0x07)));
    const __m128i low_kept = _mm_andnot_si128(four, low), high_kept = _mm_andnot_si128(four, high);
    auto* const out = reinterpret_cast<__m128i*>(codes);
    _mm_storeu_si128(out, _mm_unpacklo_epi8(low_kept, high_kept));
    _mm_storeu_si128(out + 1, _mm_unpackhi_epi8(low_kept, high_kept));
    return {mask(_mm_cmpgt_epi8(v, same(-65))), // signed: continuation bytes are everything below -64
            mask(_mm_or_si128(_mm_or_si128(control, nowhere), overlong)), mask(two), mask(three), mask(four)};
#else
    byte_masks out;
    const auto byte = [p](int i) { return std::uint32_t{static_cast<unsigned char>(p[i])}; };
    for (int i = 0; i < group; ++i) {
        const std::uint32_t b = byte(i), second = byte(i + 1) & 0x3f, third = byte(i + 2) & 0x3f;
        const auto set = [i](std::uint64_t& mask, bool on) { mask |= std::uint64_t{on} << i; };
        set(out.begins, (b & 0xc0) != 0x80);
        set(out.stops, b < 0x20 || b == 0x7f || (b & 0xfe) == 0xc0 || b >= 0xf5 || (b == 0xe0 && byte(i + 1) < 0xa0));
        set(out.two, b >= 0xc0);
        set(out.three, b >= 0xe0);
        set(out.four, b >= 0xf0);
        const std::uint32_t of_three = (b & 0xf) << 12 | second << 6 | third;
        const std::uint32_t code = b < 0xc0 ? b : b < 0xe0 ? (b & 0x1f) << 6 | second : of_three;
        codes[i] = static_cast<std::uint16_t>(b >= 0xf0 ? 0 : code);
    }
    return out;
#endif
}

// Four bytes with correct marks. Those above U+10FFFF and overlong ones become 0.
std::uint32_t past_bmp(const char* p) noexcept {
    std::uint32_t code = static_cast<std::uint32_t>(static_cast<unsigned char>(p[0])) & 7;
    for (int i = 1; i < 4; ++i) code = code << 6 | (static_cast<unsigned char>(p[i]) & 0x3fu);
    return code - 0x10000 < 0x100000 ? code : 0;
}

void put_pair(char* to, std::uint32_t v) noexcept {
    to[0] = static_cast<char>(v);
    to[1] = static_cast<char>(v >> 8);
}

std::uint32_t pair_of(unit u) noexcept { return u == units::tail ? std::uint32_t{pair_tail} : u & units::code_mask & 0xffff; }

// What a pair of bytes does not show: both halves of a wide character above U+FFFF.
void put_surrogates(unit u, char* to) noexcept {
    const std::uint32_t code = u & units::code_mask;
    put_pair(to, 0xd800 | (code - 0x10000) >> 10);
    put_pair(to + 2, 0xdc00 | (code & 0x3ff));
}

bool is_past_bmp(unit u) noexcept { return (u & units::code_mask) > 0xffff; }

} // namespace

decoded_run detail::decode_mixed_portably(const char* const begin, const char* const end, unit* to, int room,
                                          std::size_t) noexcept {
    if (room < 2) return {};
    const char* p = begin;
    unit* out = to;
    unit* const last = to + room - 2; // a character of any width fits here
    const auto stopped_at = [&](const char* at) {
        return decoded_run{static_cast<int>(at - begin), static_cast<int>(out - to)};
    };
    for (;;) {
        char padded[window + group] = {}; // zeros are controls, so reading stops at the end
        const char* from = p;
        if (end - p < window + lookahead) {
            std::memcpy(padded, p, static_cast<std::size_t>(end - p));
            from = padded;
        }
        std::uint16_t codes[window];
        byte_masks m;
        for (int i = 0; i < window && m.stops == 0; i += group) {
            const byte_masks g = look(from + i, codes + i);
            m.begins |= g.begins << i;
            m.stops |= g.stops << i;
            m.two |= g.two << i;
            m.three |= g.three << i;
            m.four |= g.four << i;
        }
        const detail::extent taken = detail::whole_characters(m);
        for (std::uint64_t rest = m.begins & below(taken.bytes); rest != 0; rest &= rest - 1) {
            const auto at = static_cast<std::size_t>(lowest_bit(rest));
            std::uint32_t code = codes[at];
            auto width = static_cast<std::size_t>(width_of(code)); // 0 for controls and surrogates too
            if (width == 0) {
                if ((m.four >> at & 1) != 0) {
                    code = past_bmp(from + at);
                    width = static_cast<std::size_t>(width_of(code));
                }
                if (width == 0) return stopped_at(p + at);
            }
            if (out > last) return stopped_at(p + at);
            out[width - 1] = units::tail;
            *out = code | static_cast<unit>(width - 1) << 30;
            out += width;
        }
        p += taken.bytes;
        if (!taken.goes_on) return stopped_at(p);
    }
}

std::optional<std::size_t> detail::encode_pairs_portably(const unit* units, std::size_t count, char* to) noexcept {
    if (count > 0 && (units[count - 1] & units::wide) != 0) return std::nullopt; // its right half is cut off
    std::size_t i = 0, bytes = 0;
    unit seen = 0;
#if defined(__SSE2__)
    constexpr std::size_t step = 8;
    std::size_t counted = 0;
    const __m128i code = _mm_set1_epi32(units::code_mask), tail = _mm_set1_epi32(units::tail);
    static_assert(pair_tail == 1); // subtracting a mask of ones adds this
    const __m128i bmp = _mm_set1_epi32(0xffff), zero = _mm_setzero_si128();
    __m128i all = zero, fresh = _mm_set1_epi16(-1), shorter = zero;
    while (i < count && count >= step) {
        if (i + step > count) { // repeats the last ones: the result is the same, and only the new ones are counted
            alignas(16) static constexpr std::int16_t ramp[2 * step] = {0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1};
            fresh = _mm_loadu_si128(reinterpret_cast<const __m128i*>(ramp + (count - i)));
            i = count - step;
        }
        __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(units + i));
        __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(units + i + step / 2));
        all = _mm_or_si128(all, _mm_or_si128(low, high));
        const __m128i right = _mm_packs_epi32(_mm_cmpeq_epi32(low, tail), _mm_cmpeq_epi32(high, tail));
        low = _mm_and_si128(low, code);
        high = _mm_and_si128(high, code);
        const __m128i past = _mm_packs_epi32(_mm_cmpgt_epi32(low, bmp), _mm_cmpgt_epi32(high, bmp));
        // Sign-extended, so that the saturating pack keeps all sixteen bits.
        const auto narrow = [](__m128i v) { return _mm_srai_epi32(_mm_slli_epi32(v, 16), 16); };
        const __m128i pairs = _mm_sub_epi16(_mm_packs_epi32(narrow(low), narrow(high)), right);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 2 * i), pairs);
        // Three bytes each, except for those that need one or two fewer.
        const auto at_most = [&](short n) { return _mm_cmpeq_epi16(_mm_subs_epu16(pairs, _mm_set1_epi16(n)), zero); };
        shorter = _mm_sub_epi16(shorter, _mm_and_si128(fresh, _mm_add_epi16(at_most(0x7f), at_most(0x7ff))));
        // The right half of the block's last character is in the next block, which overwrites it.
        if (i > 0 && is_past_bmp(units[i - 1])) put_surrogates(units[i - 1], to + 2 * (i - 1));
        for (auto rest = static_cast<unsigned>(_mm_movemask_epi8(past)); rest != 0; rest &= rest - 1, rest &= rest - 1) {
            const std::size_t at = i + static_cast<std::size_t>(lowest_bit(rest)) / 2;
            if ((units[at] & units::wide) == 0) return std::nullopt;
            put_surrogates(units[at], to + 2 * at);
            bytes += at >= counted;
        }
        counted = i += step;
    }
    unit lanes[4];
    _mm_storeu_si128(reinterpret_cast<__m128i*>(lanes), all);
    seen = lanes[0] | lanes[1] | lanes[2] | lanes[3];
    _mm_storeu_si128(reinterpret_cast<__m128i*>(lanes), shorter);
    bytes += 3 * i;
    for (const unit two : lanes) bytes -= (two & 0xffff) + (two >> 16);
#endif
    while (i < count) {
        const unit u = units[i];
        seen |= u;
        const std::uint32_t c = u & units::code_mask;
        bytes += 1u + (c > 0x7f) + (c > 0x7ff) + (c > 0xffff);
        if (!is_past_bmp(u)) {
            put_pair(to + 2 * i++, pair_of(u));
            continue;
        }
        if ((u & units::wide) == 0) return std::nullopt;
        put_surrogates(u, to + 2 * i);
        ++bytes; // for its right half
        i += 2;
    }
    if ((seen & units::cluster) != 0) return std::nullopt;
    return bytes;
}

std::size_t encode_mixed(const unit* units, std::size_t count, char*& to) noexcept {
    static_assert(units::wide == 1u << 30 && units::tail == 1u << 29);
    char* out = to;
    std::size_t i = 0;
    for (; i < count; ++i) {
        const unit u = units[i];
        if (u == units::blank || (u & units::cluster) != 0) break;
        const std::uint32_t code = u & units::code_mask;
        const std::uint32_t shown = (u >> 29 & 1) ^ 1;
        const std::uint32_t length = (1u + (code > 0x7f) + (code > 0x7ff) + (code > 0xffff)) * shown;
        const std::uint32_t spread = (code & 0x3f) | (code << 2 & 0x3f00) | (code << 4 & 0x3f0000) | (code << 6 & 0x7000000);
        const std::uint32_t x = length <= 1 ? code : spread | markers[length];
        const std::uint32_t bytes = big_endian(static_cast<std::uint32_t>(std::uint64_t{x} << (32 - 8 * length)));
        *out = wide_mark;
        out += u >> 30 & 1;
        std::memcpy(out, &bytes, sizeof bytes);
        out += length;
    }
    to = out;
    return i;
}

namespace {

const mixed_codec fastest = mixed_codecs().back();

} // namespace

decoded_run decode_mixed(const char* p, const char* end, unit* to, int room, std::size_t scratch) noexcept {
    return fastest.decode(p, end, to, room, scratch);
}

std::optional<std::size_t> encode_pairs(const unit* units, std::size_t count, char* to) noexcept {
    return fastest.encode(units, count, to);
}

} // namespace mux::vt
