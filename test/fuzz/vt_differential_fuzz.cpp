// SPDX-License-Identifier: MIT
/// @file vt_differential_fuzz.cpp: the same streams to libvterm and to the emulator, compared after every function.
/// Each input byte selects a function that both implement, the next ones its numbers; accepted differences are left
/// out of the table or avoided in `differs_here()`, and listed in vt_differences.md.
/// Run: vt_differential_fuzz -timeout=10 test/fuzz/corpus/vt_differential   (libvterm 0.1.4 never returns on some streams)
#include "vt/terminal.hpp"
#include "vt/utf8.hpp"

#include <vterm.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>

namespace {

using namespace mux::vt;

constexpr int rows = 6, columns = 16;

struct libvterm {
    libvterm() : vt(vterm_new(rows, columns)), screen(vterm_obtain_screen(vt)) {
        vterm_set_utf8(vt, 1);
        vterm_screen_enable_altscreen(screen, 1);
        vterm_screen_reset(screen, 1);
    }
    ~libvterm() { vterm_free(vt); }
    libvterm(const libvterm&) = delete;
    libvterm& operator=(const libvterm&) = delete;

    VTerm* vt;
    VTermScreen* screen;
};

// UTF-8 of at most eight bytes as a number: the first byte is the most significant.
using packed_text = std::uint64_t;

constexpr packed_text pack(std::string_view text) noexcept {
    packed_text out = 0;
    for (const char c : text) out = out << 8 | static_cast<unsigned char>(c);
    return out;
}

// A cell's appearance, from either emulator.
struct cell {
    packed_text text = 0;
    bool bold = false, italic = false, blink = false, reverse = false, strike = false;
    int underlined = 0;
    int foreground = -1, background = -1;

    bool operator==(const cell&) const = default;
};

constexpr packed_text right_half = ~packed_text{0};
constexpr packed_text han = pack("漢"), face = pack("🙂"), acute = pack("\xcc\x81");

void print(const char* who, const cell& c) {
    std::string text;
    for (packed_text rest = c.text; rest != 0; rest >>= 8) text.insert(text.begin(), static_cast<char>(rest));
    std::fprintf(stderr, "  %s: \"%s\" bold %d italic %d blink %d reverse %d strike %d underline %d fg %d bg %d\n", who,
                 text.c_str(), c.bold, c.italic, c.blink, c.reverse, c.strike, c.underlined, c.foreground, c.background);
}

void append(packed_text& out, std::uint32_t code) {
    char bytes[max_utf8_bytes];
    out = out << 8 * (put_utf8(bytes, code) - bytes) | pack({bytes, put_utf8(bytes, code)});
}

int theirs(const VTermColor& c) {
    if (VTERM_COLOR_IS_DEFAULT_FG(&c) || VTERM_COLOR_IS_DEFAULT_BG(&c)) return -1;
    if (VTERM_COLOR_IS_INDEXED(&c)) return c.indexed.idx;
    return 1000 + (c.rgb.red << 16 | c.rgb.green << 8 | c.rgb.blue);
}

int ours(colour c) {
    if (c.is_default()) return -1;
    if (c.is_indexed()) return static_cast<int>(c.index());
    const rgb v = c.components();
    return 1000 + (v.red << 16 | v.green << 8 | v.blue);
}

// An erased cell has only a background.
cell simplified(cell c) {
    if (c.text != 0 && c.text != ' ') return c;
    cell blank;
    blank.background = c.background;
    return blank;
}

cell read_theirs(const libvterm& v, int r, int c) {
    VTermScreenCell found;
    vterm_screen_get_cell(v.screen, {r, c}, &found);
    cell out;
    for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && found.chars[i] != 0 && found.chars[i] != 0xffffffff; ++i)
        append(out.text, found.chars[i]);
    out.bold = found.attrs.bold;
    out.italic = found.attrs.italic;
    out.blink = found.attrs.blink;
    out.reverse = found.attrs.reverse;
    out.strike = found.attrs.strike;
    out.underlined = static_cast<int>(found.attrs.underline);
    out.foreground = theirs(found.fg);
    out.background = theirs(found.bg);
    return simplified(out);
}

using cells = std::array<cell, columns>;

