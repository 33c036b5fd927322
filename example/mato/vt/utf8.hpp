// SPDX-License-Identifier: MIT
/// @file utf8.hpp: decodes and encodes UTF-8, one scalar value at a time.
/// Layer: vt core.  Test: test/mato/vt/text_test.cpp.
/// Threads: pure functions.   Blocks: never.
/// Source: Unicode 15 table 3-7 (well-formed sequences) and 3.9 "Substitution of Maximal Subparts".
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace mux::vt {

inline constexpr char32_t replacement_character = 0xfffd;
inline constexpr int max_utf8_bytes = 4;

/// ECMA-48 5.3: a C1 control character. UTF-8 terminals ignore it.
[[nodiscard]] constexpr bool is_c1(char32_t code) noexcept { return code >= 0x80 && code < 0xa0; }

/// Bytes of a well-formed character that begins with `first`; 1 for a byte that begins none.
[[nodiscard]] constexpr int utf8_size(char first) noexcept {
    const auto byte = static_cast<unsigned char>(first);
    return byte < 0xc2 || byte > 0xf4 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/// One step of decoding. `length` 0: the bytes are incomplete.
struct decoded {
    char32_t code = 0;
    int length = 0;
};

/// Decodes the scalar value at `p`; ill-formed bytes become one U+FFFD for each maximal subpart.
/// @pre `p < end`
[[nodiscard]] decoded decode_utf8(const char* p, const char* end) noexcept;

/// The last character of [p, end), found from the end and without a branch on its length.
/// @pre well-formed, and `p < end`
[[nodiscard]] inline char32_t last_character(const char* p, const char* end) noexcept {
    const auto byte_at = [](const char* at) { return std::uint32_t{static_cast<unsigned char>(*at)}; };
    std::uint32_t x = 0; // the last four bytes, the last one lowest
    if (end - p >= max_utf8_bytes)
        x = byte_at(end - 4) << 24 | byte_at(end - 3) << 16 | byte_at(end - 2) << 8 | byte_at(end - 1);
    else
        while (p < end) x = x << 8 | byte_at(p++);
    // Each continuation byte has a bit; those at the end belong to the character, and the lead byte's value has its place.
    constexpr std::uint32_t payloads[max_utf8_bytes] = {0x7f, 0x1f3f, 0x0f3f3f, 0x073f3f3f};
    const std::uint32_t continuing = (x >> 7 & ~x >> 6) & 0x00010101;
    const std::uint32_t own = x & payloads[std::countr_one(continuing | 0xfefefefe) >> 3];
    return (own & 0x7f) | (own >> 2 & 0xfc0) | (own >> 4 & 0x3f000) | (own >> 6 & 0x1c0000);
}

/// Writes the scalar value `code` as one to four bytes; returns the end.
inline char* put_utf8(char* to, char32_t code) noexcept {
    const auto put = [&to](std::uint32_t b) { *to++ = static_cast<char>(b); };
    const std::uint32_t c = code;
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xc0 | c >> 6);
        put(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        put(0xe0 | c >> 12);
        put(0x80 | (c >> 6 & 0x3f));
        put(0x80 | (c & 0x3f));
    } else {
        put(0xf0 | c >> 18);
        put(0x80 | (c >> 12 & 0x3f));
        put(0x80 | (c >> 6 & 0x3f));
        put(0x80 | (c & 0x3f));
    }
    return to;
}

/// Appends `code`; surrogates and values above U+10FFFF become U+FFFD.
void append_utf8(std::string& out, char32_t code);

/// The same text as valid UTF-8: ill-formed parts replaced, C0, DEL and C1 controls dropped.
[[nodiscard]] std::string printable_utf8(std::string_view bytes);

} // namespace mux::vt
