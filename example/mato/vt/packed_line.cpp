// SPDX-License-Identifier: MIT
#include "packed_line.hpp"

#include "bytes.hpp"
#include "mixed_text.hpp"
#include "no_canary.hpp"
#include "scan.hpp"
#include "utf8.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace mux::vt {

namespace {

constexpr unsigned has_runs = 1, is_ascii = 2, is_pairs = 4;
// In the text: a cluster that ends with the closing mark; an erased cell.
constexpr char open_mark = 2, close_mark = 3, blank_mark = 4;
constexpr unsigned has_foreground = 1, has_background = 2, has_underline = 4, has_flags = 8, has_link = 16;

// One byte or two, without a branch: it could not be predicted. One more byte may be overwritten with garbage.
char* put_number(char* to, std::uint32_t value) noexcept {
    if (value < 1u << 14) {
        const std::uint32_t two = value >= 0x80 ? 1 : 0;
        to[0] = static_cast<char>(value | two << 7);
        to[1] = static_cast<char>(value >> 7);
        return to + 1 + two;
    }
    while (value >= 0x80) {
        *to++ = static_cast<char>(value | 0x80);
        value >>= 7;
    }
    *to++ = static_cast<char>(value);
    return to;
}

char* put_text(const row& r, char* to) noexcept {
    const auto text = r.text();
    for (std::size_t i = 0; i < text.size();) {
        i += encode_mixed(text.data() + i, text.size() - i, to);
        if (i == text.size()) break;
        const unit u = text[i++];
        if (u == units::blank) {
            *to++ = blank_mark;
            continue;
        }
        if ((u & units::wide) != 0) *to++ = wide_mark;
        *to++ = open_mark;
        for (const char32_t code : r.cluster(u)) to = put_utf8(to, code);
        *to++ = close_mark;
    }
    return to;
}

char* put_runs(std::span<const style_run> runs, char* to) noexcept {
    std::uint32_t last = 0;
    for (const style_run& r : runs) {
        const style& s = r.style;
        to = put_number(to, r.start - last);
        last = r.start;
        char& presence = *to++;
        unsigned bits = 0;
        const auto field = [&](std::uint32_t value, unsigned bit) {
            if (value == 0) return;
            bits |= bit;
            to = put_number(to, value);
        };
        field(s.foreground.value(), has_foreground);
        field(s.background.value(), has_background);
        if (style_words::of(s).rest != 0) {
            field(s.underline_colour.value(), has_underline);
            field(s.flags, has_flags);
            field(s.link, has_link);
        }
        presence = static_cast<char>(bits);
    }
    return to;
}

bool take_style(byte_reader& in, style& s) noexcept {
    const unsigned bits = in.byte();
    if (bits > 31) return false;
    const auto take_colour = [&in](colour& c) {
        const auto value = colour::from_value(in.bounded<std::uint32_t>(0xffffffff));
        if (value) c = *value;
        return value.has_value();
    };
    if ((bits & has_foreground) != 0 && !take_colour(s.foreground)) return false;
    if ((bits & has_background) != 0 && !take_colour(s.background)) return false;
    if ((bits & has_underline) != 0 && !take_colour(s.underline_colour)) return false;
    if ((bits & has_flags) != 0)
        s.flags = in.bounded<std::uint16_t>(attributes::underline_mask | (attributes::is_protected * 2 - 1));
    if ((bits & has_link) != 0) s.link = in.bounded<link_id>(65535);
    return in.ok() && s.underlined() <= underline::dashed;
}

bool take_runs(byte_reader in, row& out) {
    std::uint32_t start = 0;
    while (!in.at_end()) {
        start += in.bounded<std::uint32_t>(0xffffff);
        style s;
        if (!in.ok() || !take_style(in, s) || start >= static_cast<std::uint32_t>(out.used())) return false;
        out.restyle(static_cast<int>(start), out.used(), s);
    }
    return in.ok();
}

// Every cell needs at least a byte of text, so a line cannot have more columns than twice its bytes.
bool take_text(std::string_view text, row& out, int most_columns) {
    if (text.empty()) return true;
    const int room = static_cast<int>(std::min<std::size_t>(text.size() * 2, static_cast<std::size_t>(most_columns)));
    const char* p = text.data();
    const char* const end = p + text.size();
    unit* cells = out.start(0, room);
    int c = 0;
    while (p < end) {
        const auto plain = static_cast<int>(widen_plain(p, end, cells + c, static_cast<std::size_t>(room - c), 0));
        p += plain;
        c += plain;
        if (p == end) break;
        if (c == room) return false;
        if (*p == blank_mark) {
            cells[c++] = units::blank;
            ++p;
            continue;
        }
        unit flags = 0;
        if (*p == wide_mark) {
            flags = units::wide;
            if (++p == end) return false;
        }
        std::array<char32_t, row::max_cluster> codes;
        std::size_t count = 0;
        const bool is_cluster = *p == open_mark;
        if (is_cluster) ++p;
        do {
            if (p == end || count == codes.size()) return false;
            const decoded d = decode_utf8(p, end);
            if (d.length == 0 || d.code < 0x20) return false;
            codes[count++] = d.code;
            p += d.length;
        } while (is_cluster && p < end && *p != close_mark);
        if (is_cluster && (p++ == end || count < 2)) return false;
        cells[c] = codes[0] | flags;
        out.finish(c, c + 1, {});
        for (std::size_t i = 1; i < count; ++i) out.combine(c, codes[i]);
        ++c;
        if (flags != 0 && c < most_columns) {
            if (c == room) return false;
            cells[c] = units::tail;
            ++c;
            out.finish(c - 1, c, {});
        }
        cells = out.start(c, room);
    }
    out.finish(0, c, {});
    return true;
}

bool take_pairs(std::string_view text, row& out, int most_columns) {
    const std::size_t count = text.size() / 2;
    if (text.size() % 2 != 0 || count > static_cast<std::size_t>(most_columns)) return false;
    const auto pair = [&](std::size_t i) -> std::uint32_t {
        if (i >= count) return 0;
        return static_cast<unsigned char>(text[2 * i]) | std::uint32_t{static_cast<unsigned char>(text[2 * i + 1])} << 8;
    };
    unit* const cells = out.start(0, static_cast<int>(count));
    for (std::size_t i = 0; i < count; ++i) {
        std::uint32_t code = pair(i);
        const std::uint32_t next = pair(i + 1);
        const bool surrogates = code >= 0xd800 && code < 0xdc00 && next >= 0xdc00 && next < 0xe000;
        if (surrogates) code = 0x10000 + ((code & 0x3ff) << 10 | (next & 0x3ff));
        if ((code != 0 && code < 0x20) || (code >= 0xd800 && code < 0xe000)) return false;
        cells[i] = code;
        if (!surrogates && next != pair_tail) continue;
        if (code == 0) return false;
        cells[i] = code | units::wide;
        cells[++i] = units::tail;
    }
    out.finish(0, static_cast<int>(count), {});
    return true;
}

} // namespace

