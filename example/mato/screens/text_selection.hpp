// SPDX-License-Identifier: MIT
/// @file text_selection.hpp: a selected part of a text: which cells it has, and their text.
/// Pure.  Test: test/mato/look_back_test.cpp.
#pragma once

#include "text_source.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace mux {

/// Bytes of one copy. In base64 they are less than a viewer's terminal is passed at once.
inline constexpr std::size_t most_copied = 512u << 10;

enum class selection_kind : std::uint8_t { characters, lines, block };

/// Columns [from, to) of a line. `to` may be beyond its end.
struct column_range {
    int from = 0, to = 0;
    friend bool operator==(const column_range&, const column_range&) = default;
};

/// From one end to the other, both included.
struct text_selection {
    selection_kind kind = selection_kind::characters;
    text_position anchor, end;

    [[nodiscard]] std::uint64_t first_line() const noexcept { return anchor.line < end.line ? anchor.line : end.line; }
    [[nodiscard]] std::uint64_t last_line() const noexcept { return anchor.line < end.line ? end.line : anchor.line; }
    /// What is selected of this line; nothing: none of it.
    [[nodiscard]] std::optional<column_range> columns_of(std::uint64_t line, const text_source& text) const;
    /// Lines end in a newline, except the last one, unless whole lines are selected; blanks at the end of a line are cut.
    /// @returns nothing if there are more than `most` bytes
    [[nodiscard]] std::optional<std::string> text_of(const text_source& text, std::size_t most = most_copied) const;
};

} // namespace mux
