// SPDX-License-Identifier: MIT
/// @file tab_options.hpp: what a tab is made from: its options, and what an earlier process left of it.
/// Test: test/mato/tab_survives_process_test.cpp.
#pragma once

#include "protocol/ids.hpp"
#include "pty/spawn.hpp"

#include <mato/unique_fd.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace mux {

enum class emulator_kind : std::uint8_t { vt, raw };

struct tab_options {
    tab_id id = 0;
    std::string command; ///< shown to users
    terminal_size size;
    emulator_kind emulator = emulator_kind::vt;
    std::size_t history_lines = 0; ///< of `vt`
    std::size_t replay_bytes = 0;  ///< of `raw`
    std::size_t input_bytes = 0;
    bool clipboard = false;  ///< programs are told that they may set it
    bool remains = false;    ///< after its program's end, whatever `remain_on_exit` says
    bool survive = false;    ///< its output is in a memory file: tab_store.hpp, raw_store.hpp
    spawn_request program{}; ///< how it was started
};

/// Why the output of a tab is not interpreted.
enum class quarantine : std::uint8_t {
    none,
    poison,    ///< it has ended too many processes, see feed_marks.hpp
    unreadable ///< what the tab showed could not be restored; another program may be able to
};

/// What an earlier process left of a tab.
struct tab_remains {
    mato::unique_fd terminal{};          ///< empty: the program has ended, and all its output is in the store
    pid_t pid = 0;                       ///< not a child of this process
    mato::unique_fd store{};             ///< of `vt`: see tab_store.hpp; empty: output and screen are lost
    mato::unique_fd ring{};              ///< without an emulator: see raw_store.hpp; empty: the output is lost
    std::optional<int> exit_code{};      ///< the program has ended
    int signal = 0;                      ///< that ended the earlier process
    quarantine cause = quarantine::none; ///< that the earlier process knew
    bool is_past = false;                ///< it has had no program since the daemon's start
};

} // namespace mux
