// SPDX-License-Identifier: MIT
#include "sgr.hpp"

#include <utility>

namespace mux::vt {

namespace {

using namespace attributes;

std::uint8_t level(int n) noexcept { return static_cast<std::uint8_t>(n > 255 ? 255 : n); }

// 38, 48 and 58 are at `at`. "38:2::r:g:b", "38:2:r:g:b", "38:5:n", and xterm's "38;2;r;g;b", "38;5;n". Sets `to` unless it is
// not a colour; returns the index of the number after it.
std::size_t extended_colour(const parameters& p, std::size_t at, colour& to) noexcept {
    const auto set_indexed = [&](int n) {
        if (n < 256) to = colour::indexed(static_cast<unsigned>(n));
    };
    std::size_t end = at + 1;
    if (p.is_sub(end)) {
        while (p.is_sub(end)) ++end;
        const std::size_t count = end - at - 1; // the kind, and its numbers
        if (p[at + 1] == 5 && count >= 2) {
            set_indexed(p[at + 2]);
        } else if (p[at + 1] == 2 && count >= 4) {
            const std::size_t red = count >= 5 ? at + 3 : at + 2; // with five or more, the first is a colour space
            to = colour::direct({level(p[red]), level(p[red + 1]), level(p[red + 2])});
        }
        return end;
    }
    if (p[at + 1] == 5 && at + 2 < p.size()) {
        set_indexed(p[at + 2]);
        return at + 3;
    }
    if (p[at + 1] == 2 && at + 4 < p.size()) {
        to = colour::direct({level(p[at + 2]), level(p[at + 3]), level(p[at + 4])});
        return at + 5;
    }
    return p.size(); // incomplete: the meaning of the rest is unknown
}

void reset(style& pen) noexcept {
    const style old = pen;
    pen = {};
    pen.flags = old.flags & is_protected;
    pen.link = old.link;
}

// 4 alone, or 4:n (kitty's and now xterm's underline kinds).
std::size_t apply_underline(const parameters& p, std::size_t i, style& pen) noexcept {
    if (!p.is_sub(i + 1)) {
        pen.set_underline(underline::single);
        return i + 1;
    }
    if (p[i + 1] <= static_cast<int>(underline::dashed)) pen.set_underline(static_cast<underline>(p[i + 1]));
    i += 2;
    while (p.is_sub(i)) ++i;
    return i;
}

void append_colour(std::string& out, colour c, int base) {
    if (c.is_default()) return;
    out += ';';
    out += std::to_string(base);
    if (c.is_indexed()) {
        out += ":5:";
        out += std::to_string(c.index());
    } else {
        const rgb v = c.components();
        out += ":2:"; // and an empty colour space
        for (const int part : {v.red, v.green, v.blue}) {
            out += ':';
            out += std::to_string(part);
        }
    }
}

void append_ansi_colour(std::string& out, colour c, int base) {
    if (!c.is_indexed() || c.index() >= 16) return append_colour(out, c, base + 8);
    const int n = static_cast<int>(c.index());
    out += ';';
    out += std::to_string(n < 8 ? base + n : base + 60 + n - 8);
}

} // namespace

void apply_sgr_number(int n, style& pen) noexcept {
    const auto index = [](int value) { return colour::indexed(static_cast<unsigned>(value)); };
    if (n >= 30 && n <= 37) {
        pen.foreground = index(n - 30);
        return;
    }
    if (n >= 40 && n <= 47) {
        pen.background = index(n - 40);
        return;
    }
    if (n >= 90 && n <= 97) {
        pen.foreground = index(n - 90 + 8);
        return;
    }
    if (n >= 100 && n <= 107) {
        pen.background = index(n - 100 + 8);
        return;
    }
    switch (n) {
    case 0: reset(pen); break;
    case 1: pen.turn_on(bold); break;
    case 2: pen.turn_on(faint); break;
    case 3: pen.turn_on(italic); break;
    case 5: pen.turn_on(blink); break;
    case 6: pen.turn_on(rapid_blink); break;
    case 7: pen.turn_on(inverse); break;
    case 8: pen.turn_on(conceal); break;
    case 9: pen.turn_on(strike); break;
    case 21: pen.set_underline(underline::twofold); break;
    case 22: pen.turn_off(bold | faint); break;
    case 23: pen.turn_off(italic); break;
    case 24: pen.set_underline(underline::none); break;
    case 25: pen.turn_off(blink | rapid_blink); break;
    case 27: pen.turn_off(inverse); break;
    case 28: pen.turn_off(conceal); break;
    case 29: pen.turn_off(strike); break;
    case 39: pen.foreground = {}; break;
    case 49: pen.background = {}; break;
    case 53: pen.turn_on(overline); break;
    case 55: pen.turn_off(overline); break;
    case 59: pen.underline_colour = {}; break;
    default: break;
    }
}

void apply_sgr(const parameters& p, style& pen, std::size_t first) noexcept {
    if (p.size() <= first) return reset(pen);
    for (std::size_t i = first; i < p.size();) {
        const int n = p[i];
        if (n == 38 || n == 48 || n == 58) {
            i = extended_colour(p, i, n == 38 ? pen.foreground : n == 48 ? pen.background : pen.underline_colour);
        } else if (n == 4) {
            i = apply_underline(p, i, pen);
        } else {
            if (!p.is_sub(i)) apply_sgr_number(n, pen);
            ++i;
        }
    }
}

std::string sgr_numbers(const style& s) {
    std::string out = "0";
    constexpr std::pair<std::uint16_t, const char*> simple[] = {{bold, ";1"},    {faint, ";2"},       {italic, ";3"},
                                                                {blink, ";5"},   {rapid_blink, ";6"}, {inverse, ";7"},
                                                                {conceal, ";8"}, {strike, ";9"},      {overline, ";53"}};
    for (const auto& [flag, text] : simple)
        if (s.has(flag)) out += text;
    if (s.underlined() == underline::single)
        out += ";4";
    else if (s.underlined() == underline::twofold)
        out += ";21";
    else if (s.underlined() != underline::none) {
        out += ";4:";
        out += std::to_string(static_cast<int>(s.underlined()));
    }
    append_ansi_colour(out, s.foreground, 30);
    append_ansi_colour(out, s.background, 40);
    append_colour(out, s.underline_colour, 58);
    return out;
}

} // namespace mux::vt
