// SPDX-License-Identifier: MIT
/// @file changes.hpp: what may happen in a tab that commands wait for.
/// Pure.  Test: test/mato/protocol_test.cpp.
#pragma once

#include "attention.hpp"
#include "target.hpp"

#include <cstdint>
#include <string>

namespace mux {

/// `prompt` and `state` last: a wait for what is so already is answered immediately. The others are moments.
enum class tab_change : std::uint8_t { prompt, command, active, bell, notice, state };
[[nodiscard]] constexpr tab_change last_of(tab_change) noexcept { return tab_change::state; }

/// Answered by `change_came`.
struct change_wait {
    target which;
    tab_change what = tab_change::prompt;
    said_state state = said_state::none; ///< of `state`
    bool again = false;                  ///< a process before was asked: what came since this one began counts, too
    void fields(auto& f) { f(which, what, state, again); }
};
struct tab_changed {
    std::uint64_t tab = 0;
    tab_change what = tab_change::prompt;
    std::string text{};                  ///< the command, the notice, the note of the state, or what is typed at the prompt
    std::int32_t exit_code = 0;          ///< of `command`; -1: the shell did not say
    std::uint64_t duration_ms = 0;       ///< of `command`
    said_state state = said_state::none; ///< of `state`
    void fields(auto& f) { f(tab, what, text, exit_code, duration_ms, state); }
};

} // namespace mux
