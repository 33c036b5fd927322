// SPDX-License-Identifier: MIT
/// @file printable_test.cpp: controls in unknown text are escaped, and all other text is unchanged.
#include <mato/printable.hpp>

#include "support/catch.hpp"

using mato::printable;

namespace {

std::string utf8(char32_t code) {
    std::string bytes;
    if (code < 0x80) return {static_cast<char>(code)};
    const int size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (int at = 0; at < size; ++at) {
        const auto six = static_cast<unsigned>(code >> (6 * (size - 1 - at)));
        bytes += static_cast<char>(at == 0 ? (0xf00u >> size & 0xff) | six : 0x80u | (six & 0x3f));
    }
    return bytes;
}

std::string escaped(const std::string& bytes) {
    std::string text;
    for (const char each : bytes) {
        char shown[8];
        std::snprintf(shown, sizeof shown, "\\x%02x", static_cast<unsigned char>(each));
        text += shown;
    }
    return text;
}

} // namespace

TEST_CASE("every class of control characters is escaped, anywhere in a text", "[printable]") {
    std::vector<char32_t> controls;
    for (char32_t code = 0; code < 0x20; ++code) controls.push_back(code);         // C0
    for (char32_t code = 0x7f; code <= 0x9f; ++code) controls.push_back(code);     // DEL, C1 as UTF-8
    for (char32_t code = 0x2028; code <= 0x202e; ++code) controls.push_back(code); // separators, embeddings, overrides
    for (char32_t code = 0x2066; code <= 0x2069; ++code) controls.push_back(code); // isolates
    for (const char32_t code : controls) {
        INFO(std::hex << static_cast<unsigned>(code));
        const std::string bytes = utf8(code);
        CHECK(mato::is_control(code));
        CHECK(printable(bytes) == escaped(bytes));
        CHECK(printable("a" + bytes + "b") == "a" + escaped(bytes) + "b");
        CHECK(printable("ä" + bytes + "€") == "ä" + escaped(bytes) + "€");
        CHECK(printable(bytes + bytes) == escaped(bytes) + escaped(bytes));
    }
}

TEST_CASE("a byte that is not UTF-8 is escaped: lone, truncated, overlong, a surrogate, above U+10FFFF", "[printable]") {
    for (int byte = 0x80; byte <= 0xff; ++byte) {
        const std::string lone(1, static_cast<char>(byte));
        CHECK(printable(lone) == escaped(lone));
        CHECK(printable("x" + lone + "[31m") == "x" + escaped(lone) + "[31m");
    }
    for (const std::string& broken : {std::string("\xe2\x80"), std::string("\xf0\x9f\x98"), std::string("\xc0\x9b"),
                                      std::string("\xe0\x82\x9b"), std::string("\xf0\x80\x82\x9b"), std::string("\xed\xa0\x80"),
                                      std::string("\xf4\x90\x80\x80"), std::string("\xf8\x88\x80\x80\x80")})
        CHECK(printable(broken) == escaped(broken));
    CHECK(printable("\xe2\x82"
                    "a") == "\\xe2\\x82"
                            "a");
}

TEST_CASE("all other text is unchanged", "[printable]") {
    for (char32_t code = 0x20; code <= 0x10ffff; ++code) {
        if (code >= 0xd800 && code <= 0xdfff) code = 0xe000;
        const std::string bytes = utf8(code);
        const auto found = mato::first_character(bytes);
        if (found.size != bytes.size() || found.code != code || !found.is_valid)
            FAIL("U+" << std::hex << static_cast<unsigned>(code));
        if (!mato::is_control(code) && printable(bytes) != bytes) FAIL("U+" << std::hex << static_cast<unsigned>(code));
    }
    for (const char* const text : {"", "plain", "ä€😀", "العربية עברית", "\\x1b", "e\u0301"}) CHECK(printable(text) == text);
}

TEST_CASE("line breaks can be kept", "[printable]") {
    CHECK(printable("a\n\tb\x1b[1m", "\n") == "a\n\\x09b\\x1b[1m");
    CHECK(printable("a\r\nb", "\n\t") == "a\\x0d\nb");
}
