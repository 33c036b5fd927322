// SPDX-License-Identifier: MIT
// The part of a viewer that handles the mouse: on the bar, on screens of mato's own, and on the text of a tab whose program
// does not use it.
#include "viewer.hpp"

#include "screens/prompt.hpp"

#include <memory>
#include <vector>

namespace mux {
namespace {

constexpr unsigned buttons = 3, left = 0, middle = 1, right = 2;

} // namespace

/// Everything that is not the program's: input_reader.hpp.
void viewer::mouse(const mouse_report& report) {
    constexpr unsigned wheel_down = 1;
    const bool is_wheel = report.is_wheel() && !report.release;
    if (screen_ && is_wheel)
        return answer_screen(
            screen_->wheel((report.code & wheel_down) != 0 ? input_reader::wheel_rows : -input_reader::wheel_rows));
    const bool in_pixels = context_.pixels && context_.cell_width > 0 && context_.cell_height > 0;
    const int column = in_pixels ? (report.x - 1) / context_.cell_width : report.x - 1;
    const int row = in_pixels ? (report.y - 1) / context_.cell_height : report.y - 1;
    const bool on_bar = bar_ && row >= composer_.size().rows - bar_rows();
    if (on_bar && !pressed_ && (!screen_ || selects_)) {
        if (!report.release && !report.is_motion()) {
            end_selection();
            click_bar(report, column);
        }
        return;
    }
    const bool is_plain_button = (report.code & (mouse_report::wheel | mouse_report::extra)) == 0;
    if (options_.mouse == own_mouse::drags && is_plain_button) select_text(report, row, column);
}

/// The left button goes there, the middle one closes a tab, the right one offers what can be done.
void viewer::click_bar(const mouse_report& report, int column) {
    const unsigned button = report.code & buttons;
    if (report.is_wheel()) return act({button == 0 ? action::previous_tab : action::next_tab});
    const hit_area* const hit = drawn_bar_.at(column);
    if (!hit || button > right) return;
    const pressed_action what = hit->acts;
    if (button == left) return act(what);
    if (what.what != action::tab_by_id) return;
    if (button == middle) return act({action::close_tab, what.number});
    open(std::make_unique<choice_row>("this tab", std::vector<choice_row::choice>{
                                                      {'g', "go", what},
                                                      {'n', "name", {action::rename_tab, what.number}},
                                                      {'m', "move", {action::move_tab, what.number}},
                                                      {'r', "run again", {action::run_again, what.number}},
                                                      {'x', "close", {action::close_tab, what.number}},
                                                  }));
}

/// A press alone changes nothing but the selection before it: only a drag, a double or a triple click selects.
void viewer::select_text(const mouse_report& report, int row, int column) {
    const unsigned button = report.code & buttons;
    pointer_event event;
    event.row = row, event.column = column;
    event.has_alt = (report.code & mouse_report::alt) != 0;
    const auto show = [&] {
        if (screen_) return;
        if (!message_.empty()) leave_message();
        open(text_screen(look_back_use::selection));
        selects_ = true;
        context_.captured = false; // the program still gets the keys
    };
    if (report.release) {
        if (!pressed_) return;
        pressed_.reset();
        event.what = pointer_event::kind::release;
        if (screen_) answer_screen(screen_->pointer(event));
    } else if (report.is_motion()) {
        if (!pressed_ || button != left) return;
        if (!screen_) {
            show();
            answer_screen(screen_->pointer(*pressed_));
        }
        event.what = pointer_event::kind::drag;
        answer_screen(screen_->pointer(event));
    } else if (button == middle && !screen_) {
        act({action::paste});
    } else if (button == left) {
        const auto now = mato::clock::now();
        const bool again = now - pressed_at_ < click_span && last_press_.row == row && last_press_.column == column;
        event.clicks = again ? last_press_.clicks % 3 + 1 : 1;
        last_press_ = event;
        pressed_at_ = now;
        pressed_ = event;
        if (event.clicks == 1) end_selection();
        if (event.clicks > 1) show();
        if (screen_) answer_screen(screen_->pointer(event));
    }
}

void viewer::end_selection() {
    if (screen_ && selects_) close_screen();
}

} // namespace mux
