// SPDX-License-Identifier: MIT
// Properties of the whole terminal: splits, snapshots, changes, reflow, limits. Each runs over many generated streams.
#include "vt/terminal.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>

using namespace mux::vt;

namespace {

class streams {
public:
    explicit streams(unsigned seed) : random_(seed) {}
    unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }

    std::string some(int pieces) {
        std::string s;
        for (int i = 0; i < pieces; ++i) s += piece();
        return s;
    }

    std::string words(int lines) {
        std::string s;
        for (int i = 0; i < lines; ++i) {
            for (unsigned n = below(60); n > 0; --n) {
                static const char* const letters[] = {"a", "b", "c ", "é", "漢", "🙂", "e\xcc\x81"};
                s += letters[below(std::size(letters))];
            }
            s += "\r\n";
        }
        return s;
    }

private:
    std::string piece() {
        static const char* const fixed[] = {"\r\n",
                                            "\n",
                                            "\t",
                                            "\b",
                                            "漢字",
                                            "🙂",
                                            "e\xcc\x81",
                                            "é",
                                            "\x1b[K",
                                            "\x1b[J",
                                            "\x1b[2J",
                                            "\x1b[L",
                                            "\x1b[M",
                                            "\x1b[@",
                                            "\x1b[P",
                                            "\x1b[S",
                                            "\x1b[T",
                                            "\x1bM",
                                            "\x1b"
                                            "7",
                                            "\x1b"
                                            "8",
                                            "\x1b[?1049h",
                                            "\x1b[?1049l",
                                            "\x1b[2;4r",
                                            "\x1b[r",
                                            "\x1b[?69h\x1b[2;6s",
                                            "\x1b[?69l",
                                            "\x1b[4h",
                                            "\x1b[4l",
                                            "\x1b[?6h",
                                            "\x1b[?6l",
                                            "\x1b]2;title\a",
                                            "\x1b]8;;http://x\a",
                                            "\x1b]8;;\a",
                                            "\x1b(0lqk\x1b(B",
                                            "\x1b[!p",
                                            "\x1b[?2027h",
                                            "👩‍💻",
                                            "\xe6\x9c",
                                            "\xff",
                                            "\x1b[6n",
                                            "\x1b[3b",
                                            "\x1bPq~\x1b\\",
                                            "\x1b_Gx;AA\x1b\\",
                                            "\a",
                                            "\x1b[1\"q",
                                            "\x1b[?J",
                                            "\x1b#8",
                                            "\x1b]4;1;#123456\a"};
        switch (below(4)) {
        case 0: return std::string(1 + below(30), static_cast<char>('a' + below(26)));
        case 1: return "\x1b[" + std::to_string(1 + below(12)) + ";" + std::to_string(1 + below(30)) + "H";
        case 2: return "\x1b[" + std::to_string(below(110)) + ";38;5;" + std::to_string(below(256)) + "m";
        default: return fixed[below(std::size(fixed))];
        }
    }
    std::mt19937 random_;
};

terminal make(int rows, int columns) { return terminal({.size = {rows, columns}}); }

// All text, with wrapped lines joined and trailing blanks removed: a resize must not change it.
std::string all_text(const terminal& t) {
    std::string s;
    text_line line;
    const auto add = [&](bool goes_on) {
        s += line.text;
        if (goes_on) return;
        while (!s.empty() && s.back() == ' ') s.pop_back();
        s += '\n';
    };
    for (std::size_t i = 0; i < t.history_rows(); ++i) {
        t.read_history_row(i, line);
        add(line.wraps || (i + 1 == t.history_rows() && t.is_history_open()));
    }
    for (int r = 0; r < t.size().rows; ++r) {
        t.read_row(r, line);
        add(line.wraps);
    }
    while (!s.empty() && s.back() == '\n') s.pop_back();
    return s;
}

} // namespace

