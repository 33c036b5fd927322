// SPDX-License-Identifier: MIT
#include "mouse.hpp"

#include <algorithm>

namespace mux {

namespace {

// xterm ctlseqs: positions are sent as one byte from 33, or as one character of UTF-8 that has at most two bytes.
constexpr int largest_plain = 255 - 32, largest_utf8 = 2047 - 32;
constexpr unsigned offset = 32;

/// Parses a whole number at the front of `text` and removes it with the ';' that must follow unless it is the last.
std::optional<int> take_parameter(std::string_view& text, bool last) noexcept {
    const bool negative = !text.empty() && text.front() == '-';
    if (negative) text.remove_prefix(1);
    std::size_t digits = 0;
    int number = 0;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits)
        number = std::min(number * 10 + (text[digits] - '0'), largest_mouse_position);
    if (digits == 0 || last != (digits == text.size())) return std::nullopt;
    if (!last && text[digits] != ';') return std::nullopt;
    text.remove_prefix(last ? digits : digits + 1);
    return negative ? -number : number;
}

void append_number(std::string& out, long long n) { out += std::to_string(n); }

void append_character(std::string& out, unsigned n, mouse_encoding encoding) {
    if (encoding == mouse_encoding::utf8 && n >= 0x80) {
        out += static_cast<char>(0xc0 | n >> 6);
        out += static_cast<char>(0x80 | (n & 0x3f));
    } else {
        out += static_cast<char>(n);
    }
}

} // namespace

std::optional<mouse_report> parse_mouse(const input_sequence& sequence) noexcept {
    if (sequence.leader != '<' || (sequence.final != 'M' && sequence.final != 'm') || !sequence.intermediates.empty())
        return std::nullopt;
    std::string_view text = sequence.parameters;
    const auto code = take_parameter(text, false);
    const auto x = code ? take_parameter(text, false) : std::nullopt;
    const auto y = x ? take_parameter(text, true) : std::nullopt;
    if (!y || *code < 0 || *code > 0xff) return std::nullopt;
    return mouse_report{static_cast<unsigned>(*code), *x, *y, sequence.final == 'm'};
}

bool is_wanted(const mouse_report& report, mouse_tracking tracking) noexcept {
    const unsigned button = report.code & 3;
    if (report.is_wheel() && (report.release || report.is_motion())) return false; // a wheel has neither
    switch (tracking) {
    case mouse_tracking::none: return false;
    case mouse_tracking::x10: // the presses of three buttons
        return !report.release && (report.code & ~mouse_report::modifiers) < mouse_report::no_button;
    case mouse_tracking::buttons:
    case mouse_tracking::highlight: return !report.is_motion();
    case mouse_tracking::drags:
        return !report.is_motion() || (report.code & mouse_report::extra) != 0 || button != mouse_report::no_button;
    case mouse_tracking::all: return true;
    }
    return false;
}

std::string encode_mouse(mouse_report report, mouse_tracking tracking, mouse_encoding encoding) {
    std::string out;
    if (tracking == mouse_tracking::x10) report.code &= ~mouse_report::modifiers;
    const bool sgr = encoding == mouse_encoding::sgr || encoding == mouse_encoding::sgr_pixels;
    if (!sgr && report.release) // it cannot report which button
        report.code = (report.code & mouse_report::modifiers) | mouse_report::no_button;
    if (sgr || encoding == mouse_encoding::urxvt) {
        out = sgr ? "\x1b[<" : "\x1b[";
        append_number(out, report.code + (sgr ? 0 : offset));
        out += ';';
        append_number(out, report.x);
        out += ';';
        append_number(out, report.y);
        out += report.release && sgr ? 'm' : 'M';
        return out;
    }
    const int largest = encoding == mouse_encoding::utf8 ? largest_utf8 : largest_plain;
    if (report.x < 1 || report.y < 1 || report.x > largest || report.y > largest) return out;
    out = "\x1b[M";
    append_character(out, report.code + offset, encoding);
    append_character(out, static_cast<unsigned>(report.x) + offset, encoding);
    append_character(out, static_cast<unsigned>(report.y) + offset, encoding);
    return out;
}

} // namespace mux
