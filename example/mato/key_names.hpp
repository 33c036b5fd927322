// SPDX-License-Identifier: MIT
/// @file key_names.hpp: "Enter", "C-c", "Up": names of keys and the bytes a terminal sends for them.
/// Pure.  Test: test/mato/key_names_test.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mux {

/// The bytes of a key, as xterm sends them in normal cursor mode; empty when `name` is no key.
/// Enter Tab BTab Escape Space BSpace Up Down Left Right Home End PageUp PageDown Insert Delete F1-F12, C-x, M-x, and S-, C-,
/// M- before a named key; a modifier that xterm does not report with a key leaves it as it is.
[[nodiscard]] std::optional<std::string> key_bytes(std::string_view name);

/// A prefix key: "C-" and one of a-z @ [ \ ] ^ _ ; the control byte it is.
[[nodiscard]] std::optional<char> parse_prefix(std::string_view name);

} // namespace mux