TEST_CASE("the same bytes, split anywhere, give the same terminal", "[property]") {
    for (unsigned seed = 0; seed < 150; ++seed) {
        streams g(seed);
        const std::string bytes = g.some(60);
        terminal whole = make(5, 12), cut = make(5, 12);
        whole.feed(bytes);
        for (std::size_t i = 0; i < bytes.size();) {
            const std::size_t n = 1 + g.below(7);
            cut.feed(std::string_view(bytes).substr(i, n));
            i += n;
        }
        INFO("seed " << seed);
        REQUIRE(whole.is_same(cut));
        REQUIRE(whole.take_answers() == cut.take_answers());
    }
}

TEST_CASE("a restored terminal equals the saved one, and continues alike", "[property]") {
    for (unsigned seed = 0; seed < 150; ++seed) {
        streams g(seed);
        terminal t = make(1 + static_cast<int>(g.below(8)), 1 + static_cast<int>(g.below(30)));
        t.feed(g.some(80));
        if (g.below(2) == 0) t.resize({1 + static_cast<int>(g.below(8)), 1 + static_cast<int>(g.below(30))});
        t.feed(g.some(1).substr(0, 3)); // often inside a sequence
        const std::string saved = t.save();
        terminal other = make(1, 1);
        INFO("seed " << seed);
        REQUIRE(other.restore(saved) == snapshot_error::none);
        REQUIRE(other.save() == saved);
        const std::string more = g.some(40);
        t.feed(more);
        other.feed(more);
        REQUIRE(other.is_same(t));
    }
}

TEST_CASE("a damaged, truncated or newer snapshot is refused, and changes nothing", "[snapshot]") {
    terminal t = make(3, 10);
    t.feed(streams(1).some(50));
    const std::string saved = t.save();
    terminal other = make(2, 4);
    other.feed("keep");
    const std::string before = other.save();
    for (std::size_t i = 0; i < saved.size(); ++i) {
        std::string bad = saved;
        bad[i] = static_cast<char>(bad[i] ^ 0x21);
        REQUIRE(other.restore(bad) != snapshot_error::none);
        REQUIRE(other.restore(std::string_view(saved).substr(0, i)) != snapshot_error::none);
    }
    CHECK(other.restore(saved + "x") == snapshot_error::damaged);
    CHECK(other.restore("") == snapshot_error::not_a_snapshot);
    std::string newer = saved;
    newer[4] = static_cast<char>(newer[4] + 1);
    CHECK(other.restore(newer) == snapshot_error::too_new);
    CHECK(other.save() == before);
}

TEST_CASE("the changes since any revision turn an old copy into the newest state", "[property]") {
    for (unsigned seed = 0; seed < 60; ++seed) {
        streams g(seed);
        terminal t = make(6, 14);
        struct copy {
            std::uint64_t seen = 0;
            std::vector<text_line> rows = std::vector<text_line>(6);
        };
        std::vector<copy> copies(1);
        for (int step = 0; step < 40; ++step) {
            t.feed(g.some(3));
            for (std::size_t i = 0; i < copies.size(); ++i) { // from states of every age
                copy c = copies[i];
                const changes news = t.changes_since(c.seen);
                for (const scrolled& s : news.scrolls) {
                    auto first = c.rows.begin() + s.top, last = c.rows.begin() + s.bottom;
                    if (s.lines > 0)
                        std::move(first + s.lines, last, first);
                    else
                        std::move_backward(first, last + s.lines, last);
                }
                for (const int r : news.rows) t.read_row(r, c.rows[static_cast<std::size_t>(r)]);
                text_line now;
                for (int r = 0; r < 6; ++r) {
                    t.read_row(r, now);
                    INFO("seed " << seed << " step " << step << " row " << r);
                    REQUIRE(c.rows[static_cast<std::size_t>(r)] == now);
                }
                c.seen = t.revision();
                if (i == 0 && step % 3 == 0) copies.push_back(c);
            }
        }
    }
}

