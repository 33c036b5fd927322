// SPDX-License-Identifier: MIT
/// @file utf8_length.hpp: the length of UTF-8 characters, and whether the last one is complete.
/// Pure.  Test: test/mato/utf8_length_test.cpp.
#pragma once

#include <mato/printable.hpp>

#include <cstddef>
#include <string_view>

namespace mux {

/// Bytes of the sequence at the start of `text`; 0 if it is empty, truncated, overlong, a surrogate, or above U+10FFFF (Unicode
/// 15, table 3-7).
[[nodiscard]] inline std::size_t utf8_length(std::string_view text) noexcept {
    const mato::text_character first = mato::first_character(text);
    return first.is_valid ? first.size : 0;
}

/// Bytes at the end of `text` that may be an incomplete character: 0 to 3.
[[nodiscard]] inline std::size_t utf8_unfinished(std::string_view text) noexcept {
    for (std::size_t size = 1; size <= 3 && size <= text.size(); ++size) {
        const auto first = static_cast<unsigned char>(text[text.size() - size]);
        if (first >= 0x80 && first < 0xc0) continue; // the lead byte is before it
        if (size == 1) return first >= 0xc2 && first <= 0xf4 ? 1 : 0;
        char whole[5] = {0, 0, 0, '\x80', '\x80'}; // with any tail; this checks whether its second byte is valid
        text.copy(whole + 3 - size, size, text.size() - size);
        return utf8_length({whole + 3 - size, size + 2}) > size ? size : 0;
    }
    return 0;
}

} // namespace mux
