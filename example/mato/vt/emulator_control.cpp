// SPDX-License-Identifier: MIT
#include "emulator.hpp"

namespace mux::vt {

void emulator::other_control(char c) {
    switch (c) {
    case 0x07: return tell(event_kind::bell, {}); // ECMA-48 8.3.3 BEL
    case 0x08: return backspace();
    case 0x09: return tab_forward(1);
    case 0x0a:
    case 0x0b: // VT100 manual: VT and FF act as LF
    case 0x0c:
        line_feed();
        if (modes_.is_set(mode::newline)) carriage_return(); // LNM
        return;
    case 0x0e: cursor_.sets.locked = 1; return update_text_path(); // ECMA-35 7.3.1 SO, LS1
    case 0x0f: cursor_.sets.locked = 0; return update_text_path(); // SI, LS0
    case 0x1a:                                                     // VT100 manual: SUB shows the error character
        print(replacement_character);
        last_printed_ = 0;
        return;
    default: return;
    }
}

void emulator::escape(std::uint16_t intermediates, char final) {
    last_printed_ = 0;
    switch (intermediates) {
    case 0: break;
    case intermediate('#'):
        if (final == '8') alignment_pattern();
        return;             // 3 to 6, lines of double size: the text stays, its size does not change
    case intermediate('('): // ECMA-35 14.3.2: designations of 94 characters
    case intermediate(')'):
    case intermediate('*'):
    case intermediate('+'):
        cursor_.sets.designated[static_cast<std::size_t>(intermediates - '(')] = charset_for(final);
        return update_text_path();
    case intermediate('-'): // of 96: all Latin letters, which UTF-8 includes
    case intermediate('.'):
    case intermediate('/'):
        cursor_.sets.designated[static_cast<std::size_t>(intermediates - '-') + 1] = charset::ascii;
        return update_text_path();
    default: return; // ESC % G, ESC SP F and similar: always UTF-8, always 7-bit answers
    }
    switch (final) {
    case '6': return back_index();
    case '7': return save_cursor();
    case '8': return restore_cursor();
    case '9': return forward_index();
    case '=': return modes_.set(mode::application_keypad, true);  // VT100 manual, DECKPAM
    case '>': return modes_.set(mode::application_keypad, false); // DECKPNM
    case 'D': return line_feed();                                 // IND
    case 'E': return next_line();
    case 'H': tabs_[static_cast<std::size_t>(cursor_.at.column)] = true; return; // ECMA-48 8.3.62 HTS
    case 'M': return reverse_index();
    case 'N': cursor_.sets.single = 2; return update_text_path(); // ECMA-48 8.3.141 SS2
    case 'O': cursor_.sets.single = 3; return update_text_path(); // 8.3.142 SS3
    case 'V':                                                     // ECMA-48 8.3.129 SPA
        guards_from_all_ = true;                                  // 7.2.5 ERM is always reset
        return cursor_.pen.turn_on(attributes::is_protected);
    case 'W': return cursor_.pen.turn_off(attributes::is_protected); // 8.3.42 EPA
    case 'Z': return ask_host({host_question::subject::attributes}); // VT100 manual, DECID
    case 'c': return reset();                                        // ECMA-48 8.3.105 RIS
    case 'l': return;                                                // xterm: memory lock, not supported
    case 'n': cursor_.sets.locked = 2; return update_text_path();    // ECMA-35 LS2
    case 'o': cursor_.sets.locked = 3; return update_text_path();    // LS3
    default: return;                                                 // LS1R to LS3R: not used with UTF-8
    }
}

} // namespace mux::vt
