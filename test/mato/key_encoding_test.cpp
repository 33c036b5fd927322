// SPDX-License-Identifier: MIT
/// @file key_encoding_test.cpp: the bytes of a key in every keyboard mode.
#include "tab/key_encoding.hpp"

#include "support/catch.hpp"
#include "vt/terminal.hpp"

#include <string>

using mux::keyboard_modes;

namespace {

std::string in(const keyboard_modes& modes, std::string_view name) {
    const auto pressed = mux::parse_key_name(name);
    INFO(name);
    REQUIRE(pressed);
    return mux::encode_key(*pressed, modes);
}

keyboard_modes after(std::string_view written) {
    mux::vt::terminal tab;
    tab.feed(written);
    return keyboard_modes::of(&tab);
}

} // namespace

TEST_CASE("DECCKM: cursor keys, Home and End are SS3, unless they are modified", "[key_encoding]") {
    const keyboard_modes modes = after("\033[?1h");
    CHECK(in(modes, "Up") == "\033OA");
    CHECK(in(modes, "Down") == "\033OB");
    CHECK(in(modes, "Right") == "\033OC");
    CHECK(in(modes, "Left") == "\033OD");
    CHECK(in(modes, "Home") == "\033OH");
    CHECK(in(modes, "End") == "\033OF");
    CHECK(in(modes, "S-Up") == "\033[1;2A");
    CHECK(in(modes, "C-End") == "\033[1;5F");
    CHECK(in(modes, "PageUp") == "\033[5~");
    CHECK(in(modes, "F1") == "\033OP");
    CHECK(in(after("\033[?1h\033[?1l"), "Up") == "\033[A");
}

TEST_CASE("DECKPAM: the keypad's keys are SS3, otherwise their characters", "[key_encoding]") {
    for (const char* set : {"\033=", "\033[?66h"}) {
        const keyboard_modes modes = after(set);
        CHECK(in(modes, "KP0") == "\033Op");
        CHECK(in(modes, "KP9") == "\033Oy");
        CHECK(in(modes, "KP.") == "\033On");
        CHECK(in(modes, "KP/") == "\033Oo");
        CHECK(in(modes, "KP*") == "\033Oj");
        CHECK(in(modes, "KP-") == "\033Om");
        CHECK(in(modes, "KP+") == "\033Ok");
        CHECK(in(modes, "KPEnter") == "\033OM");
        CHECK(in(modes, "Up") == "\033[A");
    }
    const keyboard_modes modes = after("\033=\033>");
    CHECK(in(modes, "KP7") == "7");
    CHECK(in(modes, "KP*") == "*");
    CHECK(in(modes, "KPEnter") == "\r");
    CHECK(in(modes, "M-KP7") == "\0337");
}

TEST_CASE("LNM and DECBKM change Enter and BSpace", "[key_encoding]") {
    CHECK(in(after("\033[20h"), "Enter") == "\r\n");
    CHECK(in(after("\033[20h"), "KPEnter") == "\r\n");
    CHECK(in(after("\033[?67h"), "BSpace") == "\b");
    CHECK(in(after("\033[?67h"), "C-BSpace") == "\177");
    CHECK(in({}, "C-BSpace") == "\b");
}

TEST_CASE("modifyOtherKeys 1 reports the keys that would lose their modifier", "[key_encoding]") {
    const keyboard_modes modes = after("\033[>4;1m");
    CHECK(in(modes, "C-1") == "\033[27;5;49~");
    CHECK(in(modes, "C-Enter") == "\033[27;5;13~");
    CHECK(in(modes, "S-Enter") == "\033[27;2;13~");
    CHECK(in(modes, "C-Tab") == "\033[27;5;9~");
    CHECK(in(modes, "C-a") == "\001");
    CHECK(in(modes, "M-x") == "\033x");
    CHECK(in(modes, "S-Tab") == "\033[Z");
    CHECK(in(modes, "C-Up") == "\033[1;5A");
    CHECK(in(modes, "Enter") == "\r");
}

TEST_CASE("modifyOtherKeys 2 reports every modified key", "[key_encoding]") {
    const keyboard_modes modes = after("\033[>4;2m");
    CHECK(in(modes, "C-a") == "\033[27;5;97~");
    CHECK(in(modes, "M-x") == "\033[27;3;120~");
    CHECK(in(modes, "C-M-a") == "\033[27;7;97~");
    CHECK(in(modes, "C-Space") == "\033[27;5;32~");
    CHECK(in(modes, "S-Space") == " ");
    CHECK(in(modes, "S-Tab") == "\033[Z");
    CHECK(in(modes, "Tab") == "\t");
}

TEST_CASE("kitty's flag 1 reports ambiguous keys by number", "[key_encoding]") {
    const keyboard_modes modes = after("\033[?1h\033=\033[>1u");
    CHECK(in(modes, "Escape") == "\033[27u");
    CHECK(in(modes, "C-c") == "\033[99;5u");
    CHECK(in(modes, "M-x") == "\033[120;3u");
    CHECK(in(modes, "M-X") == "\033[120;4u");
    CHECK(in(modes, "C-i") == "\033[105;5u");
    CHECK(in(modes, "C-1") == "\033[49;5u");
    CHECK(in(modes, "C-Space") == "\033[32;5u");
    CHECK(in(modes, "C-Enter") == "\033[13;5u");
    CHECK(in(modes, "S-Tab") == "\033[9;2u");
    CHECK(in(modes, "BTab") == "\033[9;2u");
    CHECK(in(modes, "C-BSpace") == "\033[127;5u");
    for (const auto& [name, bytes] : {std::pair{"Enter", "\r"}, {"Tab", "\t"}, {"BSpace", "\177"}, {"Space", " "}})
        CHECK(in(modes, name) == bytes);
    CHECK(in(modes, "Up") == "\033[A"); // the application forms belong to the legacy mode
    CHECK(in(modes, "C-Up") == "\033[1;5A");
    CHECK(in(modes, "F1") == "\033[P");
    CHECK(in(modes, "F3") == "\033[13~");
    CHECK(in(modes, "F5") == "\033[15~");
    CHECK(in(modes, "KP1") == "1");
    CHECK(in(modes, "KPEnter") == "\033[57414u");
    CHECK(in(modes, "C-KP1") == "\033[57400;5u");
}

TEST_CASE("kitty's flag 8 reports every key by number; flags 2, 4 and 16 alone have no effect", "[key_encoding]") {
    const keyboard_modes modes = after("\033[>8u");
    CHECK(in(modes, "Enter") == "\033[13u");
    CHECK(in(modes, "BSpace") == "\033[127u");
    CHECK(in(modes, "Space") == "\033[32u");
    CHECK(in(modes, "KP0") == "\033[57399u");
    CHECK(in(after("\033[>22u\033[?1h"), "Up") == "\033OA");
    CHECK(in(after("\033[>22u"), "C-c") == "\003");
    CHECK(in(after("\033[>1u\033[<u"), "Escape") == "\033");     // popped
    CHECK(in(after("\033[>1u\033[?1049h"), "Escape") == "\033"); // each screen has its own
}
