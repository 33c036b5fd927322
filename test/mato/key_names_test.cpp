// SPDX-License-Identifier: MIT
/// @file key_names_test.cpp: names of keys, the bytes that xterm sends for them, and the errors for wrong names.
#include "tab/key_encoding.hpp"

#include "support/catch.hpp"

#include <optional>
#include <string>
#include <utility>

using mux::key_name_problem, mux::parse_key_name;

namespace {

/// As in a terminal after a reset.
std::optional<std::string> key_bytes(std::string_view name) {
    const auto pressed = parse_key_name(name);
    std::string bytes = pressed ? mux::encode_key(*pressed, {}) : std::string();
    return bytes.empty() ? std::nullopt : std::optional(std::move(bytes));
}

} // namespace

// ---- the contract ----

TEST_CASE("plain keys send what xterm sends in normal cursor mode", "[key_names]") {
    const std::pair<const char*, const char*> table[] = {
        {"Enter", "\r"},       {"Tab", "\t"},       {"BTab", "\033[Z"},    {"Escape", "\033"},      {"Space", " "},
        {"BSpace", "\177"},    {"Up", "\033[A"},    {"Down", "\033[B"},    {"Right", "\033[C"},     {"Left", "\033[D"},
        {"Home", "\033[H"},    {"End", "\033[F"},   {"PageUp", "\033[5~"}, {"PageDown", "\033[6~"}, {"Insert", "\033[2~"},
        {"Delete", "\033[3~"}, {"F1", "\033OP"},    {"F2", "\033OQ"},      {"F3", "\033OR"},        {"F4", "\033OS"},
        {"F5", "\033[15~"},    {"F6", "\033[17~"},  {"F7", "\033[18~"},    {"F8", "\033[19~"},      {"F9", "\033[20~"},
        {"F10", "\033[21~"},   {"F11", "\033[23~"}, {"F12", "\033[24~"},
    };
    for (const auto& [name, bytes] : table) {
        CAPTURE(name);
        CHECK(key_bytes(name) == bytes);
    }
}

TEST_CASE("control keys are the C0 bytes", "[key_names]") {
    for (char letter = 'a'; letter <= 'z'; ++letter)
        CHECK(key_bytes(std::string("C-") + letter) == std::string(1, static_cast<char>(letter - 'a' + 1)));
    CHECK(key_bytes("C-@") == std::string(1, '\0'));
    CHECK(key_bytes("C-Space") == std::string(1, '\0'));
    CHECK(key_bytes("C-[") == "\033");
    CHECK(key_bytes("C-\\") == "\034");
    CHECK(key_bytes("C-]") == "\035");
    CHECK(key_bytes("C-^") == "\036");
    CHECK(key_bytes("C-_") == "\037");
    CHECK(key_bytes("C-?") == "\177");
}

TEST_CASE("meta is an escape before the key", "[key_names]") {
    CHECK(key_bytes("M-x") == "\033x");
    CHECK(key_bytes("M-X") == "\033X");
    CHECK(key_bytes("M--") == "\033-");
    CHECK(key_bytes("M-Enter") == "\033\r");
    CHECK(key_bytes("M-BSpace") == "\033\177");
    CHECK(key_bytes("M-C-a") == "\033\001");
    CHECK(key_bytes("C-M-a") == "\033\001");
}

TEST_CASE("modifiers before a key with a sequence are its parameter: 1 + shift 1 + alt 2 + control 4", "[key_names]") {
    CHECK(key_bytes("S-Up") == "\033[1;2A");
    CHECK(key_bytes("M-Left") == "\033[1;3D");
    CHECK(key_bytes("S-M-Home") == "\033[1;4H");
    CHECK(key_bytes("C-Right") == "\033[1;5C");
    CHECK(key_bytes("C-S-End") == "\033[1;6F");
    CHECK(key_bytes("C-M-Down") == "\033[1;7B");
    CHECK(key_bytes("C-M-S-F1") == "\033[1;8P");
    CHECK(key_bytes("C-Delete") == "\033[3;5~");
    CHECK(key_bytes("S-F5") == "\033[15;2~");
    CHECK(key_bytes("C-PageUp") == "\033[5;5~");
}

TEST_CASE("a modifier that xterm does not report with a key has no effect", "[key_names]") {
    CHECK(key_bytes("S-Tab") == "\033[Z");
    CHECK(key_bytes("S-Enter") == "\r");
    CHECK(key_bytes("C-Enter") == "\r");
    CHECK(key_bytes("S-Space") == " ");
    CHECK(key_bytes("C-Tab") == "\t");
    CHECK(key_bytes("C-BSpace") == "\b");
    CHECK(key_bytes("M-S-Tab") == "\033\033[Z");
}

