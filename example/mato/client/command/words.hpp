// SPDX-License-Identifier: MIT
/// @file words.hpp: splits a line into words as a shell does, without expansion.
/// Pure.  Test: test/mato/words_test.cpp.   Source: POSIX Shell Command Language, 2.2 Quoting.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mux {

/// Blanks separate words. '…' is literal; in "…" a backslash escapes \ " $ and `, elsewhere any byte. If `problem` is set, it
/// says which quote is open, and the words mean nothing.
[[nodiscard]] std::vector<std::string> split_words(std::string_view line, std::string& problem);

} // namespace mux
