// SPDX-License-Identifier: MIT
// Bytes and characters: every fast function compared with its simple definition.
#include "vt/utf8.hpp"

#include "vt/mixed_text.hpp"
#include "vt/scan.hpp"
#include "vt/terminal.hpp"
#include "vt/unicode.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <random>
#include <sstream>
#include <vector>

using namespace mux::vt;

TEST_CASE("every scalar value is unchanged by encoding and decoding", "[utf8]") {
    std::size_t wrong = 0;
    for (char32_t c = 0; c <= 0x10ffff; ++c) {
        if (c >= 0xd800 && c < 0xe000) continue;
        std::string s;
        append_utf8(s, c);
        const decoded d = decode_utf8(s.data(), s.data() + s.size());
        wrong += d.code != c || d.length != static_cast<int>(s.size()) || utf8_size(s[0]) != d.length;
        for (const char* before : {"", "a", "\u00e9", "\u6f22\U0001f642"}) {
            const std::string text = before + s;
            wrong += last_character(text.data(), text.data() + text.size()) != c;
        }
    }
    CHECK(wrong == 0);
    for (const char first : {'\x80', '\xbf', '\xc0', '\xc1', '\xf5', '\xff'}) CHECK(utf8_size(first) == 1);
}

TEST_CASE("an incomplete character requests more bytes", "[utf8]") {
    const std::string s = "\xf0\x9f\x99\x82";
    for (std::size_t n = 1; n < s.size(); ++n) CHECK(decode_utf8(s.data(), s.data() + n).length == 0);
}

TEST_CASE("text for people contains no control characters", "[utf8]") {
    CHECK(printable_utf8("a\x1b[1m\n\xc2\x9b\x7f\xff\xe6") == "a[1m\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_CASE("wide scans agree with one byte at a time", "[scan]") {
    std::mt19937 random(1);
    std::size_t wrong = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string s(random() % 60, ' ');
        for (char& c : s) c = random() % 20 == 0 ? static_cast<char>(random()) : static_cast<char>(0x20 + random() % 0x5f);
        const std::size_t room = random() % 70;
        std::size_t expected = 0;
        while (expected < s.size() && expected < room && is_plain(s[expected])) ++expected;
        std::vector<std::uint32_t> units(100, 7);
        const std::size_t scratch = random() % 2 == 0 ? 0 : 100;
        wrong += widen_plain(s.data(), s.data() + s.size(), units.data(), room, scratch) != expected;
        for (std::size_t i = 0; i < expected; ++i) wrong += units[i] != static_cast<unsigned char>(s[i]);
        if (scratch == 0)
            for (std::size_t i = expected; i < units.size(); ++i) wrong += units[i] != 7; // nothing overwritten
        std::string back(expected, 0);
        wrong += !narrow_plain(units.data(), expected, back.data());
        wrong += back != s.substr(0, expected);
        if (s.size() >= plain_step) {
            const std::size_t step = widen_step(s.data(), units.data());
            while (expected < plain_step && is_plain(s[expected])) ++expected;
            wrong += step != std::min(expected, plain_step);
            for (std::size_t i = 0; i < step; ++i) wrong += units[i] != static_cast<unsigned char>(s[i]);
        }
        const char* stop = s.data();
        while (stop < s.data() + s.size() && !stops_string(*stop)) ++stop;
        wrong += find_string_stop(s.data(), s.data() + s.size()) != stop;
    }
    CHECK(wrong == 0);
}

TEST_CASE("an erased cell and a wide unit are not plain", "[scan]") {
    for (const std::uint32_t odd : {0u, 0x80u, 0xffu, 0x141u, 0x8041u, 0x10041u, units::tail, units::wide | 0x41, 0x80000041u})
        for (std::size_t size = 1; size < 40; ++size) {
            std::vector<std::uint32_t> units(size, 'a');
            std::string to(size, 0);
            CHECK(narrow_plain(units.data(), size, to.data()));
            for (std::uint32_t& u : units) {
                u = odd;
                CHECK_FALSE(narrow_plain(units.data(), size, to.data()));
                u = 'a';
            }
        }
}

namespace {

std::string mixed(std::mt19937& random) {
    static const char* const parts[] = {
        "a",        " ",  "é",        "Ж",   "漢", "🙂", "─", "\xf0\x90\x80\x80", "\xcc\x81", "\x80", "\xed\xa0\x80",
        "\xe0\x80", "\n", "\xc2\x9b", "\xf5"};
    std::string s;
    for (int n = static_cast<int>(random() % (random() % 4 == 0 ? 150 : 30)); n > 0; --n)
        s += parts[random() % (random() % 4 == 0 ? std::size(parts) : 8)];
    return s;
}

} // namespace

