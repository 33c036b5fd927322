// SPDX-License-Identifier: MIT
#include "features.hpp"

#include "terminfo.hpp"

#include <algorithm>
#include <cctype>
#include <initializer_list>

namespace mux {

namespace {

constexpr int eight = 8, indexed_colours = 256, direct_colours = 1 << 24; // terminfo's `colors`

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> names) {
    return std::any_of(names.begin(), names.end(), [text](std::string_view name) { return text.starts_with(name); });
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

/// POSIX, Environment Variables, 8.2: the first variable that is not empty decides.
bool is_utf8(const terminal_environment& e) {
    const std::string_view locale = !e.lc_all.empty() ? e.lc_all : !e.lc_ctype.empty() ? e.lc_ctype : e.lang;
    if (locale.empty()) return true;
    const std::string name = lower(locale);
    return name.find("utf-8") != std::string::npos || name.find("utf8") != std::string::npos;
}

// Multiplexers take an APC for a title (tmux) or drop it; their features are their own, not those of their terminal.
bool is_multiplexer(std::string_view term) { return starts_with_any(term, {"screen", "tmux"}); }

/// The xterm family: an unknown sequence is parsed to its end and ignored.
bool is_xterm_like(std::string_view term) {
    return starts_with_any(term, {"xterm", "rxvt", "kitty", "foot", "alacritty", "wezterm", "konsole", "vte", "gnome", "iterm",
                                  "mintty", "putty", "st-", "contour", "ghostty", "mlterm", "rio", "ms-terminal", "Eterm"}) ||
           term == "st" || is_multiplexer(term);
}

bool is_direct_by_name(std::string_view term) {
    return term.find("direct") != std::string_view::npos ||
           starts_with_any(term,
                           {"xterm-kitty", "xterm-ghostty", "kitty", "foot", "alacritty", "wezterm", "contour", "ghostty"});
}

/// Terminals with 24-bit colours, by what they report about themselves, not about the terminal around them.
bool is_direct_by_version(std::string_view version) {
    return starts_with_any(version, {"kitty", "foot", "WezTerm", "iTerm2", "ghostty", "contour", "VTE(", "Konsole", "mintty",
                                     "XTerm(", "mlterm", "Windows Terminal"});
}

colour_depth depth_of(int colours) {
    if (colours >= direct_colours) return colour_depth::direct;
    if (colours >= indexed_colours) return colour_depth::indexed;
    return colours >= eight ? colour_depth::sixteen : colour_depth::none;
}

terminal_features features_by_name(std::string_view term) {
    terminal_features f;
    const bool plain = term.empty() || term == "dumb" || term == "unknown" || term == "network";
    f.addresses = !plain;
    f.strings = is_xterm_like(term);
    f.scrolls = f.strings;
    if (plain || term.starts_with("vt") || term == "sun" || term.ends_with("-mono") || term.ends_with("-m"))
        f.colours = colour_depth::none;
    else if (is_direct_by_name(term))
        f.colours = colour_depth::direct;
    else if (term.find("256color") != std::string_view::npos)
        f.colours = colour_depth::indexed;
    return f;
}

} // namespace

terminal_features features_of(const terminal_environment& environment, const std::optional<terminfo>& description) {
    const std::string_view term = environment.term;
    terminal_features f = features_by_name(term);
    if (description) {
        f.colours =
            std::max(depth_of(description->colours), f.colours == colour_depth::direct ? f.colours : colour_depth::none);
        if (description->direct_colour) f.colours = colour_depth::direct;
        f.addresses = description->addresses;
        f.scrolls = description->scrolls;
        f.strings = f.strings || description->strings;
    }
    f.utf8 = is_utf8(environment);
    // The variable is inherited by all programs in the terminal: inside screen it describes the outer terminal.
    const std::string colorterm = lower(environment.colorterm);
    const bool is_about_this = !term.starts_with("screen") || environment.term_program == "tmux";
    if ((colorterm == "truecolor" || colorterm == "24bit") && is_about_this && f.strings && f.colours != colour_depth::none)
        f.colours = colour_depth::direct;
    // Apple's Terminal prints parts of an unknown APC or DECRQM, and has 256 colours whatever is reported.
    const bool is_apple = environment.term_program == "Apple_Terminal";
    if (is_apple && f.colours == colour_depth::direct) f.colours = colour_depth::indexed;
    if (f.strings && !is_apple)
        f.asks = is_multiplexer(term) || environment.term_program == "tmux" ? inquiry::sequences : inquiry::all;
    if (environment.term_program == "iTerm.app" || environment.term_program == "WezTerm")
        f.iterm_images = !is_multiplexer(term);
    return f;
}

std::string questions(const terminal_features& features) {
    if (features.asks == inquiry::none) return {};
    std::string out = "\x1b[?2026$p\x1b[?1016$p\x1b[?2031$p" // DECRQM
                      "\x1b[?u"                              // kitty keyboard flags
                      "\x1b[>q"                              // XTVERSION
                      "\x1b[16t";                            // XTWINOPS: a cell's pixels
    if (features.asks == inquiry::all)
        out += "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\" // one pixel, not stored
               "\x1bP$q q\x1b\\";                           // DECRQSS: the cursor's style, to be restored later
    return out + colour_questions(features);
}

std::string colour_questions(const terminal_features& features) {
    if (features.asks == inquiry::none) return {};
    constexpr int named_colours = 16; // the others are rarely changed, and would cost 7 KiB at each attach
    std::string out = "\x1b]10;?\x1b\\\x1b]11;?\x1b\\\x1b]12;?\x1b\\\x1b]4";
    for (int i = 0; i < named_colours; ++i) out.append(";").append(std::to_string(i)).append(";?");
    return out + "\x1b\\\x1b[c";
}

void refine(terminal_features& features, const terminal_answer& answer) {
    struct {
        terminal_features& f;
        void operator()(const device_attributes& a) const { // 4: sixel graphics
            if (std::find(a.attributes.begin(), a.attributes.end(), 4) != a.attributes.end()) f.sixel_images = true;
        }
        void operator()(const mode_state& m) const { // 0: unknown; 4: permanently reset
            const bool known = m.state >= 1 && m.state <= 3;
            if (m.mode == 2026) f.synchronised = known;
            if (m.mode == 1016) f.mouse_pixels = known;
            if (m.mode == 2031) f.theme_reports = known;
        }
        void operator()(const keyboard_flags&) const { f.kitty_keyboard = true; }
        void operator()(const cursor_style_report&) const {} // no feature
        void operator()(const terminal_version& v) const {
            if (is_direct_by_version(v.text) && f.colours != colour_depth::none) f.colours = colour_depth::direct;
            if (starts_with_any(v.text, {"iTerm2", "WezTerm", "mintty"})) f.iterm_images = true;
        }
        void operator()(const graphics_reply& g) const { f.kitty_images = g.known; }
        void operator()(const colour_reply&) const {}
        void operator()(const cell_report&) const {}
        void operator()(const theme_report&) const {}
    } const visitor{features};
    std::visit(visitor, answer);
}

} // namespace mux
