// SPDX-License-Identifier: MIT
/// @file style.hpp: the style of a cell, in sixteen bytes.
/// Layer: vt core.  Test: test/mato/vt/05_sgr.vt.
/// Threads: values.   Blocks: never.
/// Source: ECMA-48 8.3.117 SGR; xterm ctlseqs "Character Attributes"; DEC STD 070 for protection.
#pragma once

#include "colour.hpp"

#include <bit>
#include <cstdint>
#include <type_traits>

namespace mux::vt {

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
inline constexpr std::uint16_t is_protected = 1 << 9; ///< DECSCA; not visible, but stored with the cell
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

    /// The style that erasing leaves: only the background (xterm's "back color erase").
    [[nodiscard]] style blank() const noexcept {
        style s;
        s.background = background;
        return s;
    }

    friend bool operator==(const style& a, const style& b) noexcept;
};

static_assert(sizeof(style) == 16 && std::has_unique_object_representations_v<style>);

/// A style in two registers. Runs are compared at every change of colour; writing whole words avoids a store-forwarding stall
/// when they are read.
struct style_words {
    std::uint64_t colours = 0; ///< foreground and background
    std::uint64_t rest = 0;

    static style_words of(const style& s) noexcept { return std::bit_cast<style_words>(s); }
    explicit operator style() const noexcept { return std::bit_cast<style>(*this); }
    friend bool operator==(const style_words& a, const style_words& b) noexcept {
        return ((a.colours ^ b.colours) | (a.rest ^ b.rest)) == 0;
    }
};

inline bool operator==(const style& a, const style& b) noexcept { return style_words::of(a) == style_words::of(b); }

} // namespace mux::vt
