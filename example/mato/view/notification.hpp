// SPDX-License-Identifier: MIT
/// @file notification.hpp: a desktop notification as a control sequence for a viewer's terminal.
/// Pure.  Test: test/mato/notification_test.cpp.
/// Source: iTerm2, OSC 9; urxvt, OSC 777; kitty, "Desktop notifications" (OSC 99).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mux {

/// The forms that terminals know. OSC 9 is known by most, and has no title.
enum class notice_form : std::uint8_t { osc_9, osc_777, osc_99 };

/// @pre both texts are printable: protocol/short_text.hpp. Semicolons of the title become commas where they would end it.
[[nodiscard]] std::string notification(notice_form form, std::string_view title, std::string_view text);

} // namespace mux
