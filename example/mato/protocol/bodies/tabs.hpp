// SPDX-License-Identifier: MIT
/// @file tabs.hpp: what is done with tabs: open, end, start again, move, rename, resize.
/// Pure.  Test: test/mato/protocol_test.cpp.
#pragma once

#include "protocol/field_codec.hpp"
#include "target.hpp"
#include "views.hpp"
#include "vt/geometry.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace mux {

/// `switch_viewer`: the terminal that shows the current tab switches to the new one.
enum class after_opening : std::uint8_t { nothing, attach, wait, switch_viewer };
[[nodiscard]] constexpr after_opening last_of(after_opening) noexcept { return after_opening::switch_viewer; }
struct new_tab {
    std::string task, name, cwd, emulator;
    std::uint64_t current = 0;
    std::vector<std::string> argv, environment; ///< "NAME=value"
    view_options view;
    after_opening then = after_opening::nothing;
    bool may_fall_back = false; ///< a `cwd` that cannot be entered is replaced by HOME, or else by /
    added_field<bool> remains;  ///< after its program's end, whatever `remain_on_exit` says
    void fields(auto& f) { f(task, name, cwd, emulator, current, argv, environment, view, then, may_fall_back, remains); }
};
struct kill_request {
    target which;
    std::string task;           ///< if set: the whole task
    added_field<bool> others{}; ///< all tabs but `which`
    void fields(auto& f) { f(which, task, others); }
};
struct rename_request {
    target which;
    std::string name;
    void fields(auto& f) { f(which, name); }
};
/// Starts a tab's program again. `kill`: ends it first if it is running.
struct respawn_request {
    target which;
    bool kill = false;
    void fields(auto& f) { f(which, kill); }
};
/// Moves the tab to the end of a task, which is created if needed.
struct move_request {
    target which;
    std::string task;
    void fields(auto& f) { f(which, task); }
};
/// Sets the tab's size, regardless of its viewers. No columns: its viewers decide its size again.
struct resize_request {
    target which;
    vt::screen_size size;
    void fields(auto& f) { f(which, size); }
};
struct exit_status {
    std::uint64_t tab = 0;
    std::int32_t code = 0; ///< the program's, or 128 + signal
    void fields(auto& f) { f(tab, code); }
};

} // namespace mux
