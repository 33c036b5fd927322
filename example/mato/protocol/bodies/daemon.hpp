// SPDX-License-Identifier: MIT
/// @file daemon.hpp: the daemon's status, its events, and its end.
/// Pure.  Test: test/mato/protocol_test.cpp.
#pragma once

#include "lists.hpp"
#include "protocol/message_numbers.hpp"
#include "vt/geometry.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace mux {

struct task_count {
    std::string name;
    std::uint32_t tabs = 0;
    void fields(auto& f) { f(name, tabs); }
};
/// A tab that does not survive the daemon's process.
struct tab_not_kept {
    std::uint64_t id = 0;
    std::string why;
    void fields(auto& f) { f(id, why); }
};
struct status_report {
    std::int32_t pid = 0;
    std::string version;
    std::uint32_t protocol = newest_version;
    std::int64_t started = 0; ///< seconds since 1970
    std::uint64_t uptime_seconds = 0;
    std::string socket, config_path, config_error; ///< path empty: defaults
    std::vector<task_count> tasks;
    std::uint32_t clients = 0;
    std::uint64_t memory_bytes = 0;
    std::uint32_t cpu_permille = 0; ///< of one core
    std::uint32_t recorders = 0;
    std::uint64_t bytes_sent = 0, frames_dropped = 0, resyncs = 0; ///< of all clients since the start
    std::uint64_t slowest_queue_bytes = 0, slowest_lag_frames = 0; ///< of the current clients
    std::uint32_t generation = 0; ///< of the process that serves; 0: the daemon is one process, and the rest has no meaning
    std::int32_t worker_pid = 0;
    std::uint32_t kept_tabs = 0;
    std::int64_t crashed = 0; ///< the process before: seconds since 1970; 0: there was none
    std::uint32_t crash_signal = 0;
    std::uint64_t gap_ms = 0;           ///< without a process that serves
    std::vector<tab_not_kept> not_kept; ///< the first of them, if they are many
    std::int64_t upgraded = 0;          ///< this process replaced the one before: seconds since 1970; 0: it did not
    std::uint64_t crash_tab = 0;        ///< whose output the process before interpreted when it died; 0: none
    std::uint64_t skipped_bytes = 0, input_bytes_lost = 0; ///< by that
    void fields(auto& f) {
        f(pid, version, protocol, started, uptime_seconds, socket, config_path, config_error, tasks, clients, memory_bytes,
          cpu_permille, recorders, bytes_sent, frames_dropped, resyncs, slowest_queue_bytes, slowest_lag_frames, generation,
          worker_pid, kept_tabs, crashed, crash_signal, gap_ms, not_kept, upgraded, crash_tab, skipped_bytes, input_bytes_lost);
    }
};
/// Events from now on. `since`: the number of the last one that the client has had from an earlier process of the daemon.
struct follow_request {
    std::uint64_t since = 0; ///< 0: none
    void fields(auto& f) { f(since); }
};
/// An event. The meaning of the other fields depends on `kind`: event_text.hpp. A reader shows unknown kinds too.
struct daemon_event {
    std::uint64_t number = 0; ///< from 1, without gaps: the number shows how many were missed
    std::int64_t at = 0;      ///< milliseconds since 1970
    std::string kind{};
    std::uint64_t tab = 0, client = 0;
    std::string task{}, name{}, text{};
    std::int32_t exit_code = 0;
    vt::screen_size size{};
    std::uint64_t duration_ms = 0;
    void fields(auto& f) { f(number, at, kind, tab, client, task, name, text, exit_code, size, duration_ms); }
};
/// The state after event `number`. It follows the answer to `follow_events`, and replaces events that were lost for a slow
/// reader.
struct event_snapshot {
    std::uint64_t number = 0;
    std::int64_t at = 0;
    tab_list tabs;
    client_list clients;
    bool complete = true; ///< false: the lists do not fit into a message; request them
    void fields(auto& f) { f(number, at, tabs, clients, complete); }
};
struct stop_request {
    bool now = false;
    void fields(auto& f) { f(now); }
};

} // namespace mux
