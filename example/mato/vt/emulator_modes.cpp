// SPDX-License-Identifier: MIT
#include "emulator.hpp"

#include <optional>

namespace mux::vt {

void emulator::set_modes(const control_sequence& seq, bool on) {
    for (std::size_t i = 0; i < seq.numbers.size(); ++i) {
        const int number = seq.numbers[i];
        if (seq.prefix == '?') {
            set_dec_number(number, on);
        } else if (const auto m = mode_set::find(mode_space::ansi, number)) {
            set_mode(*m, on);
        }
    }
}

// xterm ctlseqs: 1047 clears the alternate screen when it is left, 1049 saves the cursor and clears when it is entered,
// 1048 saves the cursor alone.
void emulator::set_dec_number(int number, bool on) {
    switch (number) {
    case 47: return show_alternate(on);
    case 1047:
        if (!on && on_alternate()) erase_area({0, 0, rows(), columns()}, false);
        return show_alternate(on);
    case 1048: return on ? save_cursor() : restore_cursor();
    case 1049:
        if (on) { // xterm: saved and cleared even if it is shown already
            save_cursor();
            show_alternate(true);
            return erase_area({0, 0, rows(), columns()}, false);
        }
        show_alternate(false);
        return restore_cursor(); // even if the primary screen is shown already
    default: break;
    }
    if (const auto m = mode_set::find(mode_space::dec, number)) set_mode(*m, on);
}

void emulator::set_mode(mode m, bool on) {
    modes_.set(m, on);
    switch (m) {
    case mode::origin: return address(0, 0); // VT100 manual: the cursor goes home either way
    case mode::autowrap:
        if (!on) cursor_.pending_wrap = false;
        return;
    case mode::margins: // VT420 manual: resetting clears them
        if (!on) {
            left_ = 0;
            right_ = columns();
        }
        return;
    case mode::insert:
    case mode::grapheme_clusters: cluster_at_.reset(); return update_text_path();
    case mode::synchronised: synchronised_since_ = now_; return;
    case mode::size_reports:
        if (on) report_size();
        return;
    case mode::reverse_video: spend(rows()); return screen_->touch_all(); // every cell looks different
    default: return;
    }
}

// The cursor stays where it is: the screens share it, as in xterm.
void emulator::show_alternate(bool on) {
    if (on == on_alternate()) return;
    spend_rows(rows());
    if (on && !alternate_) alternate_.emplace(size_);
    primary_left_at_ = on ? reflow_cursor{cursor_.at, cursor_.pending_wrap} : reflow_cursor{};
    modes_.set(mode::alternate_screen, on);
    screen_ = &grid();
    screen_->begin_change(revision_);
    screen_->touch_all();
    scrolls_.clear(revision_);
    cluster_at_.reset();
}

void emulator::save_modes(const parameters& p) {
    mode_set saved;
    (void)saved.set_bits(saved_modes_);
    for (std::size_t i = 0; i < p.size(); ++i)
        if (const auto m = mode_set::find(mode_space::dec, p[i])) saved.set(*m, modes_.is_set(*m));
    saved_modes_ = saved.bits();
}

void emulator::restore_modes(const parameters& p) {
    mode_set saved;
    (void)saved.set_bits(saved_modes_);
    for (std::size_t i = 0; i < p.size(); ++i)
        if (const auto m = mode_set::find(mode_space::dec, p[i])) set_dec_number(p[i], saved.is_set(*m));
}

// VT220 manual table 4-10, and VT510's for later features; text and tab stops stay.
void emulator::soft_reset() {
    for (const mode m : {mode::insert, mode::origin, mode::application_cursor, mode::application_keypad, mode::reverse_wrap,
                         mode::reverse_wrap_far, mode::margins})
        modes_.set(m, false);
    for (const mode m : {mode::cursor_visible, mode::autowrap}) modes_.set(m, true); // xterm keeps autowrap on
    reset_margins();
    cursor_.pen = {};
    cursor_.sets = {};
    cursor_.pending_wrap = false;
    saved_[on_alternate() ? 1 : 0].reset();
    rectangular_attributes_ = guards_from_all_ = false;
    modified_ = {};
    kitty() = {};
    update_text_path();
}

// kitty keyboard protocol: > pushes, < pops, = changes, ? queries
void emulator::keyboard_sequence(const control_sequence& seq) {
    const parameters& p = seq.numbers;
    switch (seq.prefix) {
    case '>': return kitty().push(p[0]);
    case '<': return kitty().pop(p.at(0, 1));
    case '=': {
        const int how = p.at(1, 1);
        if (how <= 3) kitty().apply(p[0], static_cast<kitty_keyboard::change>(how));
        return;
    }
    case '?': return ask_host({host_question::subject::keyboard});
    default: return;
    }
}

// xterm ctlseqs, XTMODKEYS: without a value resets it, without anything resets all
void emulator::modify_keys(const parameters& p) {
    const modified_keys initial;
    const auto change = [&](std::uint8_t& key, std::uint8_t otherwise) {
        key = p.size() > 1 ? static_cast<std::uint8_t>(p[1] > 3 ? 3 : p[1]) : otherwise;
    };
    if (p.empty())
        modified_ = {};
    else if (p[0] == 1)
        change(modified_.cursor, initial.cursor);
    else if (p[0] == 2)
        change(modified_.function, initial.function);
    else if (p[0] == 4)
        change(modified_.other, initial.other);
}

} // namespace mux::vt
