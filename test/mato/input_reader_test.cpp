// SPDX-License-Identifier: MIT
/// @file input_reader_test.cpp: what a terminal sends reaches the program unchanged, or exactly what is named is done instead.
#include "view/input_reader.hpp"

#include "support/catch.hpp"
#include "vt/terminal.hpp"

#include <random>
#include <string>
#include <string_view>
#include <vector>

using mux::input_context;
using mux::input_reader;
using mux::mouse_encoding;
using mux::mouse_tracking;
using rest = mux::input_reader::rest;

namespace {

/// What happened, in order: bytes for the program as they are, all else as {what}. Keeps the context true, as a viewer does.
class viewer final : public mux::input_sink {
public:
    explicit viewer(input_context with = {}) : context(with) {}

    void typed(std::string_view bytes) override { log += bytes; }
    void command(char key) override { note(std::string("key ") + key); }
    void scroll(int rows) override {
        note((rows > 0 ? "back " : "forth ") + std::to_string(std::abs(rows)));
        context.scrolled = true;
    }
    void scroll_pages(int pages) override {
        note(pages > 0 ? "page back" : "page forth");
        context.scrolled = true;
    }
    void scroll_to_bottom() override {
        note("bottom");
        context.scrolled = false;
    }
    void answer(const mux::terminal_answer& what) override {
        note("answer " + std::to_string(what.index()));
        if (std::holds_alternative<mux::device_attributes>(what)) --context.questions;
    }
    void focus(bool gained) override { note(gained ? "focus" : "blur"); }

    viewer& feed(std::string_view bytes, rest more = rest::unknown) {
        reader.feed(bytes, context, *this, more);
        return *this;
    }
    viewer& flush() {
        reader.flush(context, *this);
        return *this;
    }
    std::string take() { return std::exchange(log, {}); }

    input_context context;
    input_reader reader;
    std::string log;

private:
    void note(std::string_view what) { log.append("{").append(what).append("}"); }
};

std::string effect(std::string_view bytes, input_context with = {}) { return viewer(with).feed(bytes).take(); }

input_context mouse_context(mouse_tracking tracking, mouse_encoding encoding = mouse_encoding::sgr) {
    input_context with;
    with.mouse = tracking;
    with.encoding = encoding;
    return with;
}

} // namespace

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
        "\x1b[?62;4c",         // not asked for
        "\x1b]11;rgb:0/0/0\a", // nor this
        "\x1b[5~\x1b[6~\x1b[5;5~",
        "\x1b[1;1:1A\x1b[1;1:3A",
        "\x1b[5$", // rxvt
        "\x9b"
        "A", // a byte like others: terminals speak UTF-8
    };
    for (const auto bytes : all) {
        CAPTURE(bytes);
        viewer v;
        CHECK(v.feed(bytes).flush().take() == bytes);
        CHECK_FALSE(v.reader.pending());
    }
}

