// SPDX-License-Identifier: MIT
/// @file utf8_length_test.cpp: every sequence of table 3-7 and no others.
#include "protocol/utf8_length.hpp"

#include "support/catch.hpp"

#include <string>

namespace {
std::string encoded(char32_t code) {
    const auto tail = [&](int shift) { return static_cast<char>(0x80 | (code >> shift & 0x3f)); };
    if (code < 0x80) return {static_cast<char>(code)};
    if (code < 0x800) return {static_cast<char>(0xc0 | code >> 6), tail(0)};
    if (code < 0x10000) return {static_cast<char>(0xe0 | code >> 12), tail(6), tail(0)};
    return {static_cast<char>(0xf0 | code >> 18), tail(12), tail(6), tail(0)};
}
} // namespace

TEST_CASE("every code point except the surrogates has its length, whatever follows, and none if truncated", "[utf8]") {
    std::size_t wrong = 0;
    for (char32_t code = 0; code <= 0x10ffff; ++code) {
        const auto text = encoded(code);
        const bool surrogate = code >= 0xd800 && code <= 0xdfff;
        wrong += mux::utf8_length(text + "\x80") != (surrogate ? 0 : text.size());
        if (text.size() > 1) wrong += mux::utf8_length(std::string_view(text).substr(0, text.size() - 1)) != 0;
    }
    CHECK(wrong == 0);
}

TEST_CASE("other bytes have length 0", "[utf8]") {
    for (const std::string& text :
         {std::string(), std::string("\x80"), std::string("\xbf"), std::string("\xc0\x80"), std::string("\xc1\xbf"),
          std::string("\xe0\x9f\xbf"), std::string("\xf0\x8f\xbf\xbf"), std::string("\xf4\x90\x80\x80"),
          std::string("\xf5\x80\x80\x80"), std::string("\xff"), std::string("\xc3("), std::string("\xe2\x82(")})
        CHECK(mux::utf8_length(text) == 0);
}
