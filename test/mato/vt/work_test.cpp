// SPDX-License-Identifier: MIT
// A feed that stops at its limit of work and continues later gives the same result as one without a limit.
#include "vt/row.hpp"
#include "vt/terminal.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace mux::vt;

namespace {

/// Sequences of a few bytes that cost many cells, and text between them.
class costly_output {
public:
    explicit costly_output(unsigned seed) : random_(seed) {}
    unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }

    std::string some(int pieces) {
        std::string s;
        for (int i = 0; i < pieces; ++i) s += piece();
        return s;
    }

private:
    std::string number() { return below(4) == 0 ? "9999" : std::to_string(below(12)); }
    std::string numbers(int count) {
        std::string s;
        for (int i = 0; i < count; ++i) s += (i > 0 ? ";" : "") + number();
        return s;
    }
    std::string piece() {
        switch (below(12)) {
        case 0: return "A\x1b[" + number() + "b";
        case 1: return "\x1b[" + std::to_string(33 + below(90)) + ";" + numbers(4) + "$x";
        case 2: return "\x1b[" + numbers(7) + "$v";
        case 3: return "\x1b[" + numbers(4) + (below(2) == 0 ? "$z" : "${");
        case 4: return "\x1b[" + numbers(4) + ";1;4;7" + (below(2) == 0 ? "$r" : "$t");
        case 5: return "\x1b[1;1;" + numbers(4) + "*y";
        case 6: return "\x1b[?69h\x1b[" + numbers(2) + "s\x1b[" + numbers(2) + "r";
        case 7: return "\x1b[" + number() + std::string(1, "STLM@PXIZ"[below(9)]);
        case 8: return "\x1b[" + numbers(2) + "H" + "\x1b[" + number() + (below(2) == 0 ? "'}" : "'~");
        case 9: return "\x1b[4" + std::to_string(below(8)) + "m";
        case 10: {
            static const char* const modes[] = {"\x1b[?1049h",
                                                "\x1b[?1049l",
                                                "\x1b[?47h",
                                                "\x1b[?47l",
                                                "\x1b[4h",
                                                "\x1b[4l",
                                                "\x1b[?7l",
                                                "\x1b[?7h",
                                                "\x1b[1\"q",
                                                "\x1b[0\"q",
                                                "\x1b#8",
                                                "\x1b"
                                                "c",
                                                "\x1b[2J",
                                                "\x1b[3J",
                                                "\x1b[?2027h"};
            return modes[below(std::size(modes))];
        }
        default: {
            static const char* const texts[] = {"plain words, longer than a row is",
                                                "漢字漢字漢字",
                                                "\r\n\n\n",
                                                "e\xcc\x81",
                                                "\t\t",
                                                "🙂\x1b[30b",
                                                "\x1b]2;title\x1b\\",
                                                "\x1b]4;1;?\x1b\\"};
            return texts[below(std::size(texts))];
        }
        }
    }
    std::mt19937 random_;
};

struct heard {
    std::string answers;
    std::vector<std::string> events;

    void listen(terminal& t) {
        answers += t.take_answers();
        for (const event& each : t.take_events()) events.push_back(std::to_string(static_cast<int>(each.kind)) + each.text);
    }
    friend bool operator==(const heard&, const heard&) = default;
};

std::string shown(const terminal& t) {
    std::string all;
    text_line line;
    for (std::size_t i = 0; i < t.history_rows(); ++i) {
        t.read_history_row(i, line);
        all += line.text + "\n";
    }
    for (int r = 0; r < t.size().rows; ++r) {
        t.read_row(r, line);
        all += line.text + "\n";
    }
    return all;
}

} // namespace

TEST_CASE("any limits of work and any splits give the same screen, history, answers and events", "[property][work]") {
    for (unsigned seed = 0; seed < 200; ++seed) {
        INFO("seed " << seed);
        costly_output g(seed);
        const screen_size size{1 + static_cast<int>(g.below(9)), 1 + static_cast<int>(g.below(40))};
        terminal whole({.size = size}), bounded({.size = size});
        heard of_whole, of_bounded;
        for (int burst = 0; burst < 6; ++burst) {
            const std::string bytes = g.some(20);
            whole.feed(bytes);
            of_whole.listen(whole);
            std::string_view left = bytes;
            while (!left.empty()) {
                const std::string_view read = left.substr(0, 1 + g.below(40));
                const std::size_t taken = bounded.feed_some(read, {}, 1 + g.below(200));
                REQUIRE(taken <= read.size());
                left.remove_prefix(taken);
                of_bounded.listen(bounded);
                REQUIRE(bounded.is_valid());
                if (g.below(8) > 0) continue; // otherwise it continues in another process
                terminal other({.size = {1, 1}});
                REQUIRE(other.restore(bounded.save()) == snapshot_error::none);
                bounded = std::move(other);
            }
            REQUIRE(whole.is_same(bounded));
            REQUIRE(shown(whole) == shown(bounded));
            if (g.below(2) == 0) continue;
            const screen_size next{1 + static_cast<int>(g.below(9)), 1 + static_cast<int>(g.below(40))};
            whole.resize(next);
            bounded.resize(next);
        }
        REQUIRE(of_whole == of_bounded);
    }
}