cells read_ours(const terminal& t, int r) {
    cells out;
    static text_line line; // its memory is reused
    t.read_row(r, line);
    for (const text_run& run : line.runs) {
        int c = run.column;
        for (std::size_t i = run.from; i < run.from + run.bytes;) {
            std::size_t end = i + 1;
            while (end < run.from + run.bytes && (static_cast<unsigned char>(line.text[end]) & 0xc0) == 0x80) ++end;
            const packed_text one = pack(std::string_view(line.text).substr(i, end - i));
            i = end;
            if (one == acute) { // the only combining mark in the table
                packed_text& base = out[static_cast<std::size_t>(c) - 1].text;
                base = base << 16 | one;
                continue;
            }
            cell& k = out[static_cast<std::size_t>(c)];
            const style& s = run.style;
            k.text = one;
            k.bold = s.has(attributes::bold);
            k.italic = s.has(attributes::italic);
            k.blink = s.has(attributes::blink);
            k.reverse = s.has(attributes::inverse);
            k.strike = s.has(attributes::strike);
            k.underlined = static_cast<int>(s.underlined());
            k.foreground = ours(s.foreground);
            k.background = ours(s.background);
            const bool is_wide = one == han || one == face;
            if (is_wide && c + 1 < columns) out[static_cast<std::size_t>(c) + 1].text = right_half;
            c += is_wide ? 2 : 1;
        }
    }
    for (cell& k : out) k = simplified(k);
    return out;
}

class session {
public:
    void write(std::string_view bytes) {
        written_ += bytes;
        terminal_.feed(bytes);
        vterm_input_write(theirs_.vt, bytes.data(), bytes.size());
    }

    void compare() {
        VTermPos at;
        vterm_state_get_cursorpos(vterm_obtain_state(theirs_.vt), &at);
        const position ours_at = terminal_.cursor().at;
        if (terminal_.cursor().pending_wrap && at.col == ours_at.column - 1) return after_wide(); // 7
        if (at.row != ours_at.row || at.col != ours_at.column) {
            std::fprintf(stderr, "cursor: libvterm %d,%d, here %d,%d\n", at.row, at.col, ours_at.row, ours_at.column);
            fail();
        }
        const bool has_wide = wrote_wide();
        for (int r = 0; r < rows; ++r) {
            const cells line = read_ours(terminal_, r);
            for (int c = 0; c < columns; ++c) {
                const cell wanted = read_theirs(theirs_, r, c);
                const cell& found = line[static_cast<std::size_t>(c)];
                if (has_wide && wanted.text == 0 && found.text == 0) continue;                // 8
                if (found.text == 0 && (wanted.text == han || wanted.text == face)) continue; // 12
                if (wanted == found || found.text == right_half) continue;                    // 8
                std::fprintf(stderr, "cell %d,%d\n", r, c);
                print("libvterm", wanted);
                print("here    ", found);
                fail();
            }
        }
    }

    [[nodiscard]] bool wrote_wide() const {
        return written_.find("漢") != written_.npos || written_.find("🙂") != written_.npos;
    }
    [[nodiscard]] bool wraps() const noexcept { return terminal_.is_set(mode::autowrap); }
    [[nodiscard]] bool inserts() const noexcept { return terminal_.is_set(mode::insert); }
    [[nodiscard]] bool is_pending() const noexcept { return terminal_.cursor().pending_wrap; }
    [[nodiscard]] bool on_alternate() const noexcept { return terminal_.is_set(mode::alternate_screen); }
    [[nodiscard]] bool in_last_column() const noexcept {
        const cursor_view at = terminal_.cursor();
        return at.at.column == columns - 1 && !at.pending_wrap;
    }
    [[nodiscard]] bool has_region() const {
        const auto set = written_.rfind('r'), reset = written_.rfind("\x1b[r");
        return set != written_.npos && (reset == written_.npos || reset + 2 != set);
    }

private:
    void after_wide() {
        write("\r");
        compare();
    }

    [[noreturn]] void fail() const {
        std::fprintf(stderr, "written: ");
        for (const char c : written_)
            std::fprintf(stderr, c == '\x1b' ? "\\e" : static_cast<unsigned char>(c) < 32 ? "\\x%02x" : "%c", c);
        std::fprintf(stderr, "\n");
        std::abort();
    }

    libvterm theirs_;
    terminal terminal_{terminal_options{.size = {rows, columns}}};
    std::string written_;
};

// Differences that depend on the position; the numbers are those of vt_differences.md.
bool differs_here(std::string_view function, const session& s) {
    const bool vertical =
        function.size() == 5 && function.starts_with("\x1b[%d") && std::string_view("ABEF").find(function[4]) != function.npos;
    if (vertical && s.has_region()) return true;                                                 // 4
    if (function.ends_with("1049h") && s.on_alternate()) return true;                            // 18
    if ((function.ends_with("%d@") || function.ends_with("%dP")) && s.has_region()) return true; // 17
    if (s.on_alternate() && (function.ends_with("\x1b"
                                                "7") ||
                             function.ends_with("\x1b"
                                                "8")))
        return true; // 18
    if (function.starts_with("\x1b"
                             "c") &&
        s.on_alternate())
        return true; // 2
    const bool shifts = function.ends_with("'}") || function.ends_with("'~") || function.ends_with("%d@") ||
                        function.ends_with("%dP") || function == "\x1b[4h";
    if (shifts && s.wrote_wide()) return true;                                      // 12
    if (function == "e\xcc\x81" && (s.in_last_column() || !s.wraps())) return true; // 16
    const bool wide = function == "漢" || function == "🙂";
    return wide && (s.inserts() || s.in_last_column() || !s.wraps()); // 6, 9
}

