// SPDX-License-Identifier: MIT
#include "emulator.hpp"
#include "sgr.hpp"

#include <algorithm>

namespace mux::vt {

namespace {

std::string number(int n) { return std::to_string(n); }

std::string pair(int a, int b) {
    std::string out = number(a);
    out += ';';
    return out += number(b);
}

constexpr char upper_digits[] = "0123456789ABCDEF";

std::string to_hex(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += upper_digits[static_cast<unsigned char>(c) >> 4];
        out += upper_digits[static_cast<unsigned char>(c) & 15];
    }
    return out;
}

std::string from_hex(std::string_view hex) {
    std::string out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        int value = 0;
        for (const char c : hex.substr(i, 2)) {
            const bool digit = c >= '0' && c <= '9', lower = c >= 'a' && c <= 'f', upper = c >= 'A' && c <= 'F';
            if (!digit && !lower && !upper) return {};
            value = value * 16 + (digit ? c - '0' : lower ? c - 'a' + 10 : c - 'A' + 10);
        }
        out += static_cast<char>(value);
    }
    return out;
}

} // namespace

// All or nothing: a part of an answer would be read as keys.
void emulator::answer(std::initializer_list<std::string_view> parts) {
    std::size_t size = answers_.size();
    for (const waiting_answer& each : waiting_) size += each.later.size();
    for (const std::string_view part : parts) size += part.size();
    if (size > options_.limits.answer_bytes) return;
    std::string& to = waiting_.empty() ? answers_ : waiting_.back().later;
    for (const std::string_view part : parts) to += part;
}

void emulator::device_status(int what, int request, bool dec) {
    const position at = addressed();
    if (what == 6) return answer_csi(dec ? "?" : "", pair(at.row + 1, at.column + 1), dec ? ";1R" : "R"); // CPR, DECXCPR
    if (!dec) {
        if (what == 5) answer_csi("0n"); // ECMA-48 8.3.35: ready, no malfunction
        return;
    }
    switch (what) {                           // VT220 to VT420 manuals, DSR
    case 15: return answer_csi("?13n");       // no printer
    case 25: return answer_csi("?21n");       // user-defined keys are locked
    case 26: return answer_csi("?27;1;0;0n"); // a North American keyboard
    case 53:
    case 55: return answer_csi("?50n"); // no locator
    case 56: return answer_csi("?57;0n");
    case 62: return answer_csi("0*{"); // no room for macros
    case 63:                           // DECCKSR: the checksum of the macros, of which there are none
        return answer({"\x1bP", number(request), "!~0000\x1b\\"});
    case 75: return answer_csi("?70n"); // data integrity: ready
    case 85: return answer_csi("?83n"); // no sessions
    case 996: return ask_host({host_question::subject::theme});
    default: return;
    }
}

// VT420 manual, DECRQM and DECRPM
void emulator::report_mode(mode_space space, int n) {
    auto state = modes_.report(space, n);
    if (space == mode_space::dec && n == 1048) // not a mode: whether a cursor is saved
        state = saved_[on_alternate() ? 1 : 0] ? mode_report::set : mode_report::reset;
    if (space == mode_space::dec && n == 1016 &&
        (options_.cell_width <= 0 || options_.cell_height <= 0)) // pixel reports without a known cell size
        state = mode_report::unknown;
    const auto value = static_cast<int>(state);
    answer_csi(space == mode_space::dec ? "?" : "", pair(n, value), "$y");
}

// xterm ctlseqs, XTWINOPS. Moving, raising and resizing windows is left to the viewer. Titles are not reported: what a program
// wrote there would arrive as typed text.
void emulator::report_window(const parameters& p) {
    const int w = options_.cell_width, h = options_.cell_height;
    switch (p[0]) {
    case 11: return answer_csi("1t");     // not iconified
    case 13: return answer_csi("3;0;0t"); // at the origin
    case 14:
        if (w > 0 && h > 0) answer_csi("4;", pair(rows() * h, columns() * w), "t");
        return;
    case 16:
        if (w > 0 && h > 0) answer_csi("6;", pair(h, w), "t");
        return;
    case 18: return answer_csi("8;", pair(rows(), columns()), "t");
    case 19: return answer_csi("9;", pair(rows(), columns()), "t");
    case 22: return push_title(p[1]);
    case 23: return pop_title(p[1]);
    default: return;
    }
}

