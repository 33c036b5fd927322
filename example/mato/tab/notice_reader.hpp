// SPDX-License-Identifier: MIT
/// @file notice_reader.hpp: reads the notices that a program sends to its terminal: OSC 9, 777 and 99.
/// Pure.  Test: test/mato/notice_reader_test.cpp.
/// Source: iTerm2, OSC 9; ConEmu, OSC 9 with a number; urxvt, OSC 777; kitty, "Desktop notifications" (OSC 99).
#pragma once

#include "view/notification.hpp"
#include "vt/events.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace mux {

struct program_notice {
    std::string text; ///< printable; the title, if it has one, and a colon come first
    notice_form form = notice_form::osc_9;
};

class notice_reader {
public:
    static constexpr std::size_t most_text = 512; ///< bytes of a notice; more is cut

    /// @returns the notice that the event completes; nothing: it is a part of one, or a progress report, or no notice
    /// @pre event.kind is notification
    [[nodiscard]] std::optional<program_notice> read(const vt::event& event);

private:
    [[nodiscard]] std::optional<program_notice> read_kitty(std::string_view rest);

    std::string id_, title_, body_; // OSC 99: the parts of a notice that is not complete; each at most `most_text`
};

} // namespace mux
