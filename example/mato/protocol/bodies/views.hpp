// SPDX-License-Identifier: MIT
/// @file views.hpp: a client's terminal that shows a tab.
/// Pure.  Test: test/mato/protocol_test.cpp.
#pragma once

#include "protocol/field_codec.hpp"
#include "target.hpp"
#include "view/features.hpp"
#include "vt/geometry.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace mux {

/// For field_codec.hpp.
[[nodiscard]] constexpr colour_depth last_of(colour_depth) noexcept { return colour_depth::direct; }
[[nodiscard]] constexpr inquiry last_of(inquiry) noexcept { return inquiry::all; }

/// The client's terminal has another size.
struct resized_terminal {
    vt::screen_size size;
    void fields(auto& f) { f(size); }
};
struct view_options {
    vt::screen_size size;
    terminal_features terminal;
    /// The frame comes with two descriptors: the terminal, and one that is closed once the daemon has released it. If false,
    /// `input` and `output` are used.
    bool passes_terminal = false;
    bool readonly = false, detach_others = false, ignore_size = false;
    std::vector<std::string> environment; ///< "NAME=value", or "NAME" alone if it is not set in the client
    void fields(auto& f) { f(size, terminal, passes_terminal, readonly, detach_others, ignore_size, environment); }
};
/// Switches a terminal to another tab, or to the tab of a task that was used last. Empty name: to the tab it showed before.
struct switch_request {
    target which;
    bool detach_others = false;
    added_field<std::uint64_t> client; ///< 0: the one that shows the current tab; outside of a tab, the only one
    void fields(auto& f) { f(which, detach_others, client); }
};
/// The terminal is neither read nor written before the client's `show`, nor after `hide`.
struct attachment_info {
    tab_name tab;
    bool direct = false; ///< the daemon uses the terminal directly; the client only guards it
    void fields(auto& f) { f(tab, direct); }
};
/// An empty `target` means the tab used last.
struct attach_request {
    target which;
    view_options view;
    void fields(auto& f) { f(which, view); }
};
/// What a client does when it is detached, in addition.
struct after_detaching {
    std::string command;   ///< for its shell; empty: none
    bool hangs_up = false; ///< sends SIGHUP to its parent
    void fields(auto& f) { f(command, hangs_up); }
};
/// Detaches all clients, a client, those of a tab or of a task, all but the own one, or the latest client of the current tab.
struct detach_request {
    bool all = false;
    std::uint64_t client = 0, current = 0;
    added_field<std::string> tab{}, task{};
    added_field<bool> others{};
    added_field<after_detaching> then{};
    void fields(auto& f) { f(all, client, current, tab, task, others, then); }
};
/// The client has prepared the terminal; the daemon may draw on it.
struct show_request {
    bool asked = false; ///< the client has sent queries to it; the daemon sends `answered` after the last answer
    void fields(auto& f) { f(asked); }
};
/// `cursor_shaped`: the daemon is about to change the terminal's cursor style. `own` is the original one, as in DECSCUSR.
struct cursor_style {
    std::uint8_t own = 0; ///< 0: the terminal has not reported it; 0 selects its default
    void fields(auto& f) { f(own); }
};
/// `switched`: the client's terminal shows another tab from here on.
struct shown_tab {
    std::uint64_t id = 0;
    void fields(auto& f) { f(id); }
};
/// `input_taken`: input that the program has read; `output_taken`: output that the client's terminal has accepted.
struct bytes_taken {
    std::uint64_t bytes = 0; ///< since the last such message
    void fields(auto& f) { f(bytes); }
};
/// `restarting`: another program takes over. It gets the first `input_bytes` of what this connection has sent as `input`; the
/// client sends the rest to that program. The end of the connection follows, or this message again: the upgrade has failed.
struct restart_notice {
    std::uint64_t input_bytes = 0;
    bool is_over = false;
    void fields(auto& f) { f(input_bytes, is_over); }
};

} // namespace mux
