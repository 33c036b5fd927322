// SPDX-License-Identifier: MIT
/// @file pending_requests.hpp: requests whose answer waits for a change of a tab.
/// Pure.  Threads: one object, one thread.   Test: test/mato/pending_requests_test.cpp.
///
/// It is told what happened, and returns the requests to answer: each one once, in the order of arrival.
#pragma once

#include "protocol/bodies/changes.hpp"
#include "protocol/reply_target.hpp"
#include "workspace.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mux {

class pending_requests {
public:
    static constexpr std::size_t most_of_client = 4096; ///< requests that wait at once; more than a script has tabs
    static constexpr std::size_t most_in_all = 65'536;  ///< a few megabytes

    /// Whether that client may have one more request waiting.
    [[nodiscard]] bool has_room(std::uint64_t client) const noexcept;

    void await_exit(tab_id tab, reply_target who) { exits_.push_back({tab, count(who)}); }
    void await_output(tab_id tab, reply_target who) { outputs_.push_back({tab, count(who)}); }
    /// `state`: the one that is awaited, if `what` is a state.
    void await_change(tab_id tab, tab_change what, said_state state, reply_target who) {
        changes_.push_back({tab, what, state, count(who)});
    }
    /// To be answered when the last of these tabs is removed.
    void await_removal(std::vector<tab_id> tabs, reply_target who) { removals_.push_back({std::move(tabs), count(who), {}}); }
    /// The tab's program is being ended so that the next one can start. @pre !is_respawning(tab)
    void await_respawn(tab_id tab, reply_target who) { respawns_.push_back({tab, count(who)}); }

    [[nodiscard]] bool is_respawning(tab_id tab) const noexcept;
    /// A request waits for its removal.
    [[nodiscard]] bool awaits_removal(tab_id tab) const noexcept;

    [[nodiscard]] std::vector<reply_target> take_exits(tab_id tab) { return take(exits_, tab); }
    [[nodiscard]] std::vector<reply_target> take_outputs(tab_id tab) { return take(outputs_, tab); }
    /// Whether any waits for this change of this tab.
    [[nodiscard]] bool awaits_change(tab_id tab, tab_change what) const noexcept;
    /// Those that wait for this change.
    [[nodiscard]] std::vector<reply_target> take_changes(const tab_changed& came);
    /// Those that wait for any change of this tab.
    [[nodiscard]] std::vector<reply_target> take_changes(tab_id tab);
    [[nodiscard]] std::optional<reply_target> take_respawn(tab_id tab);
    /// A problem with the tab's removal, reported with the answer.
    void note_trouble(tab_id tab, const std::string& text);
    struct removal {
        reply_target who;
        std::string trouble; ///< empty: every process has ended
    };
    /// The tab is removed. @returns the requests that wait for no other tab.
    [[nodiscard]] std::vector<removal> take_removals(tab_id tab);

    /// The client has disconnected: its requests get no answer. A respawn that it asked for still happens.
    void forget(std::uint64_t client);

private:
    struct of_tab {
        tab_id tab;
        reply_target who;
    };
    struct of_change {
        tab_id tab;
        tab_change what;
        said_state state;
        reply_target who;
    };
    struct of_tabs {
        std::vector<tab_id> tabs;
        reply_target who;
        std::string trouble{};
    };
    template <class Wait, class Matches> std::vector<reply_target> take_if(std::vector<Wait>& from, Matches matches);
    std::vector<reply_target> take(std::vector<of_tab>& from, tab_id tab);
    reply_target count(reply_target who);
    void uncount(reply_target who) noexcept;

    std::vector<of_tab> exits_, outputs_, respawns_;
    std::vector<of_change> changes_;
    std::vector<of_tabs> removals_;
    std::map<std::uint64_t, std::size_t> waits_; // of each connected client that has any
};

} // namespace mux
