// SPDX-License-Identifier: MIT
/// @file features_test.cpp: the features of a terminal, from its name, its terminfo entry and its answers.
#include "view/features.hpp"

#include "support/catch.hpp"
#include "view/terminfo.hpp"

#include <string>
#include <vector>

using mux::colour_depth;
using mux::inquiry;
using mux::parse_answer;
using mux::terminal_features;

namespace {

terminal_features of(std::string_view term, mux::terminal_environment environment = {}) {
    environment.term = term;
    return mux::features_of(environment, std::nullopt);
}

terminal_features asked(terminal_features f, const std::vector<std::string>& answers) {
    for (const auto& answer : answers) {
        const auto read = parse_answer(answer);
        REQUIRE(read);
        mux::refine(f, *read);
    }
    return f;
}

} // namespace

// ---- the contract ----

TEST_CASE("the terminfo entries that every system has", "[features]") {
    const auto xterm = mux::read_terminfo("xterm-256color");
    if (!xterm) { // a build without the library has no entries
        CHECK_FALSE(mux::read_terminfo("vt100"));
        return;
    }
    CHECK(*xterm == mux::terminfo{256, false, true, true, true});
    CHECK(*mux::read_terminfo("vt100") == mux::terminfo{0, false, true, false, false});
    CHECK(*mux::read_terminfo("linux") == mux::terminfo{8, false, true, false, false});
    CHECK(*mux::read_terminfo("screen-256color") == mux::terminfo{256, false, true, true, false});
    CHECK_FALSE(mux::read_terminfo("dumb")->addresses);
}

TEST_CASE("an entry takes precedence over the name, except for strings", "[features]") {
    const auto with = [](std::string_view term, mux::terminfo entry) { return mux::features_of({.term = term}, entry); };
    const auto known = with("unknown-name", {256, false, true, true, true});
    CHECK(known.colours == colour_depth::indexed);
    CHECK(known.addresses);
    CHECK(known.scrolls);
    CHECK(known.strings);
    CHECK(with("unknown-name", {8, false, true, false, false}).colours == colour_depth::sixteen);
    CHECK(with("unknown-name", {0, false, true, false, false}).colours == colour_depth::none);
    CHECK(with("unknown-name", {256, true, true, false, false}).colours == colour_depth::direct);
    CHECK(with("xterm-direct", {1 << 24, false, true, true, true}).colours == colour_depth::direct);
    CHECK(with("foot", {256, false, true, true, false}).colours == colour_depth::direct);
    CHECK(with("xterm-mono", {0, false, true, true, true}).colours == colour_depth::none);
    CHECK(with("screen", {8, false, true, true, false}).strings);
    CHECK_FALSE(with("linux", {8, false, true, false, false}).strings);
    CHECK_FALSE(with("linux", {8, false, true, false, false}).scrolls);
}

TEST_CASE("without an entry the name decides, and every name is safe", "[features]") {
    CHECK(of("xterm-256color").colours == colour_depth::indexed);
    CHECK(of("xterm-256color").strings);
    CHECK(of("xterm").colours == colour_depth::sixteen);
    CHECK(of("xterm-kitty").colours == colour_depth::direct);
    CHECK(of("xterm-direct").colours == colour_depth::direct);
    CHECK(of("tmux-256color").scrolls);
    CHECK(of("vt100").colours == colour_depth::none);
    CHECK_FALSE(of("vt220").strings);
    CHECK_FALSE(of("linux").strings);
    for (const char* name : {"dumb", "", "unknown"}) {
        CHECK(of(name).colours == colour_depth::none);
        CHECK_FALSE(of(name).addresses);
        CHECK_FALSE(of(name).strings);
    }
    const auto unheard = of("\xff/../no-such-terminal");
    CHECK(unheard.addresses);
    CHECK_FALSE(unheard.strings);
    CHECK_FALSE(unheard.scrolls);
    CHECK(unheard.colours == colour_depth::sixteen);
}

TEST_CASE("COLORTERM means direct colours if it is about this terminal", "[features]") {
    CHECK(of("xterm", {.colorterm = "truecolor"}).colours == colour_depth::direct);
    CHECK(of("xterm", {.colorterm = "24bit"}).colours == colour_depth::direct);
    CHECK(of("xterm", {.colorterm = "1"}).colours == colour_depth::sixteen);
    CHECK(of("screen", {.colorterm = "truecolor"}).colours == colour_depth::sixteen);
    CHECK(of("screen-256color", {.colorterm = "truecolor", .term_program = "tmux"}).colours == colour_depth::direct);
    CHECK(of("dumb", {.colorterm = "truecolor"}).colours == colour_depth::none);
    CHECK(of("xterm-mono", {.colorterm = "truecolor"}).colours == colour_depth::none);
    CHECK(of("xterm-256color", {.colorterm = "truecolor", .term_program = "Apple_Terminal"}).colours == colour_depth::indexed);
}

