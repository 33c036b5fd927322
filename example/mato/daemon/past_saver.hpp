// SPDX-License-Identifier: MIT
/// @file past_saver.hpp: saves what the tabs show, if the configuration asks for it.
/// Threads: the io_context's.   Blocks: for one file a turn, see past_tabs.hpp; `save_all` for `most_stop`.
/// Test: test/mato/restore_process_test.cpp.
///
/// Names and order are saved a second after they have changed, texts at most every `save_every`. The timer is set by output and
/// by changes alone, so an idle daemon is not woken. Each turn of the loop saves one tab, so keys wait for one file at most.
#pragma once

#include "past_tabs.hpp"
#include "state.hpp"

#include <asio/steady_timer.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace mux {

class past_saver {
public:
    static constexpr mato::milliseconds layout_gap{1000}; ///< after a change of names or order, until they are saved
    static constexpr mato::milliseconds most_stop{2000};  ///< for all tabs, while the daemon stops

    explicit past_saver(daemon_state& state);

    /// A tab has written.
    void note_output() {
        if (!output_due_ && is_on()) wait_for_output();
    }
    /// Tabs may have been opened, renamed or moved.
    void note_layout() {
        if (noted_ != state_.tabs.revision() && is_on()) wait_for_layout();
    }
    /// The tab is removed, and not because the daemon stops.
    void forget(tab_id id);
    /// The configuration was read again.
    void settings_changed();
    /// Before the daemon ends the programs: saves all that has changed.
    void save_all();
    /// What an earlier daemon has saved. Logs what cannot be used.
    [[nodiscard]] std::vector<past_tab> load() const;

private:
    [[nodiscard]] bool is_on() const noexcept {
        return state_.configuration->restore != restore_when::off && !state_.host.is_stopping();
    }
    void wait_for_output();
    void wait_for_layout();
    void wait();
    void begin();
    void work();
    void choose_tabs(bool with_output);
    void save(tab_id id);
    void save_layout();
    void log(const mato::failure& why);

    daemon_state& state_;
    const past_tabs files_;
    asio::steady_timer timer_;
    std::optional<mato::clock::time_point> output_due_, layout_due_;
    std::uint64_t noted_ = ~std::uint64_t{0};       // the revision of the table
    std::deque<tab_id> queue_;                      // to be saved now
    bool works_ = false;                            // a turn for the queue will come
    std::map<tab_id, std::uint64_t> saved_;         // how far the text of each tab was saved
    std::optional<std::vector<past_place>> layout_; // as saved last
    std::string last_failure_;                      // logged already
};

} // namespace mux
