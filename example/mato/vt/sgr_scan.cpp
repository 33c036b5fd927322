// SPDX-License-Identifier: MIT
#include "sgr_scan.hpp"

namespace mux::vt {

const char* scan_sgr(const char* p, detail::sequence_shape shape, style& pen) noexcept {
    using namespace detail;
    if (shape.final > 0 && p[shape.final - 1] == ';') return nullptr; // a number is absent
    style s = pen;
    if (shape.final == 0) apply_sgr_number(0, s);
    for (int from = 0; from < shape.final; shape.ends &= shape.ends - 1) {
        std::uint64_t word = 0;
        std::memcpy(&word, p + from, sizeof word);
        const std::uint64_t head = word & prefix_mask;
        const bool is_colour = head == foreground_prefix || head == background_prefix;
        if (is_colour) { // two of the ends are used
            from += palette_prefix;
            word >>= 8 * palette_prefix;
            shape.ends &= shape.ends - 1;
            shape.ends &= shape.ends - 1;
        }
        const int at = lowest_bit(shape.ends), length = at - from;
        if (length < 1 || length > palette_digits) return nullptr;
        const unsigned n = number_of(static_cast<std::uint32_t>(word), length);
        if (is_colour) {
            if (n > 255) return nullptr;
            (head == foreground_prefix ? s.foreground : s.background) = colour::indexed(n);
        } else {
            if (!stands_alone(static_cast<int>(n))) return nullptr;
            apply_sgr_number(static_cast<int>(n), s);
        }
        from = at + 1;
    }
    pen = s;
    return p + shape.final + 1;
}

} // namespace mux::vt
