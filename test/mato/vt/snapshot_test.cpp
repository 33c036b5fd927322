// SPDX-License-Identifier: MIT
// Snapshots in older layouts can be read for ever: a newer daemon reads those of an older one.
#include "vt/terminal.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>
#include <string>

using namespace mux::vt;

namespace {

/// The input of each fixture's terminal, at 4x12: history with a wrapped line, colours, a link, wide and combined characters,
/// margins, modes, a palette, titles, a saved cursor, the alternate screen, and the beginning of a sequence.
const std::string fed = "\x1b]2;first\x1b\\\x1b[22t\x1b]2;second\x1b\\"
                        "one\r\ntwo wraps over\r\n\x1b[1;38;2;1;2;3mthree\x1b[m\r\n"
                        "\x1b]8;;http://a/\x1b\\link\x1b]8;;\x1b\\ \xe4\xb8\xad"
                        "e\xcc\x81\r\nfour\r\nfive"
                        "\x1b[?2004h\x1b[>1u\x1b]4;1;rgb:ff/00/80\x1b\\\x1b[2;3r\x1b[?6h\x1b[32m"
                        "\x1b[?1049h\x1b[1;2Halt";

std::string fixture(const std::string& name) {
    std::ifstream in(std::string(MATO_VT_RECORDED) + "/" + name, std::ios::binary);
    REQUIRE(in);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// `saved` with `from` replaced by `to`, of the same length, and a matching hash: snapshot.hpp has the layout.
std::string forged(std::string saved, std::string_view from, std::string_view to) {
    REQUIRE(from.size() == to.size());
    REQUIRE(saved.find(from) != std::string::npos);
    saved.replace(saved.find(from), from.size(), to);
    std::size_t hash_at = 5; // magic and a version below 128
    while (static_cast<unsigned char>(saved[hash_at]) >= 0x80) ++hash_at;
    ++hash_at; // the length
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : saved.substr(hash_at + 8)) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    for (std::size_t i = 0; i < 8; ++i) saved[hash_at + i] = static_cast<char>(hash >> 8 * i & 0xff);
    return saved;
}

} // namespace

// snapshot_v1.bytes, snapshot_v2.bytes: `terminal t({.size = {4, 12}}); t.feed(fed + "\x1b[4");`, and `t.save()` as commits
// 5864cb1 and 48c1301 wrote it, the last of versions 1 and 2. snapshot_v2_string.bytes: the same with "\x1b]2;third\xc2".
TEST_CASE("snapshots of older versions are read completely", "[snapshot]") {
    const int version = GENERATE(1, 2);
    const std::string saved = fixture("snapshot_v" + std::to_string(version) + ".bytes");
    REQUIRE(saved.size() > 5);
    REQUIRE(saved[4] == version);
    terminal t({.size = {7, 30}});
    REQUIRE(t.restore(saved) == snapshot_error::none);
    CHECK(t.is_valid());
    CHECK(t.title() == "second");
    CHECK(t.palette_colour(1) == rgb{0xff, 0x00, 0x80});
    CHECK(t.is_set(mode::alternate_screen));
    t.feed("m\x1b[?1049l"); // ends the sequence, and shows the primary screen
    text_line row;
    t.read_row(0, row);
    CHECK(row.text == "three");
    CHECK(t.find_link(1) != nullptr);
    CHECK(t.pictures().empty());

    terminal same({.size = {4, 12}});
    same.feed(fed + "\x1b[4m\x1b[?1049l");
    // Except where its link was opened, which only version 3 stores, it is the terminal that was saved.
    text_line other;
    for (int r = 0; r < 4; ++r) {
        INFO(r);
        t.read_row(r, row);
        same.read_row(r, other);
        CHECK(row == other);
    }
    REQUIRE(t.history_lines() == same.history_lines());
    for (std::size_t i = 0; i < t.history_lines(); ++i) {
        t.read_history_line(i, row);
        same.read_history_line(i, other);
        CHECK(row == other);
    }
    CHECK(t.cursor().at == same.cursor().at);
    CHECK(t.is_history_open() == same.is_history_open());
    CHECK(t.drawing_state() == same.drawing_state());
    t.resize({6, 9});
    same.resize({6, 9});
    CHECK(t.cursor().at == same.cursor().at);
    CHECK(t.drawing_state() == same.drawing_state());
}

TEST_CASE("an older snapshot inside a string continues in it", "[snapshot]") {
    terminal t;
    REQUIRE(t.restore(fixture("snapshot_v2_string.bytes")) == snapshot_error::none);
    t.feed("e\ax");
    CHECK(t.title() == "thirde"); // the first half of a character was not kept
    text_line row;
    t.read_row(t.cursor().at.row, row);
    CHECK(row.text.find("altx") != std::string::npos);
}

TEST_CASE("a snapshot whose title or link would end its string is refused", "[snapshot]") {
    terminal t({.size = {4, 12}});
    t.feed("\x1b]2;title\x1b\\\x1b]1;icon\x1b\\\x1b]8;id=abc;http://a/\x1b\\x");
    const std::string saved = t.save();
    terminal other;
    CHECK(other.restore(forged(saved, "title", "TITLE")) == snapshot_error::none);
    const auto refused = [&](std::string_view from, std::string_view to) {
        return other.restore(forged(saved, from, to)) == snapshot_error::damaged;
    };
    for (const std::string_view control : {"\x1b", "\a", "\x7f", "\x01", "\n", "\x9c"}) {
        CHECK(refused("title", "ti" + std::string(control) + "le"));
        CHECK(refused("icon", "ic" + std::string(control) + "n"));
        CHECK(refused("abc", "a" + std::string(control) + "c"));
        CHECK(refused("http://a/", "http:/" + std::string(control) + "a/"));
    }
    CHECK(refused("title", "tit\xc2\x9c"));
    CHECK(other.title() == "TITLE");
}
