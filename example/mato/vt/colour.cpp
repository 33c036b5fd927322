// SPDX-License-Identifier: MIT
#include "colour.hpp"

namespace mux::vt {

namespace {

// xterm's default sixteen.
constexpr std::array<rgb, 16> ansi_colours{{{0, 0, 0},
                                            {205, 0, 0},
                                            {0, 205, 0},
                                            {205, 205, 0},
                                            {0, 0, 238},
                                            {205, 0, 205},
                                            {0, 205, 205},
                                            {229, 229, 229},
                                            {127, 127, 127},
                                            {255, 0, 0},
                                            {0, 255, 0},
                                            {255, 255, 0},
                                            {92, 92, 255},
                                            {255, 0, 255},
                                            {0, 255, 255},
                                            {255, 255, 255}}};

// xterm ctlseqs: 16 to 231 are a 6x6x6 cube, 232 to 255 a ramp of greys.
rgb default_colour(std::size_t index) noexcept {
    if (index < 16) return ansi_colours[index];
    if (index < 232) {
        const auto level = [](std::size_t step) { return static_cast<std::uint8_t>(step == 0 ? 0 : 55 + 40 * step); };
        const std::size_t i = index - 16;
        return {level(i / 36), level(i / 6 % 6), level(i % 6)};
    }
    if (index < 256) {
        const auto grey = static_cast<std::uint8_t>(8 + 10 * (index - 232));
        return {grey, grey, grey};
    }
    return index == palette::background ? ansi_colours[0] : ansi_colours[7];
}

/// splitmix64's finaliser: every bit of the change affects half of the stamp's bits.
std::uint64_t mixed(std::size_t index, rgb c) noexcept {
    std::uint64_t bits =
        (index + 1) << 24 | static_cast<std::uint64_t>(c.red) << 16 | static_cast<std::uint64_t>(c.green) << 8 | c.blue;
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
    return bits ^ bits >> 31;
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::optional<unsigned> hex_number(std::string_view digits) noexcept {
    if (digits.empty() || digits.size() > 4) return std::nullopt;
    unsigned value = 0;
    for (const char c : digits) {
        const int d = hex_digit(c);
        if (d < 0) return std::nullopt;
        value = value * 16 + static_cast<unsigned>(d);
    }
    return value;
}

// rgb: scales ("f" is 0xff); # keeps the most significant bits ("#f" is 0xf0). Both as in XParseColor.
std::optional<std::uint8_t> component(std::string_view digits, bool scales) noexcept {
    const auto value = hex_number(digits);
    if (!value) return std::nullopt;
    const auto bits = static_cast<unsigned>(digits.size()) * 4;
    if (scales) return static_cast<std::uint8_t>(*value * 255 / ((1u << bits) - 1));
    return static_cast<std::uint8_t>(bits == 4 ? *value << 4 : *value >> (bits - 8));
}

} // namespace

std::optional<rgb> parse_colour(std::string_view s) noexcept {
    std::array<std::string_view, 3> parts;
    const bool scales = s.starts_with("rgb:");
    if (scales) {
        s.remove_prefix(4);
        for (std::size_t i = 0; i < 3; ++i) {
            const auto slash = s.find('/');
            if ((slash == s.npos) != (i == 2)) return std::nullopt;
            parts[i] = s.substr(0, slash);
            if (slash != s.npos) s.remove_prefix(slash + 1);
        }
    } else {
        if (!s.starts_with('#') || s.size() < 4 || s.size() > 13 || (s.size() - 1) % 3 != 0) return std::nullopt;
        const std::size_t digits = (s.size() - 1) / 3;
        for (std::size_t i = 0; i < 3; ++i) parts[i] = s.substr(1 + i * digits, digits);
    }
    const auto r = component(parts[0], scales), g = component(parts[1], scales), b = component(parts[2], scales);
    if (!r || !g || !b) return std::nullopt;
    return rgb{*r, *g, *b};
}

std::string colour_specification(rgb c) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out = "rgb:";
    for (const std::uint8_t part : {c.red, c.green, c.blue}) {
        // Repeating eight bits gives the same level in sixteen.
        for (int i = 0; i < 2; ++i) {
            out.push_back(digits[part >> 4]);
            out.push_back(digits[part & 15]);
        }
        out.push_back('/');
    }
    out.pop_back();
    return out;
}

palette::palette() {
    for (std::size_t i = 0; i < size; ++i) colours_[i] = default_colour(i);
}

void palette::put(std::size_t index, rgb c, bool changed) noexcept {
    const auto toggle = [&] {
        if (changed_[index] && index < foreground) stamp_ ^= mixed(index, colours_[index]);
    };
    toggle();
    colours_[index] = c;
    changed_[index] = changed;
    toggle();
}

void palette::set(std::size_t index, rgb c) noexcept { put(index, c, true); }
void palette::reset(std::size_t index) noexcept { put(index, default_colour(index), false); }

void palette::reset_all() noexcept {
    for (std::size_t i = 0; i < size; ++i) reset(i);
}

} // namespace mux::vt
