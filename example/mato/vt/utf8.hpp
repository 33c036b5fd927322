// SPDX-License-Identifier: MIT
/// @file utf8.hpp: UTF-8 in, one scalar value at a time, and out.
/// Layer: vt core.  Test: test/mato/vt/text_test.cpp.
/// Threads: pure functions.   Blocks: never.
/// Source: Unicode 15 table 3-7 (well-formed sequences) and 3.9 "Substitution of Maximal Subparts".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mato::vt {

inline constexpr char32_t replacement_character = 0xfffd;
inline constexpr int max_utf8_bytes = 4;

/// One step of decoding. `length` 0: the bytes are a proper beginning and more are needed.
struct decoded {
    char32_t code = 0;
    int length = 0;
};

/// Decodes the scalar value at `p`; what is ill-formed becomes one U+FFFD for each maximal subpart.
/// @pre `p < end`
[[nodiscard]] decoded decode_utf8(const char* p, const char* end) noexcept;

/// Writes `code`, a scalar value, as one to four bytes; returns what is behind them.
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

/// Appends `code`; surrogates and values past U+10FFFF become U+FFFD.
void append_utf8(std::string& out, char32_t code);

/// Valid UTF-8 of the same text, ill-formed parts replaced, C0, DEL and C1 controls dropped.
[[nodiscard]] std::string printable_utf8(std::string_view bytes);

} // namespace mato::vt
