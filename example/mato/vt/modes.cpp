// SPDX-License-Identifier: MIT
#include "modes.hpp"

#include <algorithm>
#include <initializer_list>

namespace mux::vt {

namespace {

struct numbered {
    mode_space space;
    int number;
    mode which;
};

using enum mode;

constexpr numbered table[] = {
    {mode_space::ansi, 4, insert},
    {mode_space::ansi, 20, newline},
    {mode_space::dec, 1, application_cursor},
    {mode_space::dec, 5, reverse_video},
    {mode_space::dec, 6, origin},
    {mode_space::dec, 7, autowrap},
    {mode_space::dec, 8, auto_repeat},
    {mode_space::dec, 9, mouse_x10},
    {mode_space::dec, 12, cursor_blinks},
    {mode_space::dec, 25, cursor_visible},
    {mode_space::dec, 45, reverse_wrap},
    {mode_space::dec, 66, application_keypad},
    {mode_space::dec, 67, backarrow},
    {mode_space::dec, 69, margins},
    {mode_space::dec, 1000, mouse_buttons},
    {mode_space::dec, 1001, mouse_highlight},
    {mode_space::dec, 1002, mouse_drags},
    {mode_space::dec, 1003, mouse_all},
    {mode_space::dec, 1004, focus},
    {mode_space::dec, 1005, mouse_utf8},
    {mode_space::dec, 1006, mouse_sgr},
    {mode_space::dec, 1007, alternate_scroll},
    {mode_space::dec, 1015, mouse_urxvt},
    {mode_space::dec, 1016, mouse_sgr_pixels},
    {mode_space::dec, 47, alternate_screen},
    {mode_space::dec, 1045, reverse_wrap_far},
    {mode_space::dec, 1047, alternate_screen},
    {mode_space::dec, 1049, alternate_screen},
    {mode_space::dec, 2004, bracketed_paste},
    {mode_space::dec, 2026, synchronised},
    {mode_space::dec, 2027, grapheme_clusters},
    {mode_space::dec, 2031, theme_reports},
    {mode_space::dec, 2048, size_reports},
};

constexpr std::initializer_list<mode> tracking = {mouse_x10, mouse_buttons, mouse_highlight, mouse_drags, mouse_all};
constexpr std::initializer_list<mode> encodings = {mouse_utf8, mouse_sgr, mouse_urxvt, mouse_sgr_pixels};

bool holds(std::initializer_list<mode> group, mode m) noexcept {
    return std::find(group.begin(), group.end(), m) != group.end();
}

} // namespace

mode_set::mode_set() noexcept {
    for (const mode m : {autowrap, auto_repeat, cursor_visible, alternate_scroll}) set(m, true);
    set(backarrow, false);
}

void mode_set::set(mode m, bool on) noexcept {
    // xterm has one variable for tracking: resetting any of these modes ends it.
    if (holds(tracking, m))
        for (const mode other : tracking) bits_[static_cast<std::size_t>(other)] = false;
    if (on && holds(encodings, m))
        for (const mode other : encodings) bits_[static_cast<std::size_t>(other)] = false;
    bits_[static_cast<std::size_t>(m)] = on;
}

bool mode_set::set_bits(std::uint64_t bits) noexcept {
    if (bits >> static_cast<unsigned>(mode::count) != 0) return false;
    bits_ = bits;
    return true;
}

std::optional<mode> mode_set::find(mode_space space, int number) noexcept {
    const auto* const found = std::find_if(std::begin(table), std::end(table),
                                           [&](const numbered& n) { return n.space == space && n.number == number; });
    return found == std::end(table) ? std::nullopt : std::optional(found->which);
}

mode_report mode_set::report(mode_space space, int number) const noexcept {
    if (const auto m = find(space, number)) return is_set(*m) ? mode_report::set : mode_report::reset;
    // VT420 manual, DECRQM: known, but without effect here. 3 DECCOLM, 4 DECSCLM: the viewer chooses the size.
    if (space == mode_space::dec && (number == 3 || number == 4)) return mode_report::always_reset;
    // 2 KAM, and the ECMA-48 modes that no DEC terminal changes; 12 SRM: there is no local echo.
    if (space == mode_space::ansi && number == 12) return mode_report::always_set;
    if (space == mode_space::ansi && number >= 1 && number <= 19) return mode_report::always_reset;
    return mode_report::unknown;
}

} // namespace mux::vt
