// SPDX-License-Identifier: MIT
/// @file inventory.hpp: the current tabs, clients and figures of the daemon, and its totals since the start.
/// Threads: the io_context's.   Blocks: never.   Test: test/mato/status_process_test.cpp, test/mato/cli_process_test.cpp.
#pragma once

#include "state.hpp"

#include <mato/status.hpp>

#include <ctime>
#include <optional>

namespace mux {

/// Cuts long commands, directories and titles until the list has at most `most` bytes, or they have a few characters each. A
/// cut text ends with "…". Names are never cut: users refer to tabs by them.
void make_fit(tab_list& list, std::size_t most);

class inventory {
public:
    explicit inventory(const daemon_state& state) : state_(state), born_(std::time(nullptr)) {}

    [[nodiscard]] tab_list tabs() const;
    [[nodiscard]] client_list clients() const;
    [[nodiscard]] ended_list ended() const;
    [[nodiscard]] status_report status();

    /// The client disconnects; its traffic stays in the totals.
    void forget(const client& leaving) { gone_ += traffic_of(leaving); }

private:
    void tell_of_generation(status_report& report) const;
    [[nodiscard]] traffic traffic_of(const client& who) const;
    [[nodiscard]] std::optional<mato::subscriber_status> stream_status(const client& who) const;

    const daemon_state& state_;
    mato::usage_meter<> usage_;
    const std::time_t born_; // this process
    traffic gone_;           // of disconnected clients
};

/// Milliseconds since the tab's program last wrote.
[[nodiscard]] std::uint64_t idle_ms_of(const tab& which);

} // namespace mux
