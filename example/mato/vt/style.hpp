// SPDX-License-Identifier: MIT
/// @file style.hpp: how a cell looks, in sixteen bytes.
/// Layer: vt core.  Test: test/mato/vt/05_sgr.vt.
/// Threads: values.   Blocks: never.
/// Source: ECMA-48 8.3.117 SGR; xterm ctlseqs "Character Attributes"; DEC STD 070 for protection.
#pragma once

#include "colour.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <type_traits>

namespace mato::vt {

namespace attributes {
inline constexpr std::uint16_t bold = 1 << 0;
inline constexpr std::uint16_t faint = 1 << 1;
inline constexpr std::uint16_t italic = 1 << 2;
inline constexpr std::uint16_t blink = 1 << 3;
inline constexpr std::uint16_t rapid_blink = 1 << 4;
inline constexpr std::uint16_t inverse = 1 << 5;
inline constexpr std::uint16_t conceal = 1 << 6;
inline constexpr std::uint16_t strike = 1 << 7;
inline constexpr std::uint16_t overline = 1 << 8;
inline constexpr std::uint16_t is_protected = 1 << 9; ///< DECSCA; not a look, but it travels with the cell
inline constexpr unsigned underline_shift = 10;
inline constexpr std::uint16_t underline_mask = 7 << underline_shift;
} // namespace attributes

enum class underline : std::uint8_t { none, single, twofold, curly, dotted, dashed };

/// A link's number in the terminal's table; 0 is no link.
using link_id = std::uint16_t;

struct style {
    colour foreground;
    colour background;
    colour underline_colour;
    std::uint16_t flags = 0;
    link_id link = 0;

    [[nodiscard]] bool has(std::uint16_t attribute) const noexcept { return (flags & attribute) != 0; }
    [[nodiscard]] enum underline underlined() const noexcept {
        return static_cast<enum underline>((flags & attributes::underline_mask) >> attributes::underline_shift);
    }
    void set_underline(enum underline kind) noexcept {
        flags = static_cast<std::uint16_t>((flags & ~attributes::underline_mask) | static_cast<unsigned>(kind)
                                                                                       << attributes::underline_shift);
    }
    void turn_on(std::uint16_t attribute) noexcept { flags = static_cast<std::uint16_t>(flags | attribute); }
    void turn_off(unsigned attribute) noexcept { flags = static_cast<std::uint16_t>(flags & ~attribute); }

    /// What erasing leaves behind: the background alone (xterm's "back color erase").
    [[nodiscard]] style blank() const noexcept {
        style s;
        s.background = background;
        return s;
    }

    /// All sixteen bytes at once: runs are compared at every change of colour.
    friend bool operator==(const style& a, const style& b) noexcept {
        using words = std::array<std::uint64_t, 2>;
        const words x = std::bit_cast<words>(a), y = std::bit_cast<words>(b);
        return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
    }
};

static_assert(sizeof(style) == 16 && std::has_unique_object_representations_v<style>);

} // namespace mato::vt
