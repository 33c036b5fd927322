// SPDX-License-Identifier: MIT
#include "view/key_decoder.hpp"

#include "support/catch.hpp"

#include <string>
#include <utility>
#include <vector>

using namespace mux;

namespace {

std::string name(const key_event& key) {
    std::string text = (key.modifiers & key_event::control) != 0 ? "C-" : "";
    text += (key.modifiers & key_event::alt) != 0 ? "M-" : "";
    const std::vector<std::pair<int, const char*>> names{
        {keys::up, "Up"},         {keys::down, "Down"},           {keys::home, "Home"},     {keys::end, "End"},
        {keys::page_up, "PgUp"},  {keys::escape, "Esc"},          {keys::enter, "Enter"},   {keys::tab, "Tab"},
        {keys::back_tab, "BTab"}, {keys::backspace, "Backspace"}, {letter_keys + 'P', "F1"}};
    for (const auto& [number, known] : names)
        if (key.key == number) return text + known;
    if (key.character > 0 && key.character < 0x80) return text + static_cast<char>(key.character);
    return text + "U+" + std::to_string(key.character);
}

std::string keys_of(std::string_view bytes) {
    key_decoder decoder;
    std::string all;
    const auto take = [&](const key_event& key) {
        all += (all.empty() ? "" : " ") + name(key);
        return true;
    };
    decoder.feed(bytes, take);
    decoder.flush(take);
    return all;
}

} // namespace

TEST_CASE("keys are the same in every keyboard mode of the terminal", "[key_decoder]") {
    CHECK(keys_of("aN?") == "a N ?");
    CHECK(keys_of("\x1b[97u\x1b[110:78;2u") == "a N");                     // kitty
    CHECK(keys_of("\x1b[A\x1bOA\x1b[1;1A") == "Up Up Up");                 // normal, application, kitty
    CHECK(keys_of("\x1b[H\x1bOH\x1b[1~\x1b[7~") == "Home Home Home Home"); // xterm, application, vt220, rxvt
    CHECK(keys_of("\x1b[F\x1bOF\x1b[4~\x1b[8~") == "End End End End");
    CHECK(keys_of("\r\x1b[13u") == "Enter Enter");
    CHECK(keys_of("\t\x1b[9u\x1b[Z") == "Tab Tab BTab");
    CHECK(keys_of("\x7f\b\x1b[127u") == "Backspace Backspace Backspace");
    CHECK(keys_of("\x03\x1b[99;5u\x1b[27;5;99~") == "C-c C-c C-c"); // legacy, kitty, modifyOtherKeys
    CHECK(keys_of("\x1bx\x1b[120;3u") == "M-x M-x");
    CHECK(keys_of("\x1c\x1d") == "C-\\ C-]");
    CHECK(keys_of("é") == "U+233");
}

TEST_CASE("releases, modifiers, reports and strings of the mouse are no keys", "[key_decoder]") {
    CHECK(keys_of("\x1b[97;1:3u") == "");                // released
    CHECK(keys_of("\x1b[57441;2u") == "");               // Shift alone
    CHECK(keys_of("\x1b[97;1:2u") == "a");               // repeated
    CHECK(keys_of("\x1b[?1;2c\x1b[2;3Rz") == "M-U+0 z"); // an answer; F3 with modifiers has the form of a cursor report
    CHECK(keys_of("\x1b[<0;3;4Mz") == "z");
}

TEST_CASE("an Escape is known when nothing follows, and any cut of the same bytes gives the same keys", "[key_decoder]") {
    key_decoder decoder;
    std::string all;
    const auto take = [&](const key_event& key) {
        all += name(key) + " ";
        return true;
    };
    CHECK(decoder.feed("\x1b", take) == 1);
    CHECK(decoder.pending());
    CHECK(all == "");
    decoder.flush(take);
    CHECK(all == "Esc ");
    CHECK(keys_of("\x1b\x1b") == "Esc Esc");
    const std::string bytes = "a\x1b[A\x1bxé\x1bOP\x1b[13u\x1b[200~b\rc\x1b[201~\r";
    const std::string whole = keys_of(bytes);
    CHECK(whole == "a Up M-x U+233 F1 Enter b c Enter"); // a pasted Enter confirms nothing
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
        CAPTURE(cut);
        key_decoder parts;
        all.clear();
        parts.feed(std::string_view(bytes).substr(0, cut), take);
        parts.feed(std::string_view(bytes).substr(cut), take);
        parts.flush(take);
        CHECK(all == whole + " ");
    }
}

TEST_CASE("a receiver that has enough leaves the rest of the bytes", "[key_decoder]") {
    key_decoder decoder;
    std::string all;
    const auto take = [&](const key_event& key) {
        all += name(key) + " ";
        return key.character != 'q';
    };
    CHECK(decoder.feed("abqls\n", take) == 3);
    CHECK(all == "a b q ");
    CHECK_FALSE(decoder.pending());
    CHECK(decoder.feed("\x1b[", take) == 2);
    CHECK(decoder.feed("Bqx", take) == 2);
    CHECK(all == "a b q Down q ");
}
