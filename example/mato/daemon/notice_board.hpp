// SPDX-License-Identifier: MIT
/// @file notice_board.hpp: tells what tabs say to a person: as marks, as events, and to the terminal that was used last.
/// Threads: the io_context's.   Blocks: never.   Test: test/mato/attention_process_test.cpp.
///
/// Each tab has one notice a second told, with the number of those that it stands for. One timer serves the notices that wait,
/// of all tabs, and another one finds those that have fallen silent, if the configuration asks for that.
#pragma once

#include "state.hpp"

#include <asio/steady_timer.hpp>

#include <string>

namespace mux {

class notice_board {
public:
    explicit notice_board(daemon_state& state);

    /// A program has rung; its viewers know.
    void ring(tab_entry& which);
    /// Answers the requests that wait for this, and keeps it for those that a death of the process before interrupted.
    void came(tab_entry& which, tab_changed what);
    /// A program has sent OSC 9, 777 or 99.
    void read(tab_entry& which, const vt::event& notification);
    void tell(tab_entry& which, program_notice what);
    /// Its shell has sent OSC 133.
    void follow_command(tab_entry& which, const vt::event& mark);
    void say(tab_entry& which, said_state state, std::string note);

    /// Call it for each output; it costs three comparisons, and one more for each request that waits for a change.
    void note_output(tab_entry& which) {
        if (!which.came.last(tab_change::active) || state_.pending.awaits_change(which.program->id(), tab_change::active))
            came(which, {.what = tab_change::active});
        if (watches_silence_ && !which.is_active) await_silence(which);
    }
    /// Call it when the configuration has changed.
    void apply_settings();

private:
    void ask(tab_entry& which);
    void end_command(tab_entry& which, const command_watch::change& how);
    void publish(tab_entry& which, const told_notice& what);
    void pass(const tab_entry& which, const told_notice& what);
    /// The terminal that a person used last; null: no client shows a tab.
    [[nodiscard]] viewer* latest_viewer();
    void wait_for_held();
    void await_silence(tab_entry& which);
    void wait_for_silence();
    void find_silent();

    daemon_state& state_;
    asio::steady_timer held_, silence_;
    bool holds_ = false;           // `held_` runs
    bool awaits_silence_ = false;  // `silence_` runs
    bool watches_silence_ = false; // as configured
};

} // namespace mux
