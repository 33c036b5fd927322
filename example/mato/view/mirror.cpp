// SPDX-License-Identifier: MIT
#include "mirror.hpp"

#include <utility>

namespace mux {
namespace {

int own_mode(own_mouse wish) { return wish == own_mouse::none ? 0 : wish == own_mouse::wheel ? 1000 : 1002; }

int mouse_mode(const vt::terminal& source, own_mouse wish) {
    if (source.is_set(vt::mode::mouse_all)) return 1003;
    if (source.is_set(vt::mode::mouse_drags)) return 1002;
    if (source.is_set(vt::mode::mouse_buttons) || source.is_set(vt::mode::mouse_x10) ||
        source.is_set(vt::mode::mouse_highlight))
        return 1000;
    return own_mode(wish);
}

void append_private_mode(std::string& out, int number, bool on) {
    out += "\033[?";
    out += std::to_string(number);
    out += on ? 'h' : 'l';
}

/// DECSCUSR: 0 the user's own, 1 blinking block, 2 steady block, 3 and 4 underline, 5 and 6 bar.
int cursor_style(const vt::cursor_view& cursor) {
    if (cursor.shape == vt::cursor_shape::own) return 0;
    return 1 + 2 * static_cast<int>(cursor.shape) + (cursor.blinks ? 0 : 1);
}

} // namespace

std::string select_cursor_style(int style) { return "\033[" + std::to_string(style) + " q"; }

std::string_view reset_sequence() {
    static const std::string all = std::string("\030"                          // CAN: ends an incomplete sequence
                                               "\033[?2026l"                   // synchronised output
                                               "\033[0m"                       // SGR 0
                                               "\033(B\017"                    // ASCII in G0, shift in
                                               "\033[4l\033[?6l\033[?7h\033[r" // insert, origin, wrap, region
                                               "\033[?69l")                    // margins
                                       .append(reset_modes());
    return all;
}

std::string_view reset_modes() noexcept {
    return "\033[?5l"                                     // reverse video
           "\033[?1l\033>\033[>4;0m"                      // cursor keys, keypad, modifyOtherKeys
           "\033[?9l\033[?1000l\033[?1002l\033[?1003l"    // mouse protocols
           "\033[?1005l\033[?1006l\033[?1015l\033[?1016l" // mouse encodings
           "\033[?1004l\033[?2004l\033[?2031l"            // focus, bracketed paste, theme reports
           "\033[?25h";                                   // visible
}

void mirror::mode(int number, bool& shown, bool wanted, std::string& out) {
    if (std::exchange(shown, wanted) != wanted) append_private_mode(out, number, wanted);
}

void mirror::update(const vt::terminal& source, const terminal_features& features, const wishes& w, std::string& out) {
    if (!w.readonly) {
        mode(1, shown_.application_cursor, source.is_set(vt::mode::application_cursor), out);
        if (std::exchange(shown_.application_keypad, source.is_set(vt::mode::application_keypad)) !=
            source.is_set(vt::mode::application_keypad))
            out += shown_.application_keypad ? "\033=" : "\033>";
        mode(2004, shown_.bracketed_paste, source.is_set(vt::mode::bracketed_paste), out);
        mode(1004, shown_.focus, source.is_set(vt::mode::focus), out);
        const int other = source.modify_other_keys();
        if (std::exchange(shown_.other_keys, other) != other) out.append("\033[>4;").append(std::to_string(other)).append("m");
        const int kitty = features.kitty_keyboard ? source.kitty_keyboard_flags() : 0;
        if (std::exchange(shown_.kitty_flags, kitty) != kitty) out.append("\033[=").append(std::to_string(kitty)).append(";1u");
    }
    const int mouse = w.readonly ? own_mode(w.mouse) : mouse_mode(source, w.mouse);
    if (mouse != shown_.mouse) {
        if (shown_.mouse != 0 && mouse < shown_.mouse) append_private_mode(out, shown_.mouse, false);
        if (mouse != 0) append_private_mode(out, mouse, true);
        if ((mouse != 0) != (shown_.mouse != 0)) append_private_mode(out, 1006, mouse != 0);
        shown_.mouse = mouse;
    }
    const bool pixels = mouse != 0 && !w.readonly && features.mouse_pixels && source.is_set(vt::mode::mouse_sgr_pixels);
    if (std::exchange(shown_.pixels, pixels) != pixels) {
        append_private_mode(out, 1016, pixels);
        if (!pixels && mouse != 0) append_private_mode(out, 1006, true);
    }
    mode(2031, shown_.theme_reports, features.theme_reports, out); // whether the program enables them or not
    mode(5, shown_.reverse, source.is_set(vt::mode::reverse_video), out);
    const vt::cursor_view cursor = source.cursor();
    if (const int style = cursor_style(cursor); std::exchange(shown_.cursor_style, style) != style) {
        has_shaped_cursor_ = true;
        out += select_cursor_style(style == 0 ? own_cursor_style_ : style);
        shown_.cursor_blinks = false;
    }
    has_shaped_cursor_ = has_shaped_cursor_ || cursor.blinks;                       // DECSCUSR restores that too
    mode(12, shown_.cursor_blinks, shown_.cursor_style == 0 && cursor.blinks, out); // a style includes it
    if (!features.strings) return;
    if (const std::string_view title = source.title().empty() ? w.title : std::string_view(source.title()); title != title_) {
        title_ = title;
        out.append("\033]2;").append(title_).append("\033\\");
    }
    for (std::size_t i = 0; i < colours_.size(); ++i) {
        const std::size_t index = vt::palette::foreground + i;
        const bool coloured = source.is_colour_changed(index);
        const vt::rgb colour = source.palette_colour(index);
        if (coloured && (!coloured_[i] || !(colour == colours_[i])))
            out.append("\033]")
                .append(std::to_string(10 + i))
                .append(";")
                .append(vt::colour_specification(colour))
                .append("\033\\");
        else if (!coloured && coloured_[i])
            out.append("\033]").append(std::to_string(110 + i)).append("\033\\");
        coloured_[i] = coloured;
        colours_[i] = colour;
    }
}

void mirror::show_cursor(bool visible, std::string& out) { mode(25, shown_.cursor_visible, visible, out); }

} // namespace mux
