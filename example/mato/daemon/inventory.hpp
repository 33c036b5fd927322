// SPDX-License-Identifier: MIT
/// @file inventory.hpp: the daemon's tabs, clients and numbers as they are now, and what was sent since it started.
/// Threads: the io_context's.   Blocks: never.   Test: test/mato/status_process_test.cpp, test/mato/cli_process_test.cpp.
#pragma once

#include "state.hpp"

#include <mato/status.hpp>

#include <ctime>
#include <optional>

namespace mux {

/// Cuts long commands, directories and titles until the list has at most `most` bytes, or they are a few characters each. A
/// text that was cut ends with "…". Names stay: they are what a tab is called by.
void make_fit(tab_list& list, std::size_t most);

class inventory {
public:
    explicit inventory(const daemon_state& state) : state_(state), started_(std::time(nullptr)) {}

    [[nodiscard]] tab_list tabs() const;
    [[nodiscard]] client_list clients() const;
    [[nodiscard]] status_report status();

    /// The client leaves; what it was sent counts on.
    void forget(const client& leaving) { gone_ += traffic_of(leaving); }

private:
    [[nodiscard]] traffic traffic_of(const client& who) const;
    [[nodiscard]] std::optional<mato::subscriber_status> stream_status(const client& who) const;

    const daemon_state& state_;
    mato::usage_meter<> usage_;
    const std::time_t started_;
    traffic gone_; // of clients that have left
};

/// Milliseconds since its program wrote last.
[[nodiscard]] std::uint64_t idle_ms_of(const tab& which);

} // namespace mux
