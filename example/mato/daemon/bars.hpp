// SPDX-License-Identifier: MIT
/// @file bars.hpp: what each viewer's bar and title show, and when they are brought up to date.
/// Threads: the io_context's.   Blocks: never.   Test: test/mato/bar_process_test.cpp.
///
/// A bar changes with events (names, order, ends, bells) and with the first output of a tab that its viewer does not show. All
/// bars are renewed together, at most every `bar_interval`; with nothing to renew no timer runs.
#pragma once

#include "screens/bar.hpp"
#include "state.hpp"

#include <asio/steady_timer.hpp>

#include <functional>

namespace mux {

class bars {
public:
    /// `on_rows`: the rows for the tab of this client's terminal have changed.
    bars(daemon_state& state, std::function<void(client&)> on_rows);

    /// Rows of this client's terminal that are for the bar while it shows `shown`: 0 or 1.
    [[nodiscard]] int rows_of(const client& watcher, const tab& shown) const;
    [[nodiscard]] bar_state state_of(const client& watcher) const;
    [[nodiscard]] bar_mark mark_of(const client& watcher, tab_id id) const;
    /// On or off for this client, whatever the configuration says.
    void toggle(client& watcher);
    /// As its user chose it before the daemon's process died; nothing: as configured.
    void choose(client& watcher, std::optional<bool> wanted) noexcept;
    /// Its bar, now: it shows another tab.
    void renew(client& watcher);
    /// All bars and titles, as soon as the interval allows it.
    void renew_soon();
    /// Call it when the configuration has changed.
    void renew_all();
    /// Call it for each output; almost always it costs one comparison.
    void note_output(tab_entry& which) {
        if (!which.has_written) note_first_output(which);
    }
    /// A viewer no longer shows the tab: it has seen what the tab has written.
    void note_seen(client& watcher, tab_entry& which);

private:
    static constexpr mato::milliseconds bar_interval{250};

    void note_first_output(tab_entry& which);
    /// Some client has a bar, had one when they were last renewed, or may need one.
    [[nodiscard]] bool is_any() const;
    [[nodiscard]] bool is_wanted(const client& watcher) const;

    daemon_state& state_;
    std::function<void(client&)> on_rows_;
    asio::steady_timer timer_;
    bool waits_ = false;
    bool had_several_ = false;    // tabs, when the bars were last renewed
    bool has_exceptions_ = false; // a client has chosen for itself
};

} // namespace mux
