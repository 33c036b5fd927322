// SPDX-License-Identifier: MIT
/// @file event_text.hpp: the daemon's events as lines, for people and as JSON.
/// Pure.  Test: test/mato/event_text_test.cpp.
///
/// docs/json.md lists the kinds and their members.
#pragma once

#include "listings.hpp"
#include "protocol/messages.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mux {

struct event_kind {
    std::string_view kind, members; ///< members in addition to `event`, `number` and `time`; one is the event's text
    std::string_view text;          ///< when it comes
};
[[nodiscard]] std::span<const event_kind> event_kinds() noexcept;

/// One line without its end.
[[nodiscard]] std::string format_event(const daemon_event& event, output_format format);
[[nodiscard]] std::string format_snapshot(const event_snapshot& snapshot, output_format format);
/// A gap: the events from `first` to `last` were missed.
[[nodiscard]] std::string format_gap(std::uint64_t first, std::uint64_t last, std::int64_t at, output_format format);

/// The daemon's messages as whole lines, one for each, with a gap line before a snapshot that replaces events.
class event_lines {
public:
    /// `since`: the number of the last event that the reader has already; 0: none.
    explicit event_lines(output_format format, std::uint64_t since = 0) noexcept : format_(format) {
        if (since != 0) last_ = since;
    }
    /// Empty if the message is not an event.
    [[nodiscard]] std::string of(const header& frame);
    /// For the daemon's next process.
    [[nodiscard]] follow_request go_on() const noexcept { return {last_.value_or(0)}; }

private:
    output_format format_;
    std::optional<std::uint64_t> last_; // number of the last event or snapshot
};

/// JSON on one line: no string in it contains a newline.
[[nodiscard]] std::string on_one_line(std::string_view json);

} // namespace mux
