// SPDX-License-Identifier: MIT
/// @file event_text.hpp: the daemon's events as lines, for people and as JSON.
/// Pure.  Test: test/mato/event_text_test.cpp.
///
/// Kinds and their members, in addition to `number` and `time`, which is in seconds since 1970:
///   tab-opened tab task name command · tab-exited tab exit_code · tab-closed tab · tab-respawned tab
///   tab-renamed tab task name was · tab-moved tab task name was · tab-resized tab cols rows · task-renamed task was
///   title tab title · bell tab · cwd tab cwd, as the program reports it (OSC 7)
///   client-attached client tab · client-switched client tab · client-detached client tab · client-resized client tab cols rows
///   reloaded · config-error error · stopping
///   snapshot complete tabs clients: the current state, as `ls --json` and `clients --json` · gap first last: numbers of the
///   missed events
#pragma once

#include "listings.hpp"
#include "protocol/messages.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace mux {

/// One line without its end.
[[nodiscard]] std::string format_event(const daemon_event& event, output_format format);
[[nodiscard]] std::string format_snapshot(const event_snapshot& snapshot, output_format format);
/// A gap: the events from `first` to `last` were missed.
[[nodiscard]] std::string format_gap(std::uint64_t first, std::uint64_t last, std::int64_t at, output_format format);

/// The daemon's messages as whole lines, one for each, with a gap line before a snapshot that replaces events.
class event_lines {
public:
    explicit event_lines(output_format format) noexcept : format_(format) {}
    /// Empty if the message is not an event.
    [[nodiscard]] std::string of(const header& frame);

private:
    output_format format_;
    std::optional<std::uint64_t> last_; // number of the last event or snapshot
};

/// JSON on one line: no string in it contains a newline.
[[nodiscard]] std::string on_one_line(std::string_view json);

} // namespace mux