TEST_CASE("the first locale variable that is set says whether it is UTF-8", "[features]") {
    CHECK(of("xterm").utf8);
    CHECK(of("xterm", {.lang = "en_GB.UTF-8"}).utf8);
    CHECK(of("xterm", {.lang = "C.utf8"}).utf8);
    CHECK_FALSE(of("xterm", {.lang = "C"}).utf8);
    CHECK_FALSE(of("xterm", {.lang = "de_DE.ISO-8859-1"}).utf8);
    CHECK_FALSE(of("xterm", {.lc_all = "POSIX", .lc_ctype = "C.UTF-8", .lang = "C.UTF-8"}).utf8);
    CHECK(of("xterm", {.lc_ctype = "C.UTF-8", .lang = "C"}).utf8);
}

TEST_CASE("a terminal gets only queries that it does not print, and DA1 last", "[features]") {
    CHECK(mux::questions(of("linux")).empty());
    CHECK(mux::questions(of("vt100")).empty());
    CHECK(mux::questions(of("dumb")).empty());
    CHECK(mux::questions(of("xterm", {.term_program = "Apple_Terminal"})).empty());
    const auto all = mux::questions(of("xterm"));
    const std::string first = "\x1b[?2026$p\x1b[?1016$p\x1b[?2031$p\x1b[?u\x1b[>q\x1b[16t";
    const std::string colours = "\x1b]10;?\x1b\\\x1b]11;?\x1b\\\x1b]12;?\x1b\\\x1b]4;0;?;1;?;2;?;3;?;4;?;5;?;6;?;7;?;8;?;9;?;"
                                "10;?;11;?;12;?;13;?;14;?;15;?\x1b\\\x1b[c";
    CHECK(all == first + "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1bP$q q\x1b\\" + colours);
    // tmux takes an APC for the pane's title
    CHECK(mux::questions(of("tmux-256color")) == first + colours);
    CHECK(mux::questions(of("xterm-256color", {.term_program = "tmux"})) == first + colours);
    CHECK(mux::colour_questions(of("xterm")) == colours);
    CHECK(mux::colour_questions(of("linux")).empty());
}

TEST_CASE("a cell's pixels are reported height first", "[features]") {
    CHECK(mux::parse_answer("\x1b[6;20;10t") == mux::terminal_answer(mux::cell_report{10, 20}));
    for (const char* other : {"\x1b[4;600;800t", "\x1b[6;20t", "\x1b[6;20;10;1t", "\x1b[t", "\x1b[?6;20;10t"})
        CHECK_FALSE(mux::parse_answer(other));
}

TEST_CASE("answers add features that the name does not imply", "[features]") {
    const auto f = of("xterm-256color");
    CHECK(asked(f, {"\x1b[?2026;2$y"}).synchronised);
    CHECK(asked(f, {"\x1b[?2026;1$y"}).synchronised);
    CHECK_FALSE(asked(f, {"\x1b[?2026;0$y"}).synchronised);
    CHECK_FALSE(asked(f, {"\x1b[?2026;4$y"}).synchronised);
    CHECK_FALSE(asked(f, {"\x1b[?2004;2$y"}).synchronised);
    CHECK(asked(f, {"\x1b[?1016;2$y"}).mouse_pixels);
    CHECK_FALSE(asked(f, {"\x1b[?1016;0$y"}).mouse_pixels);
    CHECK(asked(f, {"\x1b[?2031;2$y"}).theme_reports);
    CHECK_FALSE(asked(f, {"\x1b[?2031;0$y"}).theme_reports);
    CHECK(asked(f, {"\x1b[?0u"}).kitty_keyboard);
    CHECK(asked(f, {"\x1b_Gi=31;OK\x1b\\"}).kitty_images);
    CHECK(asked(f, {"\x1b[?62;4;22c"}).sixel_images);
    CHECK_FALSE(asked(f, {"\x1b[?64;22c"}).sixel_images);
    CHECK(asked(f, {"\x1bP>|foot(1.16.2)\x1b\\"}).colours == colour_depth::direct);
    CHECK(asked(f, {"\x1bP>|WezTerm 20240203\x1b\\"}).iterm_images);
    CHECK(asked(f, {"\x1bP>|tmux 3.4\x1b\\"}).colours == colour_depth::indexed);
    CHECK(asked(f, {"\x1b]11;rgb:0/0/0\a"}) == f);
    // Over ssh, with no variable but TERM.
    const auto kitty = asked(of("xterm-kitty"), {"\x1b[?2026;2$y", "\x1b[?0u", "\x1b_Gi=31;OK\x1b\\", "\x1b[?62;c"});
    CHECK(kitty.kitty_images);
}

TEST_CASE("a terminal without colours stays so, for any answers", "[features]") {
    CHECK(asked(of("xterm-mono"), {"\x1bP>|XTerm(379)\x1b\\", "\x1b[?64;22c"}).colours == colour_depth::none);
}

// ---- answers ----

