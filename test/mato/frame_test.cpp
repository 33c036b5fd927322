// SPDX-License-Identifier: MIT
// Frames are judged by their effect on a terminal: another instance of the emulator, and libvterm in the process tests.
#include "view/pacer.hpp"

#include "support/catch.hpp"
#include "support/framed_terminal.hpp"
#include "support/program_output.hpp"

#include <string>
#include <utility>
#include <vector>

using namespace mux;
using namespace support;

TEST_CASE("for any output, any size and any skipped frames, the viewer's terminal shows the tab", "[frame]") {
    for (unsigned seed = 1; seed <= 100; ++seed) {
        program_output from(seed);
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
        program_output from(seed);
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
