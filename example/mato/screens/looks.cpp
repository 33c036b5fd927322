// SPDX-License-Identifier: MIT
#include "looks.hpp"

namespace mux {
namespace {

/// `percent` of `to` mixed into `from`.
vt::rgb mixed(const vt::wide_rgb& from, const vt::wide_rgb& to, unsigned percent) {
    const auto part = [&](unsigned a, unsigned b) {
        return static_cast<std::uint8_t>((a * (100 - percent) + b * percent) / 100 >> 8);
    };
    return {part(from.red, to.red), part(from.green, to.green), part(from.blue, to.blue)};
}

vt::style with(vt::style s, std::uint16_t attribute) {
    s.turn_on(attribute);
    return s;
}

} // namespace

looks looks_of(const vt::host_colours* colours, bool many, bool unicode) {
    constexpr unsigned ground_percent = 12, lifted_percent = 24;
    looks result;
    result.unicode = unicode;
    result.strong = with({}, vt::attributes::bold);
    result.faint = with({}, vt::attributes::faint);
    const auto foreground = colours ? colours->at[vt::palette::foreground] : std::nullopt;
    const auto background = colours ? colours->at[vt::palette::background] : std::nullopt;
    if (many && foreground && background) {
        result.ground.background = vt::colour::direct(mixed(*background, *foreground, ground_percent));
        result.lifted.background = vt::colour::direct(mixed(*background, *foreground, lifted_percent));
    } else {
        result.ground = with({}, vt::attributes::inverse);
        result.lifted = with(result.ground, vt::attributes::bold);
        result.lifted.set_underline(vt::underline::single); // bold may not be visible
    }
    result.strong_ground = result.accent = with(result.ground, vt::attributes::bold);
    return result;
}

} // namespace mux
