// SPDX-License-Identifier: MIT
// Rows, packed lines and history, compared with simple models.
#include "vt/row.hpp"

#include "vt/history.hpp"
#include "vt/links.hpp"
#include "vt/packed_line.hpp"
#include "vt/text_line.hpp"
#include "vt/unicode.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <random>

using namespace mux::vt;

namespace {

constexpr int columns = 20;

style coloured(unsigned n) {
    style s;
    if (n > 0) s.foreground = colour::indexed(n);
    return s;
}

// One style per column, which the runs represent.
struct model {
    std::array<unsigned, columns> colours{};
    std::array<char, columns> text{};
};

std::string text_of(const row& r) {
    std::string s;
    r.append_text(s, 0, r.used());
    return s;
}

row packed_and_back(const row& r) {
    std::string bytes(packed_bound(r), '\0');
    bytes.resize(static_cast<std::size_t>(pack_line(r, bytes.data()) - bytes.data()));
    row out;
    REQUIRE(unpack_line(bytes, out, columns));
    return out;
}

bool same(const row& a, const row& b) {
    text_line x, y;
    read_line(a, x);
    read_line(b, y);
    return x.text == y.text && x.runs == y.runs;
}

} // namespace

TEST_CASE("a packed line keeps every colour", "[packed]") {
    const auto survives = [](colour c) {
        row r;
        style s;
        s.foreground = c;
        r.put(0, 'x', 1, s, columns);
        return packed_and_back(r).style_at(0) == s;
    };
    std::size_t lost = 0;
    for (unsigned i = 0; i < 256; ++i) lost += !survives(colour::indexed(i)); // numbers of one byte and of two
    for (unsigned blue = 0; blue < 256; ++blue)                               // of two and of three
        for (const std::uint8_t green : {std::uint8_t{62}, std::uint8_t{63}})
            lost += !survives(colour::direct({0, green, static_cast<std::uint8_t>(blue)}));
    lost += !survives(colour::direct({255, 255, 255}));
    CHECK(lost == 0);
}

TEST_CASE("a row behaves as an array of cells would", "[row]") {
    std::mt19937 random(3);
    for (int round = 0; round < 300; ++round) {
        row r;
        model m;
        for (int step = 0; step < 30; ++step) {
            const int from = static_cast<int>(random() % columns),
                      to = from + 1 + static_cast<int>(random() % static_cast<unsigned>(columns - from));
            const unsigned n = random() % 4;
            const bool erases = random() % 3 == 0;
            const auto letter = static_cast<char>('a' + random() % 26);
            if (erases)
                r.erase(from, to, style{});
            else
                for (int c = from; c < to; ++c) r.put(c, static_cast<char32_t>(letter), 1, coloured(n), columns);
            for (int c = from; c < to; ++c) {
                m.text[static_cast<std::size_t>(c)] = erases ? '\0' : letter;
                m.colours[static_cast<std::size_t>(c)] = erases ? 0 : n;
            }
            REQUIRE(r.is_valid(columns));
            for (int c = 0; c < columns; ++c) {
                REQUIRE(r.at(c) == static_cast<unit>(m.text[static_cast<std::size_t>(c)]));
                REQUIRE(r.style_at(c) == coloured(m.colours[static_cast<std::size_t>(c)]));
            }
        }
        CHECK(same(packed_and_back(r), r));
        const row middle = r.slice(5, 15);
        REQUIRE(middle.is_valid(columns));
        for (int c = 0; c < 10; ++c) REQUIRE(middle.at(c) == r.at(c + 5));
    }
}

TEST_CASE("half a wide character is removed", "[row]") {
    row r;
    r.put(2, 0x6f22, 2, {}, columns);
    SECTION("its right half overwritten") {
        r.put(3, 'x', 1, {}, columns);
        CHECK(text_of(r) == "   x");
    }
    SECTION("its left half overwritten") {
        r.put(2, 'x', 1, {}, columns);
        CHECK(text_of(r) == "  x ");
    }
    SECTION("its right half erased") {
        r.erase(3, 5, {});
        CHECK(text_of(r).empty());
    }
    SECTION("cut off") {
        r.truncate(3);
        CHECK(text_of(r).empty());
    }
    CHECK(r.is_valid(columns));
}

