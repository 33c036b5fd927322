// SPDX-License-Identifier: MIT
#include "emulator.hpp"
#include "no_canary.hpp"
#include "sgr.hpp"

namespace mux::vt {

void emulator::control_sequence_done(const control_sequence& seq) {
    if (seq.prefix == 0 && seq.intermediates == 0) return plain_sequence(seq);
    last_printed_ = 0;
    if (seq.prefix != 0)
        private_sequence(seq);
    else
        marked_sequence(seq);
}

// No prefix, no intermediates. Numbers are 1-based in the sequences and 0-based here.
MUX_VT_NO_CANARY void emulator::plain_sequence(const control_sequence& seq) {
    const parameters& p = seq.numbers;
    if (seq.final == 'b') { // the only one that reads last_printed_
        repeat(p.at(0, 1));
        last_printed_ = 0;
        return;
    }
    last_printed_ = 0;
    if (seq.final == 'H') return address(p.at(0, 1) - 1, p.at(1, 1) - 1); // ECMA-48 8.3.21 CUP, the most common one
    switch (seq.final) {
    case 'm': return apply_sgr(p, cursor_.pen);
    case 'f': return address(p.at(0, 1) - 1, p.at(1, 1) - 1); // 8.3.63 HVP
    case '@': return insert_characters(p.at(0, 1));
    case 'A': return move_up(p.at(0, 1));
    case 'B': return move_down(p.at(0, 1));
    case 'C': return move_right(p.at(0, 1));
    case 'D': return move_left(p.at(0, 1));
    case 'E': move_down(p.at(0, 1)); return carriage_return(); // 8.3.12 CNL
    case 'F': move_up(p.at(0, 1)); return carriage_return();   // 8.3.13 CPL
    case 'G':                                                  // 8.3.9 CHA
    case '`':                                                  // 8.3.57 HPA
        return address(addressed().row, p.at(0, 1) - 1);
    case 'I': return tab_forward(p.at(0, 1));
    case 'J': return erase_display(p[0], false);
    case 'K': return erase_line(p[0], false);
    case 'L': return insert_lines(p.at(0, 1));
    case 'M': return delete_lines(p.at(0, 1));
    case 'P': return delete_characters(p.at(0, 1));
    case 'S': return scroll_up(top_, bottom_, p.at(0, 1)); // 8.3.147 SU
    case 'T':                                              // 8.3.113 SD; xterm: five numbers are mouse tracking
        if (p.size() <= 1) scroll_down(top_, bottom_, p.at(0, 1));
        return;
    case 'X': return erase_characters(p.at(0, 1));
    case 'Z': return tab_back(p.at(0, 1));
    case '^': return scroll_down(top_, bottom_, p.at(0, 1)); // xterm: SD as first printed in ECMA-48
    case 'a': return address_by(0, p.at(0, 1));              // 8.3.59 HPR: an address, not a movement: margins do not stop it
    case 'c':                                                // 8.3.24 DA
        if (p[0] == 0) ask_host({host_question::subject::attributes});
        return;
    case 'd': // 8.3.158 VPA
        return address(p.at(0, 1) - 1, addressed().column);
    case 'e': return address_by(p.at(0, 1), 0); // 8.3.160 VPR
    case 'g':                                   // 8.3.154 TBC
        if (p[0] == 0) tabs_[static_cast<std::size_t>(cursor_.at.column)] = false;
        if (p[0] == 3) tabs_.reset();
        return;
    case 'h': return set_modes(seq, true);                            // 8.3.125 SM
    case 'j': return move_left(p.at(0, 1));                           // 8.3.58 HPB
    case 'k': return move_up(p.at(0, 1));                             // 8.3.159 VPB
    case 'l': return set_modes(seq, false);                           // 8.3.106 RM
    case 'n': return device_status(p[0], p[1], false);                // 8.3.35 DSR
    case 'r': return set_top_bottom(p.at(0, 1) - 1, p.at(1, rows())); // VT100 manual, DECSTBM
    case 's':                                                         // DECSLRM with mode 69, else SCOSC
        if (modes_.is_set(mode::margins)) return set_left_right(p.at(0, 1) - 1, p.at(1, columns()));
        return save_cursor();
    case 't': return report_window(p); // xterm ctlseqs, XTWINOPS
    case 'u': return restore_cursor(); // SCORC
    case 'x':                          // VT100 manual, DECREQTPARM: 8 bits, 38400 baud
        if (p[0] <= 1) answer_csi(p[0] == 0 ? "2;1;1;128;128;1;0x" : "3;1;1;128;128;1;0x");
        return;
    default: return;
    }
}

// Intermediates, no prefix.
void emulator::marked_sequence(const control_sequence& seq) {
    const parameters& p = seq.numbers;
    const auto is = [&seq](std::uint16_t intermediates, char final) {
        return seq.intermediates == intermediates && seq.final == final;
    };
    if (is(intermediate('!'), 'p')) return soft_reset(); // VT220, DECSTR
    if (is(intermediate(' '), 'q')) return set_cursor_shape(p[0]);
    if (is(intermediate(' '), '@')) return shift_columns(left_, -p.at(0, 1));              // SL
    if (is(intermediate(' '), 'A')) return shift_columns(left_, p.at(0, 1));               // SR
    if (is(intermediate('\''), '}')) return shift_columns(cursor_.at.column, p.at(0, 1));  // VT420, DECIC
    if (is(intermediate('\''), '~')) return shift_columns(cursor_.at.column, -p.at(0, 1)); // DECDC
    if (is(intermediate('"'), 'q')) {                                                      // VT220, DECSCA
        if (p[0] <= 2) guards_from_all_ = false;
        if (p[0] == 1) cursor_.pen.turn_on(attributes::is_protected);
        if (p[0] == 0 || p[0] == 2) cursor_.pen.turn_off(attributes::is_protected);
        return;
    }
    if (is(intermediate('"'), 'p')) return soft_reset(); // VT220, DECSCL
    if (is(intermediate('*'), 'x')) {                    // VT420, DECSACE
        if (p[0] <= 2) rectangular_attributes_ = p[0] == 2;
        return;
    }
    if (is(intermediate('*'), 'y')) return report_checksum(p);
    if (is(intermediate('$'), 'p')) return report_mode(mode_space::ansi, p[0]);
    if (is(intermediate('$'), 'v')) return copy_area(p);
    if (is(intermediate('$'), 'w')) return report_presentation(p[0]); // VT420, DECRQPSR
    if (is(intermediate('$'), 'x')) return fill_area(p);
    if (is(intermediate('$'), 'r')) return change_attributes(p, false);
    if (is(intermediate('$'), 't')) return change_attributes(p, true);
    if (is(intermediate('$'), 'z') || is(intermediate('$'), '{')) { // VT420, DECERA, DECSERA
        if (const auto target = area(p, 0)) erase_area(*target, seq.final == '{' && !guards_from_all_); // as xterm
        return;
    }
    if (is(intermediate('#'), '{') || is(intermediate('#'), 'p')) { // xterm, XTPUSHSGR
        if (pen_stack_.size() < max_stack) pen_stack_.push_back(cursor_.pen);
        return;
    }
    if ((is(intermediate('#'), '}') || is(intermediate('#'), 'q')) && !pen_stack_.empty()) { // XTPOPSGR
        cursor_.pen = pen_stack_.back();
        pen_stack_.pop_back();
    }
}

void emulator::private_sequence(const control_sequence& seq) {
    const parameters& p = seq.numbers;
    if (seq.intermediates == intermediate('$') && seq.prefix == '?' && seq.final == 'p')
        return report_mode(mode_space::dec, p[0]);
    if (seq.intermediates != 0) return;
    if (seq.final == 'u') return keyboard_sequence(seq);
    if (seq.prefix == '?') {
        switch (seq.final) {
        case 'h': return set_modes(seq, true);
        case 'l': return set_modes(seq, false);
        case 'r': return restore_modes(p); // xterm, XTRESTORE
        case 's': return save_modes(p);    // XTSAVE
        case 'J': return erase_display(p[0], true);
        case 'K': return erase_line(p[0], true);
        case 'n': return device_status(p[0], p[1], true);
        case 'S': return report_graphics(p);
        case 'W':
            if (p[0] == 5) reset_tabs(); // VT510 manual, DECST8C
            return;
        case 'm': // xterm, XTQMODKEYS
            if (p[0] == 1) return answer_csi(">1;", std::to_string(modified_.cursor), "m");
            if (p[0] == 2) return answer_csi(">2;", std::to_string(modified_.function), "m");
            if (p[0] == 4) return answer_csi(">4;", std::to_string(modified_.other), "m");
            return;
        default: return;
        }
    }
    if (seq.prefix == '>') {
        switch (seq.final) {
        // Secondary DA: a VT420. Programs read the number as xterm's patch level, and from 277 on as support of SGR mouse
        // reports.
        case 'c':
            if (p[0] == 0) answer_csi(">41;380;0c");
            return;
        case 'm': return modify_keys(p);
        case 'q':
            if (p[0] == 0) answer({"\x1bP>|", options_.name, "(", options_.version, ")\x1b\\"}); // XTVERSION
            return;
        default: return;
        }
    }
    if (seq.prefix == '=' && seq.final == 'c' && p[0] == 0) answer({"\x1bP!|00000000\x1b\\"}); // VT420 manual, DA3
}

} // namespace mux::vt