// %d is a small number from the input, %s a style number.
constexpr const char* functions[] = {
    "a",
    "bc",
    "defgh",
    "12345678901234567890",
    "漢",
    "🙂",
    "e\xcc\x81",
    "é",
    "─",
    " ",
    "\r",
    "\n",
    "\r\n",
    "\b",
    "\t",
    "\x1b[%d;%dH",
    "\x1b[%dA",
    "\x1b[%dB",
    "\x1b[%dC",
    "\x1b[%dD",
    "\x1b[%dE",
    "\x1b[%dF",
    "\x1b[%dG",
    "\x1b[%dd",
    "\x1b[%d`",
    "\x1b[%da",
    "\x1b[%de",
    "\x1b[J",
    "\x1b[1J",
    "\x1b[2J",
    "\x1b[K",
    "\x1b[1K",
    "\x1b[2K",
    "\x1b[%d@",
    "\x1b[%dP",
    "\x1b[%dX",
    "\x1b[%dL\r",
    "\x1b[%dM\r",
    "\x1b[%dS",
    "\x1b[%dT",
    "\x1b[2;4r",
    "\x1b[1;3r",
    "\x1b[3;6r",
    "\x1b[r",
    "\x1b[?6h",
    "\x1b[?6l",
    "\x1b[?7h",
    "\x1b[?7l",
    "\x1b[4h",
    "\x1b[4l",
    "\x1b[20h",
    "\x1b[20l",
    "\x1b[%sm",
    "\x1b[%s;%sm",
    "\x1b[m",
    "\x1b[38;5;%dm",
    "\x1b[48;5;%dm",
    "\x1b[38;2;1;2;%dm",
    "\x1b[4:3m",
    "\x1b[?6l\x1b(B\x1b)B\x0f\x1b"
    "7",
    "\x1b[?6l\x1b(B\x1b)B\x0f\x1b"
    "8",
    "\x1b"
    "D",
    "\x1b"
    "E",
    "\x1b"
    "M",
    "\x1bH",
    "\x1b[g",
    "\x1b[3g",
    "\x1b[%dI",
    "\x1b[%dZ",
    "\x1b(0q",
    "\x1b(B",
    "\x1b)0",
    "\x0e",
    "\x0f",
    "\x1b[m\x1b[r\x1b[?6l\x1b#8\x1b[H",
    "\x1b[1\"qP\x1b[0\"q",
    "\x1b[?J",
    "\x1b[?1K",
    "\x1b[?2K",
    "\x1b[%d'}",
    "\x1b[%d'~",
    "\x1b[?6l\x1b(B\x1b)B\x0f\x1b[?1049h",
    "\x1b[?6l\x1b(B\x1b)B\x0f\x1b[?1049l",
    "\x1b"
    "c\x1b"
    "7",
    "\x1b[!p\x1b[4l\x1b[?6l\x1b[?7h\x1b[r\x1b[m\x1b(B\x1b)B\x0f\x1b"
    "7",
};
constexpr int styles[] = {0, 1, 3, 4, 5, 7, 9, 21, 22, 23, 24, 25, 27, 29, 31, 36, 39, 42, 45, 49, 92, 103};

class input {
public:
    explicit input(std::string_view bytes) : rest_(bytes) {}
    [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
    unsigned next() noexcept {
        if (rest_.empty()) return 1;
        const auto b = static_cast<unsigned char>(rest_.front());
        rest_.remove_prefix(1);
        return b;
    }

private:
    std::string_view rest_;
};

std::string filled(const char* form, input& in) {
    std::string out;
    for (; *form != 0; ++form) {
        if (*form != '%') {
            out += *form;
            continue;
        }
        ++form;
        const unsigned n = in.next();
        out += std::to_string(*form == 'd' ? static_cast<int>(1 + n % 18) : styles[n % std::size(styles)]);
    }
    return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 400) return 0;
    session s;
    s.write("\x1b"
            "7"); // difference 3
    input in({reinterpret_cast<const char*>(data), size});
    while (!in.empty()) {
        const char* const function = functions[in.next() % std::size(functions)];
        if (differs_here(function, s)) continue;
        if (s.is_pending() && static_cast<unsigned char>(function[0]) < 0x20 && !std::string_view(function).ends_with('m'))
            s.write("\r"); // 10
        s.write(filled(function, in));
        s.compare();
    }
    return 0;
}