std::size_t packed_bound(const row& r) noexcept {
    // A cell: mark and code point. A pool entry: its count makes up for the two marks. A run: start 4, presence 1, three
    // colours of 4, flags 3, link 3.
    return 8 + r.text().size() * 5 + r.pool_size() * max_utf8_bytes + r.runs().size() * 23;
}

MUX_VT_NO_CANARY char* pack_line(const row& r, char* to) noexcept {
    const auto text = r.text();
    const auto runs = r.runs();
    unsigned flags = 0;
    char* const head = to++;
    char* const plain = runs.empty() ? to : put_number(to, static_cast<std::uint32_t>(text.size()));
    if (narrow_plain(text.data(), text.size(), plain)) {
        flags |= is_ascii;
        to = plain + text.size();
    } else {
        // The length is unknown before the text is written, and rarely needs more than this.
        constexpr std::ptrdiff_t length_bytes = 4;
        char* const body = runs.empty() ? to : to + length_bytes;
        char* end = body;
        if (const auto bytes = encode_pairs(text.data(), text.size(), end);
            bytes && 2 * text.size() <= *bytes + text.size() / 4) {
            flags |= is_pairs;
            end += 2 * text.size();
        } else {
            end = put_text(r, end);
        }
        const auto text_bytes = static_cast<std::size_t>(end - body);
        if (!runs.empty()) {
            to = put_number(to, static_cast<std::uint32_t>(text_bytes));
            std::memmove(to, body, text_bytes);
        }
        to += text_bytes;
    }
    if (!runs.empty()) {
        flags |= has_runs;
        to = put_runs(runs, to);
    }
    *head = static_cast<char>(flags);
    return to;
}

bool unpack_line(std::string_view bytes, row& out, int most_columns) {
    out.clear();
    byte_reader in(bytes);
    const unsigned flags = in.byte();
    if (!in.ok() || flags > (has_runs | is_pairs)) return false;
    std::string_view text = bytes.substr(1), runs;
    if ((flags & has_runs) != 0) {
        const auto length = in.bounded<std::size_t>(bytes.size());
        text = in.raw(length);
        if (!in.ok()) return false;
        runs = bytes.substr(static_cast<std::size_t>(text.data() + text.size() - bytes.data()));
    }
    const bool taken = (flags & is_pairs) != 0 ? take_pairs(text, out, most_columns) : take_text(text, out, most_columns);
    if (taken && take_runs(byte_reader(runs), out)) return true;
    out.clear();
    return false;
}

int ascii_columns(std::string_view packed) noexcept {
    byte_reader in(packed);
    const unsigned flags = in.byte();
    if ((flags & is_ascii) == 0) return -1;
    return static_cast<int>((flags & has_runs) != 0 ? in.number() : packed.size() - 1);
}

} // namespace mux::vt
