// SPDX-License-Identifier: MIT
// Bytes and characters: every fast function against its plain definition.
#include "vt/utf8.hpp"

#include "vt/mixed_text.hpp"
#include "vt/number_scan.hpp"
#include "vt/scan.hpp"
#include "vt/sgr_scan.hpp"
#include "vt/styled_text.hpp"
#include "vt/terminal.hpp"
#include "vt/unicode.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <random>
#include <sstream>
#include <vector>

using namespace mato::vt;

TEST_CASE("the numbers of a sequence are what its digits say", "[numbers]") {
    std::mt19937 random(5);
    std::size_t wrong = 0, taken = 0;
    for (int round = 0; round < 50'000; ++round) {
        std::string s;
        std::vector<int> expected;
        bool is_simple = true, is_whole = true;
        unsigned subs = 0;
        for (int n = static_cast<int>(random() % 9); n > 0; --n) {
            constexpr int most[] = {10, 100, 256, 10'000, 100'000};
            const int value = static_cast<int>(random() % static_cast<unsigned>(most[random() % (random() % 10 == 0 ? 5 : 4)]));
            const bool is_absent = random() % 8 == 0;
            if (!is_absent) s += std::to_string(value);
            expected.push_back(is_absent ? 0 : value);
            is_simple = is_simple && (is_absent || value < 10'000);
            if (n == 1) continue;
            const bool is_sub = random() % 100 == 0;
            subs |= unsigned{is_sub} << expected.size();
            is_simple = is_simple && !is_sub;
            s += is_sub ? ':' : ';';
        }
        if (s.empty()) expected.clear();
        const std::size_t length = s.size();
        s += random() % 50 == 0 ? (is_whole = false, "\r ?\x7f"[random() % 4]) : static_cast<char>('@' + random() % 63);
        s += std::string(random() % 80, static_cast<char>(random()));
        const char* const end = s.data() + s.size();
        const auto is_right = [&](const char* final, const parameters& got) {
            bool right = final == s.data() + length && got.size() == expected.size();
            for (std::size_t i = 0; i < expected.size(); ++i)
                right = right && got[i] == std::min(expected[i], 65535) && got.is_sub(i) == (subs >> i & 1);
            return right;
        };
        parameters got;
        got.push(7, true);
        const detail::sequence_shape shape = detail::shape_of(s.data(), end);
        const char* const at_once = shape.final >= 0 ? detail::scan_block(s.data(), shape, got) : nullptr;
#if defined(__SSE2__)
        wrong += (at_once != nullptr) != (is_whole && is_simple && length < 32 && s.size() >= 40);
#endif
        wrong += at_once != nullptr && !is_right(at_once, got);
        taken += at_once != nullptr;
        const char* const one_by_one = detail::scan_digits(s.data(), end, got);
        wrong += is_whole ? !is_right(one_by_one, got) : one_by_one != nullptr;
    }
    CHECK(wrong == 0);
#if defined(__SSE2__)
    CHECK(taken > 10'000);
#endif
}

TEST_CASE("an SGR from its bytes is the SGR of its numbers", "[numbers]") {
    static const char* const parts[] = {
        "0",      "1",        "4",         "7",       "22",        "31",        "97",      "107", "108",        "255",    "999",
        "38;5;7", "48;5;255", "38;5;256",  "48;5;0",  "38;5;1000", "38;5;",     "38;5",    "38",  "48;2;1;2;3", "58;5;9", "4:3",
        "38:5:8", "",         "5;38;5;11", "38;5;07", "0031",      "48;5;0255", "39;48;5", "38;", "\x20",       "?1"};
    std::mt19937 random(6);
    std::size_t wrong = 0, taken = 0;
    for (int round = 0; round < 100'000; ++round) {
        std::string s;
        for (unsigned n = random() % 5; n > 0; --n) {
            s += parts[random() % (random() % 4 == 0 ? std::size(parts) : 19)];
            if (n > 1) s += ';';
        }
        const std::size_t length = s.size();
        s += 'm';
        s += std::string(40, "m;0 5"[random() % 5]);
        style before;
        before.foreground = colour::indexed(random() % 256);
        before.flags = static_cast<std::uint16_t>(random() % 0x1000);
        before.link = static_cast<link_id>(random());
        const detail::sequence_shape shape = detail::shape_of(s.data(), s.data() + s.size());
        if (shape.final < 0 || s[static_cast<std::size_t>(shape.final)] != 'm') continue;
        style at_once = before, expected = before;
        const char* const after = scan_sgr(s.data(), shape, at_once);
        parameters numbers;
        if (after != nullptr) {
            const char* const final = detail::scan_digits(s.data(), s.data() + s.size(), numbers);
            wrong += final != s.data() + length || after != s.data() + length + 1;
            apply_sgr(numbers, expected);
            ++taken;
        }
        wrong += at_once != expected;
    }
    CHECK(wrong == 0);
#if defined(__SSE2__)
    CHECK(taken > 20'000);
#endif
}

TEST_CASE("every scalar value survives encoding and decoding", "[utf8]") {
    std::size_t wrong = 0;
    for (char32_t c = 0; c <= 0x10ffff; ++c) {
        if (c >= 0xd800 && c < 0xe000) continue;
        std::string s;
        append_utf8(s, c);
        const decoded d = decode_utf8(s.data(), s.data() + s.size());
        wrong += d.code != c || d.length != static_cast<int>(s.size());
        for (const char* before : {"", "a", "\u00e9", "\u6f22\U0001f642"}) {
            const std::string text = before + s;
            wrong += last_character(text.data(), text.data() + text.size()) != c;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("an unfinished character asks for more", "[utf8]") {
    const std::string s = "\xf0\x9f\x99\x82";
    for (std::size_t n = 1; n < s.size(); ++n) CHECK(decode_utf8(s.data(), s.data() + n).length == 0);
}

TEST_CASE("text for people holds no controls", "[utf8]") {
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
            for (std::size_t i = expected; i < units.size(); ++i) wrong += units[i] != 7; // nothing scribbled over
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
        CHECK(decoded_bytes > 100'000); // or nothing was shown
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
            // A replacement character decoded is the ill-formed, unless it was written.
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

TEST_CASE("mixed text knows how wide every character is, wherever it stands", "[mixed]") {
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
            // Before a long run of plain bytes it stops, and before what has no column.
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

TEST_CASE("two bytes a unit are what each unit has by itself", "[mixed]") {
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
                if (random() % 1000 == 0 && n == 1) { // cut in half by the edge
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

TEST_CASE("text in bulk is what text one character at a time is", "[mixed]") {
    std::mt19937 random(3);
    for (int round = 0; round < 400; ++round) {
        const screen_size size{1 + static_cast<int>(random() % 6), 1 + static_cast<int>(random() % 200)};
        terminal bulk({.size = size}), slow({.size = size});
        slow.feed("\x1b(A"); // British: another # and nothing else, but every character is looked up
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

TEST_CASE("coloured text at once is what its bytes one at a time are", "[mixed]") {
    std::mt19937 random(4);
    const auto below = [&random](unsigned n) { return static_cast<int>(random() % n); };
    for (int round = 0; round < 600; ++round) {
        const screen_size size{1 + below(6), 1 + below(round % 2 == 0 ? 24 : 130)};
        std::string s;
        for (int n = 60; n > 0; --n) {
            const auto word = [&](unsigned most) {
                s += std::string(static_cast<std::size_t>(below(most)), static_cast<char>('a' + below(26)));
            };
            switch (below(13)) {
            case 0: s += "\r\n"; break;
            case 1:
                s += "\x1b[" + std::to_string(below(7)) + ";" + std::to_string(below(130)) + "H" +
                     static_cast<char>('A' + below(26));
                break;
            case 2: s += "\x1b[" + std::to_string(below(108)) + "m"; break;
            case 3: s += "\x1b[m"; break;
            case 4: s += "漢字"; break;
            case 12: { // the last column, which a cursor that has yet to wrap stands in
                const std::string last = ";" + std::to_string(size.columns);
                s += std::string(static_cast<std::size_t>(size.columns), 'w') + "\x1b[1" + last + ";9" + last + "$z";
                word(20);
                break;
            }
            case 5: word(60); break;
            case 6:
                s += std::array{
                    "\x1b[K", "\x1b[1K", "\x1b[3P", "\x1b[?7l", "\x1b[?7h", "\b", "e\xcc\x81", "\x1b[5b"}[random() % 8];
                break;
            default: s += (below(2) == 0 ? "\x1b[38;5;" : "\x1b[48;5;") + std::to_string(below(256)) + "m"; word(20);
            }
        }
        terminal whole({.size = size}), bytes({.size = size}), cut({.size = size});
        whole.feed(s);
        for (const char& c : s) bytes.feed({&c, 1});
        for (std::size_t i = 0, n = 0; i < s.size(); i += n) {
            n = 1 + random() % 90;
            cut.feed(std::string_view(s).substr(i, n));
        }
        INFO("round " << round);
        REQUIRE(whole.is_same(bytes));
        REQUIRE(whole.is_same(cut));
    }
}

TEST_CASE("words and the sequences between them are what each is by itself", "[mixed]") {
    static const char* const parts[] = {"\x1b[m",
                                        "\x1b[0m",
                                        "\x1b[38;5;7m",
                                        "\x1b[38;5;255;48;5;16m",
                                        "\x1b[48;5;1;38;5;2m",
                                        "\x1b[38;5;256m",
                                        "\x1b[48;5;03m",
                                        "\x1b[1;31m",
                                        "\x1b[38;5;1;48;5;300m",
                                        "\x1b[38;2;1;2;3m",
                                        "\x1b[38;5m",
                                        "\x1b[38;5;1;4m",
                                        "\x1b[38:5:1m",
                                        "\x1b[4:3m",
                                        "\x1b[?1m",
                                        "\x1b[2;3H",
                                        "\x1b[",
                                        "\x7f",
                                        "\n",
                                        "é",
                                        "\x1b[38;5;1;48;5;2;38;5;3;48;5;4;1;7;31m",
                                        "\x1b[38;5;1;m",
                                        "\x1b[38;5;12;48;5;1;7m"};
    std::mt19937 random(9);
    const auto below = [&random](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    std::size_t wrong = 0;
    for (const auto write : styled_writers()) {
        std::size_t taken = 0;
        for (int round = 0; round < 40'000; ++round) {
            std::string s;
            while (s.size() < 300) {
                if (below(3) > 0) s += std::string(1 + below(below(8) == 0 ? 90 : 9), static_cast<char>(0x20 + below(0x5f)));
                if (below(4) > 0) s += parts[below(below(6) == 0 ? std::size(parts) : 8)];
            }
            std::vector<unit> units(400, 0xabcd), expected = units;
            row_end to;
            to.units = units.data();
            to.used = static_cast<int>(below(20));
            to.limit = to.used + 1 + static_cast<int>(below(200));
            to.pen.link = static_cast<link_id>(random());
            to.pen.flags = static_cast<std::uint16_t>(below(0x1000));
            if (below(2) == 0) to.last = to.pen;
            int used = to.used;
            style pen = to.pen, last = to.last;
            std::vector<style_run> runs;
            const char* p = s.data();
            const char* const after = write(p, s.data() + s.size() - below(200), to);
            taken += static_cast<std::size_t>(after - p);
            while (p < after && used < to.limit) {
                if (is_plain(*p)) {
                    if (pen != last) runs.push_back({static_cast<std::uint32_t>(used), last = pen});
                    expected[static_cast<std::size_t>(used++)] = static_cast<unsigned char>(*p++);
                    continue;
                }
                parameters numbers;
                const char* const final = p[0] == '\x1b' && p[1] == '[' ? detail::scan_digits(p + 2, after, numbers) : nullptr;
                if (final == nullptr || *final != 'm') break;
                apply_sgr(numbers, pen);
                p = final + 1;
            }
            const auto behind = static_cast<std::size_t>(to.limit) + plain_step; // up to there it may scribble
            units.erase(units.begin() + used, units.begin() + static_cast<std::ptrdiff_t>(behind));
            expected.erase(expected.begin() + used, expected.begin() + static_cast<std::ptrdiff_t>(behind));
            const std::span<const style_run> got(to.runs.data(), static_cast<std::size_t>(to.count));
            wrong += p != after || used != to.used || pen != to.pen || last != to.last || units != expected ||
                     !std::equal(got.begin(), got.end(), runs.begin(), runs.end());
        }
        CHECK(taken > 1'000'000);
    }
    CHECK(wrong == 0);
}

TEST_CASE("clusters break where Unicode says", "[unicode]") {
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
