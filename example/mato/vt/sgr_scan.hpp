// SPDX-License-Identifier: MIT
/// @file sgr_scan.hpp: the most common SGR sequences, from their bytes directly to a style.
/// Layer: vt core.  Test: test/mato/vt/sequence_scan_test.cpp (against scan_digits() and apply_sgr()).
/// Threads: pure functions.   Blocks: never.
#pragma once

#include "number_scan.hpp"
#include "sgr.hpp"

namespace mux::vt {

/// "CSI 38;" or "CSI 48;". One branch: the first digits of a sequence cannot be predicted.
[[nodiscard]] inline bool begins_colour(const char* p, const char* end) noexcept {
    constexpr int length = 5;
    if (end - p < length) return false;
    const auto is = [p](const char* text) { return std::memcmp(p + 1, text, length - 1) == 0; };
    return (static_cast<int>(is("[38;")) | static_cast<int>(is("[48;"))) != 0;
}

/// Applies an SGR whose first byte after CSI is at `p`: numbers of one to three digits that stand alone, and palette colours as
/// "38;5;n" and "48;5;n".
/// @pre shape_of(p) returned `shape`, with a final byte 'm'
/// @returns the end of the sequence; null, with `pen` unchanged, if it contains anything else
const char* scan_sgr(const char* p, detail::sequence_shape shape, style& pen) noexcept;

namespace detail {

/// The same for the most common forms: nothing or "0", "38;5;n", "48;5;n", or both in this order.
const char* scan_common_sgr(const char* p, sequence_shape shape, style_words& pen) noexcept;

inline constexpr int palette_prefix = 5, palette_digits = 3; ///< "38;5;", and at most "255"

/// The first bytes of `text`, read as one word.
constexpr std::uint64_t prefix_word(const char (&text)[palette_prefix + 1]) noexcept {
    std::uint64_t word = 0;
    for (int i = 0; i < palette_prefix; ++i) word |= std::uint64_t{static_cast<unsigned char>(text[i])} << 8 * i;
    return word;
}

inline constexpr std::uint64_t foreground_prefix = prefix_word("38;5;"), background_prefix = prefix_word("48;5;");
inline constexpr std::uint64_t prefix_mask = 0xff'ffff'ffff;

} // namespace detail

// ---- implementation ----

inline const char* detail::scan_common_sgr(const char* p, sequence_shape shape, style_words& pen) noexcept {
    constexpr bool is_little = std::endian::native == std::endian::little;
    constexpr int foreground_shift = is_little ? 0 : 32, background_shift = 32 - foreground_shift;
    const auto value = [](std::uint64_t n) { return std::uint64_t{colour::indexed(static_cast<unsigned>(n)).value()}; };
    struct part {
        std::uint64_t prefix;
        std::uint64_t digits; // at the top of 32 bits
        int length;
    };
    const auto part_at = [p, &shape](int from) {
        std::uint64_t word = 0;
        std::memcpy(&word, p + from, sizeof word);
        const int length = lowest_bit(shape.ends >> from >> palette_prefix | std::uint64_t{1} << (palette_digits + 1));
        const std::uint64_t digits = (word >> 8 * palette_prefix) << 8 * (sequence_shape::most_digits - length);
        return part{word & prefix_mask, digits & 0xffff'ffff, length};
    };
    const auto is_short = [](const part& of) { return of.length >= 1 && of.length <= palette_digits; };
    if (shape.final <= 1 && (shape.final == 0 || *p == '0')) {
        style kept;
        kept.flags = attributes::is_protected;
        kept.link = static_cast<link_id>(-1);
        pen = {0, pen.rest & style_words::of(kept).rest};
        return p + shape.final + 1;
    }
    const part first = part_at(0);
    const int rest = palette_prefix + first.length;
    if (!is_short(first) || (first.prefix != foreground_prefix && first.prefix != background_prefix)) return nullptr;
    if (rest == shape.final) {
        const auto n = static_cast<unsigned>(numbers_of_aligned(first.digits) >> 16);
        if (n > 255) return nullptr;
        const int shift = first.prefix == foreground_prefix ? foreground_shift : background_shift;
        pen.colours = (pen.colours & ~(std::uint64_t{0xffff'ffff} << shift)) | value(n) << shift;
        return p + rest + 1;
    }
    const part second = part_at(rest + 1);
    const bool is_pair = first.prefix == foreground_prefix && second.prefix == background_prefix && is_short(second);
    if (!is_pair || rest + 1 + palette_prefix + second.length != shape.final) return nullptr;
    const std::uint64_t both = numbers_of_aligned(first.digits | second.digits << 32);
    constexpr std::uint64_t past_255 = 0xff00'0000'ff00'0000;
    if ((both & past_255) != 0) return nullptr;
    pen.colours = value(both >> 16) << foreground_shift | value(both >> 48) << background_shift;
    return p + shape.final + 1;
}

} // namespace mux::vt
