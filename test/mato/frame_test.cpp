// SPDX-License-Identifier: MIT
// Frames are judged by their effect on a terminal: another instance of the emulator, and libvterm in the process tests.
#include "view/frame.hpp"
#include "view/pacer.hpp"

#include "support/catch.hpp"
#include "support/program_output.hpp"
#include "vt/emulator.hpp"
#include "vt/row.hpp"
#include "vt/utf8.hpp"

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

overlay lines(const std::vector<std::string>& text, int top = 0, overlay::rest around = overlay::rest::blank) {
    overlay result;
    result.top = top;
    result.around = around;
    for (const std::string& each : text) {
        vt::row row;
        for (std::size_t i = 0; i < each.size(); ++i)
            row.put(static_cast<int>(i), static_cast<unsigned char>(each[i]), 1, {}, vt::max_columns);
        result.rows.push_back(std::move(row));
    }
    return result;
}

/// A cell as a reader sees it: text, style, link.
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

/// Empty if the viewer's terminal shows the correct part of the tab.
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

} // namespace

TEST_CASE("for any output, any size and any skipped frames, the viewer's terminal shows the tab", "[frame]") {
    for (unsigned seed = 1; seed <= 100; ++seed) {
        support::program_output from(seed);
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
            if (from.number(0, 2) != 0) continue; // this frame is skipped
            std::string frame;
            composer.compose(tab, {}, frame);
            viewer.feed(frame);
            INFO("seed " << seed << " step " << step << " tab " << tab.size().rows << "x" << tab.size().columns << " viewer "
                         << size.rows << "x" << size.columns);
            REQUIRE(difference(tab, viewer, composer.offset()) == "");
            std::string again;
            composer.compose(tab, {}, again);
            REQUIRE(again.empty()); // nothing to send twice
        }
    }
}

TEST_CASE("changing or resetting a palette colour repaints the cells that use it", "[frame]") {
    vt::terminal tab = make(3, 20), viewer = make(3, 20);
    terminal_features features = everything();
    frame_composer composer({3, 20}, features);
    const auto show = [&] {
        std::string frame;
        composer.compose(tab, {}, frame);
        viewer.feed(frame);
        return difference(tab, viewer, composer.offset());
    };
    tab.feed("\033[31mred");
    REQUIRE(show() == "");
    for (const char* change : {"\033]4;1;rgb:12/34/56\007", "\033]4;1;rgb:12/34/57\007", "\033]104;1\007"}) {
        tab.feed(change);
        CHECK(show() == "");
    }
}

TEST_CASE("links that change with every cell cost a bounded number of bytes per frame; the text is complete", "[frame]") {
    constexpr int rows = 60, columns = 200;
    vt::terminal tab = make(rows, columns), viewer = make(rows, columns);
    const std::string uris[] = {"http://x/" + std::string(2'060, 'A'), "http://x/" + std::string(2'060, 'B')};
    std::string row = "\033[H";
    for (int c = 0; c < columns; ++c)
        row += "\033]8;id=" + std::to_string(c & 1) + ";" + uris[c & 1] + "\033\\" + static_cast<char>('a' + c % 26);
    tab.feed(row + "\033]8;;\033\\");
    for (int r = 1; r < rows; r *= 2) { // DECCRA
        const int count = std::min(r, rows - r);
        tab.feed("\033[1;1;" + std::to_string(count) + ";" + std::to_string(columns) + ";1;" + std::to_string(r + 1) +
                 ";1;1$v");
    }
    frame_composer composer({rows, columns}, everything());
    for (int n = 0; n < 3; ++n) { // each time the whole screen is drawn
        std::string frame;
        composer.compose(tab, {}, frame);
        CHECK(frame.size() < pen::most_link_bytes + (rows * columns * 32));
        viewer.feed(frame);
        CHECK(difference(tab, viewer, {}, false).empty());
        CHECK(viewer.row_at(0).style_at(0).link != 0); // the first cells have their links
        CHECK(viewer.row_at(rows - 1).style_at(columns - 1).link == 0);
        composer.forget();
    }
    tab.feed("\033[2J\033[5;5H\033]8;;http://y/\033\\link\033]8;;\033\\ text"); // the next frame has the full allowance again
    std::string frame;
    composer.compose(tab, {}, frame);
    viewer.feed(frame);
    CHECK(difference(tab, viewer, {}).empty());
}

