// SPDX-License-Identifier: MIT
/// @file mixed_classes.hpp: classes of code points of equal width, as tables for byte shuffles. Internal to mixed_text.
/// Layer: vt core.  Test: test/mato/vt/text_test.cpp (every code point).
/// Threads: constants.   Blocks: never.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>

namespace mux::vt::detail {

/// Row b is b, 64 times. Broadcast constants, loaded from memory: GCC otherwise builds each one with instructions, which costs
/// as much as its use. Defined in another translation unit so that it cannot constant-fold them.
using byte_rows = std::array<std::array<unsigned char, 64>, 256>;
extern const byte_rows every_byte;

// Classes of code points of equal width, by the digits of the code point: if a bit is set in the entries of all its digits, the
// code point belongs to that class. Others are looked up. A test compares every code point with width_of().
using digit_table = std::array<std::uint8_t, 16>;

// Whole blocks of 256, by the upper two of four digits. These are wide, the others narrow.
inline constexpr int wide_block = 0xf8;
alignas(16) inline constexpr digit_table block_first = {0x01, 0x04, 0x02, 0x08, 0x10, 0x20, 0x20, 0x20,
                                                        0x20, 0x20, 0x40, 0x20, 0x20, 0x80, 0,    0};
constexpr digit_table block_second_digits() noexcept {
    digit_table t{};
    const auto set = [&t](unsigned bit, std::initializer_list<unsigned> digits) {
        for (const unsigned d : digits) t[d] = static_cast<std::uint8_t>(t[d] | bit);
    };
    set(0x01, {1, 2});                                                 // 01, 02: Latin, IPA
    set(0x02, {1, 2, 4, 8, 9, 10});                                    // 21: arrows … 28: Braille …
    set(0x04, {2, 4, 5, 6, 14, 15});                                   // 12 … 1e: Latin for Vietnamese, 1f: Greek
    set(0x08, {3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});          // 33 to 3f: Han
    set(0x10, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15});     // 40 to 4f but 4d
    set(0x20, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}); // 50 to 9f: Han; b0 to cf: Hangul
    set(0x40, {0, 1, 2, 3, 12, 13, 14, 15});                           // a0 to a3: Yi; ac to af: Hangul
    set(0x80, {0, 1, 2, 3, 4, 5, 6});                                  // d0 to d6
    return t;
}
alignas(16) inline constexpr digit_table block_second = block_second_digits();

// Blocks with one width in parts: eight of them, then sixteenths of each.
inline constexpr int wide_part = 0x60;
alignas(16) inline constexpr digit_table part_first = {0x07, 0, 0x98, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40};
alignas(16) inline constexpr digit_table part_second = {0x31, 0, 0, 0x82, 0x04, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40};
/// Sets `bit` for each digit whose bit is set in `digits`.
constexpr void set_digits(digit_table& t, unsigned bit, std::uint16_t digits) noexcept {
    for (unsigned d = 0; d < 16; ++d)
        if ((digits >> d & 1) != 0) t[d] = static_cast<std::uint8_t>(t[d] | bit);
}
constexpr digit_table part_third_digits() noexcept {
    digit_table t{};
    set_digits(t, 0x01, 0xfcfc); // 00: but C0 and C1
    set_digits(t, 0x02, 0xff80); // 03: Greek; marks before it
    set_digits(t, 0x04, 0xfeff); // 04: Cyrillic; marks at 0483
    set_digits(t, 0x08, 0x7fff); // 25: lines and boxes
    set_digits(t, 0x10, 0x1fba); // 20: punctuation
    set_digits(t, 0x20, 0xfff3); // 30: kana, but for in_a_hole()
    set_digits(t, 0x40, 0x003f); // ff: fullwidth forms, but for in_a_hole()
    set_digits(t, 0x80, 0x3ff9); // 23: technical
    return t;
}
alignas(16) inline constexpr digit_table part_third = part_third_digits();

// U+1F300 to U+1F9FF: blocks by their last digit, then sixteenths.
alignas(16) inline constexpr digit_table emoji_second = {0, 0, 0, 0x01, 0x02, 0x04, 0x08, 0, 0, 0x10, 0, 0, 0, 0, 0, 0};
constexpr digit_table emoji_third_digits() noexcept {
    digit_table t{};
    set_digits(t, 0x01, 0x4d73); // 1f3
    set_digits(t, 0x02, 0x7fe7); // 1f4
    set_digits(t, 0x04, 0x0027); // 1f5
    set_digits(t, 0x08, 0x0f1f); // 1f6
    set_digits(t, 0x10, 0xffe6); // 1f9
    return t;
}
alignas(16) inline constexpr digit_table emoji_third = emoji_third_digits();

} // namespace mux::vt::detail
