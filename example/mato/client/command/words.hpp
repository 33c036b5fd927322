// SPDX-License-Identifier: MIT
/// @file words.hpp: a line taken apart into words as a shell does, with nothing expanded.
/// Pure.  Test: test/mato/words_test.cpp.   Source: POSIX Shell Command Language, 2.2 Quoting.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mux {

/// Blanks part words. '…' is literal, in "…" a backslash stands before \ " $ and `, elsewhere before any byte.
/// `problem` says what is not closed; then the words mean nothing.
[[nodiscard]] std::vector<std::string> split_words(std::string_view line, std::string& problem);

} // namespace mux
