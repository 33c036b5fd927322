// SPDX-License-Identifier: MIT
// The image part of frames: for which terminal, where, and what is removed. Pure; images_process_test has the real path.
#include "view/frame.hpp"

#include "support/catch.hpp"

#include <string>

using namespace mux;

namespace {

vt::terminal make(int rows, int columns) {
    return vt::terminal({.size = {rows, columns}, .cell_width = 10, .cell_height = 20, .pictures = {true, true, true, true}});
}

terminal_features knows(bool kitty, bool sixel, bool iterm) {
    terminal_features f;
    f.strings = true;
    f.kitty_images = kitty, f.sixel_images = sixel, f.iterm_images = iterm;
    return f;
}

std::string frame(frame_composer& to, const vt::terminal& tab) {
    std::string out;
    to.compose(tab, {}, out);
    return out;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// 20 by 40 pixels: two by two cells.
const std::string data(3200, 'A');
std::string kitty(const std::string& keys) { return "\033_Gf=24,s=20,v=40," + keys + ";" + data + "\033\\"; }
const std::string sixels = "0;1;0q\"1;1;20;40!20~-!20~-!20~-!20~-!20~-!20~-!20N";
const std::string png = "iVBORw0KGgoAAAANSUhEUgAAABQAAAAo"; // says 20 by 40

} // namespace

TEST_CASE("an image is sent once, and shown at its marks", "[picture]") {
    vt::terminal tab = make(10, 40);
    frame_composer viewer({10, 40}, knows(true, false, false));
    tab.feed("\033[3;5H" + kitty("a=T,i=7,q=2") + "text");
    const std::string first = frame(viewer, tab);
    CHECK(has(first, "\033_Ga=t,q=2,i=1835073537,f=24,s=20,v=40;" + data + "\033\\"));
    CHECK(has(first, "\033[3;5H\033_Ga=t"));
    CHECK(has(first, "\033_Ga=p,q=2,C=1,i=1835073537,p=1,c=2,r=2\033\\"));
    tab.feed("more");
    CHECK_FALSE(has(frame(viewer, tab), "\033_G"));
    tab.feed("\033[8;1H\033_Ga=p,i=7,c=4,r=1,q=2\033\\");
    const std::string second = frame(viewer, tab);
    CHECK_FALSE(has(second, data));
    CHECK(has(second, "\033_Ga=p,q=2,C=1,i=1835073537,p=2,c=4,r=1\033\\"));
    tab.feed("\033_Ga=d,d=I,i=7\033\\");
    const std::string gone = frame(viewer, tab);
    CHECK(has(gone, "\033_Ga=d,d=i,q=2,i=1835073537,p=1\033\\"));
    CHECK(has(gone, "\033_Ga=d,d=i,q=2,i=1835073537,p=2\033\\"));
    CHECK(has(gone, "\033_Ga=d,d=I,q=2,i=1835073537\033\\"));
    CHECK_FALSE(has(frame(viewer, tab), "\033_G"));
}

TEST_CASE("a terminal gets only images that it supports, and the others cost nothing", "[picture]") {
    vt::terminal tab = make(20, 40);
    frame_composer none({20, 40}, knows(false, false, false)), sixel({20, 40}, knows(false, true, false)),
        iterm({20, 40}, knows(false, false, true));
    const std::size_t before = none.memory_bytes();
    tab.feed(kitty("a=T") + "\r\n\033P" + sixels + "\033\\\r\n\033]1337;File=name=eA==;inline=1:" + png + "\a");
    REQUIRE(tab.pictures().size() == 3);
    const std::string nothing = frame(none, tab), six = frame(sixel, tab), i = frame(iterm, tab);
    for (const std::string* each : {&nothing, &six, &i}) CHECK_FALSE(has(*each, "\033_G"));
    CHECK(has(six, "\033P" + sixels + "\033\\"));
    CHECK_FALSE(has(nothing, "\033P"));
    CHECK_FALSE(has(i, "\033P"));
    CHECK(has(i, "\033]1337;File=inline=1;width=2;height=2:" + png + "\a"));
    CHECK_FALSE(has(nothing, "1337"));
    CHECK_FALSE(has(six, "1337"));
    CHECK_FALSE(has(nothing, "AAA"));
    CHECK(none.memory_bytes() < before + 4096);
}

TEST_CASE("a new or returning viewer is shown the existing images", "[picture]") {
    vt::terminal tab = make(10, 40), other = make(10, 40);
    tab.feed(kitty("a=T,i=1,q=2") + "\033P" + sixels + "\033\\");
    other.feed(kitty("a=T,i=1,q=2"));
    frame_composer viewer({10, 40}, knows(true, true, false));
    for (int round = 0; round < 3; ++round) {
        const std::string here = frame(viewer, tab);
        CHECK(has(here, "\033P" + sixels));
        CHECK(has(here, "a=p,q=2"));
        CHECK(has(here, data)); // its copy was deleted
        viewer.forget();
        const std::string there = frame(viewer, other);
        CHECK(has(there, "\033_Ga=d,d=I,q=2,i="));
        CHECK(there.find("a=d,d=I") < there.find("a=t"));
        CHECK_FALSE(has(there, "\033P" + sixels));
        viewer.forget();
    }
    viewer.resize({9, 40});
    CHECK(has(frame(viewer, tab), "\033P" + sixels));
}

TEST_CASE("overwritten sixels are erased to the last cell", "[picture]") {
    vt::terminal tab = make(10, 40);
    frame_composer viewer({10, 40}, knows(false, true, false));
    tab.feed("\033P" + sixels + "\033\\");
    CHECK(has(frame(viewer, tab), sixels));
    SECTION("a letter inside: no rest remains next to it") {
        tab.feed("\033[1;2HX");
        const std::string out = frame(viewer, tab);
        CHECK(has(out, "X"));
        vt::terminal outer = make(10, 40); // a terminal that shows '#' where nothing is drawn
        outer.feed("\033[2;1H##\033[1;1H##" + out);
        CHECK(outer.row_at(0).at(0) == ' ');
        CHECK(outer.row_at(1).at(0) == ' ');
        CHECK(outer.row_at(1).at(1) == ' ');
        CHECK_FALSE(has(out, sixels));
    }
    SECTION("cleared") {
        tab.feed("\033[2J");
        vt::terminal outer = make(10, 40);
        outer.feed("\033[2;1H##\033[1;1H##" + frame(viewer, tab));
        for (int r = 0; r < 2; ++r)
            for (int c = 0; c < 2; ++c) CHECK((outer.row_at(r).at(c) == ' ' || outer.row_at(r).at(c) == vt::units::blank));
    }
    CHECK_FALSE(has(frame(viewer, tab), sixels));
}

TEST_CASE("an image that scrolls with the text is not sent again", "[picture]") {
    vt::terminal tab = make(10, 40);
    frame_composer viewer({10, 40}, knows(true, true, false));
    tab.feed("\033[3;1H\033P" + sixels + "\033\\\033[6;1H" + kitty("a=T") + "\033[10;1H");
    CHECK(has(frame(viewer, tab), sixels));
    for (int line = 0; line < 12; ++line) {
        tab.feed("\n");
        const std::string out = frame(viewer, tab);
        INFO(line);
        CHECK_FALSE(has(out, sixels));
        CHECK_FALSE(has(out, data));
        if (line < 5) CHECK(has(out, ",p=2,c=2,r=2"));                     // kitty's is placed again at its new row
        if (line == 5) CHECK(has(out, ",p=2,c=2,r=1,x=0,y=20,w=20,h=20")); // cut by the top
        if (line == 6) CHECK(has(out, "a=d,d=i"));
    }
}

TEST_CASE("in a smaller terminal kitty's images are cut at its edge, others shown completely or not at all", "[picture]") {
    vt::terminal tab = make(20, 40);
    tab.feed(kitty("a=T,C=1") + "\033[1;10H\033P" + sixels + "\033\\\033[1;30H" + kitty("a=T,C=1") + "\033[1;1H");
    frame_composer low({1, 40}, knows(true, true, false)), narrow({20, 11}, knows(true, true, false)),
        exact({2, 40}, knows(true, true, false)), below({3, 40}, knows(true, true, false));
    CHECK(has(frame(low, tab), ",c=2,r=1,x=0,y=0,w=20,h=20"));
    CHECK_FALSE(has(frame(low, tab), sixels));
    const std::string thin = frame(narrow, tab);
    CHECK(has(thin, ",p=1,"));
    CHECK_FALSE(has(thin, ",p=3,"));
    CHECK(has(thin, sixels));                    // columns 10 and 11 are the last
    CHECK_FALSE(has(frame(exact, tab), sixels)); // its last row would scroll the terminal
    CHECK(has(frame(below, tab), sixels));
}

TEST_CASE("sixels are shown if their pixels fit the cells that the tab gave them", "[picture]") {
    vt::terminal tab = make(20, 40);
    tab.feed("\033P" + sixels + "\033\\");
    for (const auto& [cell, shown] :
         {std::pair{vt::pixel_size{}, true}, {{10, 20}, true}, {{12, 24}, true}, {{9, 20}, false}, {{10, 19}, false}}) {
        frame_composer viewer({20, 40}, knows(false, true, false));
        viewer.set_cell_size(cell);
        CHECK(has(frame(viewer, tab), sixels) == shown);
    }
}

TEST_CASE("more images than fit into a frame come in the next ones, text first", "[picture]") {
    vt::terminal tab({.size = {40, 80}, .cell_width = 10, .cell_height = 20, .pictures = {true, true, true, true}});
    for (int i = 0; i < 6; ++i) {
        tab.feed("\033[" + std::to_string(3 * i + 1) + ";1H\033Pq" + std::string(500'000, i % 2 ? '~' : '@') +
                 "$!20~-!20~\033\\");
    }
    tab.feed("\033[40;1Hthe last line");
    frame_composer viewer({40, 80}, knows(false, true, false));
    std::size_t images = 0, frames = 0;
    do {
        const std::string out = frame(viewer, tab);
        if (frames == 0) CHECK(out.find("the last line") < out.find("\033Pq"));
        CHECK(out.size() < 2'000'000);
        for (auto at = out.find("\033Pq"); at != std::string::npos; at = out.find("\033Pq", at + 1)) ++images;
        ++frames;
    } while (viewer.is_incomplete() && frames < 10);
    CHECK(images == tab.pictures().size());
    CHECK(frames > 1);
}