TEST_CASE("clusters and their pool are bounded", "[row]") {
    row r;
    for (int round = 0; round < 10'000; ++round) {
        r.put(round % columns, 'e', 1, {}, columns);
        for (int i = 0; i < 20; ++i) r.combine(round % columns, 0x301);
    }
    CHECK(r.is_valid(columns));
    CHECK(r.memory_bytes() < 16 * 1024);
    CHECK(r.cluster(r.at(0)).size() == row::max_cluster);
}

TEST_CASE("every kind of line is unchanged by packing", "[packed]") {
    row r;
    SECTION("empty") {}
    SECTION("plain") {
        for (int c = 0; c < 20; ++c) r.put(c, 'a' + static_cast<char32_t>(c), 1, {}, columns);
    }
    SECTION("Latin") {
        for (int c = 0; c < 20; ++c) r.put(c, c % 5 == 0 ? 0xe9 : 'a', 1, {}, columns);
    }
    SECTION("wide") {
        for (int c = 0; c < 20; c += 2) r.put(c, 0x6f22, 2, {}, columns);
    }
    SECTION("pairs whose halves lie in two blocks") {
        for (int c = 1; c < 19; c += 2) r.put(c, c % 4 == 1 ? 0x1f642 : 0x6f22, 2, {}, columns);
    }
    SECTION("narrow past U+FFFF") {
        for (int c = 0; c < 20; ++c) r.put(c, 0x10000, 1, {}, columns);
    }
    SECTION("clusters") {
        for (int c = 0; c < 20; ++c) {
            r.put(c, 'e', 1, {}, columns);
            r.combine(c, 0x301);
        }
    }
    SECTION("styles") {
        for (int c = 0; c < 20; ++c) {
            style s = coloured(static_cast<unsigned>(c));
            s.background = colour::direct({1, 2, static_cast<std::uint8_t>(c)});
            s.underline_colour = colour::indexed(255);
            s.set_underline(underline::dashed);
            s.link = static_cast<link_id>(c * 300);
            r.put(c, 'x', 1, s, columns);
        }
    }
    SECTION("erased cells between") {
        r.put(3, 'a', 1, {}, columns);
        r.put(19, 0x6f22, 1, {}, columns);
    }
    const row back = packed_and_back(r);
    CHECK(back.is_valid(columns));
    CHECK(same(back, r));
    for (int c = 0; c < columns; ++c) CHECK((back.at(c) & ~units::code_mask) == (r.at(c) & ~units::code_mask));
}

TEST_CASE("lines of every length and mixture are unchanged by packing", "[packed]") {
    std::mt19937 random(5);
    constexpr char32_t codes[] = {'a', 'b', 0xe9, 0x416, 0x2500, 0xfffd, 0x6f22, 0xac00, 0x1f642, 0x20000, 0x10000, 0x301};
    std::size_t longer = 0;
    for (int round = 0; round < 20'000; ++round) {
        row r;
        // Few kinds per line, so that each form of packing gets its share.
        const std::size_t kinds = 1 + random() % std::size(codes), first = random() % std::size(codes);
        constexpr int most = 40;
        const int length = static_cast<int>(random() % (most - 1));
        for (int c = 0; c < length;) {
            const char32_t code = codes[(first + random() % kinds) % std::size(codes)];
            const int width = width_of(code);
            if (width == 0) {
                if (c > 0) r.combine(c - 1, code);
                c += static_cast<int>(random() % 2);
            } else {
                r.put(c, code, width, {}, most);
                c += width;
            }
        }
        std::string bytes(packed_bound(r), '\0');
        bytes.resize(static_cast<std::size_t>(pack_line(r, bytes.data()) - bytes.data()));
        longer += bytes.size() > packed_bound(r);
        row back;
        INFO("round " << round);
        REQUIRE(unpack_line(bytes, back, most));
        REQUIRE(back.is_valid(most));
        REQUIRE(same(back, r));
    }
    CHECK(longer == 0);
}

