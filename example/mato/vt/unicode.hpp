// SPDX-License-Identifier: MIT
/// @file unicode.hpp: the columns of a character, and the ends of grapheme clusters.
/// Layer: vt core.  Test: test/mato/vt/text_test.cpp.
/// Threads: pure functions over constant tables.   Blocks: never.
/// Source: UAX 11, UAX 29 (extended grapheme clusters), UTS 51; the tables are written by tools/make_unicode_table.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mux::vt {

extern const char unicode_version[];

enum class grapheme_class : std::uint8_t { other, control, extend, joiner, prepend, spacing, l, v, t, lv, lvt, regional };

struct unicode_property {
    std::uint8_t bits = 1;

    [[nodiscard]] int width() const noexcept { return bits & 3; }
    [[nodiscard]] grapheme_class breaking() const noexcept { return static_cast<grapheme_class>(bits >> 2 & 15); }
    [[nodiscard]] bool pictographic() const noexcept { return (bits & 0x40) != 0; }
    /// UTS 51: U+FE0E selects the text form, U+FE0F the emoji form. Digits, # and * have them too.
    [[nodiscard]] bool has_variations() const noexcept { return (bits & 0x80) != 0; }
};

/// @pre `code <= 0x10ffff`
[[nodiscard]] unicode_property property_of(char32_t code) noexcept;

/// Columns: 0 for a mark that combines with the cell before it, 2 for East Asian wide and emoji, else 1. Ambiguous is narrow,
/// as in xterm.
[[nodiscard]] inline int width_of(char32_t code) noexcept { return property_of(code).width(); }

/// True if `next` continues the cluster `cluster` (oldest first).
[[nodiscard]] bool joins_cluster(const char32_t* cluster, std::size_t count, char32_t next) noexcept;

// ---- implementation ----

inline constexpr std::size_t unicode_block = 256;
extern const std::uint8_t unicode_index[0x110000 / unicode_block];
extern const std::uint8_t unicode_leaves[];

inline unicode_property property_of(char32_t code) noexcept {
    return {unicode_leaves[unicode_index[code / unicode_block] * unicode_block + code % unicode_block]};
}

} // namespace mux::vt