TEST_CASE("each answer is parsed", "[answers]") {
    CHECK(parse_answer("\x1b[?62;4;22c") == mux::terminal_answer(mux::device_attributes{{62, 4, 22}}));
    CHECK(parse_answer("\x1b[?2026;2$y") == mux::terminal_answer(mux::mode_state{2026, 2}));
    CHECK(parse_answer("\x1b[?5u") == mux::terminal_answer(mux::keyboard_flags{5}));
    CHECK(parse_answer("\x1bP>|XTerm(379)\x1b\\") == mux::terminal_answer(mux::terminal_version{"XTerm(379)"}));
    CHECK(parse_answer("\x1bP1$r6 q\x1b\\") == mux::terminal_answer(mux::cursor_style_report{6}));
    for (const char* none : {"\x1bP0$r\x1b\\", "\x1bP0$r q\x1b\\", "\x1bP1$r7 q\x1b\\", "\x1bP1$r12 q\x1b\\",
                             "\x1bP1$r q\x1b\\", "\x1bP1$r0m\x1b\\"})
        CHECK_FALSE(parse_answer(none));
    CHECK(parse_answer("\x1b_Gi=31;ENOTSUPPORTED\x1b\\") == mux::terminal_answer(mux::graphics_reply{false}));
    CHECK(parse_answer("\x1b_Gi=31;OK\x1b\\") == mux::terminal_answer(mux::graphics_reply{true}));
    CHECK(parse_answer("\x1b]10;rgb:ffff/8080/0000\x1b\\") ==
          mux::terminal_answer(mux::colour_reply{256, {0xffff, 0x8080, 0}}));
    CHECK(parse_answer("\x1b]11;rgb:f/80/fff\a") == mux::terminal_answer(mux::colour_reply{257, {0xffff, 0x8080, 0xffff}}));
    CHECK(parse_answer("\x1b]11;rgba:ff/00/00/80\a") == mux::terminal_answer(mux::colour_reply{257, {0xffff, 0, 0}}));
}

TEST_CASE("palette colours, the cursor colour and the theme are parsed", "[answers]") {
    CHECK(parse_answer("\x1b]12;rgb:0/0/f\a") == mux::terminal_answer(mux::colour_reply{258, {0, 0, 0xffff}}));
    CHECK(parse_answer("\x1b]4;0;rgb:1/2/3\x1b\\") == mux::terminal_answer(mux::colour_reply{0, {0x1111, 0x2222, 0x3333}}));
    CHECK(parse_answer("\x1b]4;255;rgb:fdfd/f6f6/e3e3\a") ==
          mux::terminal_answer(mux::colour_reply{255, {0xfdfd, 0xf6f6, 0xe3e3}}));
    CHECK(parse_answer("\x1b[?997;1n") == mux::terminal_answer(mux::theme_report{mux::vt::theme::dark}));
    CHECK(parse_answer("\x1b[?997;2n") == mux::terminal_answer(mux::theme_report{mux::vt::theme::light}));
}

TEST_CASE("other sequences are not answers", "[answers]") {
    for (const char* bytes : {"\x1b]4;256;rgb:0/0/0\a",
                              "\x1b]4;rgb:0/0/0\a",
                              "\x1b]4;-1;rgb:0/0/0\a",
                              "\x1b]4;1;?\a",
                              "\x1b]9;rgb:0/0/0\a",
                              "\x1b]13;rgb:0/0/0\a",
                              "\x1b]110;rgb:0/0/0\a",
                              "\x1b[?997n",
                              "\x1b[?997;3n",
                              "\x1b[?997;0n",
                              "\x1b[?996;1n",
                              "\x1b[997;1n",
                              "\x1b[A",
                              "\x1b[c",
                              "\x1b[?c",
                              "\x1b[>1;2c",
                              "\x1b[?1;c;",
                              "\x1b[?2026$y",
                              "\x1b[?1;2u",
                              "\x1b[?x",
                              "\x1b]11;?\a",
                              "\x1b]11;rgb:\a",
                              "\x1b]11;rgb:0/0\a",
                              "\x1b]11;rgb:00000/0/0\a",
                              "\x1bPx\x1b\\",
                              "\x1b_x\x1b\\",
                              "\x1b]\a",
                              "\x1b]",
                              "\x1b",
                              "",
                              "\x1bx",
                              "\x1bP>|x"}) {
        CAPTURE(bytes);
        CHECK_FALSE(parse_answer(bytes));
    }
}

// ---- the edges ----

TEST_CASE("an invalid name has no entry", "[features]") {
    CHECK_FALSE(mux::read_terminfo(""));
    CHECK_FALSE(mux::read_terminfo("no-such-terminal"));
    CHECK_FALSE(mux::read_terminfo("../../../etc/passwd"));
    CHECK_FALSE(mux::read_terminfo("x/xterm"));
    CHECK_FALSE(mux::read_terminfo(std::string(100000, 'x')));
}

TEST_CASE("more attributes than can exist are cut", "[answers]") {
    std::string many = "\x1b[?1";
    for (int i = 0; i < 100; ++i) many += ";1";
    const auto answer = parse_answer(many + "c");
    REQUIRE(answer);
    CHECK(std::get<mux::device_attributes>(*answer).attributes.size() == mux::device_attributes::limit);
}
