// SPDX-License-Identifier: MIT
/// @file tab.hpp: one program in its terminal: its output kept, its input queued, its end handled.
/// Threads: the io_context's.   Blocks: never.
///
/// Reading never waits for a viewer; writing is a bounded queue. A tab that floods yields to the others: read_turns.hpp. What a
/// turn has read and had no time to interpret stays in `unread_`, and is interpreted before the next read.
#pragma once

#include "input_queue.hpp"
#include "program_paste.hpp"
#include "pty/process_tree.hpp"
#include "read_turns.hpp"
#include "tab_emulator.hpp"
#include "tab_options.hpp"
#include "tab_store.hpp"
#include "view/pacer.hpp"
#include "vt/terminal.hpp"

#include <mato/clock.hpp>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace mux {

/// Receives everything that a tab's emulator receives.
class tab_observer {
public:
    virtual void on_output(std::string_view bytes) = 0; ///< the emulator has them already
    virtual void on_resized() = 0;

protected:
    ~tab_observer() = default;
};

class tab : public std::enable_shared_from_this<tab> {
public:
    struct handlers {
        std::function<void(output_rate)> on_output;             ///< the emulator has new bytes
        std::function<void(std::vector<vt::event>&)> on_events; ///< titles, bells and other output that is not on the screen
        std::function<void(reply_target, std::size_t bytes)> on_input_taken; ///< one item is in the program's terminal
        std::function<void(reply_target, std::size_t taken)> on_input_lost;  ///< the program ended before it took all
        std::function<void()> on_ended; ///< the program is gone and all its output read; `exit_code` is set
        std::function<void(const mato::failure&)> on_not_kept; ///< `survive` was asked for, and is not so from here on
        std::function<void(int exit_code)> on_status;          ///< the program has ended; its status is not reaped yet
    };

    /// Without a terminal in `program` it is a tab of the past: `is_past`.
    tab(asio::io_context& context, spawned program, tab_options options);
    /// The tab that a process before this one had. `go_on` comes next.
    tab(asio::io_context& context, tab_remains left, tab_options options);
    /// As `start`. If the program has ended meanwhile, `on_ended` is called once its last output is read.
    void go_on(handlers callbacks);
    /// `note`, unless empty, is on the screen before the program's output: see `note`.
    void start(handlers callbacks, const std::string& note = {});
    /// As `start`, of a new program, once `on_ended` has returned. `clear` is shown before what it writes.
    void start_again(spawned program, std::string_view clear, handlers callbacks);

    /// Before `start`: shows what another tab has saved, with its history. @returns false: it is not from such a tab
    bool show_saved(std::string_view shown);
    /// What `show_saved` of a new tab takes; empty: more than `most` bytes, or its output must not be interpreted.
    [[nodiscard]] std::string save_shown(std::size_t most) const;

    /// Before `start`: shows what past_text of another tab has returned, or its raw output.
    void show_past(std::string_view text);
    /// It shows what an earlier daemon has saved, and has had no program since.
    [[nodiscard]] bool is_past() const noexcept { return is_past_; }

    /// Shows a line of mato's own, on its own row, whatever the program has left set.
    void note(std::string_view line);

    /// Asks whether the program has ended. After SIGCHLD.
    void check_child();
    /// The program has ended; it was started by a process before this one.
    void child_ended(int exit_code);

    /// HUP to everything the program started, KILL to what is left after `grace`; then `on_ended`.
    /// `now`: the same for tabs closed together, which then share a look at the processes.
    void close(mato::milliseconds grace, mato::clock::time_point now = mato::clock::now());
    /// KILL to everything, now; waits a moment for the kernel. For a daemon that is being forced out.
    void kill_now();

    /// False: the queue is full, or the program has ended.
    [[nodiscard]] bool type(reply_target from, std::string bytes);
    /// @returns bytes of the dropped items that the program had taken.
    std::size_t cancel_input(std::uint64_t client, std::optional<std::uint32_t> request) {
        const std::size_t taken = input_.cancel(client, request);
        note_unread_input();
        return taken;
    }

    /// The terminal of a client is within a paste, or no longer. @param client its pid
    void paste_begins(std::uint32_t client) {
        note_paste([&] { paste_.begins(client); });
    }
    void paste_ends(std::uint32_t client) {
        note_paste([&] { paste_.ends(client); });
    }
    [[nodiscard]] const program_paste& paste() const noexcept { return paste_; }
    /// What the program was sent, with what it has not read yet, ends within a paste.
    [[nodiscard]] bool ends_in_paste() const { return paste_.is_open_after(input_.typed()); }
    /// That client, or with 0 the one of an earlier process, does not go on with its paste. If no other one does, the program
    /// gets the end mark that it has not got.
    void give_up_paste(std::uint32_t client);