// Mode 2048: rows and columns of cells, then of pixels; 0 if the size of a cell is unknown.
void emulator::report_size() {
    answer_csi("48;", pair(rows(), columns()), ";",
               pair(rows() * std::max(0, options_.cell_height), columns() * std::max(0, options_.cell_width)), "t");
}

// VT420 manual, DECRQPSR: 1 DECCIR (the cursor, its pen and character sets), 2 DECTABSR (the tab stops).
void emulator::report_presentation(int what) {
    if (what == 2) {
        std::string stops;
        for (int c = 0; c < columns(); ++c) {
            if (!tabs_[static_cast<std::size_t>(c)]) continue;
            if (!stops.empty()) stops += '/';
            stops += number(c + 1);
        }
        return answer({"\x1bP2$u", stops, "\x1b\\"});
    }
    if (what != 1) return;
    const auto flags = [](std::initializer_list<bool> bits) { // from the lowest on, in a character from '@'
        unsigned value = 0x40, bit = 1;
        for (const bool each : bits) value += each ? bit : 0, bit *= 2;
        return std::string(1, static_cast<char>(value));
    };
    const style& pen = cursor_.pen;
    const auto finals = [this] { // of the designations of G0 to G3
        std::string all;
        for (const charset set : cursor_.sets.designated)
            all += set == charset::special_graphics ? '0' : set == charset::british ? 'A' : 'B';
        return all;
    };
    answer({"\x1bP1$u", pair(cursor_.at.row + 1, cursor_.at.column + 1), ";1;",
            flags({pen.has(attributes::bold), pen.underlined() != underline::none, pen.has(attributes::blink),
                   pen.has(attributes::inverse)}),
            ";", flags({pen.has(attributes::is_protected)}), ";",
            flags({modes_.is_set(mode::origin), cursor_.sets.single == 2, cursor_.sets.single == 3, cursor_.pending_wrap}), ";",
            pair(cursor_.sets.locked, 2), ";@;", finals(), "\x1b\\"}); // G2 in GR, four sets of 94 characters
}

namespace {

// xterm's value of a cell: the low byte of its character, 0xff for a right half, and DEC's weights for attributes.
unsigned checksum_weight(const row& line, int column, const style& s) {
    const unit u = line.at(column);
    const auto codes = line.cluster(u);
    unsigned sum = codes.empty() ? u & units::code_mask : codes[0];
    if (u == units::blank || s.has(attributes::conceal)) sum = ' ';
    if (u == units::tail) sum = 0xff;
    sum &= 0xff;
    if (s.underlined() != underline::none && s.underlined() != underline::twofold) sum += 0x10;
    if (s.has(attributes::inverse)) sum += 0x20;
    if (s.has(attributes::blink)) sum += 0x40;
    if (s.has(attributes::bold)) sum += 0x80;
    return sum;
}

} // namespace

// VT420 manual, DECRQCRA: Pid;Pp;Pt;Pl;Pb;Pr. xterm ctlseqs, XTCHECKSUM with no bit set: the sum is negated, and cells never
// written do not count, except the first of the rectangle.
void emulator::report_checksum(const parameters& p) {
    unsigned sum = 0;
    if (const auto target = area(p, 2)) {
        spend(*target);
        for (int r = target->top; r < target->bottom; ++r) {
            const row& line = screen_->at(r);
            for (int c = target->left; c < target->right; ++c) {
                const style s = line.style_at(c);
                const bool first = r == target->top && c == target->left;
                if (first || line.at(c) != units::blank || s != style{}) sum += checksum_weight(line, c, s);
            }
        }
    }
    const unsigned value = (0u - sum) & 0xffff;
    std::string hex;
    for (int shift = 12; shift >= 0; shift -= 4) hex += upper_digits[value >> shift & 15];
    answer({"\x1bP", number(p[0]), "!~", hex, "\x1b\\"});
}

