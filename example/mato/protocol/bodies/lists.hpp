// SPDX-License-Identifier: MIT
/// @file lists.hpp: the tabs and the clients of a daemon.
/// Pure.  Test: test/mato/protocol_test.cpp.
#pragma once

#include "vt/geometry.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace mux {

/// As `tab_info::emulator`: the tab has none until it is started again, see tab_options.hpp.
inline constexpr const char* quarantined_emulator = "quarantined";

/// The same of a tab that shows what an earlier daemon has saved, and has no program: with an emulator, and without.
inline constexpr const char *past_emulator = "past", *past_raw_emulator = "past raw";

struct tab_info {
    std::uint64_t id = 0;
    std::string task, name, title, command, cwd, emulator;
    std::int32_t pid = 0;
    vt::screen_size size;
    std::uint32_t clients = 0;
    bool running = true, bell = false;
    std::int32_t exit_code = 0;
    std::uint64_t idle_ms = 0, history_lines = 0, memory_bytes = 0;
    std::string mark;   ///< what a person who has not looked should know: "asks", "failed", "done", "wrote"; empty: nothing
    std::string said;   ///< the state that its program or a hook has set; empty: none
    std::string note;   ///< of that state
    std::string notice; ///< the newest one that no person has seen
    void fields(auto& f) {
        f(id, task, name, title, command, cwd, emulator, pid, size, clients, running, bell, exit_code, idle_ms, history_lines,
          memory_bytes, mark, said, note, notice);
    }
    [[nodiscard]] bool is_past() const { return emulator == past_emulator || emulator == past_raw_emulator; }
    [[nodiscard]] const char* state() const {
        return is_past() ? "past" : !running ? "exited" : emulator == quarantined_emulator ? "quarantined" : "running";
    }
};
struct tab_list {
    std::vector<tab_info> tabs;
    void fields(auto& f) { f(tabs); }
};
/// A tab that is closed, or whose program has ended.
struct ended_info {
    std::uint64_t id = 0;
    std::string task, name;
    std::int32_t exit_code = 0; ///< of its last program, or 128 + signal
    void fields(auto& f) { f(id, task, name, exit_code); }
};
/// The one that ended last comes last.
struct ended_list {
    std::vector<ended_info> tabs;
    void fields(auto& f) { f(tabs); }
};
struct client_info {
    std::uint64_t id = 0;
    std::uint32_t pid = 0, uid = 0;
    std::string tty;
    vt::screen_size size;
    std::uint64_t tab = 0; ///< 0: not attached
    bool readonly = false, direct = false;
    std::uint64_t bytes_sent = 0, frames_dropped = 0, queue_bytes = 0;
    std::uint64_t recorded = 0; ///< the tab that it records; 0: none
    std::uint64_t delivered = 0, dropped = 0, superseded = 0, gaps = 0, resyncs = 0, lag = 0; ///< frames: fan_out.hpp
    bool follows_events = false;                                                              ///< these frames are events
    void fields(auto& f) {
        f(id, pid, uid, tty, size, tab, readonly, direct, bytes_sent, frames_dropped, queue_bytes, recorded, delivered, dropped,
          superseded, gaps, resyncs, lag, follows_events);
    }
};
struct client_list {
    std::vector<client_info> clients;
    void fields(auto& f) { f(clients); }
};

} // namespace mux