TEST_CASE("a change of the palette draws the cells in its colours again, and clears nothing", "[frame]") {
    vt::terminal tab = make(3, 40), viewer = make(3, 40);
    frame_composer composer({3, 40}, everything());
    const auto show = [&] {
        std::string frame;
        composer.compose(tab, {}, frame);
        viewer.feed(frame);
        CHECK(difference(tab, viewer, composer.offset()) == "");
        return frame;
    };
    composer.forget();
    tab.feed("plain words\r\n\033[31mred\033[m and \033[38;2;1;2;3mexact\033[m\r\n\033[44mblue below\033[32m");
    show();
    for (const char* change : {"\033]4;1;rgb:12/34/56\033\\", "\033]4;1;rgb:12/34/57\033\\", "\033]104;1\033\\"}) {
        tab.feed(change);
        const std::string frame = show();
        CHECK(frame.find("\033[2J") == std::string::npos);
        CHECK(frame.find("red") != std::string::npos);
        CHECK(frame.find("plain") == std::string::npos);
        CHECK(frame.find("exact") == std::string::npos);
        CHECK(show() == "");
    }
    tab.feed("\033]4;2;rgb:aa/bb/cc\033\\g"); // the pen's own colour
    show();
    tab.feed("\033]10;rgb:ff/ff/ff\033\\");
    CHECK(show().find("\033[2J") == std::string::npos);
}

TEST_CASE("a link without an id is one link on the viewer's terminal, in however many parts it is drawn", "[frame]") {
    vt::terminal tab = make(6, 30), viewer = make(6, 30);
    frame_composer composer({6, 30}, everything());
    const auto shown = [&] {
        std::string frame;
        composer.compose(tab, {}, frame);
        viewer.feed(frame);
        return frame;
    };
    const auto link_at = [&](int row, int column) { return viewer.row_at(row).style_at(column).link; };
    tab.feed("\033]8;;http://x/y\033\\" + std::string(40, 'L') + "\033]8;;\033\\ end");
    shown();
    REQUIRE(link_at(0, 0) != 0);
    CHECK(link_at(0, 29) == link_at(1, 9));
    CHECK(link_at(1, 10) == 0);

    tab.feed("\033[2;3H\033]8;;http://x/y\033\\MMM\033]8;;\033\\"); // a different link to the same address
    shown();
    CHECK(link_at(1, 2) != link_at(0, 0));
    CHECK(link_at(1, 1) == link_at(0, 0));
    CHECK(link_at(1, 5) == link_at(0, 0));
    tab.feed("\033[2;3H\033]8;;http://x/y\033\\MMM\033]8;;\033\\"); // drawn again at its place
    CHECK(shown().find("http") == std::string::npos);

    tab.feed("\033[4;1H\033]8;id=a;http://x/y\033\\A\033[5;1H\033]8;id=a;http://x/y\033\\B");
    const std::string named = shown();
    CHECK(named.find("\033]8;id=a;http://x/y\033\\") != std::string::npos);
    CHECK(link_at(3, 0) == link_at(4, 0));
    CHECK(link_at(3, 0) != link_at(0, 0));
}

