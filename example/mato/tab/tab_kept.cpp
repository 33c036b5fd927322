// SPDX-License-Identifier: MIT
// The part of a tab that outlives its process: its store, and going on with what an earlier process left.
#include "tab.hpp"

#include "tab_emulator.hpp"
#include "view/mirror.hpp"

#include <mato/sys.hpp>

#include <asio/post.hpp>

#include <utility>

namespace mux {

namespace sys = mato::sys;

tab::tab(asio::io_context& context, tab_remains left, tab_options options)
    : id_(options.id), pid_(left.pid), options_(std::move(options)), terminal_(context), resize_timer_(context),
      close_timer_(context), rest_timer_(context), history_(history_limits_of(options_)),
      store_(adopt_store(std::move(left.store), options_, history_, not_kept_)),
      emulator_(make_emulator(options_, history_, nullptr)), known_pictures_(all_pictures), input_(options_.input_bytes),
      wanted_size_(options_.size), applied_size_(options_.size), last_output_(mato::clock::now()), is_own_child_(false),
      is_kept_(store_ != nullptr), is_past_(left.is_past) {
    const auto now = moment_of(last_output_);
    const bool is_restored = store_ && store_->restore(std::get<vt::terminal>(emulator_), now, left.signal, not_kept_);
    if (store_) found_ = store_->found(), paste_ = program_paste::of(found_.paste);
    cause_ = left.cause;
    if (cause_ == quarantine::none && !is_restored && not_kept_ && !had_no_store(not_kept_))
        cause_ = store_ && tab_store::is_quarantined(not_kept_) ? quarantine::poison : quarantine::unreadable;
    if (!is_restored) lost_ = not_kept_;
    if (is_quarantined()) { // the store stays as it is, for another program
        emulator_.emplace<raw_emulator>(options_.replay_bytes);
        store_.reset();
        not_kept_ = {};
        is_kept_ = false;
    }
    if (bytes()) take_ring(std::move(left.ring));
    if (left.terminal) terminal_.assign(left.terminal.release());
    restore_size();
    if (auto* const screen = std::get_if<vt::terminal>(&emulator_)) screen->know_pictures(known_pictures_);
    checkpoint();
    if (left.exit_code) reaped_ = true, exit_code_ = *left.exit_code;
    if (!terminal_.is_open()) ended_ = true;
}

/// What the tab shows without an emulator: what an earlier process has read, or nothing yet.
void tab::take_ring(mato::unique_fd file) {
    if (!options_.survive) return;
    const bool is_left = static_cast<bool>(file);
    if (is_left) ring_ = raw_store::adopt(std::move(file), lost_);
    if (!is_left && !is_quarantined())
        lost_ = {std::make_error_code(std::errc::no_such_file_or_directory),
                 "restore the output of a tab",
                 {},
                 "the earlier process had no memory file for it"};
    is_ring_new_ = !ring_;
    if (!ring_) ring_ = raw_store::create(options_.replay_bytes, not_kept_);
    if (!ring_) return;
    if (!is_ring_new_) {
        found_.unread_input = ring_->unread_input();
        found_.was_recorded = ring_->was_recorded();
    }
    ring_->input_waits(0);
    emulator_.emplace<raw_emulator>(options_.replay_bytes, *ring_);
}

/// The program's terminal has a size, and so has the screen: the process before may have died between setting the two.
void tab::restore_size() {
    auto* const screen = std::get_if<vt::terminal>(&emulator_);
    if (terminal_.is_open())
        if (const auto own = size_of(terminal_.native_handle())) applied_size_ = *own;
    if (!terminal_.is_open() && screen) applied_size_.cells = screen->size();
    wanted_size_ = applied_size_;
    if (screen && screen->size() != applied_size_.cells) screen->resize(applied_size_.cells);
}

void tab::leave_quarantine() {
    tab_options now = options_;
    now.size = wanted_size_;
    history_ = history_limits_of(now);
    store_ = make_store(now, history_, not_kept_);
    auto& screen = emulator_.emplace<vt::terminal>(terminal_options_of(now, history_));
    screen.know_pictures(known_pictures_);
    screen.set_cell_size(wanted_size_.cell);
    is_kept_ = store_ != nullptr;
    cause_ = quarantine::none;
    ring_.reset();
    is_ring_new_ = false;
    checkpoint();
}

std::uint64_t tab::output_bytes() const noexcept {
    if (is_kept_) return store_->output_bytes() - uninterpreted_;
    return bytes() ? bytes()->end() : 0;
}

std::string tab::take_replayed() {
    if (store_) return store_->take_replayed();
    return ring_ && !is_ring_new_ && found_.was_recorded ? ring_->all() : std::string();
}

std::string tab::raw_output(std::size_t most) const {
    std::string all;
    const raw_emulator* const kept = bytes();
    for (std::uint64_t at = kept ? kept->replay_begin(most) : 0; kept && at < kept->end();) {
        const auto part = kept->from(at, static_cast<std::size_t>(kept->end() - at));
        all += part;
        at += part.size();
    }
    return all;
}

std::string tab::save_shown(std::size_t most) const {
    if (is_quarantined()) return {};
    if (bytes()) return raw_output();
    const vt::terminal& shown = *screen();
    std::string all = shown.memory_bytes() <= 2 * most ? shown.save() : std::string(); // text is smaller when it is saved
    return all.size() <= most ? all : std::string();
}

bool tab::show_saved(std::string_view shown) {
    if (auto* const raw = std::get_if<raw_emulator>(&emulator_)) return raw->feed(shown), true;
    vt::terminal& screen = std::get<vt::terminal>(emulator_);
    if (screen.restore(shown) != vt::snapshot_error::none) return false;
    screen.know_pictures(known_pictures_);
    screen.set_cell_size(wanted_size_.cell);
    if (screen.size() != wanted_size_.cells) screen.resize(wanted_size_.cells);
    // The next program has set nothing. The cursor stays, though what resets the region and its origin moves it.
    feed(screen.is_set(vt::mode::alternate_screen) ? "\x18\033[?1049l" : "\x18");
    const vt::position at = screen.cursor().at;
    feed(std::string(reset_sequence())
             .append("\033[")
             .append(std::to_string(at.row + 1))
             .append(";")
             .append(std::to_string(at.column + 1))
             .append("H"));
    checkpoint();
    return true;
}

void tab::show_past(std::string_view text) {
    feed(text);
    if (bytes()) // what the program has set would act on the line that follows, and on the keys
        feed(std::string("\x18").append(reset_sequence()).append(select_cursor_style(0)).append("\033[999;1H"));
    checkpoint();
}

void tab::replay(std::string_view raw_output) {
    if (raw_output.empty()) return;
    if (auto* const kept = std::get_if<raw_emulator>(&emulator_)) return kept->feed(raw_output);
    feed("\x18"); // it was quarantined: this came after what the store has, and may begin within a sequence
    feed(raw_output);
    checkpoint();
}

void tab::go_on(handlers callbacks) {
    callbacks_ = std::move(callbacks);
    if (not_kept_ && callbacks_.on_not_kept) callbacks_.on_not_kept(not_kept_);
    if (ended_) return;
    if (auto* const screen = std::get_if<vt::terminal>(&emulator_)) {
        send_answers();
        if (auto events = screen->take_events(); !events.empty() && callbacks_.on_events) callbacks_.on_events(events);
    }
    if (!reaped_) return wait_for_output();
    asio::post(terminal_.get_executor(), [act = in_this_run([](tab& self) { self.end(); })]() mutable { act({}); });
}

/// Where the next read puts what it gets: into the ring or the store's journal, else `otherwise`.
char* tab::place_of_read(char* otherwise) {
    if (ring_) return ring_->arm();
    if (!is_kept_) return otherwise;
    if (checkpoint_due_ || store_->is_due(std::get<vt::terminal>(emulator_))) checkpoint();
    char* const to = is_kept_ ? store_->arm() : nullptr;
    return to ? to : otherwise;
}

/// What was put there.
void tab::count_read(std::size_t n) noexcept {
    if (ring_) return ring_->commit(n);
    store_->commit(uninterpreted_ = n);
}

/// Makes the terminal's present state the one to be restored, once all that was read is interpreted.
void tab::checkpoint() {
    if (!is_kept_) return;
    checkpoint_due_ = uninterpreted_ > 0;
    if (checkpoint_due_) return;
    mato::failure why;
    if (!store_->checkpoint(std::get<vt::terminal>(emulator_), why) && store_->is_full()) give_up_store(std::move(why));
}

void tab::give_up_store(mato::failure why) {
    is_kept_ = false;
    if (store_) store_->abandon();
    if (ring_) { // on the heap from here on
        const std::string output = ring_->all();
        emulator_.emplace<raw_emulator>(bytes()->capacity()).feed(output);
        ring_.reset();
    }
    not_kept_ = std::move(why);
    if (callbacks_.on_not_kept) callbacks_.on_not_kept(not_kept_);
}

/// The keeper reaps the child of a process before this one, and says how it ended; unless it has died too.
bool tab::is_child_lost() {
    const auto now = mato::clock::now();
    if (sys::kill(pid_, 0) == 0 || errno != ESRCH)
        missed_since_ = {};
    else if (missed_since_ == mato::clock::time_point())
        missed_since_ = now;
    else if (now >= missed_since_ + status_patience) {
        exit_code_ = unknown_exit_code;
        reaped_ = true;
    }
    return reaped_;
}

void tab::child_ended(int exit_code) {
    if (is_own_child_ || reaped_) return;
    reaped_ = true;
    exit_code_ = exit_code;
    if (callbacks_.on_status) callbacks_.on_status(exit_code_);
    if (!ended_ && !ending_ && !closing_) end();
}

} // namespace mux