// VT420 manual, DECRQSS and DECRPSS. xterm: 1 for a valid request, 0 for an unknown one.
void emulator::report_setting(std::string_view what) {
    std::string value;
    if (what == "m")
        value = sgr_numbers(cursor_.pen);
    else if (what == "r")
        value = pair(top_ + 1, bottom_);
    else if (what == "s" && modes_.is_set(mode::margins))
        value = pair(left_ + 1, right_);
    else if (what == "t")
        value = number(std::max(rows(), 24)); // DECSLPP has no smaller value
    else if (what == "$|")
        value = number(columns());
    else if (what == "*|")
        value = number(rows());
    else if (what == "\"p")
        value = "64;1";
    else if (what == "\"q")
        value = number(cursor_.pen.has(attributes::is_protected) ? 1 : 0);
    else if (what == "*x")
        value = number(rectangular_attributes_ ? 2 : 1);
    else if (what == " q")
        value = number(
            shape_ == cursor_shape::own ? 0 : static_cast<int>(shape_) * 2 + (modes_.is_set(mode::cursor_blinks) ? 1 : 2));
    else
        return answer({"\x1bP0$r\x1b\\"});
    answer({"\x1bP1$r", value, what, "\x1b\\"});
}

// xterm ctlseqs, XTGETTCAP: names in hex; one answer per name, so that an unknown name does not affect the others.
void emulator::report_capabilities(std::string_view names) {
    constexpr std::pair<std::string_view, std::string_view> known[] = {{"TN", "xterm-256color"},
                                                                       {"name", "xterm-256color"},
                                                                       {"Co", "256"},
                                                                       {"colors", "256"},
                                                                       {"RGB", "8/8/8"},
                                                                       {"Tc", ""},
                                                                       {"Su", ""},
                                                                       {"AX", ""},
                                                                       {"XT", ""},
                                                                       {"Smulx", "\x1b[4:%p1%dm"},
                                                                       {"Setulc",
                                                                        "\x1b[58:2::%p1%{65536}%/%d:%p1%{256}%/%{255}%&"
                                                                        "%d:%p1%{255}%&%d%;m"},
                                                                       {"ol", "\x1b[59m"},
                                                                       {"Smol", "\x1b[53m"},
                                                                       {"Rmol", "\x1b[55m"},
                                                                       {"smxx", "\x1b[9m"},
                                                                       {"rmxx", "\x1b[29m"},
                                                                       {"setrgbf", "\x1b[38:2:%p1%d:%p2%d:%p3%dm"},
                                                                       {"setrgbb", "\x1b[48:2:%p1%d:%p2%d:%p3%dm"},
                                                                       {"Ss", "\x1b[%p1%d q"},
                                                                       {"Se", "\x1b[0 q"},
                                                                       {"Cs", "\x1b]12;%p1%s\x1b\\"},
                                                                       {"Cr", "\x1b]112\x1b\\"},
                                                                       {"Sync", "\x1b[?2026%?%p1%{1}%-%tl%eh%;"},
                                                                       {"BE", "\x1b[?2004h"},
                                                                       {"BD", "\x1b[?2004l"},
                                                                       {"PS", "\x1b[200~"},
                                                                       {"PE", "\x1b[201~"},
                                                                       {"fe", "\x1b[?1004h"},
                                                                       {"fd", "\x1b[?1004l"},
                                                                       {"kxIN", "\x1b[I"},
                                                                       {"kxOUT", "\x1b[O"},
                                                                       {"E3", "\x1b[3J"},
                                                                       {"Enmg", "\x1b[?69h"},
                                                                       {"Dsmg", "\x1b[?69l"},
                                                                       {"Cmg", "\x1b[%i%p1%d;%p2%ds"},
                                                                       {"Clmg", "\x1b[s"}};
    while (!names.empty()) {
        const auto semicolon = names.find(';');
        const std::string_view hex = names.substr(0, semicolon);
        names.remove_prefix(semicolon == names.npos ? names.size() : semicolon + 1);
        const std::string name = from_hex(hex);
        if (name == "Ms" && options_.host.clipboard) {
            answer({"\x1bP1+r4D73=", to_hex("\\E]52;%p1%s;%p2%s\\007"), "\x1b\\"});
            continue;
        }
        const auto* const found =
            std::find_if(std::begin(known), std::end(known), [&](const auto& k) { return k.first == name; });
        if (found == std::end(known)) {
            answer({"\x1bP0+r", to_hex(name), "\x1b\\"});
        } else {
            answer({"\x1bP1+r", to_hex(name), found->second.empty() ? "" : "=", to_hex(found->second), "\x1b\\"});
        }
    }
}

} // namespace mux::vt
