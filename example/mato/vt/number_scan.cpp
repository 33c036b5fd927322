// SPDX-License-Identifier: MIT
#include "number_scan.hpp"

namespace mux::vt {

const char* detail::scan_digits(const char* p, const char* end, parameters& to) noexcept {
    const auto digit = [](const char* at) { return static_cast<unsigned char>(*at) - unsigned{'0'}; };
    to.clear();
    bool sub = false;
    while (p < end) {
        std::uint32_t value = 0;
        const char* const digits = p;
        if (end - p >= 3 && digit(p) < 10) { // one or two digits, without a branch: it could not be predicted
            const unsigned first = digit(p), second = digit(p + 1);
            const unsigned two = second < 10 ? 1 : 0;
            value = first + (first * 9 + second) * two;
            p += 1 + two;
        }
        while (p < end && digit(p) < 10) {
            value = value > parameters::max_value ? value : value * 10 + digit(p);
            ++p;
        }
        if (p == end) return nullptr;
        const char c = *p;
        if (c == ';' || c == ':') {
            to.push(value, sub);
            sub = c == ':';
            ++p;
            continue;
        }
        if (static_cast<unsigned char>(c) - 0x40u >= 0x3fu) return nullptr;
        if (p != digits || !to.empty()) to.push(value, sub);
        return p;
    }
    return nullptr;
}

} // namespace mux::vt