    // For the program of an upgrade:
    [[nodiscard]] std::string typed_input() const { return input_.typed(); } ///< that the program has not read
    /// Calls `act(sender, taken)` for each `send` that the program has not read completely.
    template <class Act> void for_each_unread_send(Act act) const { input_.for_each_send(std::move(act)); }
    /// What a tab without an emulator can show, at most the newest `most` bytes; of others nothing.
    [[nodiscard]] std::string raw_output(std::size_t most = ~std::size_t{0}) const;
    /// Before `go_on`: shows that again.
    void replay(std::string_view raw_output); ///< by an emulator too, if it has one again
    void idle_since(mato::clock::time_point when) noexcept { last_output_ = when; }

    /// At most one; null removes it. It must live until it is removed.
    void observe(tab_observer* observer) noexcept {
        observer_ = observer;
        if (is_kept_) store_->is_recorded(observer != nullptr);
        if (ring_ && !is_ring_new_) ring_->is_recorded(observer != nullptr);
    }
    /// Bytes of output that the observer has had, or would have had: ever, of a tab that is kept.
    [[nodiscard]] std::uint64_t output_bytes() const noexcept;
    /// After another process has died: what of its output this one has interpreted again, if it was observed. Once.
    [[nodiscard]] std::string take_replayed();

    /// What its viewers can show; a tab without emulator passes all.
    void know_pictures(vt::picture_protocols known);
    /// What its program may be told of the terminal that shows it. Colours that are null leave those known before.
    void know_host(vt::host_terminal known);
    /// For the program, as from the terminal itself: a report. Nothing when it does not take what it is sent.
    void report(std::string bytes);
    /// Unless `none`, the tab has no emulator until it is started again.
    [[nodiscard]] quarantine cause() const noexcept { return cause_; }
    [[nodiscard]] bool is_quarantined() const noexcept { return cause_ != quarantine::none; }
    /// Before `start_again`: it has an emulator again.
    void leave_quarantine();
    /// Bytes of its output that were not interpreted because they had killed the process before.
    [[nodiscard]] std::size_t left_out() const noexcept { return store_ ? store_->left_out() : 0; }
    /// What the process that died had said last of this tab.
    [[nodiscard]] const tab_store::last_words& found() const noexcept { return found_; }
    /// The memory file that another process can restore the tab from; null: there is none.
    [[nodiscard]] const tab_store* store() const noexcept { return is_kept_ ? store_.get() : nullptr; }
    /// The same without an emulator.
    [[nodiscard]] const raw_store* ring() const noexcept { return ring_.get(); }
    /// The ring was made by this process, for a tab of an earlier one. The keeper does not have it yet.
    [[nodiscard]] bool is_ring_new() const noexcept { return is_ring_new_; }
    /// Its output is in memory that counts it through all processes.
    [[nodiscard]] bool counts_all_output() const noexcept { return store() || (ring_ && !is_ring_new_); }
    /// Of a tab that was taken back: why what it showed before is lost; no error: it is not.
    [[nodiscard]] const mato::failure& lost() const noexcept { return lost_; }
    /// What the program writes is not kept from here on: the memory file is full, or has no keeper. `on_not_kept` tells why.
    void give_up_store(mato::failure why);
    /// The terminal of its program; -1 once that has ended.
    [[nodiscard]] int terminal() const noexcept;
    /// Images over a bound since the last call.
    [[nodiscard]] std::uint64_t take_refused_images() noexcept;

    /// At most one SIGWINCH per `resize_gap`; the last size wins.
    void resize(terminal_size size);
    /// Does not wait longer: what is typed afterwards is read by a program that knows the new size.
    void finish_resize() { apply_size(); }

    [[nodiscard]] tab_id id() const noexcept { return id_; }
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    /// Whether that child is this tab's to reap, now or once it has ended.
    [[nodiscard]] bool owns(pid_t child) const noexcept { return child == pid_ && is_own_child_ && !reaped_; }
    [[nodiscard]] const std::string& command() const noexcept { return options_.command; }
    /// Those it was opened with.
    [[nodiscard]] const tab_options& options() const noexcept { return options_; }
    /// What starts it as it was started, in the size it has now.
    [[nodiscard]] spawn_request program() const;
    /// The one it has; the other is null.
    [[nodiscard]] const vt::terminal* screen() const noexcept { return std::get_if<vt::terminal>(&emulator_); }
    [[nodiscard]] const raw_emulator* bytes() const noexcept { return std::get_if<raw_emulator>(&emulator_); }
    [[nodiscard]] emulator_kind emulator() const noexcept { return screen() ? emulator_kind::vt : emulator_kind::raw; }
    [[nodiscard]] vt::screen_size size() const noexcept { return wanted_size_.cells; }
    [[nodiscard]] const terminal_size& dimensions() const noexcept { return wanted_size_; }
    [[nodiscard]] bool is_running() const noexcept { return !ended_; }
    [[nodiscard]] bool is_closing() const noexcept { return closing_; }
    /// After `on_ended`: how many processes KILL did not end in time.
    [[nodiscard]] std::size_t survivors() const noexcept { return survivors_; }
    [[nodiscard]] int exit_code() const noexcept { return exit_code_; } ///< the program's, or 128 + signal
    [[nodiscard]] mato::clock::time_point last_output() const noexcept { return last_output_; }
    [[nodiscard]] std::string directory() const; ///< of the foreground program; of a tab of the past, where it starts
    /// Where its program is started again: the directory of a shell now, else the one that the program was started in.
    [[nodiscard]] std::string start_directory() const;
    /// A program that the tab's own has started is in the foreground: a shell runs a command.
    [[nodiscard]] bool has_foreground_program() const;
    [[nodiscard]] std::size_t memory_bytes() const noexcept;