TEST_CASE("damaged packed lines are refused or read as valid rows", "[packed]") {
    std::mt19937 random(5);
    int taken = 0, refused = 0;
    for (int round = 0; round < 50'000; ++round) {
        std::string bytes(random() % 24, '\0');
        for (char& c : bytes) c = static_cast<char>(random() % 4 == 0 ? random() : random() % 8);
        row r;
        if (unpack_line(bytes, r, columns)) {
            ++taken;
            REQUIRE(r.is_valid(columns));
        } else {
            ++refused;
            REQUIRE(r.used() == 0);
        }
    }
    CHECK(taken > 100);
    CHECK(refused > 100);
}

TEST_CASE("history keeps its limits", "[history]") {
    history h({.lines = 100, .bytes = 64 * 1024});
    row r;
    SECTION("in lines") {
        r.put(0, 'x', 1, {}, columns);
        for (int i = 0; i < 1000; ++i) h.push(r);
        CHECK(h.size() == 100);
        CHECK(h.first() == 900);
    }
    SECTION("in bytes, of a line that never ends") {
        for (int c = 0; c < 2000; ++c) r.put(c, 0x6f22, 1, coloured(static_cast<unsigned>(c % 200)), 2000);
        r.wraps = true;
        for (int i = 0; i < 1000; ++i) h.push(r);
        CHECK(h.memory_bytes() < 2u << 20);
    }
    SECTION("none") {
        history none({.lines = 0, .bytes = 0});
        none.push(r);
        CHECK(none.size() == 0);
        CHECK(none.rows(10) == 0);
    }
}

namespace {

link_set links_by_reading(const history& h) {
    link_set all;
    row r;
    for (std::size_t i = 0; i < h.size(); ++i) {
        h.read(i, r);
        for (const style_run& run : r.runs())
            if (run.style.link != 0) all.set(run.style.link);
    }
    return all;
}

} // namespace

TEST_CASE("the links of history are those of its lines, and few lines are read to find them", "[history][links]") {
    std::mt19937 random(8);
    const bool from_the_start = GENERATE(true, false);
    history h({.lines = 3000, .bytes = 256 * 1024});
    if (from_the_start) h.note_links(history::earlier_links::none);
    std::size_t most_read = 0;
    for (int round = 0; round < 20'000; ++round) {
        row r;
        const bool is_long = random() % 1000 == 0; // its packed bound is more than half a block
        const int width = is_long ? 4000 : static_cast<int>(random() % 30);
        for (int c = 0; c < width; ++c) {
            style s;
            if (random() % 4 == 0)
                s.link = static_cast<link_id>(1 + (static_cast<unsigned>(round) / 8 + random() % 20) % most_links);
            r.put(c, 'x', 1, s, 4000);
        }
        r.wraps = random() % 10 == 0;
        h.push(r);
        if (random() % 50 == 0)
            for (auto n = random() % 20; n > 0 && h.size() > 0; --n) h.pop();
        if (random() % 5000 == 0) h.clear();
        if (round == 1000) h.note_links(history::earlier_links::unknown);
        if (random() % 100 == 0 && (from_the_start || round > 1000)) {
            link_set found;
            const std::size_t read = h.links(found);
            if (round > 4000) most_read = std::max(most_read, read);
            REQUIRE(found == links_by_reading(h));
        }
    }
    CHECK(most_read < 3 * block_bytes);
}

