// SPDX-License-Identifier: MIT
/// @file text_prompts.hpp: a shell's prompts and the outputs of its commands in a text, from the marks of OSC 133.
/// Pure.  Test: test/mato/text_prompts_test.cpp.
#pragma once

#include "text_selection.hpp"
#include "text_source.hpp"

#include <optional>

namespace mux {

/// The beginning of the last prompt in a line before that of `at`, or of the first one in a line after it; nothing: there is
/// none.
[[nodiscard]] std::optional<text_position> prompt_before(const text_source& text, text_position at);
[[nodiscard]] std::optional<text_position> prompt_after(const text_source& text, text_position at);

/// The output of the command that `at` is in, from its prompt to the next one. If that has written nothing, of the last one
/// before it that has. Nothing: there is none.
[[nodiscard]] std::optional<text_selection> output_at(const text_source& text, text_position at);

} // namespace mux