TEST_CASE("a line that wraps in the tab is one line on a viewer's terminal of its width", "[frame]") {
    vt::terminal tab = make(6, 20), viewer = make(6, 20);
    frame_composer composer({6, 20}, everything());
    const auto show = [&](const frame_composer::request& wanted = {}) {
        std::string frame;
        composer.compose(tab, wanted, frame);
        viewer.feed(frame);
        return frame;
    };
    const auto wrapped = [](const vt::terminal& t) {
        std::string rows;
        for (int r = 0; r < t.size().rows; ++r) rows += t.row_at(r).wraps ? 'w' : '.';
        return rows;
    };
    const auto same = [&] {
        CHECK(difference(tab, viewer, composer.offset()) == "");
        CHECK(wrapped(viewer) == wrapped(tab));
    };
    const std::string url = "https://example.org/" + std::string(30, 'a');

    SECTION("drawn whole") {
        tab.feed("first\r\n" + url + "\r\nlast");
        show();
        CHECK(wrapped(viewer) == ".ww...");
        same();
        composer.forget();
        show();
        same();
    }
    SECTION("typed a key at a time, with a frame for each") {
        for (const char c : url) {
            tab.feed({&c, 1});
            show();
            same();
        }
        CHECK(wrapped(viewer) == "ww....");
    }
    SECTION("wide characters, those that do not fit among them") {
        for (const char* text : {"漢字漢字漢字漢字漢字漢字", "a漢字漢字漢字漢字漢字漢字", "漢字漢字漢字漢字漢字abc"}) {
            tab.feed("\033c");
            tab.feed(text);
            composer.forget();
            show();
            CHECK(wrapped(viewer) == "w.....");
            same();
        }
    }
    SECTION("styled, and with a link") {
        tab.feed("\033[31m" + url.substr(0, 19) + "\033[32;44m" + url.substr(19, 2) + "\033]8;;http://x/\a" + url +
                 "\033]8;;\a\033[m");
        show();
        same();
    }
    SECTION("no longer when what follows is erased, or written over by another line") {
        tab.feed(url + "\033[2;1H");
        show();
        same();
        tab.feed("\033[J");
        show();
        CHECK(wrapped(viewer) == "......");
        same();
        tab.feed("\033c" + url);
        show();
        tab.feed("\033[H\033[2J" + std::string(20, 'x') + "\r\ny");
        show();
        CHECK(wrapped(viewer) == "......");
        same();
    }
    SECTION("while it scrolls, and in the history") {
        for (int i = 0; i < 12; ++i) {
            tab.feed("\r\n" + std::to_string(i) + url);
            show();
            same();
        }
        show({.rows_back = 5});
        CHECK(wrapped(viewer).find('w') != std::string::npos);
        CHECK(wrapped(viewer).find('.') != std::string::npos);
        show();
        same();
    }
    SECTION("under an overlay nothing wraps, and after it all does again") {
        tab.feed("first\r\n" + url + "\r\nlast");
        show();
        const overlay help = lines({"keys", std::string(20, '-'), "any key goes back", "", "", ""});
        show({.over = &help});
        CHECK(wrapped(viewer) == "......");
        show();
        same();
    }
    SECTION("not where the tab is narrower or wider than the terminal") {
        tab.feed(url);
        for (const int columns : {15, 25}) {
            viewer.resize({6, columns});
            composer.resize({6, columns});
            show();
            CHECK(wrapped(viewer) == "......");
        }
        viewer.resize({6, 20});
        composer.resize({6, 20});
        show();
        same();
    }
    SECTION("it costs no byte when it is drawn whole") {
        tab.feed(url);
        const std::string joined = show();
        vt::terminal ended = make(6, 20);
        ended.feed(url.substr(0, 20) + "\r\n" + url.substr(20, 20) + "\r\n" + url.substr(40));
        frame_composer other({6, 20}, everything());
        std::string apart;
        other.compose(ended, {}, apart);
        CHECK(joined.size() <= apart.size());
    }
    SECTION("a terminal that is not known to wrap is addressed") {
        frame_composer plain({6, 20}, {});
        tab.feed(url);
        std::string frame;
        plain.compose(tab, {}, frame);
        viewer.feed(frame);
        CHECK(wrapped(viewer) == "......");
    }
}