TEST_CASE("scrolling is reported as scrolling", "[changes]") {
    terminal t = make(5, 10);
    t.feed("1\r\n2\r\n3\r\n4\r\n5");
    const std::uint64_t seen = t.revision();
    t.feed("\r\n6\r\n7");
    const changes c = t.changes_since(seen);
    CHECK_FALSE(c.everything);
    CHECK(c.scrolls == std::vector<scrolled>{{0, 5, 2}});
    CHECK(c.rows == std::vector<int>{3, 4});
    CHECK(t.changes_since(t.revision()).rows.empty());
}

TEST_CASE("no width loses text", "[property]") {
    for (unsigned seed = 0; seed < 60; ++seed) {
        streams g(seed);
        terminal t = make(6, 40);
        t.feed(g.words(20));
        const std::string before = all_text(t);
        for (int i = 0; i < 8; ++i) {
            t.resize({1 + static_cast<int>(g.below(12)), 1 + static_cast<int>(g.below(60))});
            REQUIRE(t.is_valid());
        }
        t.resize({6, 40});
        INFO("seed " << seed);
        REQUIRE(all_text(t) == before);
    }
}

TEST_CASE("resizes under a full-screen program lose nothing of the primary screen", "[property]") {
    for (unsigned seed = 0; seed < 60; ++seed) {
        streams g(seed);
        terminal t = make(6, 40);
        t.feed(g.words(20));
        const std::string before = all_text(t);
        const position at = t.cursor().at;
        t.feed("\x1b[?1049h");
        INFO("seed " << seed);
        for (int i = 0; i < 8; ++i) {
            const screen_size size{1 + static_cast<int>(g.below(12)), 1 + static_cast<int>(g.below(60))};
            if (size == t.size()) continue; // no resize
            t.feed("\x1b[2;3r");            // margins of the previous size have no effect
            t.resize(size);
            REQUIRE(t.is_valid());
            // Later output of the program is as on a terminal created with that size.
            terminal fresh({.size = size});
            const std::string drawn = "\x1b[m\x1b[2J\x1b[H" + g.words(6) + "\x1b[999;999Hx";
            t.feed(drawn);
            fresh.feed("\x1b[?1049h" + drawn);
            text_line a, b;
            for (int r = 0; r < size.rows; ++r) {
                t.read_row(r, a);
                fresh.read_row(r, b);
                REQUIRE(a == b);
            }
            REQUIRE(t.cursor().at == fresh.cursor().at);
        }
        t.resize({6, 40});
        t.feed("\x1b[?1049l");
        REQUIRE(all_text(t) == before);
        REQUIRE(t.cursor().at == at);
    }
}

TEST_CASE("any bytes at any size keep all rules", "[property]") {
    for (unsigned seed = 0; seed < 200; ++seed) {
        streams g(seed);
        terminal t = make(1 + static_cast<int>(g.below(5)), 1 + static_cast<int>(g.below(9)));
        for (int i = 0; i < 10; ++i) {
            std::string noise = g.some(10);
            for (unsigned n = g.below(4); n > 0 && !noise.empty(); --n)
                noise[g.below(static_cast<unsigned>(noise.size()))] = static_cast<char>(g.below(256));
            t.feed(noise);
            INFO("seed " << seed);
            REQUIRE(t.is_valid());
            if (g.below(3) == 0) t.resize({1 + static_cast<int>(g.below(5)), 1 + static_cast<int>(g.below(9))});
            REQUIRE(t.is_valid());
        }
    }
}

TEST_CASE("sizes are limited", "[terminal]") {
    CHECK(make(0, -3).size() == screen_size{1, 1});
    CHECK(make(100'000, 100'000).size() == screen_size{max_rows, max_columns});
}

TEST_CASE("an empty screen costs little", "[memory]") { CHECK(make(24, 80).memory_bytes() <= 16 * 1024); }

