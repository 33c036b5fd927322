// SPDX-License-Identifier: MIT
#include "mixed_text.hpp"

#include "scan.hpp"
#include "unicode.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace mato::vt {

namespace {

// Unicode table 3-7: how many bytes the first one promises; 0: it begins nothing.
constexpr auto promised = [] {
    std::array<std::uint8_t, 256> table{};
    for (unsigned b = 0; b < 256; ++b) table[b] = b < 0x80 ? 1 : b < 0xc2 ? 0 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : b < 0xf5 ? 4 : 0;
    return table;
}();

struct shape {
    std::uint32_t payload; // the bits of the code point, in groups of six
    std::uint32_t least;   // a smaller one is overlong
    std::uint32_t seventh; // the bit of a single byte that the groups leave out
};
constexpr std::array<shape, 5> shapes = {
    {{0, 1, 0}, {0x3f, 0, 0x40}, {0x7ff, 0, 0}, {0xffff, 0x800, 0}, {0x1fffff, 0x10000, 0}}};

constexpr std::array<std::uint32_t, 5> markers = {0, 0, 0xc080, 0xe08080, 0xf0808080};

std::uint32_t big_endian(std::uint32_t v) noexcept {
    if constexpr (std::endian::native == std::endian::big) return v;
    return v << 24 | (v << 8 & 0xff0000) | (v >> 8 & 0xff00) | v >> 24;
}

std::uint32_t load4(const char* p) noexcept {
    std::uint32_t v = 0;
    std::memcpy(&v, p, sizeof v);
    return big_endian(v);
}

// Bit i: byte i begins a character. Sixteen bytes.
std::uint32_t beginnings(const char* p) noexcept {
#if defined(__SSE2__)
    // Continuation bytes are 0x80 to 0xbf: signed, everything below -64.
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpgt_epi8(v, _mm_set1_epi8(-65))));
#else
    std::uint32_t mask = 0;
    for (unsigned i = 0; i < 16; ++i) mask |= std::uint32_t{(static_cast<unsigned char>(p[i]) & 0xc0) != 0x80} << i;
    return mask;
#endif
}

std::uint32_t lowest_bit(std::uint32_t nonzero) noexcept {
#if defined(__GNUC__)
    return static_cast<std::uint32_t>(__builtin_ctz(nonzero)); // without the test for zero that std::countr_zero makes
#else
    return static_cast<std::uint32_t>(std::countr_zero(nonzero));
#endif
}

void put_pair(char* to, std::uint32_t v) noexcept {
    to[0] = static_cast<char>(v);
    to[1] = static_cast<char>(v >> 8);
}

std::uint32_t pair_of(unit u) noexcept { return u == units::tail ? std::uint32_t{pair_tail} : u & units::code_mask & 0xffff; }

// What a pair of bytes cannot say by itself: both halves of each character past U+FFFF.
bool put_surrogates(const unit* units, std::size_t count, char* to) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t code = units[i] & units::code_mask;
        if (code <= 0xffff) continue;
        if ((units[i] & units::wide) == 0) return false;
        put_pair(to + 2 * i, 0xd800 | (code - 0x10000) >> 10);
        put_pair(to + 2 * i + 2, 0xdc00 | (code & 0x3ff));
    }
    return true;
}

bool all_plain_ahead(const char* p) noexcept {
    std::uint64_t v = 0;
    std::memcpy(&v, p, sizeof v);
    return (v & 0x8080808080808080u) == 0;
}

} // namespace

decoded_run decode_mixed(const char* const begin, const char* const end, unit* to, int room) noexcept {
    const char* p = begin;
    int c = 0;
    // A block is sixteen bytes. The last character that begins in it is left for the next, where its length is known.
    while (end - p >= 16) {
        std::uint32_t starts = beginnings(p);
        if ((starts & 1) == 0 || all_plain_ahead(p)) break;
        const char* const block = p;
        std::uint32_t at = 0;
        for (starts &= starts - 1; starts != 0; starts &= starts - 1) {
            const std::uint32_t next = lowest_bit(starts);
            const std::uint32_t length = next - at;
            const std::uint32_t first = static_cast<unsigned char>(block[at]);
            if (promised[first] != length) return {static_cast<int>(p - begin), c};
            // Loaded so that its last byte is lowest; what was before it is masked away.
            const std::uint32_t x =
                block + next - begin >= 4 ? load4(block + next - 4) : load4(block + at) >> (32 - 8 * length);
            const std::uint32_t spread = (x & 0x3f) | (x >> 2 & 0xfc0) | (x >> 4 & 0x3f000) | (x >> 6 & 0x1c0000);
            const std::uint32_t code = (spread & shapes[length].payload) | (first & shapes[length].seventh);
            if ((code < shapes[length].least) | (code > 0x10ffff)) return {static_cast<int>(p - begin), c};
            const auto width = static_cast<std::uint32_t>(width_of(code)); // 0 for controls and surrogates too
            if (width == 0 || c + 2 > room) return {static_cast<int>(p - begin), c};
            to[c + static_cast<int>(width) - 1] = units::tail;
            to[c] = code | (width - 1) << 30;
            c += static_cast<int>(width);
            p = block + next;
            at = next;
        }
        if (p == block) break; // one character alone fills it: it is ill-formed
    }
    return {static_cast<int>(p - begin), c};
}

bool encode_pairs(const unit* units, std::size_t count, char* to) noexcept {
    if (count > 0 && (units[count - 1] & units::wide) != 0) return false; // its right half is cut off
    std::size_t i = 0;
    unit seen = 0;
#if defined(__SSE2__)
    const __m128i code = _mm_set1_epi32(units::code_mask), tail = _mm_set1_epi32(units::tail), one = _mm_set1_epi32(pair_tail);
    const auto narrow = [&](__m128i v) { // sign-extended, so that the saturating pack keeps all sixteen bits
        const __m128i is_tail = _mm_cmpeq_epi32(v, tail);
        const __m128i bits = _mm_or_si128(_mm_and_si128(v, code), _mm_and_si128(is_tail, one));
        return _mm_srai_epi32(_mm_slli_epi32(bits, 16), 16);
    };
    __m128i all = _mm_setzero_si128();
    for (; i + 8 <= count; i += 8) {
        const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(units + i));
        const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(units + i + 4));
        all = _mm_or_si128(all, _mm_or_si128(a, b));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 2 * i), _mm_packs_epi32(narrow(a), narrow(b)));
    }
    unit lanes[4];
    _mm_storeu_si128(reinterpret_cast<__m128i*>(lanes), all);
    seen = lanes[0] | lanes[1] | lanes[2] | lanes[3];
#endif
    for (; i < count; ++i) {
        seen |= units[i];
        put_pair(to + 2 * i, pair_of(units[i]));
    }
    if ((seen & units::cluster) != 0) return false;
    return (seen & units::code_mask) <= 0xffff || put_surrogates(units, count, to);
}

std::size_t mixed_bytes(const unit* units, std::size_t count) noexcept {
    std::uint32_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i) { // plain sums: the compiler makes vectors of them
        const std::uint32_t code = units[i] & units::code_mask;
        bytes += 1u + (code > 0x7f) + (code > 0x7ff) + (code > 0xffff);
    }
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

} // namespace mato::vt
