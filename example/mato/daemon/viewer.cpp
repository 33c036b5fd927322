// SPDX-License-Identifier: MIT
#include "viewer.hpp"

#include <algorithm>
#include <utility>

namespace mux {

viewer::viewer(asio::io_context& context, std::unique_ptr<mux::outlet> terminal, viewer_options options, handlers callbacks)
    : timer_(context), keys_timer_(context), host_timer_(context), message_timer_(context), hint_timer_(context),
      work_timer_(context), live_timer_(context), outlet_(std::move(terminal)), options_(std::move(options)),
      callbacks_(std::move(callbacks)), keys_(options_.prefix), composer_(options_.size, options_.features) {
    measure_cell();
    await_answers();
}

/// A terminal that answers queries, for a limited time.
void viewer::await_answers() {
    overdue_ = false;
    host_timer_.expires_after(host_patience);
    host_timer_.async_wait([this](std::error_code cancelled) {
        if (cancelled) return;
        overdue_ = true;
        if (callbacks_.on_known) callbacks_.on_known();
    });
}

vt::host_terminal viewer::host() const {
    const terminal_features& f = composer_.features();
    const bool asked = context_.questions > 0 || !was_shown_;
    return {colours_, f.kitty_keyboard && !options_.readonly, false, f.asks != inquiry::none && asked && !overdue_};
}

void viewer::show(terminal_queries queries) {
    shown_ = true;
    focused_ = true;
    measure_cell();
    if (queries == terminal_queries::sent) {
        context_.questions = 1;
        asked_at_ = mato::clock::now();
        learning_ = {};
        await_answers();
    }
    composer_.forget();
    outlet_->show({[this](std::string_view bytes, input_reader::rest more) { on_keys(bytes, more); }, [this] { try_frame(); },
                   [this] {
                       if (callbacks_.on_lost) callbacks_.on_lost();
                   }});
    // First the output from before the viewer came: a new tab's program may send queries before its viewer is shown.
    if (std::exchange(was_shown_, true)) note_replay();
    if (tab_) begin_from_reset();
    if (callbacks_.on_focus) callbacks_.on_focus();
    keep_live();
    wait_for_keys(); // the end of a paste may have been lost with the process before
}

void viewer::hide() {
    shown_ = false;
    timer_.cancel();
    keys_timer_.cancel();
    message_timer_.cancel();
    hint_timer_.cancel();
    work_timer_.cancel();
    live_timer_.cancel();
    waiting_ = false;
    outlet_->hide();
    if (callbacks_.on_focus) callbacks_.on_focus();
}

void viewer::close() {
    callbacks_ = {};
    hide();
    host_timer_.cancel();
    tab_.reset();
    outlet_->close();
}

void viewer::watch(std::shared_ptr<tab> shown) {
    tab_ = std::move(shown);
    note_replay();
    begin_from_reset();
}

/// Earlier output of a tab without emulator was for other viewers.
void viewer::note_replay() { replayed_to_ = tab_ && tab_->bytes() ? tab_->bytes()->end() : 0; }

void viewer::begin_from_reset() {
    screen_.reset();
    below_.reset();
    selects_ = false;
    pressed_.reset();
    context_.captured = hints_ = false;
    scrolled_ = false;
    composer_.forget();
    starts_empty_ = true;
    pacer_.arrived();
    update();
}

void viewer::update(output_rate rate) {
    dirty_ = true;
    rate_ = rate;
    pacer_.output(mato::clock::now());
    try_frame();
}

void viewer::resize(vt::screen_size size) {
    measure_cell(); // also with the same number of cells: the font may have changed
    if (composer_.size() == size.clamped()) return;
    options_.size = size;
    composer_.resize(size);
    is_bar_drawn_ = false;
    update();
}

/// Only when it may have changed: asking the kernel for each frame would be wasteful.
void viewer::measure_cell() {
    cell_ = outlet_->cell_size();
    if (!cell_.is_known()) cell_ = answered_cell_;
    composer_.set_cell_size(cell_);
    context_.cell_width = cell_.width, context_.cell_height = cell_.height;
}

vt::picture_protocols viewer::pictures() const noexcept {
    const terminal_features& f = composer_.features();
    const bool asked = context_.questions > 0 && mato::clock::now() - asked_at_ < answer_patience;
    const bool may = f.asks != inquiry::none && (asked || !shown_);
    return {f.kitty_images || (may && f.asks == inquiry::all), f.sixel_images || may, f.iterm_images || may, f.sixel_images};
}

void viewer::set_keys(viewer_keys keys) {
    keys_.set_prefix(keys.prefix);
    static_cast<viewer_keys&>(options_) = std::move(keys);
    update();
}

void viewer::set_access(viewer_access access) {
    options_.readonly = context_.readonly = access == viewer_access::readonly;
    update();
}

void viewer::set_bar(std::optional<bar_state> bar) {
    if (bar == bar_) return;
    bar_ = std::move(bar);
    is_bar_drawn_ = false;
    update();
}

void viewer::set_title(std::string title) {
    if (title == title_) return;
    title_ = std::move(title);
    update();
}

void viewer::ring() {
    bell_ = true;
    update();
}

void viewer::notify(notice_form form, std::string_view title, std::string_view text) {
    if (!tab_ || !tab_->screen() || !composer_.features().strings) return ring();
    pass(notification(form, title, text));
}

void viewer::pass(std::string_view bytes) {
    if (passing_.size() + bytes.size() > most_passing) passing_.clear(); // the terminal accepts nothing: only the newest counts
    if (bytes.size() <= most_passing) passing_ += bytes;
    update();
}

/// Sends a frame now, or as soon as it may be sent.
void viewer::try_frame() {
    if (!shown_ || !tab_ || !dirty_) return;
    if (!outlet_->is_ready()) return void(++skipped_); // its `on_ready` comes here
    if (tab_->bytes()) return pump();
    const auto now = mato::clock::now();
    if (const vt::terminal& screen = *tab_->screen(); screen.is_synchronised(tab::moment_of(now)) && passing_.empty())
        return wait_until(tab::time_of(screen.synchronised_until()));
    if (!pacer_.may_send(now)) {
        ++skipped_;
        return wait_until(pacer_.due());
    }
    compose();
    pacer_.sent(now, frame_.size(), rate_);
}

void viewer::compose() {
    dirty_ = false;
    frame_.clear();
    const vt::terminal& screen = *tab_->screen();
    composer_.compose(screen, {rows_back(), shown_over(), bar_rows(), options_.mouse, options_.readonly, title_}, frame_);
    if (std::exchange(bell_, false)) frame_ += '\a';
    frame_ += passing_;
    passing_.clear();
    if (composer_.has_shaped_cursor()) note_shaped_cursor();
    if (!frame_.empty()) outlet_->write(frame_);
    if (frame_.capacity() > most_kept) std::string().swap(frame_); // it contained an image
    dirty_ = composer_.is_incomplete();
    if (dirty_ && outlet_->is_ready()) wait_until(mato::clock::now()); // otherwise `on_ready` comes here
}

/// Called before the first byte that changes the shape is written, so that it can be restored from then on.
void viewer::note_shaped_cursor() {
    const int own = composer_.own_cursor_style(); // 0 until the terminal has answered
    if (std::exchange(noted_style_, own) == own) return;
    if (callbacks_.on_shaped_cursor) callbacks_.on_shaped_cursor(own);
    outlet_->note_shaped_cursor(own);
}

void viewer::finish() {
    if (!shown_ || !tab_) return;
    dirty_ = true;
    if (tab_->bytes())
        pump();
    else if (outlet_->is_ready() || !outlet_->is_direct())
        compose();
}

void viewer::wait_until(mato::clock::time_point when) {
    if (waiting_ && timer_.expiry() <= when) return;
    waiting_ = true;
    timer_.expires_at(when);
    timer_.async_wait([this](std::error_code cancelled) {
        if (cancelled) return;
        waiting_ = false;
        try_frame();
    });
}

std::string viewer::empty_screen() {
    return std::string(reset_sequence()).append(select_cursor_style(0)).append("\033[H\033[2J");
}

/// Sends what the viewer has not seen, while the terminal accepts it; the rest stays in the ring, at no cost.
void viewer::pump() {
    const raw_emulator& bytes = *tab_->bytes();
    if (screen_) return;
    note_shaped_cursor(); // the program may change it, and its output is not parsed here
    if (std::exchange(bell_, false)) outlet_->write("\a");
    while ((position_ < bytes.end() || starts_empty_) && outlet_->is_ready() && shown_) {
        if (position_ < bytes.begin()) { // overwritten before it could be sent
            ++skipped_, ++resyncs_;
            starts_empty_ = true;
            replayed_to_ = std::min(replayed_to_, position_); // what it was not sent is new for it
        }
        if (std::exchange(starts_empty_, false)) {
            position_ = bytes.replay_begin();
            replay_ = {};
            outlet_->write(empty_screen());
            continue;
        }
        const bool is_replay = position_ < replayed_to_;
        const auto next =
            bytes.from(position_, is_replay ? std::min<std::uint64_t>(raw_chunk, replayed_to_ - position_) : raw_chunk);
        position_ += next.size();
        if (!is_replay && !replay_.is_inside_dropped()) {
            outlet_->write(next);
            continue;
        }
        frame_.clear();
        if (is_replay) {
            replay_.feed(next, frame_);
            if (position_ >= replayed_to_) replay_.finish(frame_);
        } else {
            replay_.feed_new(next, frame_);
        }
        if (!frame_.empty()) outlet_->write(frame_);
    }
    dirty_ = position_ < bytes.end() || starts_empty_;
}

// ---- history ----

/// Rows of history shown above the screen's; they stay the same while the program writes.
std::size_t viewer::rows_back() {
    if (!scrolled_) return 0;
    const vt::terminal& screen = *tab_->screen();
    const std::uint64_t gone = screen.rows_scrolled();
    const std::size_t back = std::min<std::size_t>(gone > anchor_ ? gone - anchor_ : 0, screen.history_rows());
    if (back == 0) scrolled_ = false;
    return back;
}

void viewer::scroll(int rows) {
    if (!tab_ || !tab_->screen()) return;
    if (screen_) return answer_screen(screen_->wheel(-rows));
    const vt::terminal& screen = *tab_->screen();
    const std::uint64_t gone = screen.rows_scrolled();
    const auto back = static_cast<std::int64_t>(rows_back()) + rows;
    const auto most = static_cast<std::int64_t>(std::min<std::uint64_t>(screen.history_rows(), gone));
    anchor_ = gone - static_cast<std::uint64_t>(std::clamp<std::int64_t>(back, 0, most));
    context_.scrolled = scrolled_ = back > 0; // later keys in this read depend on it
    pacer_.typed();
    update();
}

void viewer::scroll_pages(int pages) { scroll(pages * std::max(1, composer_.size().rows - 1)); }

void viewer::scroll_to_bottom() {
    context_.scrolled = false;
    if (std::exchange(scrolled_, false)) update();
}

// ---- keys ----

const input_context& viewer::context() {
    const vt::terminal& screen = *tab_->screen();
    context_.follow(screen);
    if (context_.questions > 0 && mato::clock::now() - asked_at_ > answer_patience) context_.questions = 0;
    context_.focus = false; // reported by the views, which know the tab's other viewers
    context_.theme_reports = composer_.features().theme_reports;
    context_.prefix = options_.prefix;
    context_.readonly = options_.readonly;
    context_.selects = options_.mouse == own_mouse::drags;
    context_.own_row = bar_ ? composer_.size().rows : 0;
    context_.scrolled = scrolled_;
    context_.top = composer_.offset().row;
    context_.left = composer_.offset().column;
    context_.pixels = composer_.features().mouse_pixels && screen.is_set(vt::mode::mouse_sgr_pixels);
    return context_;
}

void viewer::on_keys(std::string_view bytes, input_reader::rest more) {
    if (!tab_) return;
    pacer_.typed();
    // A read-only viewer types nothing, so the reader does not tell of its keys; answers of its terminal begin with ESC.
    if (options_.readonly && !bytes.starts_with('\033')) end_selection();
    if (options_.readonly && !message_.empty() && !(bytes.starts_with('\033') && context_.questions > 0)) leave_message();
    if (tab_->bytes())
        keys_.feed(bytes, {[this](std::string_view raw) { typed(raw); }, [this](char key) { command(key_of_byte(key)); }});
    else
        reader_.feed(bytes, context(), *this, more);
    if (!tab_) return; // a key has ended the viewer
    tell_paste();
    wait_for_keys();
    watch_prefix();
}

/// A sequence that stays incomplete was typed by hand, and a paste that stays open has lost its end.
void viewer::wait_for_keys() {
    const bool waits = reader_.pending() || reader_.in_paste() || decoder_.pending();
    if (!waits || !shown_) return void(keys_timer_.cancel());
    keys_timer_.expires_after(reader_.in_paste() ? paste_patience : mato::milliseconds(reader_.patience()));
    keys_timer_.async_wait([this](std::error_code cancelled) {
        if (cancelled || !tab_) return;
        if (tab_->screen()) {
            if (reader_.in_paste())
                reader_.end_paste(context(), *this), tell_paste();
            else
                reader_.flush(context(), *this);
        }
        if (screen_ && decoder_.pending()) decoder_.flush([this](const key_event& key) { return press(key); });
    });
}

/// Before the bytes are passed on: a death between the two must not leave a paste that is taken for typed lines.
void viewer::tell_paste() {
    if (told_paste_ == reader_.in_paste()) return;
    told_paste_ = reader_.in_paste();
    if (callbacks_.on_paste) callbacks_.on_paste(told_paste_);
}

void viewer::resume_paste(bool program_has_begin) {
    if (!tab_ || tab_->bytes()) return;
    reader_.resume_paste(program_has_begin, context(), *this);
    tell_paste();
}

void viewer::typed(std::string_view bytes) {
    tell_paste();
    if (!message_.empty()) leave_message();
    end_selection();
    while (screen_ && !bytes.empty())
        bytes.remove_prefix(decoder_.feed(bytes, [this](const key_event& key) { return press(key); }));
    if (!bytes.empty() && !options_.readonly && callbacks_.on_typed) callbacks_.on_typed(bytes);
}

void viewer::answer(const terminal_answer& what) {
    terminal_features learnt = composer_.features();
    refine(learnt, what);
    composer_.set_features(learnt);
    is_bar_drawn_ = false; // its colours and signs may differ
    learn_colours(what);
    if (const auto* const cell = std::get_if<cell_report>(&what)) {
        answered_cell_ = {cell->width, cell->height};
        measure_cell();
    }
    if (const auto* const cursor = std::get_if<cursor_style_report>(&what)) {
        composer_.set_own_cursor_style(cursor->style);
        if (noted_style_) note_shaped_cursor();
    }
    if (std::holds_alternative<device_attributes>(what)) { // the last answer
        context_.questions = 0;
        if (callbacks_.on_answered) callbacks_.on_answered();
        if (callbacks_.on_known) callbacks_.on_known();
    }
    update();
}

/// Called when all answers have arrived. A terminal whose theme has changed is queried for its colours again.
void viewer::learn_colours(const terminal_answer& what) {
    if (const auto* const reply = std::get_if<colour_reply>(&what)) learning_.at[reply->index] = reply->colour;
    if (const auto* const report = std::get_if<theme_report>(&what)) {
        learning_ = {};
        learning_.reported = report->now;
        if (context_.questions == 0) pass(colour_questions(composer_.features()));
        context_.questions = 1;
        asked_at_ = mato::clock::now();
        await_answers();
        if (callbacks_.on_known) callbacks_.on_known();
    }
    if (std::holds_alternative<device_attributes>(what) && learning_ != vt::host_colours{})
        colours_ = std::make_shared<const vt::host_colours>(learning_);
}

void viewer::focus(focus_change change) {
    const bool gained = change == focus_change::gained;
    if (std::exchange(focused_, gained) != gained && callbacks_.on_focus) callbacks_.on_focus();
}

} // namespace mux
