// SPDX-License-Identifier: MIT
/// @file listings.hpp: what `ls`, `clients` and `status` print, for people and as JSON.
/// Pure.  Test: test/mato/listings_test.cpp.
#pragma once

#include "protocol/protocol.hpp"

#include <string>

namespace mux {

[[nodiscard]] std::string format_tabs(const tab_list& list, bool as_json);
[[nodiscard]] std::string format_clients(const client_list& list, bool as_json);
/// `text` is the text of all parts; `last` is the last part.
[[nodiscard]] std::string format_capture(const captured& last, const std::string& text);
[[nodiscard]] std::string format_status(const status_report& report, bool as_json);
[[nodiscard]] std::string format_no_daemon(bool as_json);
[[nodiscard]] std::string format_silent_daemon(bool as_json);

} // namespace mux
