// SPDX-License-Identifier: MIT
/// @file json_test.cpp: all output as JSON is valid, for any names.
#include "client/json.hpp"

#include <mato/printable.hpp>

#include "support/catch.hpp"
#include "support/json_reader.hpp"

#include <cstdint>
#include <limits>
#include <random>

namespace json = mux::json;

// ---- the contract ----

TEST_CASE("text is quoted and can be read back", "[json]") {
    CHECK(json::quote("") == "\"\"");
    CHECK(json::quote("a b/c") == "\"a b/c\"");
    CHECK(json::quote("\"\\") == "\"\\\"\\\\\"");
    CHECK(json::quote("\n\r\t\b\f\033\x01\x1f") == R"("\n\r\t\b\f\u001b\u0001\u001f")");
    CHECK(json::quote(std::string_view("\0", 1)) == "\"\\u0000\"");
    CHECK(json::quote("ü€🙂") == "\"ü€🙂\"");
}

TEST_CASE("values are written by their type", "[json]") {
    CHECK(json::value(true) == "true");
    CHECK(json::value(false) == "false");
    CHECK(json::value("x") == "\"x\"");
    CHECK(json::value(std::string("x")) == "\"x\"");
    CHECK(json::value(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
    CHECK(json::value(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
    CHECK(json::value(std::uint16_t{80}) == "80");
    CHECK(json::value(0.54) == "0.5");
    CHECK(json::value(100.0) == "100.0");
    CHECK(json::value(json::verbatim{"null"}) == "null");
}

TEST_CASE("objects keep the order of their members, arrays have one element per line", "[json]") {
    CHECK(json::object().done().text == "{}");
    const auto one = json::object().add("b", 1).add("a", "x").add("c", json::verbatim{"null"}).done();
    CHECK(one.text == R"({"b": 1, "a": "x", "c": null})");
    CHECK(json::array({}).text == "[]");
    CHECK(json::array({one, {"2"}}).text == "[\n  " + one.text + ",\n  2\n]");
    CHECK(support::is_json(json::array({one, one}).text));
    CHECK(json::object().add("k\"", true).done().text == R"({"k\"": true})");
}

// ---- the edges ----

TEST_CASE("bytes that are not UTF-8 become replacement characters, one each", "[json]") {
    const std::string mark = "\xef\xbf\xbd";
    const std::pair<std::string, std::string> table[] = {
        {"\xff", mark},
        {"a\x80z", "a" + mark + "z"},
        {"\xc3", mark},                                  // cut
        {"\xc0\xaf", mark + mark},                       // overlong
        {"\xe0\x80\xaf", mark + mark + mark},            // overlong
        {"\xed\xa0\x80", mark + mark + mark},            // a surrogate
        {"\xf4\x90\x80\x80", mark + mark + mark + mark}, // beyond U+10FFFF
        {"\xe2\x82", mark + mark},
        {"\xe2\x82\"", mark + mark + "\\\""},
        {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
        {"\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80"},
    };
    for (const auto& [text, expected] : table) CHECK(json::quote(text) == "\"" + expected + "\"");
}

TEST_CASE("any bytes give valid JSON", "[json]") {
    std::mt19937 random(11);
    for (int round = 0; round < 3000; ++round) {
        std::string text(random() % 30, '\0');
        for (char& c : text) c = static_cast<char>(random());
        const auto member = json::object().add(text, text).done();
        INFO(member.text);
        REQUIRE(support::is_json(json::quote(text)));
        REQUIRE(support::is_json(member.text));
    }
}

TEST_CASE("UTF-8 text is unchanged, except control characters, which are escaped", "[json]") {
    std::string all, escapes;
    for (char32_t code = 0x20; code < 0x3000; ++code) {
        if (mato::is_control(code)) {
            char text[8];
            std::snprintf(text, sizeof text, "\\u%04x", static_cast<unsigned>(code));
            escapes += text;
            continue;
        }
        if (code < 0x80) {
            if (code != '"' && code != '\\') all += static_cast<char>(code);
        } else if (code < 0x800) {
            all += static_cast<char>(0xc0 | code >> 6);
            all += static_cast<char>(0x80 | (code & 0x3f));
        } else {
            all += static_cast<char>(0xe0 | code >> 12);
            all += static_cast<char>(0x80 | (code >> 6 & 0x3f));
            all += static_cast<char>(0x80 | (code & 0x3f));
        }
    }
    CHECK(json::quote(all) == "\"" + all + "\"");
    CHECK(json::quote("\x7f\u0080\u009b\u009f\u2028\u202a\u202e\u2066\u2069") ==
          "\"\\u007f\\u0080\\u009b\\u009f\\u2028\\u202a\\u202e\\u2066\\u2069\"");
    CHECK(escapes.size() == 6 * (1 + 0x20 + 7 + 4)); // DEL, C1, separators with embeddings and overrides, isolates
}