TEST_CASE("a collection allocates no set for lines without a link", "[history][links]") {
    history h({});
    row plain;
    plain.put(0, 'x', 1, {}, 80);
    for (int i = 0; i < 1000; ++i) h.push(plain);
    h.note_links(history::earlier_links::unknown);
    const std::size_t before = h.memory_bytes();
    link_set found;
    CHECK(h.links(found) > 0);
    CHECK(found.none());
    CHECK(h.memory_bytes() == before);
    for (int i = 0; i < 1000; ++i) h.push(plain); // noted as they are closed
    const std::size_t longer = h.memory_bytes();
    CHECK(h.links(found) == 0);
    CHECK(h.memory_bytes() == longer);
    style linked;
    linked.link = 7;
    row r;
    r.put(0, 'x', 1, linked, 80);
    h.push(r);
    h.links(found);
    CHECK(found.count() == 1);
    CHECK(found.test(7));
}

TEST_CASE("rows of history are those that a screen of the width would show", "[history]") {
    const bool is_ascii = GENERATE(true, false);
    history h({});
    std::mt19937 random(6);
    std::string all;
    for (int i = 0; i < 200; ++i) {
        row r;
        const char32_t first = is_ascii || random() % 2 == 0 ? 'a' : 0x3b1; // alpha
        for (int c = 0; c < static_cast<int>(random() % 60); ++c)
            r.put(c, static_cast<char32_t>(first + random() % 24), 1, {}, 60);
        r.wraps = random() % 3 == 0;
        h.push(r);
        all += text_of(r);
    }
    for (const int width : {1, 2, 7, 59, 200}) {
        std::string joined;
        row r;
        const std::size_t count = h.rows(width);
        for (std::size_t i = 0; i < count; ++i) {
            h.read_row(i, width, r);
            CHECK(r.used() <= width);
            joined += text_of(r);
        }
        CHECK(joined == all);
        for (const std::size_t first : {std::size_t{0}, std::size_t{1}, count / 3, count - 1, count}) { // the same, in one pass
            std::size_t at = first, mismatches = 0;
            h.read_rows(first, width, [&](const row& each) {
                h.read_row(at++, width, r);
                mismatches += text_of(each) != text_of(r) || each.wraps != r.wraps;
                return true;
            });
            CHECK(mismatches == 0);
            CHECK(at == count);
        }
    }
    while (h.size() > 0) h.pop();
    CHECK(h.rows(10) == 0);
}

TEST_CASE("links are shared, limited, and collected", "[links]") {
    link_table t;
    CHECK(t.add("", "u", 1) == t.add("", "u", 1));
    CHECK(t.add("1", "u", 1) != t.add("2", "u", 1));
    CHECK(t.add("1", "u", 1) == t.add("1", "u", 2));
    CHECK(t.add("", std::string(link_table::max_uri + 1, 'x'), 1) == 0);
    CHECK(t.add(std::string(link_table::max_id + 1, 'x'), "v", 1) == 0);
    for (std::size_t i = 0; i < 2 * most_links; ++i) t.add("", std::to_string(i), 1);
    CHECK(t.is_full());
    CHECK(t.add("", "one more", 1) == 0);
    link_set keep;
    keep.set(1);
    t.sweep(keep);
    CHECK(t.find(1) != nullptr);
    CHECK(t.find(2) == nullptr);
    CHECK(t.add("", "one more", 1) != 0);
}

TEST_CASE("links with one URI opened in two places are two, until there is no room", "[links]") {
    link_table t;
    const link_id first = t.add("", "u", 1), second = t.add("", "u", 2);
    CHECK(first != second);
    CHECK(id_for_others(first, *t.find(first)) != id_for_others(second, *t.find(second)));
    const link_id named = t.add("mine", "u", 1);
    CHECK(id_for_others(named, *t.find(named)) == "mine");
    for (std::uint64_t i = 0; !t.is_full(); ++i) t.add("", "v", i);
    const link_id shared = t.add("", "u", 3);
    CHECK((shared == first || shared == second));
    CHECK(t.add("", "U", 3) == 0);
    CHECK(t.add("other", "u", 3) == 0);

    link_set keep;
    keep.set(second);
    t.sweep(keep);
    CHECK(t.add("", "u", 2) == second);
    CHECK(t.add("", "u", 1) != second);
}
