// SPDX-License-Identifier: MIT
/// @file input_reader_prefix_test.cpp: the prefix and the key after it are for mato, in any encoding.
#include "view/input_reader.hpp"

#include "support/catch.hpp"
#include "support/input_viewer.hpp"

#include <string>
#include <string_view>

using mux::input_context;
using mux::input_reader;
using mux::mouse_tracking;
using support::effect;
using support::mouse_context;
using rest = mux::input_reader::rest;
using viewer = support::input_viewer;

// ---- the prefix ----

TEST_CASE("the prefix and the key after it are for mato; typed twice it is passed on once", "[input_reader]") {
    CHECK(effect("a\x1c"
                 "db") == "a{key d}b");
    CHECK(effect("\x1c?\x1c"
                 "1x") == "{key ?}{key 1}x");
    CHECK(effect("\x1c\x1c") == "\x1c");
    CHECK(effect("\x1c\x1c\x1c"
                 "d") == "\x1c{key d}");
    CHECK(effect("\x1c\x1c\x1c\x1c") == "\x1c\x1c");
    input_context with;
    with.prefix = '\0';
    CHECK(effect(std::string_view("a\0d\0\0", 5), with) == std::string_view("a{key d}\0", 9));
}

TEST_CASE("the prefix waits for its key for any time", "[input_reader]") {
    viewer v;
    CHECK(v.feed("a\x1c").take() == "a");
    CHECK_FALSE(v.reader.pending()); // nothing for the program is held
    CHECK(v.feed("").take() == "");
    CHECK(v.flush().feed("d").take() == "{key d}");
    CHECK(v.feed("\x1c").feed("\x1c").take() == "\x1c");
}

TEST_CASE("the prefix and its key are recognised in kitty's and in xterm's encoding", "[input_reader]") {
    CHECK(effect("\x1b[92;5ud") == "{key d}");
    CHECK(effect("\x1b[92;5u\x1b[100u") == "{key d}");
    CHECK(effect("\x1b[27;5;92~d") == "{key d}");
    CHECK(effect("\x1b[27;5;92~\x1b[27;2;63~") == "{key ?}");
    CHECK(effect("\x1c\x1b[100;1u") == "{key d}");
    CHECK(effect("\x1b[92;69ud") == "{key d}");                        // with caps lock
    CHECK(effect("\x1b[92;133u\x1b[100;129u") == "{key d}");           // with num lock
    CHECK(effect("\x1b[92:124:92;5:1u\x1b[47:63;2;63u") == "{key ?}"); // with alternates and text
    CHECK(effect("\x1b[92;5u\x1b[47;2u") == "{key ?}");                // assumes a US keyboard
    CHECK(effect("\x1b[92;5u\x1b[57400u") == "{key 1}");               // on the keypad
    CHECK(effect("\x1b[92;5u\x1b[110;2u") == "{key N}");
    input_context with;
    with.prefix = '\x02';
    CHECK(effect("\x1b[98;5ud", with) == "{key d}");
    CHECK(effect("\x1b[1080::98;5u\x1b[1074::100u", with) == "{key d}"); // a Cyrillic layout
    CHECK(effect("\x1b[98;6ud", with) == "\x1b[98;6ud");                 // C-S-b is a different key
    CHECK(effect("\x1b[98;7ud", with) == "\x1b[98;7ud");                 // so is C-M-b
    with.prefix = '\x1e';
    CHECK(effect("\x1b[54:94;6ud", with) == "{key d}"); // C-^
}

TEST_CASE("the prefix typed twice is passed on in its original form", "[input_reader]") {
    CHECK(effect("\x1b[92;5u\x1b[92;5u") == "\x1b[92;5u");
    CHECK(effect("\x1b[27;5;92~\x1b[27;5;92~") == "\x1b[27;5;92~");
    CHECK(effect("\x1b[92;5u\x1c") == "\x1c");
}

