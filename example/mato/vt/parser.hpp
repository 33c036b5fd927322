// SPDX-License-Identifier: MIT
/// @file parser.hpp: splits bytes into text, controls, escape and control sequences, and strings.
/// Layer: vt core.  Test: test/mato/vt/30_parser.vt.
/// Threads: distinct objects are independent; one object, one thread.   Blocks: never.   Fails: never.
/// Source: ECMA-48 5.3 to 5.6; ECMA-35 13; DEC STD 070 for controls inside sequences; Unicode 3.9 for UTF-8.
///
/// C1 controls have no effect: U+0080 to U+009F are dropped, as xterm does in UTF-8 mode. Text that was encoded twice contains
/// them, and one of them would begin a string without an end. A lone byte 0x9c is not a string terminator either.
#pragma once

#include "number_scan.hpp"
#include "parameters.hpp"
#include "scan.hpp"
#include "sgr_scan.hpp"
#include "utf8.hpp"

#include <array>
#include <concepts>
#include <cstring>
#include <string_view>

namespace mux::vt {

enum class string_kind : std::uint8_t { osc, dcs, apc, pm, sos };
enum class string_end : std::uint8_t { terminated, bell, cancelled };

/// The receiver of a parser's output. `text` gets a run that does not begin with a control, and returns where it stopped: at a
/// control, at a C1 character, or at an incomplete character at the end of the input. `graphic_rendition` may process an SGR
/// from its bytes: it returns what follows the sequence, or null, and then the SGR is reported as any other sequence.
/// `coloured_text` is offered input that begins with a colour, and takes as many of the sequences and as much of the text as it
/// wants. Before each call the parser asks how far to go: `stop` is what `begin` was given, or null when the sink's work is
/// used up. `unfinished` is then what remains of the last sequence, as a number; 0: nothing.
template <class Sink> concept parser_sink = requires(Sink s, const char* p, char c, std::uint16_t i,
                                                     const control_sequence& seq, std::string_view v) {
    { s.text(p, p) } -> std::same_as<const char*>;
    s.control(c);
    s.escape(i, c);
    s.control_sequence_done(seq);
    { s.graphic_rendition(p, detail::sequence_shape{}) } -> std::same_as<const char*>;
    { s.coloured_text(p, p) } -> std::same_as<const char*>;
    s.string_begin(string_kind::osc, seq);
    s.string_data(v);
    s.string_done(string_end::terminated);
    s.begin(p);
    { s.stop() } -> std::same_as<const char*>;
    { s.unfinished() } -> std::same_as<std::uint32_t>;
};

/// Everything that a parser keeps between two calls: a snapshot of it can continue inside a sequence.
struct parser_state {
    enum class stage : std::uint8_t {
        ground,
        escape,
        csi,
        dcs,
        string,
        string_escape,
        osc_start,    ///< the first byte of an OSC distinguishes the Linux console's from others
        linux_palette ///< `number` digits of the Linux console's ESC ] P were read
    };

    static constexpr std::uint32_t palette_digits = 7; ///< console_codes(4): ESC ] P nrrggbb

    stage at = stage::ground;
    string_kind kind = string_kind::osc;
    bool number_open = false; // in a sequence: a number has begun, or follows a separator
    bool number_is_sub = false;
    std::uint32_t number = 0;
    control_sequence sequence;
    std::uint8_t partial_size = 0; // in ground: an incomplete character
    std::array<char, max_utf8_bytes> partial{};
};

class parser {
public:
    /// @returns how many bytes it took: all, or fewer if the sink's work is used up. Pass the rest with the next call.
    template <parser_sink Sink> std::size_t feed(std::string_view bytes, Sink& sink);
    void reset() noexcept { s_ = {}; }
    [[nodiscard]] const parser_state& state() const noexcept { return s_; }
    void set_state(const parser_state& s) noexcept { s_ = s; }

private:
    using stage = parser_state::stage;
    static constexpr char replacement[] = "\xef\xbf\xbd"; // U+FFFD

    template <class Sink> const char* ground(const char* p, const char* end, Sink& sink);
    template <class Sink> const char* finish_partial(const char* p, const char* end, Sink& sink);
    template <class Sink> const char* whole_sequence(const char* p, const char* end, Sink& sink);
    template <class Sink> const char* in_sequence(const char* p, Sink& sink);
    template <class Sink> const char* in_string(const char* p, const char* end, Sink& sink);
    template <class Sink> const char* linux_string(const char* p, Sink& sink);
    template <class Sink> void end_string(string_end how, Sink& sink);
    template <class Sink> void escape_final(char b, Sink& sink);
    template <class Sink> void begin_string(string_kind kind, Sink& sink);
    template <class Sink> void sequence_byte(char b, Sink& sink);
    void begin_sequence(stage at) noexcept;
    void end_number() noexcept;

