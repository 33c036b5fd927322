// SPDX-License-Identifier: MIT
/// @file settings.hpp: the keys of config.toml.
/// Test: test/mato/settings_test.cpp.
#pragma once

#include "screens/key_map.hpp"

#include <mato/clock.hpp>
#include <mato/config.hpp>
#include <mato/log.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mux {

enum class window_size : std::uint8_t { latest, smallest, largest, manual };
/// While the program does not use the mouse: `wheel` scrolls the history, and selecting in the terminal needs Shift; `select`
/// also selects and copies.
enum class mouse_use : std::uint8_t { off, wheel, select };
/// `automatic`: while there are several tabs.
enum class bar_use : std::uint8_t { never, automatic, always };
/// What becomes of a bell or a notice of a tab: nothing, a mark, or a mark and the terminal that was used last.
enum class attention_use : std::uint8_t { off, mark, pass };
enum class command_end_use : std::uint8_t { mark, notice };
/// After the machine was lost: `show` shows what the tabs had shown; `run` also starts some of their programs.
enum class restore_when : std::uint8_t { off, show, run };
enum class remain_on_exit : std::uint8_t { off, on, failed };

/// In the file: one name of a key, or an array of names.
struct key_list {
    std::vector<std::string> names;
};

struct settings {
    std::string emulator = "vt";             // new tabs
    std::uint32_t raw_replay_bytes = 131072; // new tabs; bytes: several screens of any program, a page of history
    std::string shell;                       // new tabs; empty: $SHELL, passwd, /bin/sh
    std::uint32_t history_lines = 10000;     // new tabs, for emulators that keep lines; "raw" keeps bytes
    bool survive = true;                     // from the next start on: a keeper holds the terminals, see kept_tabs.hpp
    mato::milliseconds reconnect{10'000};    // new connections: how long they wait for the next process, without one
    mux::window_size window_size = window_size::latest;
    mouse_use mouse = mouse_use::off; // while the program does not use the mouse; off: selecting is left to the terminal
    bool shell_marks = true;          // a tab's bash, zsh or fish marks its prompts and commands: shell_marks.hpp
    bool clipboard = true;            // programs may set the clipboards of their viewers (OSC 52), but never read them
    std::string prefix = "C-\\";
    mux::remain_on_exit remain_on_exit = remain_on_exit::off;
    mato::milliseconds undo_close{3'600'000}; // how long a closed tab can be brought back
    bool exit_empty = true;                   // of a tab that a key has closed: after undo_close
    mato::milliseconds stop_grace{2000};
    std::vector<std::string> update_environment{"SSH_AUTH_SOCK", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY"};

    // [keys]
    std::map<std::string, key_list> keys; // after the prefix, by the names of actions; those that are changed

    // [bar]
    bar_use bar = bar_use::automatic; // the row with the tabs

    // [notify]
    attention_use notify_bell = attention_use::mark;   // of tabs that no client shows
    attention_use notify_notice = attention_use::pass; // OSC 9, 777 and 99, and `mato notice`
    mato::milliseconds notify_command{10'000};         // a command of a shell took so long, and ended unseen; 0: never
    command_end_use notify_command_ended = command_end_use::mark; // what becomes of that
    mato::milliseconds notify_silence{0}; // a tab that was active is silent for so long: a notice; 0: never

    // [restore]
    restore_when restore = restore_when::off;
    mato::milliseconds restore_save_every{300'000}; // after output
    std::uint32_t restore_lines = 2000;             // of history
    std::vector<std::string> restore_run;           // names of programs that `run` starts

    // [limits], for new connections
    std::uint32_t max_clients = 1024;
    std::uint32_t client_queue_bytes = 1 << 20;
    std::uint32_t paste_bytes = 16 << 20;
    std::uint32_t frame_bytes = 1 << 20;

    // [log]
    mato::log_level log_level = mato::log_level::info;
    std::uint32_t log_max_bytes = 10 << 20;
    std::uint32_t log_keep = 3;
};

[[nodiscard]] mato::config::schema<settings> settings_schema();
/// The keys that the file changes.
[[nodiscard]] key_changes changes_of(const std::map<std::string, key_list>& keys);

} // namespace mux
