// SPDX-License-Identifier: MIT
#include "past_text.hpp"

#include "capture.hpp"
#include "vt/row.hpp"

#include <vector>

namespace mux {
namespace {

/// Bold text would stay bright in many terminals.
vt::style dimmed(const vt::style& own) {
    vt::style dim = own;
    dim.link = 0;
    dim.turn_off(vt::attributes::bold | vt::attributes::blink | vt::attributes::rapid_blink | vt::attributes::is_protected);
    dim.turn_on(vt::attributes::faint);
    return dim;
}

terminal_features all_colours() {
    terminal_features all;
    all.colours = colour_depth::direct;
    all.strings = true; // underlines of all kinds; a style without a link has no string
    return all;
}

} // namespace

std::string past_text(const vt::terminal& shown, std::size_t lines, std::size_t most) {
    const terminal_features known = all_colours();
    const bool is_alternate = shown.is_set(vt::mode::alternate_screen);
    std::vector<std::string> parts; // the newest first; each ends at the end of a line, or continues in the one before it
    std::size_t total = 0;
    bool is_cut = false; // within a line
    const auto take = [&](const vt::row& row, bool continues) {
        std::string text;
        append_styled(row, shown, known, dimmed, text);
        if (!continues) text += "\r\n";
        total += text.size();
        if (total > most) return is_cut = continues, false;
        parts.push_back(std::move(text));
        return true;
    };
    int last = shown.size().rows - 1;
    while (last > shown.cursor().at.row && shown.row_at(last).used() == 0) --last;
    bool has_room = true;
    for (int r = last; r >= 0 && has_room; --r) has_room = take(shown.row_at(r), shown.row_at(r).wraps && r < last);
    vt::row line;
    const std::size_t kept = shown.history_lines();
    for (std::size_t i = kept; i > 0 && kept - i < lines && has_room; --i) {
        shown.read_history_line(i - 1, line);
        has_room = take(line, i == kept && shown.is_history_open() && !is_alternate);
    }
    while (is_cut && !parts.empty()) { // the rest of that line
        is_cut = !parts.back().ends_with("\r\n");
        parts.pop_back();
    }
    std::string all;
    for (auto at = parts.rbegin(); at != parts.rend(); ++at) all += *at;
    return all;
}

} // namespace mux