TEST_CASE("a run of keys is passed in one piece", "[input_reader]") {
    struct counting final : mux::input_sink {
        void typed(std::string_view) override { ++calls; }
        void command(char) override {}
        void scroll(int) override {}
        void scroll_pages(int) override {}
        void scroll_to_bottom() override {}
        void answer(const mux::terminal_answer&) override {}
        void focus(bool) override {}
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
    CHECK(v.feed("I").take() == "I"); // no focus report
    // Alt-[ comes in one piece, and waits for what may follow it.
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

TEST_CASE("after an ESC that has gone ahead the sequence is still understood", "[input_reader]") {
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

TEST_CASE("what breaks a sequence off begins anew", "[input_reader]") {
    CHECK(effect("\x1b[12\x1c"
                 "d") == "\x1b[12{key d}");
    CHECK(effect("\x1b[\x1b[I") == "\x1b[{focus}");
    CHECK(effect("\x1b[1\xc3\xa9") == "\x1b[1\xc3\xa9");
}

// ---- the prefix ----

TEST_CASE("the prefix and its key are for mato; twice it is typed once", "[input_reader]") {
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

TEST_CASE("the prefix waits for its key, however late", "[input_reader]") {
    viewer v;
    CHECK(v.feed("a\x1c").take() == "a");
    CHECK_FALSE(v.reader.pending()); // nothing the program should have
    CHECK(v.feed("").take() == "");
    CHECK(v.flush().feed("d").take() == "{key d}");
    CHECK(v.feed("\x1c").feed("\x1c").take() == "\x1c");
}

TEST_CASE("the prefix is known in kitty's and in xterm's encoding, and so is its key", "[input_reader]") {
    CHECK(effect("\x1b[92;5ud") == "{key d}");
    CHECK(effect("\x1b[92;5u\x1b[100u") == "{key d}");
    CHECK(effect("\x1b[27;5;92~d") == "{key d}");
    CHECK(effect("\x1b[27;5;92~\x1b[27;2;63~") == "{key ?}");
    CHECK(effect("\x1c\x1b[100;1u") == "{key d}");
    CHECK(effect("\x1b[92;69ud") == "{key d}");                        // with caps lock
    CHECK(effect("\x1b[92;133u\x1b[100;129u") == "{key d}");           // with num lock
    CHECK(effect("\x1b[92:124:92;5:1u\x1b[47:63;2;63u") == "{key ?}"); // with alternates and text
    CHECK(effect("\x1b[92;5u\x1b[47;2u") == "{key ?}");                // a US keyboard is the guess
    CHECK(effect("\x1b[92;5u\x1b[57400u") == "{key 1}");               // on the keypad
    CHECK(effect("\x1b[92;5u\x1b[110;2u") == "{key N}");
    input_context with;
    with.prefix = '\x02';
    CHECK(effect("\x1b[98;5ud", with) == "{key d}");
    CHECK(effect("\x1b[1080::98;5u\x1b[1074::100u", with) == "{key d}"); // a Cyrillic layout
    CHECK(effect("\x1b[98;6ud", with) == "\x1b[98;6ud");                 // C-S-b is another key
    CHECK(effect("\x1b[98;7ud", with) == "\x1b[98;7ud");                 // so is C-M-b
    with.prefix = '\x1e';
    CHECK(effect("\x1b[54:94;6ud", with) == "{key d}"); // C-^
}

TEST_CASE("the prefix twice is typed in the form it came", "[input_reader]") {
    CHECK(effect("\x1b[92;5u\x1b[92;5u") == "\x1b[92;5u");
    CHECK(effect("\x1b[27;5;92~\x1b[27;5;92~") == "\x1b[27;5;92~");
    CHECK(effect("\x1b[92;5u\x1c") == "\x1c");
}

TEST_CASE("releases and repeats of keys that were mato's are not the program's", "[input_reader]") {
    // Control down, \ down and up, Control up, d down and up: only Control is the program's.
    CHECK(effect("\x1b[57442;5u\x1b[92;5u\x1b[92;5:3u\x1b[57442;1:3u\x1b[100u\x1b[100;1:3u") ==
          "\x1b[57442;5u\x1b[57442;1:3u{key d}");
    // Typed fast: d goes down before \ comes up, and Control came up before both.
    CHECK(effect("\x1b[92;5u\x1b[100u\x1b[92;1:3u\x1b[100;1:3uz") == "{key d}z");
    CHECK(effect("\x1b[92;5:1u\x1b[92;5:2u\x1b[92;5:2u\x1b[92;5:3ud") == "{key d}"); // held down
    CHECK(effect("\x1c\x1b[100u\x1b[100;1:2u\x1b[100;1:3u\x1b[100u\x1b[100;1:3u") == "{key d}\x1b[100u\x1b[100;1:3u");
    // A terminal may type a character and report only its release, when the program asked for that.
    input_context with;
    with.kitty_flags = 3;
    CHECK(effect("\x1b[92;5uD\x1b[100;2:3ud\x1b[100;1:3u", with) == "{key D}d\x1b[100;1:3u");
    CHECK(effect("\x1c"
                 "d\x1b[100;1:3u") == "{key d}\x1b[100;1:3u");
    // The release of a prefix that was typed goes where its press went.
    CHECK(effect("\x1b[92;5u\x1b[92;5:3u\x1b[92;5u\x1b[92;5:3u") == "\x1b[92;5u\x1b[92;5:3u");
}

TEST_CASE("a key without a byte after the prefix is dropped whole", "[input_reader]") {
    CHECK(effect("\x1c\x1b[Ad") == "d");
    CHECK(effect("\x1c\x1bOAd") == "d");
    CHECK(effect("\x1c\x1b[15;5~d") == "d");
    CHECK(effect("\x1c\x1b[[Ad") == "d");
    CHECK(effect("\x1c\x1b"
                 "dd") == "d"); // Alt-d
    CHECK(effect("\x1c\x1b\xc3\xa9"
                 "d") == "d");
    CHECK(effect("\x1c\xc3\xa9"
                 "d") == "{key \xc3}d");
}

TEST_CASE("Escape after the prefix is a key, told when nothing follows it", "[input_reader]") {
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

TEST_CASE("what no key is does not use up the prefix", "[input_reader]") {
    CHECK(effect("\x1c\x1b[<35;3;4Md", mouse_context(mouse_tracking::all)) == "\x1b[<35;3;4M{key d}");
    CHECK(effect("\x1c\x1b[I\x1b[O"
                 "d") == "{focus}{blur}{key d}");
    CHECK(effect("\x1c\x1b[57441;2u\x1b[47:63;2u") == "\x1b[57441;2u{key ?}");
    CHECK(effect("\x1c\x1b[200~d\x1b[201~d") == "dd"); // a paste does
}

TEST_CASE("Escape may be the prefix; sequences stay sequences", "[input_reader]") {
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

TEST_CASE("a new prefix holds from the next byte; a key awaited is still a command", "[input_reader]") {
    viewer v;
    v.feed("\x1c");
    v.context.prefix = '\x02';
    CHECK(v.feed("d\x1c\x02"
                 "d")
              .take() == "{key d}\x1c{key d}");
}

// ---- mouse ----

TEST_CASE("mouse reports are written for the program's encoding and its place on the viewer's screen", "[input_reader]") {
    auto with = mouse_context(mouse_tracking::buttons);
    with.top = 5;
    with.left = 20;
    with.rows = 50;
    with.columns = 200;
    CHECK(effect("a\x1b[<0;3;4Mb", with) == "a\x1b[<0;23;9Mb");
    with.encoding = mouse_encoding::plain;
    CHECK(effect("\x1b[<0;3;4M\x1b[<0;3;4m", with) == "\x1b[M \x37)\x1b[M#\x37)");
    with.encoding = mouse_encoding::urxvt;
    CHECK(effect("\x1b[<0;3;4M", with) == "\x1b[32;23;9M");
    with.rows = 7;
    with.columns = 21;
    CHECK(effect("\x1b[<0;3;4M", with) == "\x1b[32;21;7M");
}

TEST_CASE("positions outside the tab are moved to its edge", "[input_reader]") {
    auto with = mouse_context(mouse_tracking::drags);
    with.rows = 10;
    with.columns = 30;
    CHECK(effect("\x1b[<0;31;11M", with) == "\x1b[<0;30;10M");
    CHECK(effect("\x1b[<0;-3;0M", with) == "\x1b[<0;1;1M");
    CHECK(effect("\x1b[<0;99999999999;1M", with) == "\x1b[<0;30;1M");
    // Motion along the edge is one motion.
    CHECK(effect("\x1b[<32;31;5M\x1b[<32;32;5M\x1b[<32;33;6M", with) == "\x1b[<32;30;5M\x1b[<32;30;6M");
    CHECK(effect("\x1b[<32;30;5M\x1b[<0;30;5m\x1b[<32;30;5M", with) == "\x1b[<32;30;5M\x1b[<0;30;5m\x1b[<32;30;5M");
}

TEST_CASE("pixels become cells and cells pixels, by the size of the viewer's cells", "[input_reader]") {
    auto with = mouse_context(mouse_tracking::buttons, mouse_encoding::sgr_pixels);
    with.cell_width = 10;
    with.cell_height = 20;
    with.left = 2;
    with.top = 1;
    with.pixels = true;
    CHECK(effect("\x1b[<0;15;25M", with) == "\x1b[<0;35;45M");
    CHECK(effect("\x1b[<0;5000;5000M", with) == "\x1b[<0;800;480M");
    with.pixels = false;
    CHECK(effect("\x1b[<0;1;1M", with) == "\x1b[<0;25;30M");
    with.pixels = true;
    with.encoding = mouse_encoding::sgr;
    CHECK(effect("\x1b[<0;10;20M\x1b[<0;11;21M", with) == "\x1b[<0;3;2M\x1b[<0;4;3M");
    with.cell_width = 0; // not known
    CHECK(effect("\x1b[<0;10;20M", with) == "");
    with.encoding = mouse_encoding::sgr_pixels;
    CHECK(effect("\x1b[<0;10;20M", with) == "");
    with.left = with.top = 0;
    CHECK(effect("\x1b[<0;10;20M", with) == "\x1b[<0;10;20M");
}

TEST_CASE("what the program did not ask for it is not told", "[input_reader]") {
    CHECK(effect("\x1b[<0;1;1M\x1b[<0;1;1m\x1b[<35;2;2M") == "");
    CHECK(effect("\x1b[<35;2;2M\x1b[<32;2;2M", mouse_context(mouse_tracking::buttons)) == "");
    CHECK(effect("\x1b[<1;2M\x1b[<M\x1b[<1;2;3;4M", mouse_context(mouse_tracking::all)) == ""); // no reports at all
}

TEST_CASE("without a mouse mode the wheel scrolls the viewer, or types arrows on the alternate screen", "[input_reader]") {
    CHECK(effect("\x1b[<64;1;1M\x1b[<65;1;1M") == "{back 3}{forth 3}");
    CHECK(effect("\x1b[<68;1;1M\x1b[<66;1;1M\x1b[<64;1;1m") == "{back 3}");
    input_context with;
    with.alternate_screen = true;
    CHECK(effect("\x1b[<64;1;1M", with) == "");
    with.alternate_scroll = true;
    CHECK(effect("\x1b[<64;1;1M\x1b[<65;1;1M", with) == "\x1b[A\x1b[A\x1b[A\x1b[B\x1b[B\x1b[B");
    with.application_cursor = true;
    CHECK(effect("\x1b[<64;1;1M", with) == "\x1bOA\x1bOA\x1bOA");
    with.kitty_flags = 4; // alternate keys alone change no arrow
    CHECK(effect("\x1b[<64;1;1M", with) == "\x1bOA\x1bOA\x1bOA");
    with.kitty_flags = 1;
    CHECK(effect("\x1b[<64;1;1M", with) == "\x1b[A\x1b[A\x1b[A");
    with.mouse = mouse_tracking::buttons;
    with.encoding = mouse_encoding::sgr;
    CHECK(effect("\x1b[<64;1;1M", with) == "\x1b[<64;1;1M");
    with.mouse = mouse_tracking::x10; // knows no wheel
    CHECK(effect("\x1b[<64;1;1M", with) == "");
}

TEST_CASE("while scrolled the mouse is the viewer's, but a press the program knows of ends", "[input_reader]") {
    viewer v(mouse_context(mouse_tracking::drags));
    CHECK(v.feed("\x1b[<0;1;1M").take() == "\x1b[<0;1;1M");
    v.context.scrolled = true;
    CHECK(v.feed("\x1b[<32;2;2M\x1b[<64;2;2M").take() == "{back 3}");
    CHECK(v.feed("\x1b[<0;2;2m").take() == "\x1b[<0;2;2m");
    CHECK(v.feed("\x1b[<0;2;2M\x1b[<0;2;2m").take() == "");
}

// ---- scrolling by keys ----

TEST_CASE("Shift-PageUp and Shift-PageDown scroll the viewer on the primary screen", "[input_reader]") {
    CHECK(effect("\x1b[5;2~\x1b[6;2~") == "{page back}{page forth}");
    CHECK(effect("\x1b[5;66~\x1b[5;130:1~\x1b[57421;2u\x1b[57422;2u") == "{page back}{page back}{page back}{page forth}");
    CHECK(effect("\x1b[5;2:1~\x1b[5;2:2~\x1b[5;2:3~") == "{page back}{page back}");
    CHECK(effect("\x1b[5;2:1~\x1b[57441;1:3u\x1b[5;1:3~") == "{page back}\x1b[57441;1:3u"); // Shift came up first
    CHECK(effect("\x1b[5;6~\x1b[5;3~") == "\x1b[5;6~\x1b[5;3~");
    input_context with;
    with.alternate_screen = true;
    CHECK(effect("\x1b[5;2~\x1b[6;2~", with) == "\x1b[5;2~\x1b[6;2~");
}

TEST_CASE("a key typed while scrolled returns to the bottom and is typed", "[input_reader]") {
    input_context with;
    with.scrolled = true;
    CHECK(effect("ab", with) == "{bottom}ab");
    CHECK(effect("\x1b[A", with) == "{bottom}\x1b[A");
    CHECK(effect("\x1b[200~x\x1b[201~", with) == "{bottom}x");
    CHECK(effect("\x1b[5;2~\x1b[<64;1;1M\x1b[I\x1b[57441;1:3u", with) == "{page back}{back 3}{focus}\x1b[57441;1:3u");
    CHECK(effect("\x1b[97;1:3ux", with) == "\x1b[97;1:3u{bottom}x"); // a release is no key typed
    CHECK(effect("\x1c"
                 "d",
                 with) == "{key d}");
    with.alternate_screen = true;
    CHECK(effect("\x1b[5;2~\x1b[<65;1;1M", with) == "{page back}{forth 3}");
    CHECK(effect("a\x1b[5;2~", with) == "{bottom}a\x1b[5;2~"); // by then the program's
    with.readonly = true;
    CHECK(effect("ab", with) == "{bottom}");
}

// ---- focus, answers ----

TEST_CASE("focus reports reach only programs that asked", "[input_reader]") {
    CHECK(effect("a\x1b[I\x1b[Ob") == "a{focus}{blur}b");
    input_context with;
    with.focus = true;
    CHECK(effect("a\x1b[Ib", with) == "a\x1b[I{focus}b");
}

TEST_CASE("answers to our questions are ours until the last one has come", "[input_reader]") {
    viewer v;
    v.context.questions = 1;
    CHECK(v.feed("a\x1b[?2026;2$y\x1b[?0u\x1bP>|foot(1.16.2)\x1b\\\x1b_Gi=31;OK\x1b\\b").take() ==
          "a{answer 1}{answer 2}{answer 3}{answer 4}b");
    CHECK(v.feed("\x1b]10;rgb:ffff/ffff/ffff\x1b\\\x1b]11;rgb:00/00/00\a").take() == "{answer 5}{answer 5}");
    CHECK(v.feed("\x1b]52;c;YQ==\a\x1bPx\x1b\\\x1b[?1;2R").take() == "\x1b]52;c;YQ==\a\x1bPx\x1b\\\x1b[?1;2R");
    CHECK(v.feed("\x1b[?62;4;22c").take() == "{answer 0}");
    CHECK(v.feed("\x1b[?62;4;22c").take() == "\x1b[?62;4;22c");
    CHECK(v.feed("\x1b]").take() == "\x1b]"); // Alt-] does not wait any more
}

TEST_CASE("an answer may come in parts, and is waited for longer than a key", "[input_reader]") {
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
                         "d{key d}"); // the program did not ask for marks
}

TEST_CASE("a paste is marked as it began, and its marks may come in parts", "[input_reader]") {
    input_context with;
    with.bracketed_paste = true;
    viewer v(with);
    CHECK(v.feed("\x1b[200~a\x1b").take() == "\x1b[200~a");
    CHECK_FALSE(v.reader.pending()); // no time-out tears a paste's mark
    v.context.bracketed_paste = false;
    CHECK(v.feed("[20").take() == "");
    CHECK(v.feed("1~b").take() == "\x1b[201~b");
    CHECK(v.feed("\x1b[200~a\x1b[20").take() == "a");
    CHECK(v.feed("0~\x1b[201~").take() == "\x1b[200~");
}

TEST_CASE("an end of a paste in the text of a paste is removed", "[input_reader]") {
    input_context with;
    with.bracketed_paste = true;
    CHECK(effect("\x1b[200~a\x1b[201~rm *\r\x1b[201~b", with) == "\x1b[200~arm *\r\x1b[201~b");
    CHECK(effect("\x1b[200~a\x1b[201~\x1b[201~\x1b[201~", with) == "\x1b[200~a\x1b[201~");
    CHECK(effect("\x1b[200~a\x1b[201~b\x1b[200~c\x1b[201~", with) == "\x1b[200~a\x1b[201~b\x1b[200~c\x1b[201~"); // two pastes
    // In two reads the first mark is the end, and the second ends nothing.
    viewer v(with);
    CHECK(v.feed("\x1b[200~a\x1b[201~").feed("b\x1b[201~c").take() == "\x1b[200~a\x1b[201~bc");
}

TEST_CASE("a paste that never ends can be ended", "[input_reader]") {
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

TEST_CASE("text given whole is pasted without what could pass for its end", "[input_reader]") {
    CHECK(mux::pasted("ab", true) == "\x1b[200~ab\x1b[201~");
    CHECK(mux::pasted("ab", false) == "ab");
    CHECK(mux::pasted("a\x1b[201~b", true) == "\x1b[200~ab\x1b[201~");
    CHECK(mux::pasted("a\x1b[20\x1b[201~1~b", true) == "\x1b[200~ab\x1b[201~"); // removing makes another
    CHECK(mux::pasted("", true) == "\x1b[200~\x1b[201~");
    CHECK(mux::pasted("a\x1b[20", true) == "\x1b[200~a\x1b[20\x1b[201~");
}

// ---- a tab's modes ----

TEST_CASE("the context follows the modes of the tab's program", "[input_reader]") {
    mato::vt::terminal tab({.size = {10, 30}});
    input_context with;
    with.follow(tab);
    CHECK(with.rows == 10);
    CHECK(with.columns == 30);
    CHECK(with.mouse == mouse_tracking::none);
    CHECK(with.encoding == mouse_encoding::plain);
    CHECK_FALSE((with.focus || with.bracketed_paste || with.alternate_screen || with.application_cursor));
    tab.feed("\x1b[?1h\x1b[?1049h\x1b[?1002h\x1b[?1004h\x1b[?1006h\x1b[?1007h\x1b[?2004h\x1b[=3u");
    with.follow(tab);
    CHECK(with.mouse == mouse_tracking::drags);
    CHECK(with.encoding == mouse_encoding::sgr);
    CHECK((with.focus && with.bracketed_paste && with.alternate_screen && with.alternate_scroll && with.application_cursor));
    CHECK(with.kitty_flags == 3);
    const std::pair<const char*, mouse_tracking> trackings[] = {{"9", mouse_tracking::x10},
                                                                {"1000", mouse_tracking::buttons},
                                                                {"1001", mouse_tracking::highlight},
                                                                {"1003", mouse_tracking::all}};
    for (const auto& [mode, tracking] : trackings) {
        tab.feed(std::string("\x1b[?").append(mode).append("h"));
        with.follow(tab);
        CHECK(with.mouse == tracking);
    }
    const std::pair<const char*, mouse_encoding> encodings[] = {
        {"1005", mouse_encoding::utf8}, {"1015", mouse_encoding::urxvt}, {"1016", mouse_encoding::sgr_pixels}};
    for (const auto& [mode, encoding] : encodings) {
        tab.feed(std::string("\x1b[?").append(mode).append("h"));
        with.follow(tab);
        CHECK(with.encoding == encoding);
    }
}

// ---- the promises about absence ----

TEST_CASE("for a read-only viewer nothing reaches the program", "[input_reader]") {
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

/// Text a terminal may send, with much in it that is special here.
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