TEST_CASE("history costs little more than its text", "[memory]") {
    terminal t = make(24, 80);
    const std::size_t empty = t.memory_bytes();
    streams g(9);
    std::size_t text = 0;
    for (int i = 0; i < 10'024; ++i) {
        const std::string line(20 + g.below(60), 'x');
        if (i < 10'000) text += line.size() + 1;
        t.feed(line + "\r\n");
    }
    CHECK(t.history_lines() == 10'000);
    CHECK(static_cast<double>(t.memory_bytes() - empty) <= 1.3 * static_cast<double>(text));
}

TEST_CASE("the worst input stays within a limit", "[memory]") {
    // Two screens of 80x24 full of the longest clusters, each cell a style of its own: 0.6 MiB; blocks of history: 16
    // and one; events: 16; a string: 8; and the links.
    constexpr std::size_t bound = 48u << 20;
    terminal t = make(24, 80);
    std::string piece;
    SECTION("marks alone") { piece = "\xcc\x81\xcc\x82"; }
    SECTION("marks on letters") { piece = "a\xcc\x81\xcc\x82\xcc\x83"; }
    SECTION("SGR alone") { piece = "\x1b[38;2;1;2;3;48;5;9m"; }
    SECTION("a style a letter") { piece = "\x1b[31ma\x1b[32mb"; }
    SECTION("an OSC that never ends") {
        t.feed("\x1b]0;");
        piece = "x";
    }
    SECTION("images that are not taken") { piece = "\x1b_G" + std::string(4000, 'A') + "\x1b\\"; }
    SECTION("links") {
        for (int i = 0; i < 20'000; ++i) t.feed("\x1b]8;;" + std::string(2000, 'u') + std::to_string(i) + "\ax");
        piece = "x";
    }
    SECTION("queries whose answers are not read") { piece = "\x1b[c"; }
    SECTION("lines that never end") { piece = "漢"; }
    std::string bytes;
    while (bytes.size() < 1u << 20) bytes += piece;
    for (int mib = 0; mib < 8; ++mib) {
        t.feed(bytes);
        REQUIRE(t.memory_bytes() < bound);
    }
    CHECK(t.take_answers().size() <= 16 * 1024);
    CHECK(t.is_valid());
}

TEST_CASE("repeated resizing stays within a limit", "[memory]") {
    terminal t = make(24, 80);
    streams g(4);
    for (int i = 0; i < 2000; ++i) {
        t.resize({1 + static_cast<int>(g.below(100)), 1 + static_cast<int>(g.below(200))});
        t.feed("some text\r\nand more\x1b[H");
    }
    CHECK(t.memory_bytes() < 8u << 20);
    CHECK(t.is_valid());
}

TEST_CASE("an image in reads of 4095 bytes is one event and no text", "[images]") {
    terminal t = make(5, 20);
    std::string image;
    for (int i = 0; i < 256; ++i)
        image += "\x1b_Gm=" + std::string(i < 255 ? "1" : "0") + ";" + std::string(4096, 'A') + "\x1b\\";
    t.feed("ab");
    for (std::size_t i = 0; i < image.size(); i += 4095) t.feed(std::string_view(image).substr(i, 4095));
    const auto events = t.take_events();
    REQUIRE(events.size() == 256);
    CHECK(std::all_of(events.begin(), events.end(), [](const event& e) {
        return e.kind == event_kind::kitty_image && e.text.size() == 4101 && e.column == 2;
    }));
    text_line line;
    t.read_row(0, line);
    CHECK(line.text == "ab");
}

TEST_CASE("events beyond the limit are counted and dropped", "[events]") {
    terminal t({.size = {2, 4}, .limits = {.events = {.events = 3, .bytes = 100}}});
    t.feed("\a\a\a\a\a");
    CHECK(t.take_events().size() == 3);
    CHECK(t.lost_events() == 2);
}

TEST_CASE("a synchronised update ends in time", "[synchronised]") {
    terminal t = make(2, 4);
    t.feed("\x1b[?2026h", moment(100));
    CHECK(t.is_synchronised(moment(1099)));
    CHECK(t.synchronised_until() == moment(1100));
    CHECK_FALSE(t.is_synchronised(moment(1100)));
}

namespace {

std::string recorded(const std::string& name) {
    std::ifstream in(std::string(MATO_VT_RECORDED) + "/" + name, std::ios::binary);
    REQUIRE(in);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string answer_to(terminal& t, std::string_view question) {
    (void)t.take_answers();
    t.feed(question);
    return t.take_answers();
}

} // namespace

TEST_CASE("vttest's screens are those that xterm showed", "[recorded]") {
    const std::string bytes = recorded("vttest.bytes");
    std::istringstream wanted(recorded("vttest.screens"));
    std::string line;
    while (std::getline(wanted, line) && line.starts_with('#')) {
    }
    terminal t = make(24, 80);
    std::size_t from = 0, screens = 0;
    text_line shown;
    for (; line.starts_with("=="); ++screens) {
        // A piece ends where vttest waits for a key.
        std::size_t to = bytes.size();
        for (const std::string_view prompt : {"Push <RETURN>", "Enter choice number (0 - "}) {
            const std::size_t at = bytes.find(prompt, from);
            if (at == bytes.npos) continue;
            const std::size_t end = prompt.ends_with('>') ? at + prompt.size() : bytes.find("): ", at) + 3;
            to = std::min(to, end);
        }
        t.feed(std::string_view(bytes).substr(from, to - from));
        from = to;
        std::istringstream head(line);
        std::string word, number, row, column, checksum;
        head >> word >> number >> word >> row >> column >> word >> checksum;
        INFO("screen " << number);
        CHECK(answer_to(t, "\x1b[6n") == "\x1b[" + row + ";" + column + "R");
        const std::string answered = answer_to(t, "\x1b[1;1;1;1;24;80*y");
        if (checksum != "-") CHECK(answered == "\x1bP1!~" + checksum + "\x1b\\");
        std::string text, here;
        line.clear();
        while (std::getline(wanted, line) && !line.starts_with("==")) text += line + '\n';
        for (int r = 0; r < 24; ++r) {
            t.read_row(r, shown);
            here += shown.text.substr(0, shown.text.find_last_not_of(' ') + 1) + '\n';
        }
        here.erase(here.find_last_not_of('\n') + 1);
        text.erase(text.find_last_not_of('\n') + 1);
        CHECK(here == text);
    }
    CHECK(screens == 35);
    CHECK(from == bytes.size());
}

TEST_CASE("the palette's stamp depends on what was changed, not when or how often", "[palette]") {
    const auto stamp = [](std::string_view bytes) {
        terminal t = make(2, 10);
        t.feed(bytes);
        return t.palette_stamp();
    };
    const auto one = "\033]4;1;rgb:12/34/56\007", two = "\033]4;2;rgb:12/34/56\007";
    CHECK(stamp("") == 0);
    CHECK(stamp(one) != 0);
    CHECK(stamp(one) != stamp(two));
    CHECK(stamp(one) != stamp("\033]4;1;rgb:12/34/57\007"));
    CHECK(stamp(std::string(one) + two) == stamp(std::string(two) + one + one));
    CHECK(stamp(std::string(one) + two + "\033]104;2\007") == stamp(one));
    CHECK(stamp(std::string(one) + two + "\033]104\007") == 0);
    CHECK(stamp(std::string(one) + "\033c") == 0);
    CHECK(stamp("\033]10;rgb:12/34/56\007") == 0); // a dynamic colour changes no cell's colour
    terminal t = make(2, 10);
    t.feed(one);
    terminal other = make(2, 10);
    REQUIRE(other.restore(t.save()) == snapshot_error::none);
    CHECK(other.palette_stamp() == stamp(one));
}

TEST_CASE("output of real programs leaves no sequence on the screen", "[recorded]") {
    for (const char* name : {"bash", "vim", "vttest"}) {
        const std::string bytes = recorded(std::string(name) + ".bytes");
        terminal whole = make(24, 80), cut = make(24, 80);
        whole.feed(bytes);
        std::size_t seen = 0;
        for (const char& c : bytes) {
            cut.feed({&c, 1});
            seen += cut.is_valid();
        }
        INFO(name);
        CHECK(bytes.size() > 500);
        CHECK(seen == bytes.size());
        CHECK(whole.is_same(cut));
        CHECK(all_text(whole).find("\x1b") == std::string::npos);
    }
}