TEST_CASE("mixed text decodes as one character at a time does", "[mixed]") {
    std::mt19937 random(2);
    for (const auto& codec : mixed_codecs()) {
        const auto decode = codec.decode;
        std::size_t wrong = 0, decoded_bytes = 0;
        for (int round = 0; round < 30'000; ++round) {
            const std::string s = mixed(random);
            constexpr unit untouched = 0xdeadbeef;
            std::vector<unit> units(400, untouched);
            const int room = static_cast<int>(random() % 300);
            const std::size_t scratch = random() % 2 == 0 ? 0 : random() % 400;
            const decoded_run run = decode(s.data(), s.data() + s.size(), units.data(), room, scratch);
            for (auto i = std::max(scratch, static_cast<std::size_t>(run.columns)); i < units.size(); ++i)
                wrong += units[i] != untouched;
            decoded_bytes += static_cast<std::size_t>(run.bytes);
            const char* p = s.data();
            int c = 0;
            while (p < s.data() + run.bytes) {
                const decoded d = decode_utf8(p, s.data() + s.size());
                const int width = width_of(d.code);
                wrong += d.length == 0 || d.code < 0x20 || width == 0;
                wrong += units[static_cast<std::size_t>(c)] != (d.code | (width == 2 ? units::wide : 0));
                if (width == 2) wrong += units[static_cast<std::size_t>(c) + 1] != units::tail;
                c += width;
                p += d.length;
            }
            wrong += c != run.columns || c > room;
        }
        CHECK(wrong == 0);
        CHECK(decoded_bytes > 100'000); // otherwise the test proves nothing
    }
}

TEST_CASE("mixed text takes every character of two or three bytes that stands alone, and no other", "[mixed]") {
    for (const auto& codec : mixed_codecs()) {
        const auto decode = codec.decode;
        std::size_t wrong = 0, taken = 0;
        const auto check = [&](std::string s, std::size_t length) {
            const char* const p = s.data();
            s += "\r";
            std::vector<unit> units(8, 0);
            const decoded_run run = decode(p, p + s.size(), units.data(), 8, 0);
            const decoded d = decode_utf8(p, p + s.size());
            const bool whole = d.length == static_cast<int>(length) && width_of(d.code) > 0 && d.code >= 0x20;
            taken += whole;
            // A decoded replacement character is ill-formed input, unless it was written.
            const bool written = d.code != replacement_character || s.starts_with("\xef\xbf\xbd");
            wrong += run.bytes != (whole && written ? static_cast<int>(length) : 0);
            if (run.bytes > 0) wrong += (units[0] & units::code_mask) != d.code || run.columns != width_of(d.code);
        };
        for (int a = 0x80; a < 0x100; ++a) {
            for (int b = 0; b < 0x100; ++b) {
                const std::string two{static_cast<char>(a), static_cast<char>(b)};
                if (a < 0xe0) check(two, 2);
                for (int c = 0x7e; c < 0xc2 && a >= 0xe0 && a < 0xf0; ++c) check(two + static_cast<char>(c), 3);
                for (const char* rest : {"\x80\x80", "\xbf\xbf", "\x98\x83", "\x80\x7f", "\xc0\x80"})
                    if (a >= 0xf0) check(two + rest, 4);
            }
        }
        CHECK(wrong == 0);
        CHECK(taken > 40'000);
    }
}

TEST_CASE("mixed text knows the width of every character at every position", "[mixed]") {
    for (const auto& codec : mixed_codecs()) {
        const auto decode = codec.decode;
        std::size_t wrong = 0;
        for (char32_t code = 0xa0; code <= 0x10ffff; ++code) {
            if (code >= 0xd800 && code < 0xe000) continue;
            std::string s(code % 50, '-');
            append_utf8(s, code);
            const std::size_t after = s.size();
            s += "\r";
            std::array<unit, 80> units{};
            const decoded_run run = decode(s.data(), s.data() + s.size(), units.data(), 80, 80);
            const int width = width_of(code);
            // It stops before a long run of plain bytes, and before characters without a column.
            if (code % 50 >= 16) continue;
            wrong += run.bytes != static_cast<int>(width == 0 ? code % 50 : after);
            wrong += run.columns != static_cast<int>(code % 50) + width;
            if (width == 0) continue;
            wrong += units[code % 50] != (code | (width == 2 ? units::wide : 0));
            if (width == 2) wrong += units[code % 50 + 1] != units::tail;
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("two bytes per unit equal each unit encoded by itself", "[mixed]") {
    std::mt19937 random(4);
    for (const auto& codec : mixed_codecs()) {
        const auto encode = codec.encode;
        std::size_t wrong = 0, encoded = 0, refused = 0;
        for (int round = 0; round < 20'000; ++round) {
            std::vector<unit> units;
            std::string expected;
            std::size_t needed = 0;
            bool has_form = true;
            const auto pair = [&](std::uint32_t v) { expected += {static_cast<char>(v), static_cast<char>(v >> 8)}; };
            for (int n = static_cast<int>(random() % 70); n > 0; --n) {
                constexpr std::uint32_t some[] = {0, 'a', 0xe9, 0x7ff, 0x800, 0x2500, 0xffff};
                constexpr std::uint32_t wide[] = {0x6f22, 0x1f642, 0x2f800};
                const bool is_wide = random() % 3 == 0, odd = random() % 500 == 0;
                const std::uint32_t code = is_wide ? wide[random() % 3] : odd ? 0x1d400 : some[random() % 7];
                std::string utf8;
                append_utf8(utf8, code);
                needed += utf8.size();
                units.push_back(code | (is_wide ? units::wide : 0) | (random() % 1000 == 0 ? units::cluster : 0));
                has_form = has_form && (units.back() & units::cluster) == 0 && (is_wide || code < 0x10000);
                pair(code < 0x10000 ? code : 0xd800 | (code - 0x10000) >> 10);
                if (!is_wide) continue;
                if (random() % 1000 == 0 && n == 1) { // cut by the edge
                    has_form = false;
                    break;
                }
                units.push_back(units::tail);
                pair(code < 0x10000 ? 1 : 0xdc00 | (code & 0x3ff));
                ++needed;
            }
            std::string got(2 * units.size(), 'x');
            const auto bytes = encode(units.data(), units.size(), got.data());
            wrong += bytes.has_value() != has_form;
            encoded += has_form;
            refused += !has_form;
            if (has_form && bytes) wrong += got != expected || *bytes != needed;
        }
        CHECK(wrong == 0);
        CHECK(encoded > 10'000);
        CHECK(refused > 1'000);
    }
}

TEST_CASE("text processed in bulk equals one character at a time", "[mixed]") {
    std::mt19937 random(3);
    for (int round = 0; round < 400; ++round) {
        const screen_size size{1 + static_cast<int>(random() % 6), 1 + static_cast<int>(random() % 200)};
        terminal bulk({.size = size}), slow({.size = size});
        slow.feed("\x1b(A"); // British: only # differs, but every character is looked up
        for (int n = 0; n < 6; ++n) {
            const std::string s = mixed(random) + (random() % 3 == 0 ? "\x1b[H" : random() % 2 == 0 ? "\r\n" : "");
            bulk.feed(s);
            slow.feed(s);
        }
        text_line a, b;
        INFO("round " << round);
        for (int r = 0; r < size.rows; ++r) {
            bulk.read_row(r, a);
            slow.read_row(r, b);
            REQUIRE(a == b);
        }
        REQUIRE(bulk.history_rows() == slow.history_rows());
        for (std::size_t i = 0; i < bulk.history_rows(); ++i) {
            bulk.read_history_row(i, a);
            slow.read_history_row(i, b);
            REQUIRE(a == b);
        }
        REQUIRE(bulk.cursor().at == slow.cursor().at);
        REQUIRE(bulk.cursor().pending_wrap == slow.cursor().pending_wrap);
    }
}

TEST_CASE("clusters break where Unicode specifies", "[unicode]") {
    std::ifstream in("/usr/share/unicode/auxiliary/GraphemeBreakTest.txt");
    if (!in) {
        WARN("unicode-data is not installed");
        return;
    }
    std::size_t lines = 0, wrong = 0;
    for (std::string line; std::getline(in, line);) {
        line = line.substr(0, line.find('#'));
        std::istringstream words(line);
        std::vector<char32_t> cluster;
        std::string word;
        bool joins = false;
        bool any = false;
        while (words >> word) {
            if (word == "÷" || word == "×") {
                joins = word == "×";
                continue;
            }
            const auto code = static_cast<char32_t>(std::stoul(word, nullptr, 16));
            if (!cluster.empty()) {
                // Control characters never reach the function: CR LF is two of them.
                const bool control = property_of(code).breaking() == grapheme_class::control &&
                                     property_of(cluster.back()).breaking() == grapheme_class::control;
                if (!control) wrong += joins_cluster(cluster.data(), cluster.size(), code) != joins;
            }
            if (!joins) cluster.clear();
            cluster.push_back(code);
            any = true;
        }
        lines += any;
    }
    CHECK(lines > 600);
    CHECK(wrong == 0);
}

TEST_CASE("widths", "[unicode]") {
    CHECK(std::string(unicode_version) == "15.0.0");
    CHECK(width_of('a') == 1);
    CHECK(width_of(0x6f22) == 2);
    CHECK(width_of(0x1f642) == 2);
    CHECK(width_of(0x301) == 0);
    CHECK(width_of(0x200d) == 0);
    CHECK(width_of(0x10ffff) == 1);
}
