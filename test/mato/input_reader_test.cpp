// SPDX-License-Identifier: MIT
/// @file input_reader_test.cpp: a terminal's input reaches the program unchanged, or has exactly the described effect.
#include "view/input_reader.hpp"

#include "support/catch.hpp"
#include "support/input_viewer.hpp"

#include <random>
#include <string>
#include <string_view>
#include <vector>

using mux::input_context;
using mux::input_reader;
using mux::mouse_encoding;
using mux::mouse_tracking;
using support::effect;
using support::mouse_context;
using rest = mux::input_reader::rest;
using viewer = support::input_viewer;

// ---- for the program, unchanged ----

TEST_CASE("keys, text and any other bytes pass unchanged", "[input_reader]") {
    const std::string_view all[] = {
        "hello",
        "\r\t\177\b",
        std::string_view("\0\xff\x80\xc3", 4),
        "na\xc3\xafve \xf0\x9f\x98\x80",
        "\x1b[A\x1bOA\x1b[1;5C",
        "\x1bOP\x1b[15~\x1b[3;2~\x1b[Z",
        "\x1b[[A",
        "\x1b\x1b[A",
        "\x1bx\x1b\xc3\xa9",
        "\x1b[97;5u\x1b[97;1:3u\x1b[57441;2u",
        "\x1b[27;6;65~",
        "\x1b[12;40R",
        "\x1b[?62;4c",         // not requested
        "\x1b]11;rgb:0/0/0\a", // neither is this
        "\x1b[5~\x1b[6~\x1b[5;5~",
        "\x1b[1;1:1A\x1b[1;1:3A",
        "\x1b[5$", // rxvt
        "\x9b"
        "A", // a byte like any other: terminals use UTF-8
    };
    for (const auto bytes : all) {
        CAPTURE(bytes);
        viewer v;
        CHECK(v.feed(bytes).flush().take() == bytes);
        CHECK_FALSE(v.reader.pending());
    }
}

TEST_CASE("a run of keys is passed on in one piece", "[input_reader]") {
    struct counting final : mux::input_sink {
        void typed(std::string_view) override { ++calls; }
        void command(const mux::key_event&) override {}
        void mouse(const mux::mouse_report&) override {}
        void scroll(int) override {}
        void scroll_pages(int) override {}
        void scroll_to_bottom() override {}
        void answer(const mux::terminal_answer&) override {}
        void focus(mux::focus_change) override {}
        int calls = 0;
    } sink;
    input_reader reader;
    reader.feed("abc\x1b[A\x1b[B\x1bOCdef\x1b[1;5D", {}, sink);
    CHECK(sink.calls == 1);
}

TEST_CASE("a lone Escape is never delayed", "[input_reader]") {
    viewer v;
    CHECK(v.feed("\x1b").take() == "\x1b");
    CHECK(v.feed("\x1b").take() == "\x1b");
    CHECK(v.feed("ab\x1b").take() == "ab\x1b");
    CHECK(v.feed("x").take() == "x");
    CHECK(v.feed("\x1b\x1b").take() == "\x1b\x1b");
}

TEST_CASE("Escape and then a bracket, typed by hand, reach the program", "[input_reader]") {
    viewer v;
    CHECK(v.feed("\x1b").take() == "\x1b");
    CHECK(v.reader.pending());
    v.flush();
    CHECK_FALSE(v.reader.pending());
    CHECK(v.feed("[").take() == "[");
    CHECK(v.feed("I").take() == "I"); // not a focus report
    // Alt-[ arrives in one piece, and waits for more bytes.
    CHECK(v.feed("\x1b[").take() == "");
    CHECK(v.reader.pending());
    CHECK(v.reader.patience() == input_reader::key_patience);
    CHECK(v.flush().take() == "\x1b[");
    CHECK(v.feed("A").take() == "A");
}

TEST_CASE("an ESC at the end of a full buffer begins a sequence", "[input_reader]") {
    viewer v(mouse_context(mouse_tracking::none));
    CHECK(v.feed("a\x1b", rest::follows).take() == "a");
    CHECK(v.feed("[<64;1;1M").take() == "{back 3}");
    CHECK(v.feed("b\x1b", rest::follows).take() == "{bottom}b");
    CHECK(v.reader.pending());
    CHECK(v.flush().take() == "\x1b");
}

