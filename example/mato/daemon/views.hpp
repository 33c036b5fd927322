// SPDX-License-Identifier: MIT
/// @file views.hpp: which client's terminal shows which tab: attaching, input, output, detaching.
/// Threads: the io_context's.   Blocks: never.   Test: test/mato/viewers_process_test.cpp, test/mato/attach_process_test.cpp.
///
/// The viewers of a tab determine its size and the image protocols of its terminal.
#pragma once

#include "bars.hpp"
#include "notice_board.hpp"
#include "state.hpp"

#include <asio/steady_timer.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mux {

/// `text` as it is typed into a tab: with carriage returns, and marked as a paste if its program has asked for that.
[[nodiscard]] std::string pasted_into(const tab& to, std::string text);

class views {
public:
    /// `on_action`: what a key after the prefix stands for, if the viewer does not handle it. The client has a screen.
    views(daemon_state& state, std::function<void(client&, const pressed_action&)> on_action)
        : state_(state), on_action_(std::move(on_action)), held_(state.host.context()), away_(state.host.context()),
          bars_(state, [this](client& watcher) { follow_bar(watcher); }), board_(state) {}

    // ---- for clients ----

    /// Uses the client's terminal directly if it passed a usable one, otherwise through the client.
    attachment_info attach(client& watcher, tab& shown, const view_options& options);
    /// Shows another tab on the same terminal. @pre attached
    void switch_to(client& watcher, tab& shown);
    /// Releases the terminal; no effect if it is not attached.
    void leave(client& watcher);
    /// Shows a notice in its terminal if it is read-only, alone, and too small for the tab.
    void tell_if_cut(client& watcher);
    /// Its keys reach the program or not, and its size counts or not.
    void set_access(client& watcher, viewer_access access);
    /// The bar of this client: on or off.
    void toggle_bar(client& watcher) { bars_.toggle(watcher); }
    /// Opens the list of all tabs over the shown one.
    void open_office(client& watcher);
    /// Opens the list of the hits for `typed` in all tabs, over the find row that it was asked for in.
    void open_find_list(client& watcher, std::string_view typed);
    /// Opens the row in which its user types a command.
    void open_command_prompt(client& watcher);
    /// What tabs say to a person who does not look at them.
    [[nodiscard]] notice_board& board() noexcept { return board_; }
    /// What this client's user should know of a tab.
    [[nodiscard]] bar_mark mark_of(const client& watcher, tab_id id) const { return bars_.mark_of(watcher, id); }
    /// While it is suspended, its size does not count.
    void suspend(client& watcher);
    void resume(client& watcher);
    /// The tab that this client showed before, or else the one used last; null: there is no other.
    [[nodiscard]] std::shared_ptr<tab> tab_before(const client& watcher) const;
    /// As `leave`; the client is told, and has its terminal back.
    void detach(client& watcher, message why);
    void resize_terminal(client& watcher, vt::screen_size size);
    /// Types `text` as a terminal pastes it. @returns false if the program accepts no input. @pre the client may type
    bool paste(client& from, std::string text);
    /// After a death of the daemon's process: sizes stay for so long, or until all clients are back.
    void hold_sizes();
    /// After tabs were taken back: pastes wait for their clients, for a while. What was lost of one may have been its end.
    void hold_pastes();
    /// Applies the current settings to all viewers and all tabs.
    void apply_settings();

    // ---- for tabs ----

    /// Sets the tab's size, regardless of its viewers.
    void fix_size(tab_entry& which, vt::screen_size size);
    /// The viewers decide its size again.
    void free_size(tab_entry& which);
    void on_output(tab_id id, output_rate rate);
    /// The tab has another emulator: its viewers begin again.
    void show_again(tab& shown);
    /// Events of its program, other than output; also reported to clients that follow events.
    void on_events(tab_id id, const std::vector<vt::event>& events);
    /// The program has read typed input.
    void on_typed_taken(std::uint64_t client, std::size_t bytes);
    /// The program has ended: unread input is lost.
    void forget_typed(tab_id id);
    /// The tab is removed: its viewers get all of its output, then switch to the tab they showed before, or detach.
    void end(tab& ended);

private:
    [[nodiscard]] std::unique_ptr<outlet> open_outlet(client& watcher, bool passes_terminal);
    [[nodiscard]] viewer::handlers handlers_of(std::uint64_t id);
    [[nodiscard]] viewer_keys keys_now();
    bool type(client& from, std::string_view bytes);
    bool type_into(client& from, tab_entry& to, std::string_view bytes);
    [[nodiscard]] std::string type_key(std::uint64_t client, tab_id to, const key_event& key);
    void press_past(const client& from, std::string_view bytes);
    void fit(tab_entry& shown);
    void show_tab(client& watcher, tab& shown, std::optional<std::uint64_t> activity);
    /// Its bar has appeared or disappeared.
    void follow_bar(client& watcher);
    /// Cells of its terminal that are for the tab.
    [[nodiscard]] vt::screen_size area_of(const client& watcher, const tab& shown) const;
    void resize(tab& shown, const terminal_size& size);
    void tell_what_is_shown(tab& shown);
    void tell_of_host(tab& shown);
    /// Reports the focus to the tab's program if it has changed.
    void follow_focus(tab_entry& entry);

    daemon_state& state_;
    std::function<void(client&, const pressed_action&)> on_action_;
    static constexpr mato::milliseconds paste_patience{12'000}; // longer than clients usually try to come back

    std::shared_ptr<const key_map> keys_; // as configured; null: to be made
    asio::steady_timer held_;             // the sizes of tabs
    asio::steady_timer away_;             // clients that pasted when the process before died
    bars bars_;
    notice_board board_;
};

} // namespace mux
