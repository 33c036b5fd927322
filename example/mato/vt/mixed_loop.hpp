// SPDX-License-Identifier: MIT
/// @file mixed_loop.hpp: the loop of mixed_text, compiled for each kind of processor with vectors. Internal to mixed_text.
/// Layer: vt core.  Test: test/mato/vt/text_test.cpp.
/// Threads: pure functions.   Blocks: never.
///
/// The portable code has a loop of its own: without vectors a width is looked up for each character.
/// Everything here has internal linkage: code compiled for one processor must not be called on another.
#pragma once

#include "mixed_window.hpp"

namespace mux::vt {

namespace {

/// @tparam Scan `characters`: what is known of a window, with its `masks` and `wide`, the bits of wide characters ·
///   `look(p, available, c)`: examines the window at `p` · `resolve(p, c, count)`: finds the widths of the first `count` bytes
///   that `look` left open, and returns the place of a character without its own column, else `count` · `bit_number(bits, n)`:
///   the place of the set bit that `n` set bits precede · `put(c, kept, found, to, scratch)`: writes the `found` units whose
///   bits are set in `kept`, one after the other; the first `scratch` units may be overwritten
template <class Scan>
decoded_run decode_windows(const char* const begin, const char* const end, unit* to, int room, std::size_t scratch) noexcept {
    if (room < 2) return {};
    const char* p = begin;
    int columns = 0;
    for (;;) {
        typename Scan::characters c;
        Scan::look(p, end - p, c);
        const detail::extent taken = detail::whole_characters(c.masks);
        int count = Scan::resolve(p, c, taken.bytes);
        std::uint64_t kept = (c.masks.begins | c.wide << 1) & detail::below(count);
        int found = __builtin_popcountll(kept);
        if (found > room - columns) {
            count = Scan::bit_number(kept, room - columns);
            if ((c.masks.begins >> count & 1) == 0) --count; // between the halves of a wide character
            kept &= detail::below(count);
            found = __builtin_popcountll(kept);
        }
        const auto written = static_cast<std::size_t>(columns);
        Scan::put(c, kept, found, to + columns, scratch > written ? scratch - written : 0);
        columns += found;
        p += count;
        if (!taken.goes_on || count != taken.bytes) return {static_cast<int>(p - begin), columns};
    }
}

} // namespace

} // namespace mux::vt
