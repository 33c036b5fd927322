// SPDX-License-Identifier: MIT
#include "utf8.hpp"

#include <string_view>

namespace mux::vt {

namespace {

std::uint32_t byte_at(const char* p) noexcept { return static_cast<unsigned char>(*p); }

bool continues(std::uint32_t byte) noexcept { return (byte & 0xc0) == 0x80; }

// Table 3-7: what the second byte may be depends on the first: no overlong forms, no surrogates, nothing past U+10FFFF.
bool second_fits(std::uint32_t first, std::uint32_t second) noexcept {
    switch (first) {
    case 0xe0: return second >= 0xa0 && second <= 0xbf;
    case 0xed: return second >= 0x80 && second <= 0x9f;
    case 0xf0: return second >= 0x90 && second <= 0xbf;
    case 0xf4: return second >= 0x80 && second <= 0x8f;
    default: return continues(second);
    }
}

} // namespace

decoded decode_utf8(const char* p, const char* end) noexcept {
    const std::uint32_t first = byte_at(p);
    if (first < 0x80) return {first, 1};
    const int need = utf8_size(*p);
    if (need == 1) return {replacement_character, 1};
    char32_t code = first & (0x7fu >> need);
    for (int i = 1; i < need; ++i) {
        if (p + i == end) return {0, 0};
        const std::uint32_t next = byte_at(p + i);
        if (i == 1 ? !second_fits(first, next) : !continues(next)) return {replacement_character, i};
        code = code << 6 | (next & 0x3f);
    }
    return {code, need};
}

void append_utf8(std::string& out, char32_t code) {
    if ((code >= 0xd800 && code < 0xe000) || code > 0x10ffff) code = replacement_character;
    char bytes[max_utf8_bytes];
    out.append(bytes, put_utf8(bytes, code));
}

std::string printable_utf8(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    const char* p = bytes.data();
    const char* const end = p + bytes.size();
    while (p < end) {
        decoded d = decode_utf8(p, end);
        if (d.length == 0) d = {replacement_character, static_cast<int>(end - p)};
        p += d.length;
        if (d.code >= 0x20 && !(d.code >= 0x7f && d.code < 0xa0)) append_utf8(out, d.code);
    }
    return out;
}

} // namespace mux::vt