TEST_CASE("every key except characters has one name, which is parsed as that key", "[key_names]") {
    for (int i = static_cast<int>(mux::key::enter); i <= static_cast<int>(mux::key::keypad_enter); ++i) {
        const auto which = static_cast<mux::key>(i);
        const std::string_view name = mux::name_of(which);
        CAPTURE(i, name);
        REQUIRE_FALSE(name.empty());
        CHECK(parse_key_name(name) == mux::key_stroke{which, 0, 0});
    }
    CHECK(mux::name_of(mux::key::insert) == "Insert"); // and not tmux's IC
    CHECK(mux::name_of(mux::key::character).empty());
}

TEST_CASE("tmux's names are keys", "[key_names]") {
    const std::pair<const char*, const char*> table[] = {{"PgUp", "PageUp"},     {"PPage", "PageUp"},  {"PgDn", "PageDown"},
                                                         {"NPage", "PageDown"},  {"IC", "Insert"},     {"DC", "Delete"},
                                                         {"C-PgUp", "C-PageUp"}, {"S-DC", "S-Delete"}, {"^C", "C-c"},
                                                         {"^a", "C-a"},          {"^[", "C-["}};
    for (const auto& [theirs, ours] : table) {
        CAPTURE(theirs);
        CHECK(parse_key_name(theirs));
        CHECK(parse_key_name(theirs) == parse_key_name(ours));
    }
    CHECK(key_bytes("KP0") == "0");
    CHECK(key_bytes("KP.") == ".");
    CHECK(key_bytes("KPEnter") == "\r");
}

TEST_CASE("a word that resembles a key's name gets a suggestion", "[key_names]") {
    const std::pair<const char*, const char*> table[] = {
        {"Esc", "Escape"},      {"Return", "Enter"},   {"Backspace", "BSpace"},     {"Del", "Delete"},
        {"PgDown", "PageDown"}, {"Page_Up", "PageUp"}, {"pageUp", "PageUp"},        {"Pgup", "PgUp"},
        {"ArrowUp", "Up"},      {"Ctrl-c", "C-c"},     {"ctrl+Up", "C-Up"},         {"Alt-x", "M-x"},
        {"Shift-Tab", "S-Tab"}, {"C-Esc", "C-Escape"}, {"Control-Del", "C-Delete"}, {"M-C-Return", "M-C-Enter"}};
    for (const auto& [word, meant] : table) {
        CAPTURE(word);
        CHECK(key_name_problem(word) == std::string("did you mean ") + meant + "?");
    }
    CHECK(key_name_problem("F13") == "the function keys are F1 to F12");
    CHECK(key_name_problem("KP10").starts_with("the keypad's keys are"));
    for (const char* word : {"C-ab", "C-C-a", "M-\xc3\xbc", "S-a", "C-S-a"}) {
        CAPTURE(word);
        CHECK(key_name_problem(word).starts_with("C-, M- and S- go before"));
    }
    for (const char* word :
         {"",  "a",   "ls -l", "end", "END", "up", "tab",  "enter", "Hello",        "-",   "--",       "C",     "C-",
          "^", "^ab", "F",     "Foo", "FF",  "KP", "Ctrl", "Ctrl-", "Alt-ernative", "x-y", "\xc3\xa9", "Enter", "C-c"}) {
        CAPTURE(word);
        CHECK(key_name_problem(word).empty());
    }
}

TEST_CASE("a prefix is one control key", "[key_names]") {
    CHECK(mux::parse_prefix("C-\\") == '\034');
    CHECK(mux::parse_prefix("C-b") == '\002');
    CHECK(mux::parse_prefix("C-@") == '\0');
    CHECK(mux::parse_prefix("C-_") == '\037');
}

// ---- the refusals ----

TEST_CASE("other words are not keys", "[key_names]") {
    for (const char* name :
         {"",      "a",      "enter", "ENTER", "Enter ", " Enter", "F0",  "F13",   "C-",         "M-",    "S-", "C", "C-C-a",
          "M-M-x", "S-S-Up", "X-a",   "C-1",   "C-ab",   "M-ab",   "S-a", "C-S-a", "M-\xc3\xbc", "Up Up", "-",  "--"}) {
        CAPTURE(name);
        CHECK_FALSE(key_bytes(name));
    }
}

TEST_CASE("only control keys can be a prefix", "[key_names]") {
    for (const char* name : {"", "b", "C-", "C-?", "C-1", "C-bb", "M-b", "c-b", "C-Space", "C- ", "Enter", "C-\xc3"}) {
        CAPTURE(name);
        CHECK_FALSE(mux::parse_prefix(name));
    }
}