    /// The emulator's time and the loop's.
    [[nodiscard]] static vt::moment moment_of(mato::clock::time_point when) noexcept {
        return std::chrono::duration_cast<vt::moment>(when.time_since_epoch());
    }
    [[nodiscard]] static mato::clock::time_point time_of(vt::moment when) noexcept {
        return mato::clock::time_point(std::chrono::duration_cast<mato::clock::duration>(when));
    }

private:
    void wait_for_output();
    void wait_until(mato::clock::time_point when);
    void serve();
    enum class reading : std::uint8_t { more, all, hung_up };
    reading read_output(std::size_t most);
    void set_rate(output_rate now) noexcept;
    [[nodiscard]] char* place_of_read(char* otherwise);
    void count_read(std::size_t n) noexcept;
    void take_ring(mato::unique_fd file);
    void checkpoint();
    void feed(std::string_view bytes);
    enum class source : std::uint8_t { program, mato };
    std::size_t feed_some(std::string_view bytes, mato::clock::time_point now, source from);
    void drain();
    void finish_end();
    void send_answers();
    void note_unread_input() noexcept;
    template <class Change> void note_paste(Change change);
    void feed_as_output(std::string_view bytes);
    void write_input();
    void apply_size();
    void watch_closing();
    /// A handler: does nothing after an error, nor when another program was started meanwhile.
    template <class Act> auto in_this_run(Act act);
    bool reap();
    [[nodiscard]] bool is_child_lost();
    void restore_size();
    void signal_members(int signal);
    [[nodiscard]] bool are_members_gone();
    void end();

    static constexpr std::size_t most_drained = 4 * read_turns::turn_bytes; // bytes: another program may write for ever
    static constexpr mato::milliseconds resize_gap{50}; // a dragged window sends dozens a second; programs redraw on each
    static constexpr mato::milliseconds reopen_gap{
        100}; // a program that has closed its terminal and still runs: rare, so it may cost a poll
    static constexpr mato::milliseconds look_again{10};        // while closing: how late an empty session may be noticed
    static constexpr mato::milliseconds status_patience{2000}; // for the status of a child that the keeper has reaped
    static constexpr int unknown_exit_code = 255;              // how the program ended is not known
    static constexpr mato::milliseconds kill_patience{2000};   // after KILL: only a process stuck in the kernel takes longer

    const tab_id id_;
    pid_t pid_;
    std::uint32_t run_ = 0; // counts programs
    const tab_options options_;
    asio::posix::stream_descriptor terminal_;
    asio::steady_timer resize_timer_, close_timer_, rest_timer_;
    vt::history_limits history_;
    mato::failure not_kept_, lost_;
    std::unique_ptr<tab_store> store_; // before the emulator, whose history is in it
    std::unique_ptr<raw_store> ring_;  // the same of a tab without an emulator
    tab_emulator emulator_;
    vt::picture_protocols known_pictures_;
    std::shared_ptr<const vt::host_colours> host_colours_; // of the terminal that showed it last
    input_queue input_;
    program_paste paste_;
    handlers callbacks_;
    tab_observer* observer_ = nullptr;
    terminal_size wanted_size_, applied_size_;
    mato::clock::time_point last_output_, last_resize_{}, last_typed_{}, closed_at_{}, kill_at_{};
    std::vector<process_id> members_; // while closing: what must go
    std::size_t survivors_ = 0;
    int exit_code_ = 0;
    std::uint64_t refused_images_ = 0; // reported already
    std::string unread_;               // read from the terminal, not yet interpreted: at most one read
    std::size_t uninterpreted_ = 0;    // bytes in the store's journal that the emulator has not had
    std::size_t drained_ = 0;          // bytes read since the program's end
    static inline read_turns turns_;   // one daemon, one thread
    static inline process_table processes_;
    mato::clock::time_point missed_since_{}; // a child of another process: when it was first not there
    bool is_own_child_ = true;
    bool is_kept_ = false;
    bool is_past_ = false;
    quarantine cause_ = quarantine::none;
    bool is_ring_new_ = false;
    tab_store::last_words found_;
    bool checkpoint_due_ = false; // an input that is no output came while `uninterpreted_` was not 0
    output_rate rate_ = output_rate::ordinary;
    bool writing_ = false, ended_ = false, ending_ = false, closing_ = false, reaped_ = false;
};

// ---- implementation ----

template <class Change> void tab::note_paste(Change change) {
    const std::uint64_t before = paste_.word();
    change();
    if (is_kept_ && paste_.word() != before) store_->pastes(paste_.word());
}

template <class Act> auto tab::in_this_run(Act act) {
    return [self = shared_from_this(), run = run_, act](std::error_code why) {
        if (!why && run == self->run_) act(*self);
    };
}

} // namespace mux
