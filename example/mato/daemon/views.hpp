// SPDX-License-Identifier: MIT
/// @file views.hpp: which client's terminal shows which tab: how it begins, what goes between the two, how it ends.
/// Threads: the io_context's.   Blocks: never.   Test: test/mato/viewers_process_test.cpp, test/mato/attach_process_test.cpp.
///
/// A tab's size, and the images its terminal knows, follow from who shows it.
#pragma once

#include "state.hpp"

#include <functional>
#include <string_view>
#include <vector>

namespace mux {

class views {
public:
    /// `on_command`: a key after the prefix that is not the viewer's own. The client has a screen.
    views(daemon_state& state, std::function<void(client&, char)> on_command)
        : state_(state), on_command_(std::move(on_command)) {}

    // ---- for clients ----

    /// Takes the client's terminal, if it passed one that can be used, else talks to it through the client.
    attachment_info attach(client& watcher, tab& shown, const view_options& options);
    /// Another tab on the same terminal. @pre attached
    void switch_to(client& watcher, tab& shown);
    /// Lets go of the terminal; nothing when not attached.
    void leave(client& watcher);
    /// Says so in its terminal when it is read-only, alone, and too small for the tab.
    void tell_if_cut(client& watcher);
    /// While it is suspended, its size does not count.
    void set_suspended(client& watcher, bool suspended);
    /// The tab this client showed before, else the one used last; null: there is no other.
    [[nodiscard]] std::shared_ptr<tab> tab_before(const client& watcher) const;
    /// As `leave`, and the client is told, who then has its terminal back.
    void part(client& watcher, message why);
    void resize_terminal(client& watcher, vt::screen_size size);
    /// All of them, and all tabs, by the settings as they are now.
    void apply_settings();

    // ---- for tabs ----

    /// From now on it has this size, whatever shows it.
    void fix_size(tab_entry& which, vt::screen_size size);
    /// From now on it has the size that its viewers give it.
    void free_size(tab_entry& which);
    void on_output(tab_id id, bool flooding);
    /// What its program said beside the screen; told to who follows events, too.
    void on_events(tab_id id, const std::vector<vt::event>& events);
    /// The program took what was typed.
    void on_typed_taken(std::uint64_t client, std::size_t bytes);
    /// The program ended: what was typed and not taken is gone with it.
    void forget_typed(tab_id id);
    /// The tab goes: its viewers have all of it, and then show the tab they showed before. Without one they leave.
    void end(tab& ended);

private:
    [[nodiscard]] std::unique_ptr<outlet> open_outlet(client& watcher, bool passes_terminal);
    [[nodiscard]] viewer::handlers handlers_of(std::uint64_t id);
    void type(client& from, std::string_view bytes);
    void fit(tab_entry& shown);
    void resize(tab& shown, const terminal_size& size);
    void tell_what_is_shown(tab& shown);
    void tell_of_host(tab& shown);
    /// Reports the focus to the tab's program, if it is not what it was.
    void follow_focus(tab_entry& entry);

    daemon_state& state_;
    std::function<void(client&, char)> on_command_;
};

} // namespace mux
