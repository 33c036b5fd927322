// SPDX-License-Identifier: MIT
// Images as part of the screen: their cells, the cursor, what removes them, and the answers to the program.
#include "vt/image_size.hpp"
#include "vt/kitty_graphics.hpp"
#include "vt/row.hpp"
#include "vt/terminal.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace mux::vt;

namespace {

constexpr picture_protocols all_known{true, true, true, false};

terminal make(int rows, int columns, picture_protocols known = all_known) {
    return terminal({.size = {rows, columns}, .cell_width = 10, .cell_height = 20, .pictures = known});
}

/// kitty: an image of this many pixels, RGB, as one command.
std::string kitty(const std::string& keys, int width = 20, int height = 40) {
    const auto bytes = static_cast<std::size_t>(width * height * 3);
    std::string out = "\x1b_Gf=24,s=";
    out.append(std::to_string(width)).append(",v=").append(std::to_string(height)).append(keys.empty() ? "" : ",");
    return out.append(keys).append(";").append((bytes + 2) / 3 * 4, 'A').append("\x1b\\");
}

const std::string png_2x3 = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAAD"; // the first 24 bytes contain the size

/// "number,row" of each marked cell as its number alone, '.' for others.
std::string marks(const terminal& t) {
    std::string all;
    for (int r = 0; r < t.size().rows; ++r) {
        std::string line(static_cast<std::size_t>(t.size().columns), '.');
        for_each_mark(t.row_at(r), [&](picture_mark m, int begin, int end) {
            for (int c = begin; c < end; ++c)
                line[static_cast<std::size_t>(c)] = static_cast<char>('a' + (m.number - 1) * 4 + m.row);
        });
        line.erase(line.find_last_not_of('.') + 1);
        all.append(line).append("|");
    }
    while (all.ends_with("||")) all.pop_back();
    return all;
}

std::string text_of(const terminal& t) {
    std::string all;
    for (int r = 0; r < t.size().rows; ++r) t.row_at(r).append_text(all, 0, t.size().columns);
    return all;
}

} // namespace

TEST_CASE("a kitty image covers cells and moves the cursor after them", "[picture]") {
    terminal t = make(6, 10);
    t.feed("ab" + kitty("a=T") + "c");
    CHECK(marks(t) == "..aa|..bb|");
    CHECK(t.cursor().at == position{1, 5}); // right of it, in its last row, and a character
    REQUIRE(t.pictures().size() == 1);
    CHECK(t.pictures()[0].image->size == pixel_size{20, 40});
    CHECK(t.pictures()[0].image->header == "f=24,s=20,v=40");
    CHECK(t.take_answers().empty());
    CHECK(t.take_events().empty());
    CHECK(text_of(t).find('A') == std::string::npos);
}

TEST_CASE("with C=1 the cursor stays, and what is below the screen is cut", "[picture]") {
    terminal t = make(3, 10);
    t.feed("\x1b[3;9H" + kitty("a=T,C=1", 40, 60));
    CHECK(marks(t) == "||........aa|");
    CHECK(t.cursor().at == position{2, 8});
    REQUIRE(t.pictures().size() == 1);
    CHECK(t.pictures()[0].width == 20); // not scaled
    CHECK(t.pictures()[0].height == 20);
}

TEST_CASE("an image scrolls with its lines, and is removed with the last of them", "[picture]") {
    terminal t = make(3, 10);
    t.feed("\x1b[3;1H" + kitty("a=T") + "\r\n");
    CHECK(marks(t) == "aa|bb|");
    t.feed("\x1b[3;1H\n");
    CHECK(marks(t) == "bb|");
    CHECK(t.pictures().size() == 1);
    t.feed("\n");
    CHECK(marks(t) == "|");
    CHECK(t.pictures().empty());
}

TEST_CASE("an image that is erased, overwritten or reset is removed", "[picture]") {
    terminal t = make(6, 10);
    t.feed(kitty("a=T"));
    REQUIRE(t.pictures().size() == 1);
    SECTION("erased") { t.feed("\x1b[2J"); }
    SECTION("erased line by line") { t.feed("\x1b[H\x1b[K\r\n\x1b[K"); }
    SECTION("spaces") { t.feed("\x1b[H  \r\n  "); }
    SECTION("reset") {
        t.feed("\x1b"
               "c");
    }
    SECTION("another image") { t.feed("\x1b[H" + kitty("a=T", 40, 60) + "\x1b[H\x1b[2J"); }
    SECTION("scrolled away in a region") { t.feed("\x1b[1;3r\x1b[H\x1b[2M"); }
    CHECK(marks(t) == "|");
    CHECK(t.pictures().empty());
}

