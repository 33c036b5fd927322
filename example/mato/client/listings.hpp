// SPDX-License-Identifier: MIT
/// @file listings.hpp: what `ls`, `clients` and `status` print, for people and as JSON.
/// Pure.  Test: test/mato/listings_test.cpp.
#pragma once

#include "protocol/protocol.hpp"

#include <cstdint>
#include <string>

namespace mux {

enum class output_format : std::uint8_t { text, json }; ///< for people, or `--json`

[[nodiscard]] std::string format_tabs(const tab_list& list, output_format format);
/// Tabs that have been closed or have ended, of which the daemon remembers the exit code.
[[nodiscard]] std::string format_ended(const ended_list& list, output_format format);
[[nodiscard]] std::string format_buffers(const buffer_list& list, output_format format);
[[nodiscard]] std::string format_clients(const client_list& list, output_format format);
/// `text` is the text of all parts; `last` is the last part.
[[nodiscard]] std::string format_capture(const captured& last, const std::string& text);
[[nodiscard]] std::string format_status(const status_report& report, output_format format);
[[nodiscard]] std::string format_no_daemon(output_format format);
[[nodiscard]] std::string format_silent_daemon(output_format format);

/// What a person should know of a tab, and what it says, as printable text; empty: nothing.
[[nodiscard]] std::string attention_of(const tab_info& tab);
[[nodiscard]] std::string state_text(const tab_info& tab); ///< "running", "exited 3"

} // namespace mux
