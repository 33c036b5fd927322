// SPDX-License-Identifier: MIT
/// @file attention.hpp: what programs and their hooks say to a person: a state of their tab, a notice.
/// Pure.  Test: test/mato/protocol_test.cpp.
#pragma once

#include "target.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mux {

/// `blocked`: it needs a person to go on.
enum class said_state : std::uint8_t { none, working, blocked, done };
[[nodiscard]] constexpr said_state last_of(said_state) noexcept { return said_state::done; }

/// Their names on the command line and in events, in the order of the values.
inline constexpr std::array<std::string_view, 4> said_state_names{"clear", "working", "blocked", "done"};
[[nodiscard]] constexpr std::string_view name_of(said_state state) noexcept {
    return said_state_names[static_cast<std::size_t>(state)];
}
[[nodiscard]] constexpr std::optional<said_state> parse_said_state(std::string_view name) noexcept {
    for (std::size_t i = 0; i < said_state_names.size(); ++i)
        if (said_state_names[i] == name) return static_cast<said_state>(i);
    return std::nullopt;
}

struct state_request {
    target which;
    said_state state = said_state::none;
    std::string note; ///< shown with it; a long one is cut
    void fields(auto& f) { f(which, state, note); }
};
struct notice_request {
    target which;
    std::string text; ///< a long one is cut
    void fields(auto& f) { f(which, text); }
};

} // namespace mux
