// SPDX-License-Identifier: MIT
// Frames are judged by what they make of a terminal: another instance of the emulator, and libvterm in the process tests.
#include "view/frame.hpp"

#include "support/catch.hpp"
#include "vt/emulator.hpp"
#include "vt/row.hpp"
#include "vt/utf8.hpp"

#include <random>
#include <string>

using namespace mux;

namespace {

terminal_features everything() {
    terminal_features f;
    f.colours = colour_depth::direct;
    f.strings = f.synchronised = f.kitty_keyboard = true;
    return f;
}

vt::terminal make(int rows, int columns) {
    vt::terminal_options options;
    options.size = {rows, columns};
    return vt::terminal(options);
}

/// A cell as a reader sees it: text, look, link.
std::string cell(const vt::terminal& t, const vt::row& r, int column, bool with_look) {
    std::string text;
    const vt::unit u = r.at(column);
    if (u == vt::units::tail)
        text = "<tail>";
    else
        r.append_text(text, column, column + 1);
    if (text.empty()) text = " ";
    if (!with_look) return text;
    vt::style s = r.style_at(column);
    s.turn_off(vt::attributes::is_protected);
    const vt::hyperlink* const link = s.link ? t.find_link(s.link) : nullptr;
    const auto colour = [&](vt::colour c) { // a changed palette is shown by direct colours
        if (c.is_default()) return std::string("-");
        if (c.is_indexed() && !t.is_colour_changed(c.index())) return std::to_string(c.index());
        return vt::colour_specification(c.is_direct() ? c.components() : t.palette_colour(c.index()));
    };
    return text + "|" + colour(s.foreground) + "|" + colour(s.background) + "|" + colour(s.underline_colour) + "|" +
           std::to_string(s.flags) + "|" + (link ? link->uri : "");
}

/// Empty when the viewer's terminal shows the part of the tab that it should.
std::string difference(const vt::terminal& tab, const vt::terminal& viewer, vt::position offset, bool with_look = true) {
    for (int r = 0; r < viewer.size().rows; ++r) {
        const vt::row& shown = viewer.row_at(r);
        const vt::row none;
        const vt::row& whole = r + offset.row < tab.size().rows ? tab.row_at(r + offset.row) : none;
        const vt::row meant = whole.slice(offset.column, offset.column + viewer.size().columns);
        for (int c = 0; c < viewer.size().columns; ++c) {
            std::string want = cell(tab, meant, c, with_look), got = cell(viewer, shown, c, with_look);
            const bool halved = (meant.at(c) & vt::units::wide) != 0 && c + 1 >= viewer.size().columns;
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
    if (visible && !(at.at == vt::position{cursor.at.row - offset.row, cursor.at.column - offset.column}))
        return "the cursor at " + std::to_string(at.at.row) + "," + std::to_string(at.at.column);
    for (const vt::mode m : {vt::mode::application_cursor, vt::mode::application_keypad, vt::mode::bracketed_paste,
                             vt::mode::focus, vt::mode::reverse_video})
        if (tab.is_set(m) != viewer.is_set(m)) return "mode " + std::to_string(static_cast<int>(m));
    if (tab.title() != viewer.title()) return "the title";
    if (tab.kitty_keyboard_flags() != viewer.kitty_keyboard_flags()) return "the kitty flags";
    if (tab.modify_other_keys() != viewer.modify_other_keys()) return "modifyOtherKeys";
    return {};
}

class writer { // of what programs write
public:
    explicit writer(unsigned seed) : random_(seed) {}
    int number(int from, int to) { return std::uniform_int_distribution<int>(from, to)(random_); }
    std::string text() {
        static const std::vector<std::string> words{
            "plain ",       "text",          "    ", "\xe6\x97\xa5\xe6\x9c\xac",
            "\xc3\xa9t",    "e\xcc\x81",     "x",    "\xf0\x9f\x98\x80",
            "\xe2\x94\x80", "longer words ", "a\tb", "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9"};
        std::string out;
        for (int i = number(1, 6); i > 0; --i)
            out += words[static_cast<std::size_t>(number(0, static_cast<int>(words.size()) - 1))];
        return out;
    }
    std::string sequence() {
        const auto n = [&](int from, int to) { return std::to_string(number(from, to)); };
        switch (number(0, 30)) {
        case 0: return "\033[" + n(1, 30) + ";" + n(1, 90) + "H";
        case 1: return "\033[" + n(30, 49) + "m";
        case 2: return "\033[" + n(0, 9) + ";" + n(90, 107) + "m";
        case 3: return "\033[38;5;" + n(0, 255) + "m";
        case 4: return "\033[48;2;" + n(0, 255) + ";" + n(0, 255) + ";" + n(0, 255) + "m";
        case 5: return "\033[m";
        case 6: return "\033[" + n(0, 2) + "K";
        case 7: return "\033[" + n(0, 3) + "J";
        case 8: return "\033[" + n(1, 10) + ";" + n(11, 30) + "r";
        case 9: return "\033[r";
        case 10: return "\033[" + n(1, 5) + "S";
        case 11: return "\033[" + n(1, 5) + "T";
        case 12: return "\033[" + n(1, 4) + "L";
        case 13: return "\033[" + n(1, 4) + "M";
        case 14: return "\033[" + n(1, 9) + "P";
        case 15: return "\033[" + n(1, 9) + "@";
        case 16: return "\033[" + n(1, 9) + "X";
        case 17: return number(0, 9) == 0 ? (number(0, 1) ? "\033[?1049h" : "\033[?1049l") : "\r\n\r\n\r\n";
        case 18: return number(0, 1) ? "\033[?25l" : "\033[?25h";
        case 19: return number(0, 1) ? "\033[?1h\033=" : "\033[?1l\033>";
        case 20: return number(0, 1) ? "\033[?2004h\033[?1004h" : "\033[?2004l\033[?1004l";
        case 21: return "\033]2;title " + n(0, 99) + "\007";
        case 22: return "\033]8;;http://example.org/" + n(0, 3) + "\033\\link\033]8;;\033\\";
        case 23: return "\033[4:" + n(0, 5) + "m\033[58;5;" + n(0, 255) + "m";
        case 24: return "\033]4;" + n(0, 15) + ";rgb:12/34/56\033\\";
        case 25: return "\033[" + n(2, 6) + " q";
        case 26: return "\033[=" + n(0, 15) + ";1u\033[>4;" + n(0, 2) + "m";
        case 27: return number(0, 1) ? "\033[?5h" : "\033[?5l";
        case 28: return "\033M\033M";
        case 29: return number(0, 19) == 0 ? "\033c" : "\r\n";
        default: return "\r\n";
        }
    }
    std::string burst() {
        std::string out;
        for (int i = number(1, 40); i > 0; --i) out += number(0, 1) ? text() : sequence();
        return out;
    }

private:
    std::mt19937 random_;
};

} // namespace

TEST_CASE("whatever was written, at any size and with any frames left out, a viewer's terminal shows the tab", "[frame]") {
    for (unsigned seed = 1; seed <= 100; ++seed) {
        writer from(seed);
        const int rows = from.number(1, 30), columns = from.number(2, 100);
        vt::terminal tab = make(rows, columns);
        const bool same = from.number(0, 1) == 0;
        vt::screen_size size{same ? rows : from.number(1, 34), same ? columns : from.number(2, 110)};
        vt::terminal viewer = make(size.rows, size.columns);
        terminal_features features = everything();
        features.scrolls = from.number(0, 3) != 0;
        features.synchronised = from.number(0, 1) != 0;
        frame_composer composer(size, features);
        for (int step = 0; step < 30; ++step) {
            tab.feed(from.burst());
            if (from.number(0, 9) == 0) tab.resize({from.number(1, 30), from.number(2, 100)});
            if (from.number(0, 9) == 0) {
                size = {from.number(1, 34), from.number(2, 110)};
                viewer.resize(size);
                composer.resize(size);
            }
            if (from.number(0, 2) != 0) continue; // this frame is left out
            std::string frame;
            composer.compose(tab, {}, frame);
            viewer.feed(frame);
            INFO("seed " << seed << " step " << step << " tab " << tab.size().rows << "x" << tab.size().columns << " viewer "
                         << size.rows << "x" << size.columns);
            REQUIRE(difference(tab, viewer, composer.offset()) == "");
            std::string again;
            composer.compose(tab, {}, again);
            REQUIRE(again.empty()); // nothing to say twice
        }
    }
}

TEST_CASE("a key's echo is a few bytes, a full frame of text is near its own size", "[frame]") {
    vt::terminal tab = make(50, 200);
    frame_composer composer({50, 200}, everything());
    std::string text;
    for (int r = 0; r < 50; ++r)
        text += "\033[32mfile_" + std::to_string(r) +
                ".cpp\033[m: some words of an ordinary line, as they are read in logs and listings" + (r < 49 ? "\r\n" : "");
    tab.feed(text);
    std::string frame;
    composer.compose(tab, {}, frame);
    CHECK(frame.size() < 8 * 1024);
    tab.feed("x");
    frame.clear();
    composer.compose(tab, {}, frame);
    CHECK(frame == "x");
    tab.feed("\r\n");
    frame.clear();
    composer.compose(tab, {}, frame);
    CHECK(frame.size() < 32); // a scroll, and no row again
    CHECK(composer.memory_bytes() < 200 * 1024);
}

TEST_CASE("history and an overlay are shown and go away again without a trace", "[frame]") {
    vt::terminal tab = make(5, 20), viewer = make(5, 20);
    frame_composer composer({5, 20}, everything());
    const auto compose = [&](const frame_composer::request& wanted) {
        std::string frame;
        composer.compose(tab, wanted, frame);
        viewer.feed(frame);
    };
    for (int i = 1; i <= 30; ++i) tab.feed("line " + std::to_string(i) + (i < 30 ? "\r\n" : ""));
    compose({});
    REQUIRE(difference(tab, viewer, {}) == "");
    compose({.rows_back = 10});
    vt::text_line line;
    viewer.read_row(0, line);
    CHECK(line.text.starts_with("line 16"));
    CHECK(line.text.ends_with(" 10/25 "));
    CHECK_FALSE(viewer.cursor().visible);
    const std::vector<std::string> help{"first", "second"};
    compose({.overlay = &help});
    viewer.read_row(1, line);
    CHECK(line.text.starts_with("second"));
    tab.feed("\r\nmore");
    compose({});
    CHECK(difference(tab, viewer, composer.offset()) == "");
}

TEST_CASE("colours come down to what the terminal has, and none means none", "[frame]") {
    const auto shown = [](colour_depth depth, const char* sequence) {
        vt::terminal tab = make(2, 10);
        tab.feed(std::string(sequence) + "x");
        terminal_features f;
        f.colours = depth;
        frame_composer composer({2, 10}, f);
        std::string frame;
        composer.compose(tab, {}, frame);
        return frame;
    };
    CHECK(shown(colour_depth::direct, "\033[38;2;255;0;0m").find("\033[38;2;255;0;0mx") != std::string::npos);
    CHECK(shown(colour_depth::indexed, "\033[38;2;255;0;0m").find("\033[38;5;196mx") != std::string::npos);
    CHECK(shown(colour_depth::indexed, "\033[48;2;128;128;128m").find("\033[48;5;244mx") != std::string::npos);
    CHECK(shown(colour_depth::sixteen, "\033[38;5;196m").find("\033[91mx") != std::string::npos);
    CHECK(shown(colour_depth::sixteen, "\033[31m").find("\033[31mx") != std::string::npos);
    CHECK(shown(colour_depth::none, "\033[1;31;44m").find("\033[1mx") != std::string::npos);
}