TEST_CASE("a sequence is recognised although its ESC has already been passed on", "[input_reader]") {
    auto with = mouse_context(mouse_tracking::buttons);
    with.left = 10;
    viewer v(with);
    CHECK(v.feed("\x1b").take() == "\x1b");
    CHECK(v.feed("[<0;1;2M").take() == "[<0;11;2M");
    CHECK(v.feed("\x1b").take() == "\x1b");
    CHECK(v.feed("[A").take() == "[A");
    CHECK(v.feed("\x1b").take() == "\x1b");
    CHECK(v.feed("[").take() == "");
    CHECK(v.feed("1;5").take() == "");
    CHECK(v.feed("A").take() == "[1;5A");
    CHECK(v.feed("\x1b").take() == "\x1b");
    CHECK(v.feed("[").flush().take() == "[");
    CHECK(v.feed("\x1b").take() == "\x1b");
    CHECK(v.feed("[I").take() == "{focus}");
    CHECK(v.feed("\x1b").take() == "\x1b");
    CHECK(v.feed("\x1c").take() == "");
    CHECK(v.feed("d").take() == "{key d}");
}

TEST_CASE("a sequence that is too long for a key is passed on", "[input_reader]") {
    const std::string fits = "\x1b[" + std::string(input_reader::longest_sequence - 3, '1') + "A";
    CHECK(effect(fits) == fits);
    const std::string beginning = "\x1b[" + std::string(input_reader::longest_sequence - 2, '1');
    viewer v;
    CHECK(v.feed(beginning.substr(0, beginning.size() - 1)).take() == "");
    CHECK(v.feed("1").take() == beginning);
    CHECK_FALSE(v.reader.pending());
    const std::string mouse = "\x1b[<" + std::string(input_reader::longest_sequence, '0') + "0;1;1M";
    CHECK(effect(mouse) == mouse);
}

TEST_CASE("a byte that breaks a sequence off can begin another one", "[input_reader]") {
    CHECK(effect("\x1b[12\x1c"
                 "d") == "\x1b[12{key d}");
    CHECK(effect("\x1b[\x1b[I") == "\x1b[{focus}");
    CHECK(effect("\x1b[1\xc3\xa9") == "\x1b[1\xc3\xa9");
}

// ---- focus, answers ----

TEST_CASE("focus reports reach only programs that enabled them", "[input_reader]") {
    CHECK(effect("a\x1b[I\x1b[Ob") == "a{focus}{blur}b");
    input_context with;
    with.focus = true;
    CHECK(effect("a\x1b[Ib", with) == "a\x1b[I{focus}b");
}

TEST_CASE("a theme report of the terminal is never passed to the program", "[input_reader]") {
    viewer v;
    CHECK(v.feed("\x1b[?997;1n").take() == "\x1b[?997;1n"); // reports were not enabled
    v.context.theme_reports = true;
    CHECK(v.feed("a\x1b[?997;2nb\x1b[0n\x1b[?12;3n").take() == "a{answer 8}b\x1b[0n\x1b[?12;3n");
}

TEST_CASE("answers to our queries are for mato until the last one has arrived", "[input_reader]") {
    viewer v;
    v.context.questions = 1;
    CHECK(v.feed("a\x1b[?2026;2$y\x1b[?0u\x1bP>|foot(1.16.2)\x1b\\\x1b_Gi=31;OK\x1b\\b").take() ==
          "a{answer 1}{answer 2}{answer 3}{answer 4}b");
    CHECK(v.feed("\x1b]10;rgb:ffff/ffff/ffff\x1b\\\x1b]11;rgb:00/00/00\a").take() == "{answer 5}{answer 5}");
    CHECK(v.feed("\x1b]52;c;YQ==\a\x1bPx\x1b\\\x1b[?1;2R").take() == "\x1b]52;c;YQ==\a\x1bPx\x1b\\\x1b[?1;2R");
    CHECK(v.feed("\x1b[?62;4;22c").take() == "{answer 0}");
    CHECK(v.feed("\x1b[?62;4;22c").take() == "\x1b[?62;4;22c");
    CHECK(v.feed("\x1b]").take() == "\x1b]"); // Alt-] no longer waits
}

TEST_CASE("an answer may arrive in parts, and has a longer patience than a key", "[input_reader]") {
    viewer v;
    v.context.questions = 1;
    CHECK(v.feed("\x1bP").take() == "");
    CHECK(v.reader.patience() == input_reader::key_patience); // it may be Alt-P
    CHECK(v.feed(">|XTerm(3").take() == "");
    CHECK(v.reader.patience() == input_reader::answer_patience);
    CHECK(v.feed("79)\x1b").take() == "");
    CHECK(v.feed("\\x").take() == "{answer 3}x");
    CHECK(v.feed("\x1b[?6").take() == "");
    CHECK(v.reader.patience() == input_reader::answer_patience);
    CHECK(v.flush().take() == "\x1b[?6");
    const std::string endless = "\x1bP>|" + std::string(mux::longest_answer - 4, 'x');
    CHECK(v.feed(endless).take() == endless);
    CHECK(v.feed("\x1bP>|a\x1c"
                 "d")
              .take() == "\x1bP>|a{key d}");
}

