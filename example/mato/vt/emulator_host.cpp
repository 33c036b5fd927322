// SPDX-License-Identifier: MIT
#include "emulator.hpp"

#include <algorithm>

namespace mux::vt {

std::string colour_specification(wide_rgb c) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out = "rgb:";
    for (const unsigned part : {c.red, c.green, c.blue}) {
        for (int shift = 12; shift >= 0; shift -= 4) out.push_back(digits[part >> shift & 15]);
        out.push_back('/');
    }
    out.pop_back();
    return out;
}

std::optional<theme> host_colours::theme() const noexcept {
    if (reported) return reported;
    const auto& background = at[palette::background];
    if (!background) return std::nullopt;
    // ITU-R BT.601: the share of each component in the lightness, in thousandths.
    const std::uint32_t lightness = (299u * background->red + 587u * background->green + 114u * background->blue) / 1000;
    return lightness < 0x8000 ? theme::dark : theme::light;
}

/// Later answers wait too, so that a program which sends DA1 last can treat missing answers as unsupported.
void emulator::ask_host(host_question what) {
    if (!options_.host.is_awaited || (what.about == host_question::subject::colour && palette_.is_changed(what.index)))
        return answer_about_host(what);
    if (waiting_.size() < most_waiting) waiting_.push_back({what, {}});
}

void emulator::answer_about_host(host_question what) {
    const host_colours* const colours = options_.host.colours.get();
    switch (what.about) {
    case host_question::subject::colour: {
        std::string specification;
        if (palette_.is_changed(what.index))
            specification = colour_specification(palette_.at(what.index));
        else if (colours && colours->at[what.index])
            specification = colour_specification(*colours->at[what.index]);
        else
            return;
        std::string name = what.index < palette::foreground ? "4;" : "";
        name += std::to_string(what.index < palette::foreground ? what.index : what.index - palette::foreground + 10);
        return answer({"\x1b]", name, ";", specification, what.bell ? "\a" : "\x1b\\"});
    }
    case host_question::subject::theme:
        if (const auto now = colours ? colours->theme() : std::nullopt) answer_theme(*now);
        return;
    case host_question::subject::keyboard:
        if (options_.host.kitty_keyboard) answer_csi("?", std::to_string(kitty().flags()), "u");
        return;
    case host_question::subject::attributes: // ECMA-48 8.3.24 DA; VT420 with the features supported here
        return answer_csi("?64;", options_.pictures.announces_sixel ? "4;" : "", "6;21;22;28",
                          options_.host.clipboard ? ";52" : "", "c");
    }
}

void emulator::answer_theme(theme now) { answer_csi("?997;", std::to_string(static_cast<int>(now)), "n"); }

void emulator::know_host(host_terminal known) {
    options_.host = std::move(known);
    if (options_.host.is_awaited) return;
    for (const waiting_answer& each : std::exchange(waiting_, {})) {
        answer_about_host(each.question);
        answer({each.later});
    }
    const auto now = options_.host.colours ? options_.host.colours->theme() : std::nullopt;
    if (!now || now == told_theme_) return;
    told_theme_ = now;
    if (modes_.is_set(mode::theme_reports)) answer_theme(*now);
}

// xterm ctlseqs, OSC 4: pairs of index and colour, or "?"
void emulator::colours_osc(std::string_view rest, bool bell) {
    while (!rest.empty()) {
        const int index = string_number(take_string_part(rest));
        const std::string_view spec = take_string_part(rest);
        if (index < 0 || index > 255) continue;
        set_or_ask_colour(static_cast<std::uint16_t>(index), spec, bell);
    }
}

void emulator::reset_colours_osc(std::string_view rest) {
    if (rest.empty())
        for (std::size_t i = 0; i < 256; ++i) palette_.reset(i);
    while (!rest.empty()) {
        const int index = string_number(take_string_part(rest));
        if (index >= 0 && index < 256) palette_.reset(static_cast<std::size_t>(index));
    }
}

// xterm ctlseqs, OSC 10 to 12: further colours go to the numbers that follow
void emulator::dynamic_osc(int number, std::string_view rest, bool bell) {
    for (; number <= 12 && !rest.empty(); ++number)
        set_or_ask_colour(static_cast<std::uint16_t>(number - 10 + palette::foreground), take_string_part(rest), bell);
}

void emulator::set_or_ask_colour(std::uint16_t index, std::string_view spec, bool bell) {
    if (spec == "?")
        ask_host({host_question::subject::colour, index, bell});
    else if (const auto c = parse_colour(spec))
        palette_.set(index, *c);
}

} // namespace mux::vt