TEST_CASE("viewers with different sizes, speeds and stalls: when the output ends, each one shows the tab", "[frame]") {
    using namespace std::chrono_literals;
    struct watcher {
        vt::terminal screen;
        frame_composer composer;
        pacer pace{};
        std::string under_way{}; // the last frame, which the stalled terminal has not taken: no other frame until then
        bool stalled = false;
    };
    const overlay help = lines({"keys", "", "any key goes back"});
    const overlay bar = lines({"bar"}, 3, overlay::rest::tab);
    for (unsigned seed = 1; seed <= 25; ++seed) {
        support::program_output from(seed);
        vt::terminal tab = make(from.number(1, 30), from.number(2, 100));
        std::vector<watcher> watchers;
        for (int i = from.number(1, 8); i > 0; --i) {
            const vt::screen_size size = i == 1 ? tab.size() : vt::screen_size{from.number(1, 34), from.number(1, 110)};
            terminal_features features = everything();
            features.scrolls = from.number(0, 3) != 0;
            features.synchronised = from.number(0, 1) != 0;
            watchers.push_back({make(size.rows, size.columns), frame_composer(size, features)});
        }
        auto now = pacer::time_point{} + 1h;
        const auto serve = [&](watcher& each, const frame_composer::request& wanted) {
            if (each.stalled || !each.pace.may_send(now)) return;
            each.composer.compose(tab, wanted, each.under_way);
            each.pace.sent(now, each.under_way.size(), from.number(0, 1) == 0 ? output_rate::flood : output_rate::ordinary);
        };
        for (int step = 0; step < 60; ++step) {
            now += std::chrono::microseconds(from.number(0, 20'000));
            tab.feed(from.number(0, 1) == 0 ? from.burst() : "\r\n" + from.text()); // a lot, or one line that scrolls
            if (from.number(0, 19) == 0) tab.resize({from.number(1, 30), from.number(2, 100)});
            for (watcher& each : watchers) {
                if (from.number(0, 5) == 0) each.stalled = !each.stalled;
                if (from.number(0, 9) == 0) each.pace.typed();
                const bool goes_back = from.number(0, 9) == 0;
                serve(each, {.rows_back = goes_back ? static_cast<std::size_t>(from.number(1, 50)) : 0,
                             .over = from.number(0, 19) == 0  ? &help
                                     : from.number(0, 9) == 0 ? &bar
                                                              : nullptr});
                if (!each.stalled) each.screen.feed(std::exchange(each.under_way, {}));
                if (!each.stalled && from.number(0, 19) == 0) {
                    const vt::screen_size size{from.number(1, 34), from.number(1, 110)};
                    each.screen.resize(size);
                    each.composer.resize(size);
                }
            }
        }
        now += pacer::longest;
        for (std::size_t i = 0; i < watchers.size(); ++i) {
            watcher& each = watchers[i];
            each.stalled = false;
            each.screen.feed(std::exchange(each.under_way, {}));
            serve(each, {});
            each.screen.feed(each.under_way);
            INFO("seed " << seed << " viewer " << i << " of " << watchers.size() << ": " << each.screen.size().rows << "x"
                         << each.screen.size().columns);
            REQUIRE(difference(tab, each.screen, each.composer.offset()) == "");
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
    CHECK(frame.size() < 32); // a scroll, without repeating a row
    CHECK(composer.memory_bytes() < 200 * 1024);
}

TEST_CASE("history and an overlay are shown and removed again without a trace", "[frame]") {
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
    const overlay help = lines({"first", "second"});
    compose({.over = &help});
    viewer.read_row(1, line);
    CHECK(line.text.starts_with("second"));
    tab.feed("\r\nmore");
    compose({});
    CHECK(difference(tab, viewer, composer.offset()) == "");
}

TEST_CASE("a bar keeps its row while the tab above it scrolls, wraps, and moves its cursor", "[frame]") {
    for (int seed = 0; seed < 40; ++seed) {
        CAPTURE(seed);
        support::program_output from(static_cast<unsigned>(seed));
        vt::terminal tab = make(9, 30), viewer = make(10, 30);
        frame_composer composer({10, 30}, everything());
        std::string frame;
        for (int step = 0; step < 60; ++step) {
            tab.feed(from.number(0, 2) == 0 ? from.burst() : "\r\n" + from.text());
            overlay bar = lines({"bar " + std::to_string(step / 7)}, 9, overlay::rest::tab);
            const bool is_hidden = step % 13 == 12; // the bar is off: its row shows what the tab has there, nothing
            frame.clear();
            composer.compose(tab, {.over = is_hidden ? nullptr : &bar, .reserved = is_hidden ? 0 : 1}, frame);
            viewer.feed(frame);
            vt::text_line last;
            viewer.read_row(9, last);
            const std::string shown = last.text.substr(0, last.text.find_last_not_of(' ') + 1);
            REQUIRE(shown == (is_hidden ? "" : "bar " + std::to_string(step / 7)));
            vt::terminal above = make(9, 30);
            for (int r = 0; r < 9; ++r)
                for (int c = 0; c < 30; ++c)
                    REQUIRE(cell(viewer, viewer.row_at(r), c, true) == cell(tab, tab.row_at(r), c, true));
            const auto want = tab.cursor(), got = viewer.cursor();
            REQUIRE(got.visible == want.visible);
            if (want.visible) REQUIRE(got.at == want.at);
        }
    }
}

TEST_CASE("a message covers the tab's last row, with the cursor in it, and leaves no trace", "[frame]") {
    vt::terminal tab = make(4, 20), viewer = make(4, 20);
    frame_composer composer({4, 20}, everything());
    const auto compose = [&](const frame_composer::request& wanted) {
        std::string frame;
        composer.compose(tab, wanted, frame);
        viewer.feed(frame);
    };
    tab.feed("one\r\ntwo\r\nthree\r\nfour");
    compose({});
    const overlay message = lines({"message"}, 3, overlay::rest::tab);
    compose({.over = &message});
    vt::text_line line;
    viewer.read_row(3, line);
    CHECK(line.text.starts_with("message"));
    viewer.read_row(2, line);
    CHECK(line.text.starts_with("three"));
    CHECK_FALSE(viewer.cursor().visible);
    tab.feed("\r\nfive\r\nsix" + std::string(30, 'x')); // scrolls and wraps under it
    compose({.over = &message});
    viewer.read_row(3, line);
    CHECK(line.text.starts_with("message"));
    compose({});
    CHECK(difference(tab, viewer, composer.offset()) == "");

    overlay asks = lines({"name: "}, 3, overlay::rest::tab);
    asks.cursor = vt::position{3, 6};
    compose({.over = &asks});
    CHECK(viewer.cursor().visible);
    CHECK(viewer.cursor().at == vt::position{3, 6});
    const overlay beyond = lines({"a", "b", "c"}, 3, overlay::rest::tab); // rows beyond the terminal's end are not shown
    compose({.over = &beyond});
    viewer.read_row(3, line);
    CHECK(line.text.starts_with("a"));
}

TEST_CASE("colours are reduced to those of the terminal, and none means none", "[frame]") {
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

TEST_CASE("the terminal's cursor keeps the user's shape until a program sets one, and gets it back afterwards", "[frame]") {
    vt::terminal tab = make(3, 20);
    frame_composer composer({3, 20}, everything());
    const auto told = [&](std::string_view bytes) { // sequences about the cursor's shape
        tab.feed(bytes);
        std::string frame, found;
        composer.compose(tab, {}, frame);
        for (auto at = frame.find("\033["); at != std::string::npos; at = frame.find("\033[", at + 1)) {
            const auto end = frame.find_first_not_of("?0123456789; ", at + 2);
            const std::string each = frame.substr(at + 2, end - at - 1);
            if (each.ends_with(" q") || each.starts_with("?12")) found += "<" + each + ">";
        }
        return found;
    };
    CHECK(told("first") == "");
    CHECK(told("\033[?12l\033[?25h") == ""); // terminfo's cnorm
    CHECK(told("\033[?12;25h") == "<?12h>"); // cvvis
    CHECK(told("\033[?12l\033[?25h") == "<?12l>");
    CHECK(told("\033[5 q") == "<5 q>");
    CHECK(told("\033[?12l") == "<6 q>");
    CHECK(told("\033[?12h") == "<5 q>");
    CHECK(told("\033[0 q") == "<0 q>");
    CHECK(told("\033[0 q") == "");
    CHECK(told("\033[4 q") == "<4 q>");
    CHECK(told("\033c") == "<0 q>");
    CHECK(told("\033[1 q\033[0 q") == ""); // between two frames
    CHECK(told("\033[?12h\033[1 q") == "<1 q>");
    CHECK(told("\033[ q\033[?12h") == "<0 q><?12h>");
    CHECK(told("\033[2 q") == "<2 q>");
}

TEST_CASE("a tab that sets no cursor shape restores the user's after one that does", "[frame]") {
    vt::terminal shaping = make(3, 20), plain = make(3, 20), viewer = make(3, 20);
    shaping.feed("\033[6 q");
    frame_composer composer({3, 20}, everything());
    const auto show = [&](const vt::terminal& tab) {
        composer.forget();
        std::string frame;
        composer.compose(tab, {}, frame);
        viewer.feed(frame);
        return viewer.cursor().shape;
    };
    CHECK(show(plain) == vt::cursor_shape::own);
    CHECK(show(shaping) == vt::cursor_shape::bar);
    CHECK(show(plain) == vt::cursor_shape::own);
    CHECK(show(shaping) == vt::cursor_shape::bar);
}