    parser_state s_;
};

// ---- implementation ----

template <parser_sink Sink> std::size_t parser::feed(std::string_view bytes, Sink& sink) {
    const char* const begin = bytes.data();
    const char* const end = begin + bytes.size();
    const char* p = begin;
    sink.begin(end);
    if (s_.partial_size != 0 && p < end) p = finish_partial(p, end, sink);
    for (;;) {
        while (p < sink.stop()) {
            if (s_.at == stage::ground)
                p = ground(p, end, sink);
            else if (s_.at == stage::string || s_.at == stage::string_escape)
                p = in_string(p, end, sink);
            else if (s_.at == stage::osc_start || s_.at == stage::linux_palette)
                p = linux_string(p, sink);
            else
                p = in_sequence(p, sink);
        }
        if (p != begin || p == end) break;
        sink.begin(end); // earlier bytes used up the work: a byte of this call has to be taken, too
    }
    if (sink.stop() == nullptr) {
        // An unfinished sequence continues as one whose final byte is still missing.
        if (const std::uint32_t left = sink.unfinished(); left > 0) {
            --p;
            begin_sequence(stage::csi);
            s_.sequence.numbers.push(left, false);
        }
    }
    return static_cast<std::size_t>(p - bytes.data());
}

template <class Sink> const char* parser::ground(const char* p, const char* end, Sink& sink) {
    while (p < sink.stop()) {
        const auto b = static_cast<unsigned char>(*p);
        if (b == 0x1b) {
            if (begins_colour(p, end)) {
                const char* const after = sink.coloured_text(p, end);
                if (after != p) {
                    p = after;
                    continue;
                }
            }
            if (end - p >= 3 && p[1] == '[') {
                if (const char* after = whole_sequence(p + 2, end, sink)) {
                    p = after;
                    continue;
                }
            }
            begin_sequence(stage::escape);
            return p + 1;
        }
        if (b < 0x20) {
            sink.control(*p++);
            continue;
        }
        if (b == 0x7f) { // ECMA-48: DELETE is ignored in display
            ++p;
            continue;
        }
        p = sink.text(p, end);
        if (p == end || is_plain(*p) || *p == 0x7f || static_cast<unsigned char>(*p) < 0x20) continue;
        const decoded d = decode_utf8(p, end);
        if (d.length == 0) {
            s_.partial_size = static_cast<std::uint8_t>(end - p);
            std::memcpy(s_.partial.data(), p, s_.partial_size);
            return end;
        }
        if (is_c1(d.code)) p += d.length;
    }
    return p;
}

// Continues an incomplete character of the last call. Bytes that do not belong to it are left for ground().
template <class Sink> const char* parser::finish_partial(const char* p, const char* end, Sink& sink) {
    const int had = s_.partial_size;
    int have = had;
    std::array<char, max_utf8_bytes> bytes = s_.partial;
    for (const char* q = p; q < end && have < max_utf8_bytes; ++q) bytes[static_cast<std::size_t>(have++)] = *q;
    const decoded d = decode_utf8(bytes.data(), bytes.data() + have);
    if (d.length == 0) {
        s_.partial = bytes;
        s_.partial_size = static_cast<std::uint8_t>(have);
        return end;
    }
    s_.partial_size = 0;
    if (d.code == replacement_character)
        sink.text(replacement, replacement + 3);
    else if (!is_c1(d.code))
        sink.text(bytes.data(), bytes.data() + d.length);
    return p + (d.length - had); // the kept bytes are never more than the replaced part
}

// The fast path: a control sequence that is complete in the input, without intermediates or controls inside. Returns null in
// all other cases, without any call to the sink.
template <class Sink> const char* parser::whole_sequence(const char* p, const char* end, Sink& sink) {
    control_sequence& seq = s_.sequence;
    seq.prefix = 0;
    seq.intermediates = 0;
    const detail::sequence_shape shape = detail::shape_of(p, end);
    const char* final = nullptr;
    if (shape.final >= 0) {
        if (p[shape.final] == 'm')
            if (const char* after = sink.graphic_rendition(p, shape)) return after;
        final = detail::scan_block(p, shape, seq.numbers);
    } else if (*p >= '<' && *p <= '?') {
        seq.prefix = *p++;
    }
    if (final == nullptr) final = scan_numbers(p, end, seq.numbers);
    if (final == nullptr) return nullptr;
    seq.final = *final;
    sink.control_sequence_done(seq);
    return final + 1;
}

inline void parser::begin_sequence(stage at) noexcept {
    s_.at = at;
    s_.sequence = {};
    s_.sequence.numbers.clear();
    s_.number = 0;
    s_.number_open = s_.number_is_sub = false;
}

inline void parser::end_number() noexcept {
    if (s_.number_open) s_.sequence.numbers.push(s_.number, s_.number_is_sub);
    s_.number = 0;
    s_.number_open = s_.number_is_sub = false;
}

template <class Sink> const char* parser::in_sequence(const char* p, Sink& sink) {
    const char b = *p;
    if (static_cast<unsigned char>(b) >= 0x80) { // not part of any sequence
        if (s_.at == stage::dcs) {               // the string continues to its end, without effect
            s_.sequence.intermediates = malformed;
            begin_string(string_kind::dcs, sink);
        } else { // give up, and read it as text
            s_.at = stage::ground;
        }
        return p;
    }
    if (b == 0x1b) {
        begin_sequence(stage::escape);
    } else if (b == 0x18 || b == 0x1a) { // CAN, SUB
        s_.at = stage::ground;
        sink.control(b);
    } else if (b < 0x20) {
        // DEC STD 070: a control inside a sequence is executed immediately; a string's header ignores it.
        if (s_.at != stage::dcs) sink.control(b);
    } else if (b != 0x7f) {
        sequence_byte(b, sink);
    }
    return p + 1;
}

template <class Sink> void parser::sequence_byte(char b, Sink& sink) {
    control_sequence& seq = s_.sequence;
    if (b < 0x30) {
        if (seq.intermediates == 0)
            seq.intermediates = static_cast<std::uint16_t>(b);
        else if (seq.intermediates < 0x100)
            seq.intermediates = static_cast<std::uint16_t>(seq.intermediates | b << 8);
        else
            seq.intermediates = malformed;
        return;
    }
    if (s_.at == stage::escape) return escape_final(b, sink);
    if (b < 0x40) {
        if (seq.intermediates != 0) { // ECMA-48 5.4: no parameter after an intermediate
            seq.intermediates = malformed;
        } else if (b <= '9') {
            s_.number = s_.number > parameters::max_value ? s_.number : s_.number * 10 + static_cast<std::uint32_t>(b - '0');
            s_.number_open = true;
        } else if (b <= ';') {
            s_.number_open = true;
            end_number();
            s_.number_open = true; // a separator is followed by a number, which may be absent
            s_.number_is_sub = b == ':';
        } else if (!s_.number_open && seq.numbers.empty() && seq.prefix == 0) {
            seq.prefix = b;
        } else {
            seq.intermediates = malformed;
        }
        return;
    }
    end_number();
    seq.final = b;
    const stage was = s_.at;
    s_.at = stage::ground;
    if (was == stage::csi)
        sink.control_sequence_done(seq);
    else
        begin_string(string_kind::dcs, sink);
}

template <class Sink> void parser::begin_string(string_kind kind, Sink& sink) {
    s_.at = kind == string_kind::osc ? stage::osc_start : stage::string;
    s_.kind = kind;
    sink.string_begin(kind, s_.sequence);
}

template <class Sink> void parser::escape_final(char b, Sink& sink) {
    const std::uint16_t intermediates = s_.at == stage::escape ? s_.sequence.intermediates : std::uint16_t{0};
    s_.at = stage::ground;
    if (intermediates != 0) return sink.escape(intermediates, b);
    switch (b) {
    case '[': return begin_sequence(stage::csi);
    case 'P': return begin_sequence(stage::dcs);
    case ']': return begin_string(string_kind::osc, sink);
    case '_': return begin_string(string_kind::apc, sink);
    case '^': return begin_string(string_kind::pm, sink);
    case 'X': return begin_string(string_kind::sos, sink);
    default: return sink.escape(0, b);
    }
}

template <class Sink> void parser::end_string(string_end how, Sink& sink) {
    s_.at = stage::ground;
    sink.string_done(how);
}

// xterm manual, brokenLinuxOSC: the Linux console's two OSC have no terminator. As in xterm they have no effect here.
template <class Sink> const char* parser::linux_string(const char* p, Sink& sink) {
    if (s_.at == stage::osc_start) {
        s_.at = stage::string;
        if (*p == 'P') {
            s_.at = stage::linux_palette;
            s_.number = 0;
        } else if (*p == 'R') {
            end_string(string_end::cancelled, sink);
        } else {
            return p;
        }
        return p + 1;
    }
    const char b = *p;
    const bool is_digit = (b >= '0' && b <= '9') || (b >= 'A' && b <= 'F') || (b >= 'a' && b <= 'f');
    if (is_digit && ++s_.number < parser_state::palette_digits) return p + 1;
    end_string(string_end::cancelled, sink);
    return is_digit || b == 0x07 ? p + 1 : p; // BEL: some programs end it as they would on other terminals
}

template <class Sink> const char* parser::in_string(const char* p, const char* end, Sink& sink) {
    if (s_.at == stage::string_escape) {
        if (*p == '\\') { // ECMA-48 8.3.143 ST
            end_string(string_end::terminated, sink);
            return p + 1;
        }
        end_string(string_end::cancelled, sink);
        begin_sequence(stage::escape);
        return p;
    }
    const char* const stop = find_string_stop(p, end);
    if (stop != p) {
        sink.string_data({p, static_cast<std::size_t>(stop - p)});
        return stop;
    }
    const char b = *p;
    if (b == 0x1b) {
        s_.at = stage::string_escape;
    } else if (b == 0x18 || b == 0x1a) { // CAN, SUB
        end_string(string_end::cancelled, sink);
        sink.control(b);
    } else if (b == 0x07 && s_.kind == string_kind::osc) { // xterm ctlseqs: BEL ends an OSC
        end_string(string_end::bell, sink);
    } else {
        sink.string_data({p, 1});
    }
    return p + 1;
}

} // namespace mux::vt
