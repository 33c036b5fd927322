// SPDX-License-Identifier: MIT
/// @file tab_programs.hpp: starts and ends tabs and their programs, and answers the clients that wait for that.
/// Threads: the io_context's.   Blocks: only while a program is started (spawn.hpp).
/// Test: test/mato/respawn_process_test.cpp, test/mato/close_tab_process_test.cpp.
#pragma once

#include "handed_over.hpp"
#include "past_saver.hpp"
#include "views.hpp"

#include <asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mux {

class tab_programs {
public:
    /// `on_removed`: a tab is removed, and all waiting requests are answered.
    tab_programs(daemon_state& state, views& screens, past_saver& saver, std::function<void()> on_removed)
        : state_(state), views_(screens), saver_(saver), on_removed_(std::move(on_removed)), recorders_(state.host.context()),
          closed_(state.host.context()) {
        state_.closed.on_forgotten = [this](tab_id id) { state_.kept.drop_closed(id); };
    }

    /// Opens a tab in a task, which is created if needed. Null: `why` names the step that failed.
    std::shared_ptr<tab> open(const new_tab& wanted, const std::string& task, mato::failure& why);
    /// As closed_tabs::find, of those whose time `undo_close` is not over.
    [[nodiscard]] const closed_tab* find_closed(std::string_view target, tab_id current);
    /// Opens a closed tab again, as it was, with its program started again. Null: `why` names the step that failed.
    std::shared_ptr<tab> reopen(tab_id id, mato::failure& why);
    /// Opens a tab of the process before this one again, with the program that runs in it.
    /// `handed`: what that process gave in addition; null: nothing, because it died.
    void take_back(const tab_place& place, tab_remains left, tab_options options, tab_record record,
                   const handed_over::tab_part* handed);
    /// Opens a tab that an earlier daemon has saved, without its program. `note` is shown after the text.
    std::shared_ptr<tab> show_past(const past_place& place, tab_options options, std::string_view text,
                                   const std::string& note);
    /// The last tab is closed: whether the daemon stays, because a person has closed a tab with a key and may want it back. If
    /// so, `on_removed` is called again when the time for that is over.
    [[nodiscard]] bool stays_for_undo();
    /// `undo_close` may have changed.
    void settings_changed() { forget_closed(); }
    /// Closed tabs of the process before this one, in any order.
    void take_back_closed(std::vector<closed_tab> all);
    /// Starts the program again in a tab whose program has ended. Its screen is cleared, its history stays; of a tab of the
    /// past all stays.
    void start_again(tab& ended, mato::failure& why);
    /// Ends the program, starts it again, then answers `who`. @pre it is running, and neither closing nor being respawned
    void respawn(tab& running, reply_target who);
    /// Ends the programs, within `stop_grace`, and then removes the tabs; tabs without a running program are removed
    /// immediately.
    void close(const std::vector<std::shared_ptr<tab>>& tabs);
    /// Call it after SIGCHLD: ends the tabs whose program has ended, and reaps orphans.
    void check_children();
    /// The program of a tab that was taken back has ended.
    void kept_child_ended(std::string_view name, mato::child_status status);

    /// Of a tab that was taken back: clients that recorded it come back, and get what they have not received. `handed`: of the
    /// program before; null: that died, or the tab was not recorded
    void go_on_recording(tab_id id, const handed_over::recorded_part* handed);

private:
    static constexpr std::chrono::seconds recorder_patience{10}; ///< for them; as a client waits for a process

    [[nodiscard]] tab::handlers handlers_of(tab_id id);
    [[nodiscard]] spawned start(spawn_request& request, std::string* note, mato::failure& why);
    void tell_not_kept(tab_id id, const mato::failure& why);
    void tell_of_output(tab& again, bool was_quarantined);
    std::shared_ptr<tab> add(spawned program, tab_options options, const tab_name& name, std::string note,
                             std::string_view shown);
    void remember_closed(const tab& closed, const tab_entry& entry, const tab_name& name);
    void forget_closed();
    void keep_ring(tab& again);
    void lift_quarantine(tab& ended);
    void on_output(tab_id id, output_rate rate);
    void on_input_lost(reply_target from, std::size_t taken);
    void on_ended(tab_id id);
    void finish_respawn(tab_id id);
    void remove(tab_id id);
    void reap_orphans();
    void end_recordings(tab_id id);
    void answer_output(tab_id id);

    daemon_state& state_;
    views& views_;
    past_saver& saver_;
    std::function<void()> on_removed_;
    asio::steady_timer recorders_; // that have not come back
    bool stays_for_undo_ = false;  // without a tab
    asio::steady_timer closed_;    // tabs that are to be forgotten
};

/// As users see it: 128 and the signal's number, if one ended the program.
[[nodiscard]] inline int exit_code_of(const mato::child_status& status) noexcept {
    return status.signal != 0 ? 128 + status.signal : status.exit_code;
}

} // namespace mux
