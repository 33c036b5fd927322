// SPDX-License-Identifier: MIT
// The part of a viewer that shows rows of mato's own: screens, messages, hints, the bar.
#include "viewer.hpp"

#include "screens/bottom_row.hpp"
#include "screens/help_screen.hpp"
#include "screens/look_back_screen.hpp"
#include "screens/prompt.hpp"
#include "screens/terminal_text.hpp"
#include "screens/text_prompts.hpp"
#include "view/clipboard.hpp"

#include <algorithm>
#include <utility>

namespace mux {

// ---- messages, hints ----

void viewer::tell(std::string text) {
    if (!tab_ || !tab_->screen()) return ring();
    message_ = std::move(text);
    message_timer_.expires_after(message_span);
    message_timer_.async_wait([this](std::error_code cancelled) {
        if (!cancelled) leave_message();
    });
    pacer_.typed();
    update();
}

void viewer::leave_message() {
    message_.clear();
    message_timer_.cancel();
    pacer_.typed();
    update();
}

/// Called after each read of keys.
void viewer::watch_prefix() {
    const bool awaits = reader_.awaits_command() && shown_ && tab_->screen() && !screen_;
    if (!awaits) {
        hint_timer_.cancel();
        if (std::exchange(hints_, false)) update();
        return;
    }
    hint_timer_.expires_after(hint_delay);
    hint_timer_.async_wait([this](std::error_code cancelled) {
        if (cancelled || !tab_) return;
        hints_ = true;
        pacer_.typed();
        update();
    });
}

/// The rows over the tab; null: only the tab is shown.
const overlay* viewer::shown_over() {
    const bool is_bar_alone = !screen_ && !hints_ && message_.empty();
    if (is_bar_alone && !bar_) return nullptr;
    if (is_bar_alone && is_bar_drawn_) return &bar_row_;
    const terminal_features& f = composer_.features();
    const bool many_colours = f.colours == colour_depth::indexed || f.colours == colour_depth::direct;
    const looks look = looks_of(colours_.get(), many_colours, f.utf8);
    const vt::screen_size size = composer_.size();
    if (screen_ && selects_) {
        over_ = screen_->draw({size.rows - bar_rows(), size.columns}, look);
        over_.rows.resize(static_cast<std::size_t>(size.rows));
        if (!message_.empty())
            over_.rows.back() = message_row(message_, size, look).rows.front();
        else if (bar_)
            over_.rows.back() = draw_bar(*bar_, size.columns, look).row;
    } else if (screen_) {
        over_ = screen_->draw(size, look);
        const bool is_whole = over_.around == overlay::rest::blank && size.rows > 1;
        if (const auto rows = static_cast<std::size_t>(size.rows); is_whole && !message_.empty()) {
            over_.rows.resize(rows);
            over_.rows.back() = message_row(message_, size, look).rows.front();
        }
    } else if (hints_) {
        over_ = hint_row(options_.prefix_name, *options_.keys, size, look);
    } else if (!message_.empty()) {
        over_ = message_row(message_, size, look);
    } else {
        drawn_bar_ = draw_bar(*bar_, size.columns, look);
        bar_row_ = as_bottom(drawn_bar_.row, size);
        is_bar_drawn_ = true;
        return &bar_row_;
    }
    return &over_;
}

// ---- screens ----

void viewer::open(std::unique_ptr<screen> opened) {
    screen_ = std::move(opened);
    selects_ = false;
    decoder_.reset();
    context_.captured = true;
    pacer_.typed();
    show_screen();
}

void viewer::ask_over(std::unique_ptr<screen> asks) {
    if (screen_ && !selects_) below_ = std::move(screen_);
    open(std::move(asks));
}

/// It is another one than before.
void viewer::show_screen() {
    if (tab_->bytes())
        draw_without_emulator();
    else
        update();
    keep_live();
    work_for_screen();
}

/// Draws a live screen again, as long as it is open.
void viewer::keep_live() {
    if (!screen_ || !screen_->is_live()) return;
    live_timer_.expires_after(live_interval);
    live_timer_.async_wait([this](std::error_code cancelled) {
        if (cancelled || !tab_ || !screen_) return;
        update();
        keep_live();
    });
}

/// The same rows as text: the program uses the terminal directly, so nothing is known of its state.
void viewer::draw_without_emulator() {
    const overlay drawn = screen_->draw(composer_.size(), looks_of(nullptr, false, composer_.features().utf8));
    frame_ = empty_screen();
    for (std::size_t i = 0; i < drawn.rows.size(); ++i) {
        if (i > 0) frame_ += "\r\n";
        drawn.rows[i].append_text(frame_, 0, drawn.rows[i].used());
    }
    if (outlet_->is_ready()) outlet_->write(frame_);
}

/// The one below it is shown again, or the tab.
void viewer::close_screen() {
    screen_ = std::move(below_);
    selects_ = false;
    live_timer_.cancel();
    if (screen_) {
        pacer_.typed();
        return show_screen();
    }
    context_.captured = false;
    starts_empty_ = true;
    replayed_to_ = position_; // what was already sent is replayed too
    pacer_.typed();
    update();
}

void viewer::close_screens() {
    below_.reset();
    if (screen_) close_screen();
}

/// A key for the screen. @returns true if it is still open
bool viewer::press(const key_event& key) {
    answer_screen(screen_->press(key));
    return screen_ != nullptr;
}

void viewer::answer_screen(screen_reply reply) {
    if (reply.closes) {
        close_screen();
    } else {
        work_for_screen();
        pacer_.typed();
        tab_->bytes() ? draw_without_emulator() : update();
    }
    if (!reply.says.empty()) tell(std::move(reply.says));
    if (reply.copies) copy(std::move(*reply.copies));
    if (reply.acts) act(*reply.acts);
}

/// Into the terminal's clipboard, and into the daemon's buffer for the paste key.
void viewer::copy(std::string text) {
    const auto ends = std::count(text.begin(), text.end(), '\n');
    const auto lines = ends + (text.empty() || text.back() != '\n' ? 1 : 0);
    const bool has_clipboard = composer_.features().strings;
    if (has_clipboard) pass(set_clipboard(text));
    tell("copied " + std::to_string(lines) + (lines == 1 ? " line" : " lines") +
         (has_clipboard ? "" : " for the paste key only: this terminal has no clipboard"));
    if (callbacks_.on_copied) callbacks_.on_copied(std::move(text));
}

/// One part in each turn of the event loop, so that other tabs do not wait.
void viewer::work_for_screen() {
    if (!screen_ || !screen_->has_work()) return void(work_timer_.cancel());
    work_timer_.expires_after(mato::milliseconds(0));
    work_timer_.async_wait([this](std::error_code cancelled) {
        if (cancelled || !tab_ || !screen_) return;
        screen_->work();
        if (!tab_->bytes())
            update();
        else if (!screen_->has_work()) // each drawing is a whole one
            draw_without_emulator();
        work_for_screen();
    });
}

/// What the tab shows now, as a text.
std::unique_ptr<look_back_screen> viewer::text_screen(look_back_use use) {
    const std::size_t rows = rows_back();
    scroll_to_bottom();
    vt::screen_size size = composer_.size();
    if (use == look_back_use::selection) size.rows -= bar_rows();
    return std::make_unique<look_back_screen>(
        std::make_unique<terminal_text>(std::shared_ptr<const vt::terminal>(tab_, tab_->screen())), size, rows, use);
}

/// `begins`: what its user has asked for: to look, to find, another prompt.
void viewer::look_back(const pressed_action& begins) {
    if (!tab_->screen()) return tell("this tab keeps no history: its emulator is 'raw'");
    auto made = text_screen(look_back_use::reading);
    if (begins.what == action::find) made->find(begins.answer.value_or(std::string()));
    open(std::move(made));
    if (begins.what == action::previous_prompt) answer_screen(screen_->press(key_of_byte('{')));
    if (begins.what == action::next_prompt) answer_screen(screen_->press(key_of_byte('}')));
}

void viewer::go_to_line(const pressed_action& where) {
    if (!tab_->screen()) return tell("this tab keeps no history: its emulator is 'raw'");
    auto made = text_screen(look_back_use::reading);
    made->show_found(where.answer.value_or(std::string()), {where.line, where.column});
    open(std::move(made));
}

/// Without a screen: what the last command has written.
void viewer::copy_output() {
    if (!tab_->screen()) return tell("this tab keeps no history: its emulator is 'raw'");
    const terminal_text text(std::shared_ptr<const vt::terminal>(tab_, tab_->screen()));
    const auto output = output_at(text, text.cursor());
    if (!output)
        return tell(text.marks().empty() ? "the shell of this tab does not mark its prompts (OSC 133)"
                                         : "no command has written anything");
    auto copied = output->text_of(text);
    if (!copied) return tell("not copied: the output has more than " + std::to_string(most_copied >> 10) + " KiB");
    copy(std::move(*copied));
}

void viewer::command(const key_event& key) {
    focus(focus_change::gained); // also if the terminal does not report it
    if (!message_.empty()) leave_message();
    if (screen_ && screen_->press_after_prefix(key)) {
        pacer_.typed();
        return update();
    }
    close_screens();
    if (const auto what = options_.keys->action_of(key)) return act(*what);
    const std::string& prefix = options_.prefix_name;
    const std::string name = name_of(key);
    tell((name.empty() ? std::string("no such key; ") : "no key " + prefix + " " + name + "; ") + prefix + " ? shows all keys");
}

void viewer::act(const pressed_action& what) {
    switch (what.what) {
    case action::look_back:
    case action::find:
    case action::previous_prompt:
    case action::next_prompt: return look_back(what);
    case action::copy_output: return copy_output();
    default: break;
    }
    if (what.what == action::help) return open(std::make_unique<help_screen>(options_.prefix_name, options_.keys));
    if (callbacks_.on_action) callbacks_.on_action(what);
}

} // namespace mux
