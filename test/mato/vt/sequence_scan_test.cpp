// SPDX-License-Identifier: MIT
// Control sequences scanned in one step: their numbers, SGR, and words between them, compared with one byte at a time.
#include "vt/sgr_scan.hpp"

#include "vt/number_scan.hpp"
#include "vt/styled_text.hpp"
#include "vt/terminal.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

using namespace mux::vt;

TEST_CASE("the numbers of a sequence are the values of its digits", "[numbers]") {
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

TEST_CASE("an SGR applied from its bytes equals the SGR of its numbers", "[numbers]") {
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

TEST_CASE("coloured text processed together equals one byte at a time", "[mixed]") {
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
            case 12: { // the last column with a pending wrap
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

TEST_CASE("words and the sequences between them equal each processed by itself", "[mixed]") {
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
            const auto read_end = static_cast<std::size_t>(to.limit) + plain_step; // it may overwrite up to there
            units.erase(units.begin() + used, units.begin() + static_cast<std::ptrdiff_t>(read_end));
            expected.erase(expected.begin() + used, expected.begin() + static_cast<std::ptrdiff_t>(read_end));
            const std::span<const style_run> got(to.runs.data(), static_cast<std::size_t>(to.count));
            wrong += p != after || used != to.used || pen != to.pen || last != to.last || units != expected ||
                     !std::equal(got.begin(), got.end(), runs.begin(), runs.end());
        }
        CHECK(taken > 1'000'000);
    }
    CHECK(wrong == 0);
}
