// SPDX-License-Identifier: MIT
/// @file text_moves.hpp: steps of a cursor in a text: by characters and by words, as in vi.
/// Pure.  Test: test/mato/look_back_test.cpp.
#pragma once

#include "text_selection.hpp"
#include "text_source.hpp"

namespace mux {

/// One character to the left or to the right, within its line. @pre the position exists, here and below
[[nodiscard]] text_position left_of(const text_source& text, text_position at);
[[nodiscard]] text_position right_of(const text_source& text, text_position at);
/// The last character of its line that is not blank.
[[nodiscard]] text_position line_end(const text_source& text, text_position at);

/// A word is a run of letters, digits and `_`, or a run of other signs; an empty line counts as one. Each goes no further than
/// `most_lines_of_a_step`.
[[nodiscard]] text_position next_word(const text_source& text, text_position at);
[[nodiscard]] text_position previous_word(const text_source& text, text_position at);
[[nodiscard]] text_position word_end(const text_source& text, text_position at);

/// The columns of the word that a double click selects: letters, digits and what paths and addresses have; else of the one
/// sign.
[[nodiscard]] column_range word_at(const text_source& text, text_position at);

inline constexpr int most_lines_of_a_step = 1000; ///< that are blank

} // namespace mux
