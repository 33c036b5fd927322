// SPDX-License-Identifier: MIT
/// @file program_output.hpp: random program output: text, attributes, regions, scrolling, modes. The same for the same
/// seed.
#pragma once

#include <random>
#include <string>
#include <vector>

namespace support {

class program_output {
public:
    /// `plain`: only output that libvterm 0.1.4 shows like other terminals. It reads 16 code points at a time; if the first of
    /// them is a combining character, after a character in the last column, it is put into the next row.
    enum class kind { any, plain };
    explicit program_output(unsigned seed, kind what = kind::any) : random_(seed), what_(what) {}

    int number(int from, int to) { return std::uniform_int_distribution<int>(from, to)(random_); }
    std::string text() {
        static const std::vector<std::string> words{
            "plain ",
            "text",
            "    ",
            "\xe6\x97\xa5\xe6\x9c\xac",
            "\xc3\xa9t",
            "x",
            "\xf0\x9f\x98\x80",
            "\xe2\x94\x80",
            "longer words ",
            "a\tb",
            "e\xcc\x81",
            "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9"}; // the last two are clusters
        std::string out;
        for (int i = number(1, 6); i > 0; --i)
            out += words[static_cast<std::size_t>(number(0, static_cast<int>(words.size()) - (what_ == kind::plain ? 3 : 1)))];
        return out;
    }
    std::string sequence() {
        const auto n = [&](int from, int to) { return std::to_string(number(from, to)); };
        switch (number(0, 30)) {
        case 0: return "\033[" + n(1, 30) + ";" + n(1, 90) + "H";
        case 1: return "\033[" + n(30, 49) + "m";
        case 2: return "\033[" + n(0, 9) + ";" + n(90, 107) + "m";
        case 3: return "\033[38;5;" + n(0, 255) + "m";
        case 4: return "\033[48;2;" + n(0, 255) + ";" + n(0, 255) + ";" + n(0, 255) + "m";
        case 5: return "\033[m";
        case 6: return "\033[" + n(0, 2) + "K";
        case 7: return "\033[" + n(0, 3) + "J";
        case 8: return "\033[" + n(1, 10) + ";" + n(11, 30) + "r";
        case 9: return "\033[r";
        case 10: return "\033[" + n(1, 5) + "S";
        case 11: return "\033[" + n(1, 5) + "T";
        case 12: return "\033[" + n(1, 4) + "L";
        case 13: return "\033[" + n(1, 4) + "M";
        case 14: return "\033[" + n(1, 9) + "P";
        case 15: return "\033[" + n(1, 9) + "@";
        case 16: return "\033[" + n(1, 9) + "X";
        case 17: return number(0, 9) == 0 ? (number(0, 1) ? "\033[?1049h" : "\033[?1049l") : "\r\n\r\n\r\n";
        case 18: return number(0, 1) ? "\033[?25l" : "\033[?25h";
        case 19: return number(0, 1) ? "\033[?1h\033=" : "\033[?1l\033>";
        case 20: return number(0, 1) ? "\033[?2004h\033[?1004h" : "\033[?2004l\033[?1004l";
        case 21: return "\033]2;title " + n(0, 99) + "\007";
        case 22: return "\033]8;;http://example.org/" + n(0, 3) + "\033\\link\033]8;;\033\\";
        case 23: return what_ == kind::plain ? "\033[4m" : "\033[4:" + n(0, 5) + "m\033[58;5;" + n(0, 255) + "m";
        case 24: return "\033]4;" + n(0, 15) + ";rgb:12/34/56\033\\";
        case 25: return "\033[" + n(2, 6) + " q";
        case 26: return "\033[=" + n(0, 15) + ";1u\033[>4;" + n(0, 2) + "m";
        case 27: return number(0, 1) ? "\033[?5h" : "\033[?5l";
        case 28: return "\033M\033M";
        case 29: return number(0, 19) == 0 ? "\033c" : "\r\n";
        default: return "\r\n";
        }
    }
    std::string burst() {
        std::string out;
        for (int i = number(1, 40); i > 0; --i) out += number(0, 1) ? text() : sequence();
        return out;
    }

private:
    std::mt19937 random_;
    kind what_;
};

} // namespace support
