// SPDX-License-Identifier: MIT
/// @file printable.hpp: escapes text of unknown origin, so that it cannot control a terminal.
/// Layer: 1 (vocabulary).  Test: test/toolkit/printable_test.cpp.
/// Threads: safe.   Pure.
/// Source: ECMA-48 (C0, C1), Unicode 15 table 3-7 (well-formed UTF-8) and UAX #9 section 2 (directional formatting).
#pragma once

#include "detail/abi.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace mato {
inline namespace MATO_ABI {

/// The first character of a text. Returned by `first_character`.
struct text_character {
    std::size_t size = 0;  ///< bytes; 0: the text is empty
    char32_t code = 0;     ///< the code point; of an invalid byte, the byte
    bool is_valid = false; ///< false: truncated, overlong, a surrogate, above U+10FFFF, or a lone byte; `size` is then 1
};
[[nodiscard]] constexpr text_character first_character(std::string_view text) noexcept;

/// Characters that control the terminal or change how a line is read, instead of being shown: C0, DEL, C1, the line and
/// paragraph separators, and the embeddings, overrides and isolates of bidirectional text.
[[nodiscard]] constexpr bool is_control(char32_t code) noexcept {
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

/// Whether the character must be escaped. Invalid bytes must be: a terminal that is not in UTF-8 mode reads 0x9b as CSI.
[[nodiscard]] constexpr bool needs_escape(const text_character& character) noexcept {
    return !character.is_valid || is_control(character.code);
}

/// Appends `text` with each byte of a character that needs it written as `\xNN`. Characters in `kept` are not escaped.
inline void append_printable(std::string& to, std::string_view text, std::string_view kept = {});
[[nodiscard]] inline std::string printable(std::string_view text, std::string_view kept = {}) {
    std::string result;
    append_printable(result, text, kept);
    return result;
}

// ---- implementation ----

constexpr text_character first_character(std::string_view text) noexcept {
    if (text.empty()) return {};
    const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
    const unsigned first = byte(0);
    if (first < 0x80) return {1, first, true};
    const text_character lone{1, first, false};
    const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    char32_t code = first & (0x7fu >> size);
    for (std::size_t at = 1; at < size; ++at) {
        if ((byte(at) & 0xc0) != 0x80) return lone;
        code = code << 6 | (byte(at) & 0x3f);
    }
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
    if (first < 0xc2 || code < smallest[size] || code > 0x10ffff || is_surrogate) return lone;
    return {size, code, true};
}

inline void append_printable(std::string& to, std::string_view text, std::string_view kept) {
    constexpr char digits[] = "0123456789abcdef";
    while (!text.empty()) {
        const text_character next = first_character(text);
        const std::string_view bytes = text.substr(0, next.size);
        if (!needs_escape(next) || kept.find(bytes) != std::string_view::npos)
            to.append(bytes);
        else
            for (const char each : bytes) {
                const auto value = static_cast<unsigned char>(each);
                const char shown[] = {'\\', 'x', digits[value >> 4], digits[value & 0xf]};
                to.append(shown, sizeof shown);
            }
        text.remove_prefix(next.size);
    }
}

} // namespace MATO_ABI
} // namespace mato
