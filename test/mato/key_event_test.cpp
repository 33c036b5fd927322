// SPDX-License-Identifier: MIT
/// @file key_event_test.cpp: keys as kitty and xterm encode them, and their plain bytes.
#include "view/key_event.hpp"

#include "support/catch.hpp"

#include <string_view>

using mux::key_event;

namespace {

std::optional<key_event> parse(std::string_view bytes) { return mux::parse_key(mux::parse_input_sequence(bytes)); }

/// Its plain byte, or -1.
int byte_of(std::string_view bytes) {
    const auto key = parse(bytes);
    REQUIRE(key);
    const auto byte = key->byte();
    return byte ? static_cast<unsigned char>(*byte) : -1;
}

} // namespace

TEST_CASE("a key with its alternates, modifiers, event and text", "[key_event]") {
    const auto key = parse("\x1b[97:65;2:2;65u");
    REQUIRE(key);
    CHECK(key->key == 'a');
    CHECK(key->character == 'A');
    CHECK(key->modifiers == key_event::shift);
    CHECK(key->what == key_event::action::repeat);
    CHECK(parse("\x1b[97;5:3u")->what == key_event::action::release);
    CHECK(parse("\x1b[97;197u")->modifiers == key_event::control); // caps and num lock are on
    CHECK(parse("\x1b[5;2~")->key == mux::tilde_keys + 5);
    CHECK(parse("\x1b[57421;2u")->key == mux::tilde_keys + 5);
    CHECK(parse("\x1b[1;5A")->modifiers == key_event::control);
    CHECK(parse("\x1b[A")->key == mux::letter_keys + 'A');
    CHECK(parse("\x1b[[A")->key == mux::letter_keys + '[' + 'A');
    CHECK(parse("\x1b[57442;5u")->is_modifier());
    CHECK_FALSE(parse("\x1b[97;5u")->is_modifier());
}

TEST_CASE("the byte a plain terminal sends for a key", "[key_event]") {
    CHECK(byte_of("\x1b[97u") == 'a');
    CHECK(byte_of("\x1b[97;2u") == 'A');
    CHECK(byte_of("\x1b[13u") == '\r');
    CHECK(byte_of("\x1b[27u") == 0x1b);
    CHECK(byte_of("\x1b[127u") == 0x7f);
    CHECK(byte_of("\x1b[97;5u") == 1);
    CHECK(byte_of("\x1b[92;5u") == 0x1c);
    CHECK(byte_of("\x1b[27;5;92~") == 0x1c);
    CHECK(byte_of("\x1b[27;5;97~") == 1);
    CHECK(byte_of("\x1b[32;5u") == 0);
    CHECK(byte_of("\x1b[45:95;6u") == 0x1f); // C-_
    CHECK(byte_of("\x1b[45;6u") == 0x1f);
    CHECK(byte_of("\x1b[47;2u") == '?');
    CHECK(byte_of("\x1b[57404u") == '5');
    CHECK(byte_of("\x1b[57413u") == '+');
    CHECK(byte_of("\x1b[0;;120u") == 'x'); // text of an input method
}

TEST_CASE("keys for which a plain terminal has no single byte", "[key_event]") {
    for (const char* bytes : {"\x1b[A", "\x1b[5~", "\x1b[15;2~", "\x1b[97;3u", "\x1b[97;6u", "\x1b[97;9u", "\x1b[233u",
                              "\x1b[57441;2u", "\x1b[13;5u", "\x1b[92;6u", "\x1b[27;6;65~", "\x1b[0u"}) {
        CAPTURE(bytes);
        CHECK(byte_of(bytes) == -1);
    }
}

TEST_CASE("reports are not keys", "[key_event]") {
    for (const char* bytes : {"\x1b[I", "\x1b[?1u", "\x1b[?62c", "\x1b[<0;1;1M", "\x1b[200~", "\x1b[201~", "\x1b[8;24;80t",
                              "\x1b[?2026;2$y", "\x1b[u", "\x1b[1-A"}) {
        CAPTURE(bytes);
        CHECK_FALSE(parse(bytes));
    }
}

TEST_CASE("the end of a sequence is found within a limit", "[key_event]") {
    using state = decltype(mux::sequence_end::state);
    const auto end = [](std::string_view bytes) { return mux::end_of_input_sequence(bytes, 8); };
    CHECK(end("\x1b[").state == state::cut);
    CHECK(end("\x1b[1;5").state == state::cut);
    CHECK(end("\x1b[1;5Ax").length == 6);
    CHECK(end("\x1b[12345A").state == state::complete);
    CHECK(end("\x1b[123456A").state == state::broken);
    CHECK(end("\x1b[123456").state == state::broken);
    CHECK(end("\x1b[12\x1b").length == 4);
    CHECK(end("\x1b[12\x80").state == state::broken);
    const auto string_end = [](std::string_view bytes) { return mux::end_of_string(bytes, 8); };
    CHECK(string_end("\x1b]1\a").state == state::complete);
    CHECK(string_end("\x1bP1\a").state == state::broken);
    CHECK(string_end("\x1bP1\x1b\\x").length == 5);
    CHECK(string_end("\x1bP1\x1b").state == state::cut);
    CHECK(string_end("\x1bP1\x1b[").length == 3);
    CHECK(string_end("\x1bP12345\x1b\\").state == state::broken);
    CHECK(string_end("\x1bP1234\x1b\\").state == state::complete);
}