TEST_CASE("releases and repeats of mato's keys are not passed to the program", "[input_reader]") {
    // Control down, \ down and up, Control up, d down and up: only Control is for the program.
    CHECK(effect("\x1b[57442;5u\x1b[92;5u\x1b[92;5:3u\x1b[57442;1:3u\x1b[100u\x1b[100;1:3u") ==
          "\x1b[57442;5u\x1b[57442;1:3u{key d}");
    // Typed fast: d is pressed before \ is released, and Control was released before both.
    CHECK(effect("\x1b[92;5u\x1b[100u\x1b[92;1:3u\x1b[100;1:3uz") == "{key d}z");
    CHECK(effect("\x1b[92;5:1u\x1b[92;5:2u\x1b[92;5:2u\x1b[92;5:3ud") == "{key d}"); // held down
    CHECK(effect("\x1c\x1b[100u\x1b[100;1:2u\x1b[100;1:3u\x1b[100u\x1b[100;1:3u") == "{key d}\x1b[100u\x1b[100;1:3u");
    // A terminal may send a character and report only its release, if the program asked for that.
    input_context with;
    with.kitty_flags = 3;
    CHECK(effect("\x1b[92;5uD\x1b[100;2:3ud\x1b[100;1:3u", with) == "{key D}d\x1b[100;1:3u");
    CHECK(effect("\x1c"
                 "d\x1b[100;1:3u") == "{key d}\x1b[100;1:3u");
    // The release of a prefix goes where its press went.
    CHECK(effect("\x1b[92;5u\x1b[92;5:3u\x1b[92;5u\x1b[92;5:3u") == "\x1b[92;5u\x1b[92;5:3u");
}

TEST_CASE("a key without a byte after the prefix is mato's too, and nothing of it reaches the program", "[input_reader]") {
    const std::string up = "{key " + std::to_string(mux::keys::up) + " with 0}";
    CHECK(effect("\x1c\x1b[Ad") == up + "d");
    CHECK(effect("\x1c\x1bOAd") == up + "d");
    CHECK(effect("\x1c\x1b[15;5~d") == "{key " + std::to_string(mux::tilde_keys + 15) + " with 4}d");
    CHECK(effect("\x1c\x1b[[Ad") == "{key " + std::to_string(mux::letter_keys + '[' + 'A') + " with 0}d");
    CHECK(effect("\x1c\x1b"
                 "dd") == "{key 100 with 2}d"); // Alt-d
    CHECK(effect("\x1c\x1b\xc3\xa9"
                 "d") == "{key 0 with 2}d");
    CHECK(effect("\x1c\xc3\xa9"
                 "d") == "{key 0 with 0}d");
}

TEST_CASE("Escape after the prefix is a key, recognised when nothing follows it", "[input_reader]") {
    viewer v;
    CHECK(v.feed("\x1c\x1b").take() == "");
    CHECK(v.reader.pending());
    CHECK(v.flush().take() == "{key \x1b}");
    CHECK(v.feed("d").take() == "d");
    CHECK(v.feed("\x1c\x1b\x1c"
                 "d")
              .take() == "{key \x1b}{key d}");
    CHECK(v.feed("\x1c\x1b[").flush().take() == "{key \x1b}[");
}

TEST_CASE("input that is not a key does not use up the prefix", "[input_reader]") {
    CHECK(effect("\x1c\x1b[<35;3;4Md", mouse_context(mouse_tracking::all)) == "\x1b[<35;3;4M{key d}");
    CHECK(effect("\x1c\x1b[I\x1b[O"
                 "d") == "{focus}{blur}{key d}");
    CHECK(effect("\x1c\x1b[57441;2u\x1b[47:63;2u") == "\x1b[57441;2u{key ?}");
    CHECK(effect("\x1c\x1b[200~d\x1b[201~d") == "dd"); // a paste does
}

TEST_CASE("Escape can be the prefix; sequences remain sequences", "[input_reader]") {
    input_context with;
    with.prefix = '\x1b';
    CHECK(effect("\x1b"
                 "d",
                 with) == "{key d}");
    CHECK(effect("\x1b[A\x1bOA\x1b[<64;1;1M", with) == "\x1b[A\x1bOA{back 3}");
    viewer v(with);
    CHECK(v.feed("\x1b").take() == "");
    CHECK(v.flush().take() == "");
    CHECK(v.feed("d").take() == "{key d}");
    CHECK(v.feed("\x1b").flush().feed("\x1b").flush().take() == "\x1b");
    CHECK(v.feed("d").take() == "d");
    CHECK(v.feed("\x1b[").flush().take() == "{key [}");
}

TEST_CASE("a new prefix applies from the next byte; a key that is awaited is still a command", "[input_reader]") {
    viewer v;
    v.feed("\x1c");
    v.context.prefix = '\x02';
    CHECK(v.feed("d\x1c\x02"
                 "d")
              .take() == "{key d}\x1c{key d}");
}
