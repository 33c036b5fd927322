// SPDX-License-Identifier: MIT
/// @file sgr_scan.hpp: the commonest SGR sequences, from their bytes to a style at once.
/// Layer: vt core.  Test: test/mato/vt/text_test.cpp (against scan_digits() and apply_sgr()).
/// Threads: pure functions.   Blocks: never.
#pragma once

#include "number_scan.hpp"
#include "sgr.hpp"

namespace mato::vt {

/// Applies an SGR whose first byte after CSI is at `p`: numbers of one to three digits that stand alone, and colours of the
/// palette as "38;5;n" and "48;5;n".
/// @pre shape_of() told `shape` of `p`, with a final byte 'm'
/// @returns what is behind the sequence; nothing, and `pen` as it was, if it has anything else
const char* scan_sgr(const char* p, detail::sequence_shape shape, style& pen) noexcept;

// ---- implementation ----

inline const char* scan_sgr(const char* p, detail::sequence_shape shape, style& pen) noexcept {
    constexpr auto prefix = [](const char* text) {
        std::uint64_t word = 0;
        for (int i = 0; i < 5; ++i) word |= std::uint64_t{static_cast<unsigned char>(text[i])} << 8 * i;
        return word;
    };
    constexpr std::uint64_t foreground = prefix("38;5;"), background = prefix("48;5;"), prefix_mask = 0xff'ffff'ffff;
    constexpr int prefix_bytes = 5, most_digits = 3;
    if (shape.final > 0 && p[shape.final - 1] == ';') return nullptr; // a number is absent
    style s = pen;
    if (shape.final == 0) apply_sgr_number(0, s);
    for (int from = 0; from < shape.final; shape.ends &= shape.ends - 1) {
        std::uint64_t word = 0;
        std::memcpy(&word, p + from, sizeof word);
        const std::uint64_t head = word & prefix_mask;
        const bool is_colour = head == foreground || head == background;
        if (is_colour) { // two of the ends are behind us
            from += prefix_bytes;
            word >>= 8 * prefix_bytes;
            shape.ends &= shape.ends - 1;
            shape.ends &= shape.ends - 1;
        }
        const int at = lowest_bit(shape.ends), length = at - from;
        if (length < 1 || length > most_digits) return nullptr;
        const unsigned n = detail::number_of(static_cast<std::uint32_t>(word), length);
        if (is_colour) {
            if (n > 255) return nullptr;
            (head == foreground ? s.foreground : s.background) = colour::indexed(n);
        } else {
            if (!stands_alone(static_cast<int>(n))) return nullptr;
            apply_sgr_number(static_cast<int>(n), s);
        }
        from = at + 1;
    }
    pen = s;
    return p + shape.final + 1;
}

} // namespace mato::vt