// ---- pastes ----

TEST_CASE("nothing in a paste is interpreted", "[input_reader]") {
    input_context with;
    with.bracketed_paste = true;
    const std::string text = "\x1b[200~a\x1c"
                             "d\x1b[I\x1b[<0;1;1M\x1b[5;2~\x1b[92;5u\x1b[200~\x1b[201~";
    CHECK(effect(text + "\x1c"
                        "d",
                 with) == text + "{key d}");
    CHECK(effect("\x1b[200~a\x1c"
                 "d\x1b[201~\x1c"
                 "d") == "a\x1c"
                         "d{key d}"); // the program did not enable marks
}

TEST_CASE("a paste is marked as at its start, and its marks may arrive in parts", "[input_reader]") {
    input_context with;
    with.bracketed_paste = true;
    viewer v(with);
    CHECK(v.feed("\x1b[200~a\x1b").take() == "\x1b[200~a");
    CHECK_FALSE(v.reader.pending()); // no time-out splits a paste's mark
    v.context.bracketed_paste = false;
    CHECK(v.feed("[20").take() == "");
    CHECK(v.feed("1~b").take() == "\x1b[201~b");
    CHECK(v.feed("\x1b[200~a\x1b[20").take() == "a");
    CHECK(v.feed("0~\x1b[201~").take() == "\x1b[200~");
}

TEST_CASE("an end mark inside the text of a paste is removed", "[input_reader]") {
    input_context with;
    with.bracketed_paste = true;
    CHECK(effect("\x1b[200~a\x1b[201~rm *\r\x1b[201~b", with) == "\x1b[200~arm *\r\x1b[201~b");
    CHECK(effect("\x1b[200~a\x1b[201~\x1b[201~\x1b[201~", with) == "\x1b[200~a\x1b[201~");
    CHECK(effect("\x1b[200~a\x1b[201~b\x1b[200~c\x1b[201~", with) == "\x1b[200~a\x1b[201~b\x1b[200~c\x1b[201~"); // two pastes
    // In two reads the first mark is the end, and the second ends nothing.
    viewer v(with);
    CHECK(v.feed("\x1b[200~a\x1b[201~").feed("b\x1b[201~c").take() == "\x1b[200~a\x1b[201~bc");
}

TEST_CASE("a paste without an end can be ended", "[input_reader]") {
    input_context with;
    with.bracketed_paste = true;
    viewer v(with);
    CHECK(v.feed("\x1b[200~ab\x1b[20").take() == "\x1b[200~ab");
    CHECK(v.reader.in_paste());
    v.reader.end_paste(v.context, v);
    CHECK(v.take() == "\x1b[20\x1b[201~");
    CHECK_FALSE(v.reader.in_paste());
    v.reader.end_paste(v.context, v);
    CHECK(v.take() == "");
}

TEST_CASE("a reader goes on with a paste that another has begun: its text is no command, and its end mark is passed on",
          "[input_reader]") {
    const bool program_has_begin = GENERATE(true, false);
    input_context with;
    with.bracketed_paste = true;
    viewer v(with);
    v.reader.resume_paste(program_has_begin, v.context, v);
    CHECK(v.take() == (program_has_begin ? "" : "\x1b[200~"));
    CHECK(v.reader.in_paste());
    CHECK(v.feed("rest \x1c").feed("d\x1b[20").feed("1~\x1b[A").take() == "rest \x1c"
                                                                          "d\x1b[201~\x1b[A");
    CHECK_FALSE(v.reader.in_paste());
}

TEST_CASE("a resumed paste has no marks for a program that asked for none", "[input_reader]") {
    viewer v{input_context{}};
    v.reader.resume_paste(false, v.context, v);
    CHECK(v.feed("rest \x1c"
                 "d\x1b[201~x")
              .take() == "rest \x1c"
                         "dx");
}

