// SPDX-License-Identifier: MIT
// The terminal that judges the program in other tests: a new size at any moment does not break it.
#include "support/catch.hpp"
#include "support/vterm_screen.hpp"

#include <random>

using support::vterm_screen;

TEST_CASE("libvterm follows any sizes in the middle of any output", "[mato][vterm]") {
    std::minstd_rand random(1);
    const auto up_to = [&](unsigned most) { return static_cast<int>(1 + random() % most); };
    const auto sequence = [&](int first, int second, char end) {
        return "\x1b[" + std::to_string(first).append(";").append(std::to_string(second)) + end;
    };
    for (int round = 0; round < 2000; ++round) {
        vterm_screen screen(up_to(30), 1 + up_to(100));
        for (int sizes = 0; sizes < 6; ++sizes) {
            std::string bytes;
            for (int i = 0; i < 6; ++i) {
                switch (const int top = up_to(30); up_to(8)) {
                case 1: bytes += sequence(top, top + up_to(10), 'r'); break;
                case 2: bytes += sequence(top, up_to(100), 'H'); break;
                case 3: bytes += "\x1b[" + std::to_string(up_to(9)) + "SLMTP@XJ"[up_to(8) - 1]; break;
                case 4: bytes += "\n\n"; break;
                case 5: bytes += "漢字漢字"; break;
                case 6: bytes += "\x1b]2;title\x1b\\"; break;
                case 7: bytes += "\x1b[?1049h\x1b[J"; break;
                default: bytes += "text\x1b[r"; break;
                }
            }
            const auto cut = static_cast<std::size_t>(up_to(static_cast<unsigned>(bytes.size())));
            screen.feed(std::string_view(bytes).substr(0, cut));
            screen.resize(up_to(30), 1 + up_to(100));
            screen.feed(std::string_view(bytes).substr(cut));
        }
        const VTermPos at = screen.cursor();
        REQUIRE((at.row >= 0 && at.row < screen.rows() && at.col >= 0 && at.col < screen.columns()));
    }
}

TEST_CASE("a new size that comes within a sequence waits for its end", "[mato][vterm]") {
    for (const char* const whole : {"\x1b[12;3Hx", "\x1b]2;title\x1b\\\x1b[12;3Hx", "漢\x1b[12;3Hx", "\x1b(B\x1b[12;3Hx"}) {
        const std::string_view bytes = whole;
        for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
            vterm_screen resized(24, 80), expected(20, 60);
            resized.feed(bytes.substr(0, cut));
            resized.resize(20, 60);
            resized.feed(bytes.substr(cut));
            expected.feed(bytes);
            INFO(cut << ": " << resized.text());
            CHECK(vterm_screen::difference(expected, resized).empty());
        }
    }
}
