// SPDX-License-Identifier: MIT
#include "tab.hpp"

#include "shell.hpp"

#include <mato/sys_process.hpp>

#include <termios.h>

#include <asio/post.hpp>

#include <algorithm>
#include <utility>

namespace mux {

namespace sys = mato::sys;

namespace {

int exit_code_of(int status) noexcept { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

} // namespace

tab::tab(asio::io_context& context, spawned program, tab_options options)
    : id_(options.id), pid_(program.pid), options_(std::move(options)), terminal_(context), resize_timer_(context),
      close_timer_(context), rest_timer_(context), history_(history_limits_of(options_)),
      store_(make_store(options_, history_, not_kept_)), ring_(make_ring(options_, not_kept_)),
      emulator_(make_emulator(options_, history_, ring_.get())), known_pictures_(all_pictures), input_(options_.input_bytes),
      wanted_size_(options_.size), applied_size_(options_.size), last_output_(mato::clock::now()), is_kept_(store_ != nullptr) {
    is_past_ = !program.terminal;
    if (is_past_)
        ended_ = reaped_ = true, exit_code_ = unknown_exit_code;
    else
        terminal_.assign(program.terminal.release());
    checkpoint();
}

void tab::start(handlers callbacks, const std::string& line) {
    callbacks_ = std::move(callbacks);
    if (not_kept_ && callbacks_.on_not_kept) callbacks_.on_not_kept(not_kept_);
    if (!line.empty()) note(line);
    wait_for_output();
}

void tab::note(std::string_view line) {
    std::string bytes = "\x18\033[m"; // CAN ends a sequence that was cut
    if (const vt::terminal* const seen = screen()) {
        const vt::position at = seen->cursor().at; // which DECSTBM moves
        bytes.append("\033[?6l\033[r\033[").append(std::to_string(at.row + 1)).append(";1H");
        if (at.column > 0) bytes += "\r\n";
    } else {
        bytes += "\r\n";
    }
    feed(bytes.append(line).append("\r\n"));
    checkpoint();
}

void tab::start_again(spawned program, std::string_view clear, handlers callbacks) {
    ++run_;
    pid_ = program.pid;
    is_own_child_ = true;
    terminal_.assign(program.terminal.release());
    ended_ = ending_ = closing_ = reaped_ = writing_ = is_past_ = false;
    unread_.clear();
    note_paste([&] { paste_ = {}; }); // another program has not got its begin
    uninterpreted_ = 0;
    exit_code_ = 0;
    survivors_ = 0;
    members_.clear();
    last_output_ = mato::clock::now();
    callbacks_ = std::move(callbacks);
    if (applied_size_ != wanted_size_) apply_size(); // asked for while there was no program
    feed_as_output(clear);
    checkpoint();
    if (observer_) observer_->on_output(clear);
    if (callbacks_.on_output) callbacks_.on_output(output_rate::ordinary);
    wait_for_output();
}

spawn_request tab::program() const {
    spawn_request again = options_.program;
    again.size = wanted_size_;
    return again;
}

void tab::wait_for_output() {
    if (!terminal_.is_open()) return;
    auto act = in_this_run([](tab& self) {
        if (!self.ended_ && !self.ending_) self.serve();
    });
    if (!unread_.empty())
        return asio::post(terminal_.get_executor(), [act]() mutable { act({}); }); // others have their turn first
    terminal_.async_wait(asio::posix::stream_descriptor::wait_read, std::move(act));
}

void tab::wait_until(mato::clock::time_point when) {
    rest_timer_.expires_at(when);
    rest_timer_.async_wait(in_this_run([](tab& self) {
        if (!self.ended_) self.wait_for_output();
    }));
}

void tab::serve() {
    if (rate_ == output_rate::flood) {
        const auto now = mato::clock::now();
        const bool is_typed_in = now - last_typed_ < read_turns::typing;
        if (const auto next = turns_.next(now); next > now && !is_typed_in) return wait_until(next);
    }
    if (read_output(turns_.share()) != reading::hung_up) return wait_for_output();
    // EIO: no program has the terminal open now. Usually the child is ending; if it is not, one may open it again, and a
    // hung-up descriptor is always "readable", so it is asked now and then instead.
    check_child();
    if (!ended_ && !ending_) wait_until(mato::clock::now() + reopen_gap);
}

/// One turn: what there is, within so many bytes and the time a turn may take.
tab::reading tab::read_output(std::size_t most) {
    static char buffer[32u << 10]; // one thread; a pty gives 4 KiB a read
    // An echo, a prompt: to ask for more of it is a call for nothing, and one that waits for the kernel's worker.
    constexpr std::size_t all_there_was = 256;
    auto now = mato::clock::now();
    const auto until = now + turns_.time_share();
    std::size_t total = 0;
    reading found = reading::more;
    do {
        const std::string before = std::exchange(unread_, {});
        std::string_view bytes = before;
        if (bytes.empty()) {
            char* const to = place_of_read(buffer);
            const ssize_t got = sys::read(terminal_.native_handle(), to, to == buffer ? sizeof buffer : tab_store::most_read);
            if (got <= 0) {
                found = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? reading::all : reading::hung_up;
                break;
            }
            bytes = {to, static_cast<std::size_t>(got)};
            if (to != buffer) count_read(bytes.size());
        }
        const bool was_all = before.empty() && bytes.size() <= all_there_was && !ending_;
        do {
            const std::size_t taken = feed_some(bytes, now, source::program);
            if (observer_) observer_->on_output(bytes.substr(0, taken));
            bytes.remove_prefix(taken);
            total += taken;
            now = mato::clock::now();
        } while (!bytes.empty() && now < until);
        unread_ = bytes;
        if (unread_.empty() && was_all) {
            found = reading::all;
            break;
        }
    } while (total < most && now < until);
    set_rate(found == reading::more ? output_rate::flood : output_rate::ordinary);
    if (total > 0) {
        last_output_ = now;
        if (callbacks_.on_output) callbacks_.on_output(rate_);
    }
    drained_ += total;
    return found;
}

void tab::set_rate(output_rate now) noexcept {
    if (std::exchange(rate_, now) == now) return;
    now == output_rate::flood ? turns_.flood_begins() : turns_.flood_ends();
}

/// Of mato itself, not of the program.
void tab::feed(std::string_view bytes) {
    while (!bytes.empty()) bytes.remove_prefix(feed_some(bytes, mato::clock::now(), source::mato));
}

/// Of mato itself, and counted as the program's.
void tab::feed_as_output(std::string_view bytes) {
    char* const to = place_of_read(nullptr);
    if (!to) return feed(bytes);
    bytes.copy(to, bytes.size());
    count_read(bytes.size());
    while (!bytes.empty()) bytes.remove_prefix(feed_some(bytes, mato::clock::now(), source::program));
}

/// @returns bytes taken: all, or those that one look at the clock is worth
std::size_t tab::feed_some(std::string_view bytes, mato::clock::time_point now, source from) {
    if (auto* const raw = std::get_if<raw_emulator>(&emulator_)) {
        if (!ring_ || from == source::mato) raw->feed(bytes); // else it was read into the ring
        return bytes.size();
    }
    vt::terminal& screen = std::get<vt::terminal>(emulator_);
    if (is_kept_ && from == source::program) store_->feeds_from(bytes.size());
    const std::size_t taken = screen.feed_some(bytes, moment_of(now), read_turns::work_between_looks);
    if (is_kept_ && from == source::program) store_->effects_until(uninterpreted_ = bytes.size() - taken);
    send_answers();
    if (auto events = screen.take_events(); !events.empty() && callbacks_.on_events) callbacks_.on_events(events);
    return taken;
}

void tab::send_answers() {
    if (std::string answers = std::get<vt::terminal>(emulator_).take_answers(); !answers.empty()) report(std::move(answers));
}

void tab::report(std::string bytes) {
    if (ended_ || ending_ || closing_) return;
    // A program that asks and does not read loses answers, as on any terminal.
    if (!input_.push({}, std::move(bytes))) return;
    note_unread_input();
    if (!writing_) write_input();
}

void tab::know_host(vt::host_terminal known) {
    auto* const screen = std::get_if<vt::terminal>(&emulator_);
    if (!screen) return;
    if (!known.colours) known.colours = host_colours_;
    host_colours_ = known.colours;
    screen->know_host(std::move(known));
    send_answers();
}

std::size_t tab::memory_bytes() const noexcept {
    const std::size_t emulated = screen() ? screen()->memory_bytes() : bytes()->memory_bytes();
    const std::size_t kept = (store_ ? store_->memory_bytes() : 0) + (ring_ ? ring_->memory_bytes() : 0);
    return emulated + kept + input_.memory_bytes() + sizeof *this;
}

void tab::know_pictures(vt::picture_protocols known) {
    auto* const screen = std::get_if<vt::terminal>(&emulator_);
    if (!screen || std::exchange(known_pictures_, known) == known) return;
    screen->know_pictures(known);
    checkpoint();
}

int tab::terminal() const noexcept {
    auto& handle = const_cast<asio::posix::stream_descriptor&>(terminal_); // native_handle() is not const in asio
    return handle.is_open() ? handle.native_handle() : -1;
}

std::uint64_t tab::take_refused_images() noexcept {
    const std::uint64_t now = screen() ? screen()->refused_images() : 0;
    return now - std::exchange(refused_images_, now);
}

bool tab::type(reply_target from, std::string bytes) {
    if (ended_ || ending_ || closing_ || !input_.push(from, std::move(bytes))) return false;
    if (from.request == 0) turns_.typed(last_typed_ = mato::clock::now());
    note_unread_input();
    if (!writing_) write_input();
    return true;
}

void tab::give_up_paste(std::uint32_t client) {
    const bool is_anothers = paste_.client() != 0 && paste_.client() != client;
    if (is_anothers && !(client == 0 && paste_.is_away())) return;
    paste_ends(paste_.client());
    const vt::terminal* const shown = screen();
    if (shown && shown->is_set(vt::mode::bracketed_paste) && ends_in_paste()) report(std::string(program_paste::end_mark));
}

/// For the process after this one, which cannot type it: it may have been typed already.
void tab::note_unread_input() noexcept {
    if (is_kept_) store_->input_waits(input_.bytes());
    if (ring_) ring_->input_waits(input_.bytes());
}

void tab::write_input() {
    writing_ = false;
    std::size_t total = 0;
    while (!ended_ && !input_.empty() && total < read_turns::turn_bytes) {
        const auto bytes = input_.front();
        const ssize_t took = bytes.empty() ? 0 : sys::write(terminal_.native_handle(), bytes.data(), bytes.size());
        if (took < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
            return; // EIO: no process has it open; the senders are answered at the end
        if (took < 0) break;
        total += static_cast<std::size_t>(took);
        note_paste([&] { paste_.passed(bytes.substr(0, static_cast<std::size_t>(took))); });
        input_.taken(static_cast<std::size_t>(took), [&](reply_target from, std::size_t size) {
            if (callbacks_.on_input_taken) callbacks_.on_input_taken(from, size);
        });
    }
    note_unread_input();
    if (input_.empty() || ended_) return;
    writing_ = true;
    terminal_.async_wait(asio::posix::stream_descriptor::wait_write, in_this_run([](tab& self) { self.write_input(); }));
}

void tab::resize(terminal_size size) {
    wanted_size_ = size;
    wanted_size_.cells = {std::max(size.cells.rows, 1), std::max(size.cells.columns, 1)};
    if (wanted_size_ == applied_size_ || (ended_ && !is_past_)) return;
    const auto due = last_resize_ + resize_gap;
    if (mato::clock::now() >= due) return apply_size();
    resize_timer_.expires_at(due);
    resize_timer_.async_wait(in_this_run([](tab& self) { self.apply_size(); }));
}

void tab::apply_size() {
    if ((ended_ && !is_past_) || wanted_size_ == applied_size_) return;
    applied_size_ = wanted_size_;
    last_resize_ = mato::clock::now();
    std::error_code gone; // a terminal whose program has just ended: the end follows
    mux::resize(terminal(), applied_size_, gone);
    if (auto* const screen = std::get_if<vt::terminal>(&emulator_)) {
        screen->set_cell_size(applied_size_.cell);
        screen->resize(applied_size_.cells);
        send_answers(); // mode 2048
        checkpoint();
        if (callbacks_.on_output) callbacks_.on_output(output_rate::ordinary);
    }
    if (observer_) observer_->on_resized();
}

/// Reaps this tab's own child, by its number.
bool tab::reap() {
    if (reaped_) return true;
    if (!is_own_child_) return is_child_lost();
    int status = 0;
    const pid_t got = sys::look_at_child(pid_, &status);
    if (got == 0) return false;
    reaped_ = true; // ECHILD too: another process took the status, and the child is gone
    if (got != pid_) return true;
    exit_code_ = exit_code_of(status);
    if (callbacks_.on_status) callbacks_.on_status(exit_code_);
    sys::waitpid(pid_, &status, WNOHANG);
    return true;
}

void tab::check_child() {
    // While closing the child stays unreaped until its session is empty: its number must not pass to a stranger.
    if (!ended_ && !ending_ && !closing_ && reap()) end();
}

/// The last line is in the terminal still; it may take turns, as before.
void tab::end() {
    if (ended_ || ending_) return;
    ending_ = true;
    drained_ = 0;
    rest_timer_.cancel();
    drain();
}

void tab::drain() {
    if (read_output(turns_.share()) != reading::more || drained_ >= most_drained) return finish_end();
    asio::post(terminal_.get_executor(), [act = in_this_run([](tab& self) { self.drain(); })]() mutable { act({}); });
}

void tab::finish_end() {
    ended_ = true;
    set_rate(output_rate::ordinary);
    std::error_code ignored;
    terminal_.close(ignored);
    resize_timer_.cancel();
    close_timer_.cancel();
    rest_timer_.cancel();
    const auto callbacks = std::exchange(callbacks_, {});
    input_.clear([&](reply_target from, std::size_t taken) {
        if (callbacks.on_input_lost) callbacks.on_input_lost(from, taken);
    });
    if (callbacks.on_ended) callbacks.on_ended();
}

void tab::close(mato::milliseconds grace, mato::clock::time_point now) {
    if (ended_ || closing_) return;
    closing_ = true;
    if (ending_) return; // what it wrote last is being read
    closed_at_ = now;
    kill_at_ = now + grace;
    processes_.look(now);
    members_ = processes_.members_of(pid_, {});
    signal_members(SIGHUP);
    signal_members(SIGCONT); // a stopped program cannot act on the hang-up
    watch_closing();
}

/// Where processes cannot be seen, its own child leads a group of that number, which no other group has until the child is
/// reaped and the group empty.
void tab::signal_members(int signal) {
    signal_each(members_, signal);
    if (processes_.is_blind()) sys::kill(-pid_, signal);
}

bool tab::are_members_gone() {
    if (!processes_.is_blind()) return members_.empty() && reap();
    return reap() && sys::kill(-pid_, 0) == -1 && errno == ESRCH;
}

void tab::watch_closing() {
    constexpr int looking_share = 8; // of the time, at most one part of so many
    const auto now = mato::clock::now();
    processes_.look(std::max(closed_at_, now - std::max<mato::clock::duration>(look_again, looking_share * processes_.cost())));
    members_ = processes_.members_of(pid_, members_);
    if (are_members_gone()) return end();
    if (now >= kill_at_) signal_members(SIGKILL);
    // A group has a number until its dead are reaped, by an init that may be slow; KILL leaves no doubt about them.
    if (now >= kill_at_ && processes_.is_blind() && reap()) return end();
    if (now >= kill_at_ + kill_patience) {
        survivors_ = std::max<std::size_t>(members_.size(), 1);
        return end();
    }
    close_timer_.expires_after(look_again);
    close_timer_.async_wait(in_this_run([](tab& self) { self.watch_closing(); }));
}

void tab::kill_now() {
    if (ended_) return;
    closing_ = true;
    const auto until = mato::clock::now() + kill_patience;
    do {
        processes_.look(mato::clock::now());
        members_ = processes_.members_of(pid_, members_);
        signal_members(SIGKILL);
        sys::sleep_ms(1);
    } while (!are_members_gone() && mato::clock::now() < until);
}

std::string tab::directory() const {
    pid_t foreground = 0;
    if (!ended_ && sys::ioctl(terminal(), TIOCGPGRP, &foreground) == 0 && foreground > 0)
        if (auto found = working_directory(foreground); !found.empty()) return found;
    if (is_past_) return options_.program.directory;
    return ended_ ? std::string() : working_directory(pid_);
}

std::string tab::start_directory() const {
    std::string now = ended_ || !is_shell(command()) ? std::string() : working_directory(pid_);
    return now.empty() ? options_.program.directory : now;
}

bool tab::has_foreground_program() const {
    pid_t foreground = 0;
    return !ended_ && sys::ioctl(terminal(), TIOCGPGRP, &foreground) == 0 && foreground > 0 && foreground != pid_;
}

} // namespace mux
