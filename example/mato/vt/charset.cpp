// SPDX-License-Identifier: MIT
#include "charset.hpp"

namespace mux::vt {

namespace {

// VT220 manual, table 2-4: 0x5f to 0x7e.
constexpr char32_t special[] = {
    0x00a0, 0x25c6, 0x2592, 0x2409, 0x240c, 0x240d, 0x240a, 0x00b0, 0x00b1, 0x2424, 0x240b,
    0x2518, 0x2510, 0x250c, 0x2514, 0x253c, 0x23ba, 0x23bb, 0x2500, 0x23bc, 0x23bd, 0x251c,
    0x2524, 0x2534, 0x252c, 0x2502, 0x2264, 0x2265, 0x03c0, 0x2260, 0x00a3, 0x00b7,
};

} // namespace

char32_t charsets::translate(char32_t byte) noexcept {
    const charset set = designated[single != 0 ? single : locked];
    single = 0;
    if (set == charset::special_graphics && byte >= 0x5f && byte <= 0x7e) return special[byte - 0x5f];
    if (set == charset::british && byte == '#') return 0xa3;
    return byte;
}

charset charset_for(char final) noexcept {
    if (final == '0' || final == '2') return charset::special_graphics; // 2: alternate ROM special graphics
    return final == 'A' ? charset::british : charset::ascii;
}

} // namespace mux::vt