TEST_CASE("a feed stops at its limit, and always makes progress", "[work]") {
    constexpr screen_size size{150, 500};
    constexpr std::int64_t cells = std::int64_t{150} * 500, few = 1000;
    const auto one_of = GENERATE(as<std::string>(), "\x1b#8", "\x1b[88;1;1;9999;9999$x", "\x1b[1;1;1;1;9999;9999*y",
                                 "\x1b[?69h\x1b[2;499s\x1b[S", "\x1b[1;1;9999;9999;1;2;2;1$v", "\x1b[1;1;9999;9999;1$r",
                                 "\x1b[1;1;9999;9999${", "\x1b['}", "\x1b[ @", "\x1b[4h\x1b[Hx", "A\x1b[65535b");
    std::string bytes;
    for (int i = 0; i < 300; ++i) bytes += one_of;
    terminal t({.size = size});
    t.feed("\x1b#8");
    const std::size_t first = t.feed_some(bytes, {}, few);
    CHECK(first > 0);
    CHECK(first < bytes.size());
    std::size_t turns = 1;
    for (std::string_view left = std::string_view(bytes).substr(first); !left.empty(); ++turns)
        left.remove_prefix(t.feed_some(left, {}, few));
    CHECK(turns >= 100);
    terminal whole({.size = size});
    whole.feed("\x1b#8" + bytes);
    CHECK(t.is_same(whole));
    CHECK(whole.feed_some(bytes, {}, cells * 1'000'000) == bytes.size());
}

TEST_CASE("bytes of an earlier call do not use up the work of the next byte", "[work]") {
    for (const char* before :
         {"", "\x1b[4h", "\x1b[?7l\x1b[4h", "\x1b[99;99Hxx", "\x1b[3;4r\x1b[4;99Hxx", "\x1b[?69h\x1b[2;4s\x1b[4h"}) {
        for (const char* cut : {"\xe2", "\xe2\x82", "\xf0\x9f\x98"}) {
            for (const char next : {'x', '\n', '\x1b', '\xff', '\xe2'}) {
                CAPTURE(before, cut, next);
                terminal t({.size = {5, 8}}), whole({.size = {5, 8}});
                t.feed(std::string(before) + cut);
                whole.feed(std::string(before) + cut + next);
                CHECK(t.feed_some({&next, 1}, {}, 1) == 1);
                CHECK(t.is_same(whole));
            }
        }
    }
}

TEST_CASE("a string that ends without its terminator does not use up the work of the next byte", "[work]") {
    for (const char* begin : {"\x1b]52;c;", "\x1bP+q", "\x1b_Ga=T;", "\x1b]2;", "\x1bP1;1;1q"}) {
        for (const char* next : {"[", "[?u", "c", "\x1b", "\x18", "\x1a", "\xff"}) {
            CAPTURE(begin, next);
            terminal t({.size = {5, 8}}), whole({.size = {5, 8}});
            const std::string before = begin + std::string(3000, 'A') + "\x1b";
            t.feed(before);
            whole.feed(before + next[0]);
            CHECK(t.feed_some(next, {}, 1) >= 1);
            if (next[1] == '\0') CHECK(t.is_same(whole));
        }
    }
}

TEST_CASE("a colour that is not complete makes the same state in one piece and byte by byte", "[work]") {
    for (const char* before : {"", "a", "\xe4", "\xe4\xec\xe4", "\x1b[31ma", "\x1b[31m", "\x1b[4hq", "a\x1b[3b"}) {
        for (const char* cut : {"\x1b[3", "\x1b[38", "\x1b[48;2;1;", "\x1b[38:2::1:2:", "\x1b[1;31", "\x1b["}) {
            CAPTURE(before, cut);
            terminal whole({.size = {5, 46}}), bytewise({.size = {5, 46}});
            const std::string bytes = std::string(before) + cut;
            whole.feed(bytes);
            for (const char& c : bytes) bytewise.feed({&c, 1});
            CHECK(whole.is_same(bytewise));
        }
    }
}

TEST_CASE("REP stops inside, remains one sequence, and repeats the requested number of times", "[work]") {
    terminal t({.size = {3, 10}});
    std::string_view bytes = "ab\x1b[20bz";
    bytes.remove_prefix(t.feed_some(bytes, {}, 7));
    CHECK(bytes == "bz"); // its final byte has not come yet
    CHECK_FALSE(t.is_between_sequences());
    terminal other({.size = {1, 1}});
    REQUIRE(other.restore(t.save()) == snapshot_error::none);
    for (terminal* each : {&t, &other}) {
        each->feed(bytes);
        CHECK(shown(*each) == "abbbbbbbbb\nbbbbbbbbbb\nbbz\n");
        CHECK(each->is_between_sequences());
    }
}

TEST_CASE("text between narrow margins stops at the limit too", "[work]") {
    terminal t({.size = {150, 500}});
    t.feed("\x1b#8\x1b[?69h\x1b[499;500s\x1b[150;499H");
    const std::string text(4096, 'x');
    CHECK(t.feed_some(text, {}, 10'000) < text.size());
    const std::string wide = "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字";
    CHECK(t.feed_some(wide, {}, 1000) < wide.size());
}

TEST_CASE("styles changed in one pass equal those changed cell by cell", "[property][work]") {
    std::mt19937 random(1);
    const auto below = [&random](unsigned n) { return static_cast<int>(random() % n); };
    for (int round = 0; round < 500; ++round) {
        INFO("round " << round);
        row one;
        const int columns = 1 + below(30);
        for (int c = 0; c < columns; ++c) {
            style look;
            look.flags = static_cast<std::uint16_t>(below(3));
            if (below(4) > 0) one.put(c, 'a', 1, look, columns);
        }
        row other = one;
        const int from = below(32), to = below(36);
        const auto change = [](style s) {
            s.flags = static_cast<std::uint16_t>(s.flags ^ attributes::bold);
            return s;
        };
        one.restyle_each(from, to, change);
        for (int c = from; c < std::min(to, other.used()); ++c) other.restyle(c, c + 1, change(other.style_at(c)));
        REQUIRE(one.is_valid(columns));
        REQUIRE(std::vector<style_run>(one.runs().begin(), one.runs().end()) ==
                std::vector<style_run>(other.runs().begin(), other.runs().end()));
    }
}
