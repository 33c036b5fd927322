// SPDX-License-Identifier: MIT
#include "pen.hpp"

#include <array>
#include <charconv>
#include <cstdlib>

namespace mux {
namespace {

void append_number(std::string& out, unsigned value) {
    char digits[12];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out.append(digits, end);
}

void append_parameter(std::string& out, unsigned value) {
    append_number(out, value);
    out += ';';
}

constexpr std::array<std::uint8_t, 6> cube{0, 95, 135, 175, 215, 255}; // the 6x6x6 colours of xterm's palette

/// The level of the cube that is nearest to `value`.
unsigned level_of(unsigned value) {
    if (value < 48) return 0;
    if (value < 115) return 1;
    return (value - 35) / 40;
}

int distance(vt::rgb a, vt::rgb b) {
    const int red = a.red - b.red, green = a.green - b.green, blue = a.blue - b.blue;
    return red * red + green * green + blue * blue;
}

/// The nearest colour of the cube and the greys.
unsigned nearest_indexed(vt::rgb c) {
    const unsigned r = level_of(c.red), g = level_of(c.green), b = level_of(c.blue);
    const vt::rgb in_cube{cube[r], cube[g], cube[b]};
    const unsigned mean = (c.red + c.green + c.blue) / 3u;
    const unsigned step = mean <= 8 ? 0 : mean >= 238 ? 23 : (mean - 3) / 10;
    const auto level = static_cast<std::uint8_t>(8 + 10 * step);
    if (distance(c, {level, level, level}) < distance(c, in_cube)) return 232 + step;
    return 16 + 36 * r + 6 * g + b;
}

/// The nearest of the sixteen named colours, in xterm's default palette.
unsigned nearest_sixteen(vt::rgb c) {
    static const vt::palette defaults;
    unsigned best = 0;
    for (unsigned i = 1; i < 16; ++i)
        if (distance(c, defaults.at(i)) < distance(c, defaults.at(best))) best = i;
    return best;
}

struct flag_code {
    std::uint16_t flag;
    std::uint8_t on;
};
constexpr std::array<flag_code, 9> flag_codes{{{vt::attributes::bold, 1},
                                               {vt::attributes::faint, 2},
                                               {vt::attributes::italic, 3},
                                               {vt::attributes::blink, 5},
                                               {vt::attributes::rapid_blink, 6},
                                               {vt::attributes::inverse, 7},
                                               {vt::attributes::conceal, 8},
                                               {vt::attributes::strike, 9},
                                               {vt::attributes::overline, 53}}};
constexpr std::uint16_t simple_flags = vt::attributes::bold | vt::attributes::faint | vt::attributes::italic |
                                       vt::attributes::blink | vt::attributes::rapid_blink | vt::attributes::inverse |
                                       vt::attributes::conceal | vt::attributes::strike | vt::attributes::overline;

} // namespace

void append_colour(std::string& out, vt::colour wanted, int base, colour_depth depth, const vt::terminal& source) {
    if (depth == colour_depth::none) return;
    const auto first = static_cast<unsigned>(base);
    if (wanted.is_default()) return append_parameter(out, first + 9);
    const bool named = wanted.is_indexed() && !source.is_colour_changed(wanted.index());
    if (named && wanted.index() < 16 && base != underline_base)
        return append_parameter(out, wanted.index() < 8 ? first + wanted.index() : first + 60 + wanted.index() - 8);
    const vt::rgb exact = wanted.is_direct() ? wanted.components() : source.palette_colour(wanted.index());
    if (depth == colour_depth::direct && !named) {
        append_number(out, first + 8);
        out += ";2;";
        append_parameter(out, exact.red);
        append_parameter(out, exact.green);
        append_parameter(out, exact.blue);
        return;
    }
    if (depth == colour_depth::sixteen) {
        const unsigned near = nearest_sixteen(exact);
        if (base != underline_base) append_parameter(out, near < 8 ? first + near : first + 60 + near - 8);
        return;
    }
    append_number(out, first + 8);
    out += ";5;";
    append_parameter(out, named ? wanted.index() : nearest_indexed(exact));
}

void pen::select(const vt::style& wanted, const vt::terminal& source, const terminal_features& features, std::string& out) {
    if (wanted == now_) return;
    if (features.strings && wanted.link != now_.link) {
        const vt::hyperlink* link = wanted.link ? source.find_link(wanted.link) : nullptr;
        if (link && link->uri.size() > link_bytes_left_) link = nullptr;
        if (link || linked_) {
            out += "\033]8;";
            if (link) out.append("id=").append(vt::id_for_others(wanted.link, *link));
            out += ';';
            if (link) out += link->uri;
            out += "\033\\";
            if (link) link_bytes_left_ -= link->uri.size();
            linked_ = link != nullptr;
        }
    }
    const bool fancy = features.strings && features.colours >= colour_depth::indexed; // supports 4:3 and 58
    const auto look = [&](const vt::style& s) {
        vt::style seen = s;
        seen.link = 0;
        seen.turn_off(vt::attributes::is_protected);
        if (!fancy) {
            seen.underline_colour = {};
            if (seen.underlined() != vt::underline::none) seen.set_underline(vt::underline::single);
        }
        if (features.colours == colour_depth::none) seen.foreground = seen.background = {};
        return seen;
    };
    vt::style from = look(now_);
    const vt::style to = look(wanted);
    now_ = wanted;
    if (from == to) return;
    const std::size_t before = out.size();
    out += "\033[";
    const bool drops = (from.flags & ~to.flags & simple_flags) != 0;
    if (drops || to == vt::style{}) {
        if (to == vt::style{}) { // "CSI m", the shortest
            out += 'm';
            return;
        }
        out += "0;";
        from = {};
    }
    for (const flag_code& each : flag_codes)
        if (to.has(each.flag) && !from.has(each.flag)) append_parameter(out, each.on);
    if (to.underlined() != from.underlined()) {
        switch (to.underlined()) {
        case vt::underline::none: append_parameter(out, 24); break;
        case vt::underline::single: append_parameter(out, 4); break;
        default: out += "4:"; append_parameter(out, static_cast<unsigned>(to.underlined()));
        }
    }
    if (to.foreground != from.foreground) append_colour(out, to.foreground, 30, features.colours, source);
    if (to.background != from.background) append_colour(out, to.background, 40, features.colours, source);
    if (to.underline_colour != from.underline_colour)
        append_colour(out, to.underline_colour, underline_base, features.colours, source);
    if (out.back() == ';')
        out.back() = 'm';
    else
        out.resize(before); // nothing that this terminal supports; an empty SGR would reset
}

} // namespace mux