TEST_CASE("a text that is pasted as a whole has no bytes that could pass for its end", "[input_reader]") {
    CHECK(mux::pasted("ab", mux::paste_marks::bracketed) == "\x1b[200~ab\x1b[201~");
    CHECK(mux::pasted("ab", mux::paste_marks::none) == "ab");
    CHECK(mux::pasted("a\x1b[201~b", mux::paste_marks::bracketed) == "\x1b[200~ab\x1b[201~");
    CHECK(mux::pasted("a\x1b[20\x1b[201~1~b", mux::paste_marks::bracketed) ==
          "\x1b[200~ab\x1b[201~"); // removing creates another
    CHECK(mux::pasted("", mux::paste_marks::bracketed) == "\x1b[200~\x1b[201~");
    CHECK(mux::pasted("a\x1b[20", mux::paste_marks::bracketed) == "\x1b[200~a\x1b[20\x1b[201~");
}

// ---- the promises about absence ----

TEST_CASE("nothing from a read-only viewer reaches the program", "[input_reader]") {
    auto with = mouse_context(mouse_tracking::all);
    with.readonly = true;
    with.focus = true;
    with.bracketed_paste = true;
    CHECK(effect("ab\x1b[A\x1b[200~x\x1b[201~\x1b[<0;1;1M\x1b[I\x1c\x1c\x1c"
                 "d",
                 with) == "{focus}{key d}");
    CHECK(effect("\x1b[<64;1;1M\x1b[5;2~", with) == "{back 3}{page back}");
    viewer v(with);
    CHECK(v.feed("\x1b[").flush().take() == "");
}

namespace {

/// Random input of a terminal, with many special sequences.
std::string random_input(std::mt19937& random, bool with_pastes) {
    const std::string_view parts[] = {"a",
                                      "d",
                                      "\x1c",
                                      "\x1c",
                                      "\x1b[A",
                                      "\x1bOA",
                                      "\x1b[92;5u",
                                      "\x1b[100;1:3u",
                                      "\x1b[<0;3;4M",
                                      "\x1b[<64;3;4M",
                                      "\x1b[<35;9;9M",
                                      "\x1b[<0;3;4m",
                                      "\x1b[I",
                                      "\x1b[5;2~",
                                      "\x1b[?62c",
                                      "\x1bP>|x\x1b\\",
                                      "\x1b]11;rgb:0/0/0\a",
                                      "\xc3\xa9",
                                      "\x1b[",
                                      "[",
                                      "\x1b]",
                                      "\x1b[<1;2",
                                      "\x1b[97;5:3u",
                                      "\x1b",
                                      "\x1b\x1b",
                                      "\x1b[1\x1b[B",
                                      "\x1b[27;5;92~",
                                      "\x1b[[B"};
    std::string out;
    for (int n = static_cast<int>(random() % 30); n > 0; --n) {
        out += parts[random() % std::size(parts)];
        if (with_pastes && random() % 8 == 0)
            out += "\x1b[200~b\x1c\x1b[I\x1b[20" + std::string(random() % 2, '9') + "\x1b[201~";
    }
    return out;
}

input_context random_context(std::mt19937& random) {
    input_context with;
    const auto maybe = [&random] { return random() % 2 == 0; };
    const char prefixes[] = {'\x1c', '\x1c', '\x02', '\x1b', '\0'};
    with.prefix = prefixes[random() % std::size(prefixes)];
    with.readonly = random() % 8 == 0;
    with.questions = static_cast<unsigned>(random() % 3);
    with.mouse = static_cast<mouse_tracking>(random() % 6);
    with.encoding = static_cast<mouse_encoding>(random() % 5);
    with.focus = maybe();
    with.bracketed_paste = maybe();
    with.alternate_screen = maybe();
    with.alternate_scroll = maybe();
    with.application_cursor = maybe();
    with.left = static_cast<int>(random() % 200);
    with.columns = 1 + static_cast<int>(random() % 300);
    return with;
}

} // namespace

TEST_CASE("any split of the same bytes has the same effect", "[input_reader]") {
    std::mt19937 random(GENERATE(range(0u, 20u)));
    for (int round = 0; round < 200; ++round) {
        const input_context with = random_context(random);
        const std::string bytes = random_input(random, true);
        viewer whole(with), parts(with);
        whole.feed(bytes, rest::follows);
        for (std::string_view left = bytes; !left.empty();) {
            const std::size_t size = 1 + random() % std::min<std::size_t>(left.size(), 7);
            parts.feed(left.substr(0, size), rest::follows);
            left.remove_prefix(size);
        }
        CAPTURE(bytes, with.prefix);
        REQUIRE(parts.log == whole.log);
        REQUIRE(parts.flush().log == whole.flush().log);
        CHECK_FALSE(whole.reader.pending());
    }
}
