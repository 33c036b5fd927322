// SPDX-License-Identifier: MIT
/// @file framed_terminal.hpp: a tab and a viewer's terminal, both emulators, and whether the second shows the first.
#pragma once

#include "view/frame.hpp"
#include "vt/row.hpp"
#include "vt/terminal.hpp"

#include <string>
#include <vector>

namespace support {

inline mux::terminal_features everything() {
    mux::terminal_features f;
    f.colours = mux::colour_depth::direct;
    f.strings = f.synchronised = f.kitty_keyboard = true;
    return f;
}

inline mux::vt::terminal make(int rows, int columns) {
    mux::vt::terminal_options options;
    options.size = {rows, columns};
    return mux::vt::terminal(options);
}

inline mux::overlay lines(const std::vector<std::string>& text, int top = 0,
                          mux::overlay::rest around = mux::overlay::rest::blank) {
    mux::overlay result;
    result.top = top;
    result.around = around;
    for (const std::string& each : text) {
        mux::vt::row row;
        for (std::size_t i = 0; i < each.size(); ++i)
            row.put(static_cast<int>(i), static_cast<unsigned char>(each[i]), 1, {}, mux::vt::max_columns);
        result.rows.push_back(std::move(row));
    }
    return result;
}

/// A cell as a reader sees it: text, style, link.
inline std::string cell(const mux::vt::terminal& t, const mux::vt::row& r, int column, bool with_look) {
    std::string text;
    const mux::vt::unit u = r.at(column);
    if (u == mux::vt::units::tail)
        text = "<tail>";
    else
        r.append_text(text, column, column + 1);
    if (text.empty()) text = " ";
    if (!with_look) return text;
    mux::vt::style s = r.style_at(column);
    s.turn_off(mux::vt::attributes::is_protected);
    const mux::vt::hyperlink* const link = s.link ? t.find_link(s.link) : nullptr;
    const auto colour = [&](mux::vt::colour c) { // a changed palette is shown by direct colours
        if (c.is_default()) return std::string("-");
        if (c.is_indexed() && !t.is_colour_changed(c.index())) return std::to_string(c.index());
        return mux::vt::colour_specification(c.is_direct() ? c.components() : t.palette_colour(c.index()));
    };
    return text + "|" + colour(s.foreground) + "|" + colour(s.background) + "|" + colour(s.underline_colour) + "|" +
           std::to_string(s.flags) + "|" + (link ? link->uri : "");
}

/// Empty if the viewer's terminal shows the correct part of the tab.
inline std::string difference(const mux::vt::terminal& tab, const mux::vt::terminal& viewer, mux::vt::position offset,
                              bool with_look = true) {
    for (int r = 0; r < viewer.size().rows; ++r) {
        const mux::vt::row& shown = viewer.row_at(r);
        const mux::vt::row none;
        const mux::vt::row& whole = r + offset.row < tab.size().rows ? tab.row_at(r + offset.row) : none;
        const mux::vt::row meant = whole.slice(offset.column, offset.column + viewer.size().columns);
        for (int c = 0; c < viewer.size().columns; ++c) {
            std::string want = cell(tab, meant, c, with_look), got = cell(viewer, shown, c, with_look);
            const bool halved = (meant.at(c) & mux::vt::units::wide) != 0 && c + 1 >= viewer.size().columns;
            if (halved) continue;
            if (want != got)
                return "row " + std::to_string(r) + " column " + std::to_string(c) + ": '" + got + "' instead of '" + want +
                       "'";
        }
    }
    const auto cursor = tab.cursor();
    const auto at = viewer.cursor();
    const bool visible = cursor.visible && cursor.at.row - offset.row < viewer.size().rows &&
                         cursor.at.column - offset.column < viewer.size().columns;
    if (visible != at.visible) return "the cursor's visibility";
    if (visible && !(at.at == mux::vt::position{cursor.at.row - offset.row, cursor.at.column - offset.column}))
        return "the cursor at " + std::to_string(at.at.row) + "," + std::to_string(at.at.column);
    for (const mux::vt::mode m : {mux::vt::mode::application_cursor, mux::vt::mode::application_keypad,
                                  mux::vt::mode::bracketed_paste, mux::vt::mode::focus, mux::vt::mode::reverse_video})
        if (tab.is_set(m) != viewer.is_set(m)) return "mode " + std::to_string(static_cast<int>(m));
    if (tab.title() != viewer.title()) return "the title";
    if (tab.kitty_keyboard_flags() != viewer.kitty_keyboard_flags()) return "the kitty flags";
    if (tab.modify_other_keys() != viewer.modify_other_keys()) return "modifyOtherKeys";
    return {};
}

} // namespace support
