// SPDX-License-Identifier: MIT
#include "emulator.hpp"

#include "reflow.hpp"

namespace mux::vt {

emulator::emulator(terminal_options options)
    : options_(std::move(options)), size_(options_.size.clamped()), primary_(size_), history_(options_.limits.history),
      pictures_(options_.limits.pictures), images_(options_.limits.pictures, options_.limits.image_bytes),
      events_(options_.limits.events) {
    reset_margins();
    reset_tabs();
    begin_change();
    if (options_.host.colours) told_theme_ = options_.host.colours->theme();
}

void emulator::begin_change() noexcept {
    ++revision_;
    primary_.begin_change(revision_);
    if (alternate_) alternate_->begin_change(revision_);
}

void emulator::resize(screen_size size) {
    size = size.clamped();
    if (size == size_) return;
    begin_change();
    // Text is wrapped around the primary screen's cursor: while the alternate screen is shown, where the primary cursor was
    // left.
    reflow_cursor moved[2];
    moved[0] = on_alternate() ? primary_left_at_ : reflow_cursor{cursor_.at, cursor_.pending_wrap};
    if (saved_[0]) moved[1] = {saved_[0]->at, saved_[0]->pending_wrap};
    reflow(primary_, history_, below_, size, {moved, saved_[0] ? 2u : 1u});
    if (on_alternate())
        primary_left_at_ = moved[0];
    else
        cursor_.at = moved[0].at, cursor_.pending_wrap = moved[0].pending_wrap;
    if (saved_[0]) saved_[0]->at = moved[1].at, saved_[0]->pending_wrap = moved[1].pending_wrap;
    if (alternate_) alternate_->crop(size);

    const auto clamp = [size](cursor_state& c) {
        if (c.at.column >= size.columns) c.pending_wrap = false;
        c.at = {std::min(c.at.row, size.rows - 1), std::min(c.at.column, size.columns - 1)};
        if (c.at.column != size.columns - 1) c.pending_wrap = false;
    };
    clamp(cursor_);
    for (auto& s : saved_)
        if (s) clamp(*s);
    // New columns get the default tab stops; stops set by the program stay.
    for (int c = size_.columns; c < size.columns; ++c) tabs_[static_cast<std::size_t>(c)] = c % default_tab == 0;
    size_ = size;
    cluster_at_.reset();
    reset_margins(); // as xterm does: the margins belong to a screen that no longer exists
    scrolls_.clear(revision_);
    if (modes_.is_set(mode::size_reports)) report_size();
    if (!pictures_.empty()) collect_unused_pictures();
}

void emulator::reset() {
    spend_rows(2 * rows());
    // RIS does not reset what is not the program's: history, size, and data that the caller has not taken yet.
    grid().touch_all();
    if (on_alternate()) show_alternate(false);
    cursor_.pen = {}; // otherwise its background would stay
    erase_area({0, 0, rows(), columns()}, false);
    unmark_erased(2);
    below_.clear();
    history_.end_line();
    alternate_.reset();
    screen_ = &primary_;
    cursor_ = {};
    saved_ = {};
    modes_ = {};
    saved_modes_ = 0;
    reset_margins();
    reset_tabs();
    shape_ = cursor_shape::own;
    rectangular_attributes_ = guards_from_all_ = false;
    last_printed_ = 0;
    cluster_at_.reset();
    kitty_ = {};
    modified_ = {};
    palette_.reset_all();
    titles_ = {};
    title_stack_.clear();
    pen_stack_.clear();
    pictures_.clear();
    images_.clear();
    update_text_path();
    primary_.touch_all();
    scrolls_.clear(revision_);
}

std::size_t emulator::memory_bytes() const noexcept {
    std::size_t total = sizeof *this + primary_.memory_bytes() + history_.memory_bytes() + links_.memory_bytes();
    if (alternate_) total += alternate_->memory_bytes();
    for (const row& r : below_) total += r.memory_bytes();
    total += events_.memory_bytes() + answers_.capacity() + waiting_.capacity() * sizeof(waiting_answer) + string_.capacity() +
             scrolls_.memory_bytes() + marks_.memory_bytes();
    total += pictures_.memory_bytes() + images_.memory_bytes();
    for (const title_pair& t : title_stack_) total += sizeof t + t.title.capacity() + t.icon.capacity();
    return total + titles_.title.capacity() + titles_.icon.capacity() + pen_stack_.capacity() * sizeof(style);
}

} // namespace mux::vt