TEST_CASE("an image belongs to its screen, and comes back with it", "[picture]") {
    terminal t = make(6, 10);
    t.feed(kitty("a=T") + "\x1b[?1049h");
    CHECK(marks(t) == "|");
    CHECK(t.pictures().size() == 1);
    t.feed("\x1b[?1049l");
    CHECK(marks(t) == "aa|bb|");
    t.resize({6, 20});
    CHECK(marks(t) == "aa|bb|");
    t.resize({6, 1}); // its lines wrap, so it is no longer complete
    CHECK(t.is_valid());
}

TEST_CASE("an image in chunks is one image, for any split", "[picture]") {
    std::string whole = kitty("a=T,i=5", 100, 200);
    const auto data = whole.substr(whole.find(';') + 1, 80'000);
    REQUIRE(data.size() == 80'000);
    std::string pieces;
    for (std::size_t at = 0; at < data.size(); at += 4096) {
        pieces += at == 0 ? "\x1b_Ga=T,f=24,s=100,v=200,i=5,m=1;" : at + 4096 < data.size() ? "\x1b_Gm=1;" : "\x1b_Gm=0;";
        pieces.append(data, at, 4096).append("\x1b\\");
    }
    terminal t = make(20, 40);
    for (std::size_t i = 0; i < pieces.size(); i += 4095) t.feed(std::string_view(pieces).substr(i, 4095));
    REQUIRE(t.pictures().size() == 1);
    CHECK(t.pictures()[0].image->data == data);
    CHECK(t.take_answers() == "\x1b_Gi=5;OK\x1b\\");
    CHECK(text_of(t).find('A') == std::string::npos);
}

TEST_CASE("a program gets the answers about its image that it asked for", "[picture]") {
    terminal t = make(6, 20);
    const auto answer = [&](const std::string& bytes) {
        t.feed(bytes);
        return t.take_answers();
    };
    CHECK(answer("\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\") == "\x1b_Gi=31;OK\x1b\\");
    CHECK(t.pictures().empty());
    CHECK(answer("\x1b_Gi=9,a=p\x1b\\") == "\x1b_Gi=9;ENOENT:no such image\x1b\\");
    CHECK(answer(kitty("a=t,i=9")) == "\x1b_Gi=9;OK\x1b\\");
    CHECK(t.pictures().empty());
    CHECK(answer("\x1b_Gi=9,a=p,p=3\x1b\\") == "\x1b_Gi=9,p=3;OK\x1b\\");
    CHECK(t.pictures().size() == 1);
    CHECK(answer("\x1b_Gi=9,a=p,p=3\x1b\\") == "\x1b_Gi=9,p=3;OK\x1b\\");
    CHECK(t.pictures().size() == 1); // the same placement moves
    CHECK(answer("\x1b_Gi=9,a=p,q=1\x1b\\").empty());
    CHECK(answer("\x1b_Gi=8,a=p,q=1\x1b\\") == "\x1b_Gi=8;ENOENT:no such image\x1b\\");
    CHECK(answer("\x1b_Gi=8,a=p,q=2\x1b\\").empty());
    CHECK(answer(kitty("a=t,I=77")) == "\x1b_Gi=10,I=77;OK\x1b\\");
    for (const char* medium : {"f", "t", "s"}) {
        const std::string refused = "\x1b_Gi=7,a=q,f=100,t=" + std::string(medium) + ";L2V0Yy9wYXNzd2Q=\x1b\\";
        CHECK(answer(refused) == "\x1b_Gi=7;EPERM:only direct transmission (t=d) is supported\x1b\\");
    }
    CHECK(answer("\x1b_Gi=7,a=T,f=100;AAAA\x1b\\") == "\x1b_Gi=7;EBADPNG:no PNG\x1b\\");
    CHECK(answer("\x1b_Gi=7,a=T,f=24,s=1,v=1;A\x01"
                 "BC\x1b\\") == "\x1b_Gi=7;EINVAL:the data is not base64\x1b\\");
    CHECK(answer("\x1b_Gi=7,a=T,f=24;AAAA\x1b\\") == "\x1b_Gi=7;EINVAL:no width and height\x1b\\");
    CHECK(answer("\x1b_Gi=7,a=T,f=24,s=9,v=9;AAAA\x1b\\") == "\x1b_Gi=7;ENODATA:insufficient image data\x1b\\");
    CHECK(answer("\x1b_Gi=7,a=T,U=1,f=24,s=1,v=1;AAAA\x1b\\").starts_with("\x1b_Gi=7;EINVAL:"));
    CHECK(answer("\x1b_Gi=7,a=f,m=1;AAAA\x1b\\\x1b_Ga=f,m=0;AAAA\x1b\\").starts_with("\x1b_Gi=7;EINVAL:"));
}

TEST_CASE("delete commands of kitty's protocol remove what they name", "[picture]") {
    terminal t = make(8, 20);
    t.feed(kitty("a=T,i=1,q=2") + "\x1b[4;1H" + kitty("a=T,i=2,p=4,z=5,q=2"));
    REQUIRE(t.pictures().size() == 2);
    const auto left = [&](const std::string& keys) {
        t.feed("\x1b_Ga=d" + keys + "\x1b\\");
        std::string ids;
        for (const picture& p : t.pictures()) ids += std::to_string(p.id);
        t.feed("\x1b_Ga=p,i=2\x1b\\");
        return ids + (t.take_answers().find("ENOENT") == std::string::npos ? "+" : "");
    };
    SECTION("all") { CHECK(left("") == "+"); }
    SECTION("all, with their data") { CHECK(left(",d=A").empty()); }
    SECTION("by id") { CHECK(left(",d=i,i=2") == "1+"); }
    SECTION("by id, with its data") { CHECK(left(",d=I,i=2") == "1"); }
    SECTION("by id and placement") { CHECK(left(",d=i,i=2,p=3") == "12+"); }
    SECTION("by cell") { CHECK(left(",d=p,x=1,y=5") == "1+"); }
    SECTION("by column") { CHECK(left(",d=x,x=2") == "+"); }
    SECTION("by row") { CHECK(left(",d=y,y=1") == "2+"); }
    SECTION("by order") { CHECK(left(",d=z,z=5") == "1+"); }
    SECTION("at the cursor") { CHECK(left(",d=c") == "12+"); } // after the second
    SECTION("of a range") { CHECK(left(",d=r,x=2,y=9") == "1+"); }
    CHECK(t.is_valid());
}

TEST_CASE("sixels cover what they paint, and leave the cursor in the row of the last band", "[picture]") {
    terminal t = make(8, 10);
    std::string image = "\x1bPq\"1;1;25;36#0;2;0;0;0#0";
    for (int band = 0; band < 6; ++band) image += band < 5 ? "!25~-" : "!25~";
    t.feed("ab" + image + "\x1b\\");
    CHECK(marks(t) == "..aaa|..bbb|");
    CHECK(t.cursor().at == position{1, 2});
    t.feed("\x1b[4;1H" + image + "---\x1b\\"); // four more bands are the next row
    CHECK(t.cursor().at == position{5, 0});
    REQUIRE(t.pictures().size() == 2);
    CHECK(t.pictures()[0].image->size == pixel_size{25, 36});
    t.feed("\x1b[1;9H" + image + "\x1b\\");
    CHECK(t.pictures().back().is_cut);
    t.feed("\x1bPq\x1b\\\x1bPq!\x1b\\\x1bPq\"\x1b\\\x1bPq#\x1b\\"); // empty images
    CHECK(t.pictures().size() == 3);
}

TEST_CASE("iTerm2's images are measured, and downloads are ignored", "[picture]") {
    terminal t = make(8, 10);
    const auto send = [&](const std::string& keys, const std::string& data = png_2x3) {
        t.feed("\x1b[H\x1b[2J\x1b]1337;File=" + keys + ":" + data + "\a");
        return marks(t);
    };
    CHECK(send("inline=1;width=2;height=2") == "aa|bb|"); // 2x3 pixels keep their ratio
    CHECK(t.cursor().at == position{1, 2});
    CHECK(send("inline=1;width=2;height=2;preserveAspectRatio=0").starts_with("ee|ff|"));
    CHECK(send("inline=1") == "i|");
    CHECK(send("inline=1;width=50%;height=20px;preserveAspectRatio=0") == "mmmmm|");
    CHECK(send("inline=1;width=20;height=2;preserveAspectRatio=0") == "qqqqqqqqqq|"); // scaled down
    CHECK(send("width=2;height=2") == "|");
    CHECK(send("inline=1", "not a picture") == "|");
    CHECK(send("inline=1", png_2x3 + "\x07") != "|");
    CHECK(send("inline=1;doNotMoveCursor=1") != "|");
    CHECK(t.cursor().at == position{0, 0});
}

TEST_CASE("a terminal without image support passes images on as events, and neither moves nor keeps anything", "[picture]") {
    terminal t = make(6, 10, {});
    const std::size_t before = t.memory_bytes();
    t.feed("ab" + kitty("a=T,i=3", 100, 100));
    CHECK(t.cursor().at == position{0, 2});
    CHECK(t.take_answers().empty());
    CHECK(t.take_events().size() == 1);
    CHECK(t.memory_bytes() < before + 1024);
    t.feed("\x1b[c\x1b[?1;1;0S");
    CHECK(t.take_answers() == "\x1b[?64;6;21;22;28c");
    t.know_pictures({true, true, true, true});
    t.feed("\x1b[c\x1b[?1;1;0S\x1b[?2;1;0S\x1b[?3;1;0S\x1b[16t\x1b[14t");
    CHECK(t.take_answers() == "\x1b[?64;4;6;21;22;28c\x1b[?1;0;256S\x1b[?2;0;100;120S\x1b[?3;1S\x1b[6;20;10t\x1b[4;120;100t");
}

TEST_CASE("images are limited: each one, those on the screen, and those kept by id", "[picture]") {
    terminal t({.size = {24, 80},
                .limits = {.pictures = {.pictures = 8, .bytes = 100'000}, .string_bytes = 1000, .image_bytes = 20'000},
                .cell_width = 10,
                .cell_height = 20,
                .pictures = all_known});
    for (int i = 1; i < 200; ++i) t.feed("\x1b[H" + kitty("a=T,i=" + std::to_string(i), 20, 100));
    t.feed("\x1b[H\x1b[2J");
    for (int i = 0; i < 20; ++i) t.feed(kitty("a=T,C=1") + "\x1b[3C");
    CHECK(t.pictures().size() == 8);
    CHECK(t.memory_bytes() < 300'000);
    REQUIRE_FALSE(t.take_answers().empty());
    const std::uint64_t refused = t.refused_images();
    t.feed(kitty("a=T,i=5", 200, 200)); // too long for one string
    CHECK(t.refused_images() == refused + 1);
    for (int i = 0; i < 30; ++i)
        t.feed("\x1b_G" + std::string(i == 0 ? "a=T,i=6,f=24,s=200,v=200," : "") + "m=1;" + std::string(4096, 'A') + "\x1b\\");
    t.feed("\x1b_Gm=0;\x1b\\");
    CHECK(t.take_answers() == "\x1b_Gi=6;EFBIG:too much data\x1b\\");
    CHECK(t.refused_images() == refused + 2);
    t.feed("\x1bPq" + std::string(30'000, '~') + "\x1b\\\x1b]1337;File=inline=1:");
    t.feed(std::string(30'000, 'A') + "\a");
    CHECK(t.refused_images() == refused + 4);
    CHECK(t.memory_bytes() < 300'000);
}

TEST_CASE("a snapshot contains the images, those not shown yet, and the chunks of an incomplete one", "[picture]") {
    terminal t = make(6, 20);
    t.feed(kitty("a=t,i=4,q=2") + "ab" + kitty("a=T,i=9,q=2") + "\x1b_Ga=T,f=24,s=2,v=1,i=8,m=1;AAAA\x1b\\");
    terminal other = make(1, 1);
    REQUIRE(other.restore(t.save()) == snapshot_error::none);
    CHECK(other.save() == t.save());
    for (terminal* each : {&t, &other}) each->feed("\x1b_Gm=0;AAAA\x1b\\\x1b_Ga=p,i=4\x1b\\");
    CHECK(other.take_answers() == "\x1b_Gi=8;OK\x1b\\\x1b_Gi=4;OK\x1b\\");
    CHECK(other.is_same(t));
    CHECK(marks(other) == marks(t));
}

TEST_CASE("sizes of image files from their headers", "[picture]") {
    CHECK(encoded_image_size(png_2x3) == pixel_size{2, 3});
    CHECK(encoded_image_size("R0lGODlhBAAFAA==") == pixel_size{4, 5});
    CHECK(encoded_image_size("/9j/4AAEAAD/wAARCAAHAAYBAREAAAAA") == pixel_size{6, 7});
    for (const char* none : {"", "A", "/9j/", "/9j/4AAA", "iVBORw0KGgoAAAANSUhEUgAAAAAAAAAD", "R0lGOA=="})
        CHECK_FALSE(encoded_image_size(none).is_known());
    CHECK(is_base64("AAAA==") == true);
    CHECK_FALSE(is_base64("AA;A"));
    CHECK_FALSE(is_base64("AA=A"));
    CHECK(measure_sixels("~~$-~").size == pixel_size{2, 12});
    CHECK(measure_sixels("!5~").size == pixel_size{5, 6});
    CHECK(measure_sixels("!99999999999~").size.width == 1 << 20);
}
