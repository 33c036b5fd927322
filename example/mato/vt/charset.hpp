// SPDX-License-Identifier: MIT
/// @file charset.hpp: the four designated character sets and the one in use.
/// Layer: vt core.  Test: test/mato/vt/11_charsets.vt.
/// Threads: values.   Blocks: never.
/// Source: ECMA-35 (designation, locking and single shifts); VT220 manual table 2-4 (special graphics).
#pragma once

#include <array>
#include <cstdint>

namespace mux::vt {

enum class charset : std::uint8_t { ascii, special_graphics, british, count };

/// GL only: in UTF-8 the upper half of the byte range is never a GR character.
struct charsets {
    std::array<charset, 4> designated{};
    std::uint8_t locked = 0; ///< which of G0 to G3 is in GL
    std::uint8_t single = 0; ///< 2 or 3: the next character comes from G2 or G3

    [[nodiscard]] bool is_plain() const noexcept { return single == 0 && designated[locked] == charset::ascii; }
    /// The character that a GL byte stands for; ends a single shift.
    char32_t translate(char32_t byte) noexcept;

    friend bool operator==(const charsets&, const charsets&) = default;
};

/// The character set for the final byte of a 94-character designation; unknown ones become ASCII, so that text stays legible.
[[nodiscard]] charset charset_for(char final) noexcept;

} // namespace mux::vt
