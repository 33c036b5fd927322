// SPDX-License-Identifier: MIT
#include "key_decoder.hpp"

#include "escape.hpp"

#include "input_sequence.hpp"

#include <mato/printable.hpp>

#include <algorithm>
#include <utility>

namespace mux {
namespace {

/// One key has one number: Home and End have three each.
int canonical(int key) noexcept {
    switch (key) {
    case tilde_keys + 1:
    case tilde_keys + 7: return keys::home;
    case tilde_keys + 4:
    case tilde_keys + 8: return keys::end;
    default: return key;
    }
}

/// Whether more bytes may change what mato::first_character finds at the start of `bytes`, which is not valid so far. It takes
/// F5 to FF for the start of four bytes, so these wait, too.
bool is_incomplete(std::string_view bytes) noexcept {
    const auto first = static_cast<unsigned char>(bytes[0]);
    const std::size_t whole = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 1;
    return bytes.size() < whole;
}

} // namespace

std::size_t key_decoder::feed(std::string_view bytes, const receiver& to) {
    const std::size_t held = held_.size();
    const std::string all = std::exchange(held_, {}).append(bytes);
    std::string_view rest = all;
    ended_ = false;
    while (!rest.empty() && !ended_) {
        const std::size_t read = read_one(rest, false, to);
        if (read == 0) {
            held_ = std::string(rest);
            return bytes.size();
        }
        rest.remove_prefix(read);
    }
    return bytes.size() - std::min(rest.size(), all.size() - held);
}

void key_decoder::flush(const receiver& to) {
    const std::string all = std::exchange(held_, {});
    ended_ = false;
    for (std::string_view rest = all; !rest.empty() && !ended_;)
        rest.remove_prefix(std::max<std::size_t>(read_one(rest, true, to), 1));
}

void key_decoder::tell(const key_event& key, const receiver& to) {
    if (key.what == key_event::action::release || key.is_modifier()) return;
    const bool is_text =
        key.character >= ' ' && key.character != keys::backspace && (key.modifiers & ~unsigned{key_event::shift}) == 0;
    if (in_paste_ && !is_text) return;
    key_event told = key;
    told.key = canonical(key.key);
    ended_ = !to(told);
}

std::size_t key_decoder::read_one(std::string_view bytes, bool is_last, const receiver& to) {
    if (bytes[0] == escape) return read_escape(bytes, is_last, to);
    const mato::text_character next = mato::first_character(bytes);
    if (!next.is_valid) return !is_last && is_incomplete(bytes) ? 0 : next.size;
    if (next.code < 0x80) {
        tell(key_of_byte(bytes[0]), to);
    } else if (!mato::is_control(next.code)) {
        key_event e;
        e.key = e.character = static_cast<int>(next.code);
        tell(e, to);
    }
    return next.size;
}

std::size_t key_decoder::read_escape(std::string_view bytes, bool is_last, const receiver& to) {
    if (bytes.size() == 1) {
        if (!is_last) return 0;
        tell(key_of_byte(escape), to);
        return 1;
    }
    if (bytes[1] == '[') {
        const sequence_end end = end_of_input_sequence(bytes, longest_sequence);
        if (end.state == sequence_end::state::cut) return is_last ? bytes.size() : 0;
        if (end.state == sequence_end::state::broken) return end.length;
        const std::string_view sequence = bytes.substr(0, end.length);
        if (sequence == "\x1b[200~" || sequence == "\x1b[201~") {
            in_paste_ = sequence[4] == '0';
        } else if (const auto key = parse_key(parse_input_sequence(sequence))) {
            tell(*key, to);
        }
        return end.length;
    }
    if (bytes[1] == 'O') { // F1 to F4; arrows, Home and End in application mode; C-M-O typed by hand is rarer
        if (bytes.size() == 2) return is_last ? bytes.size() : 0;
        key_event e;
        e.key = letter_keys + bytes[2];
        if (bytes[2] >= 'A' && bytes[2] <= 'Z') tell(e, to);
        return 3;
    }
    if (bytes[1] == escape) { // two Escape keys
        tell(key_of_byte(escape), to);
        return 1;
    }
    const mato::text_character next = mato::first_character(bytes.substr(1));
    if (!next.is_valid) return !is_last && is_incomplete(bytes.substr(1)) ? 0 : 1 + next.size;
    key_event e = next.code < 0x80 ? key_of_byte(bytes[1]) : key_event{};
    if (next.code >= 0x80) e.key = e.character = static_cast<int>(next.code);
    e.modifiers |= key_event::alt;
    tell(e, to);
    return 1 + next.size;
}

} // namespace mux
