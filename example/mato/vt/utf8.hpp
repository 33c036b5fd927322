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

/// Appends `code`; surrogates and values past U+10FFFF become U+FFFD.
void append_utf8(std::string& out, char32_t code);

/// Valid UTF-8 of the same text, ill-formed parts replaced, C0, DEL and C1 controls dropped.
[[nodiscard]] std::string printable_utf8(std::string_view bytes);

} // namespace mato::vt
