// SPDX-License-Identifier: MIT
/// @file text_mark.hpp: a place in a tab's text, as a user passes it from one command to another.
/// Pure.  Test: test/mato/text_mark_test.cpp.
///
/// A mark stays true while the tab scrolls and when its size changes: lines are as the program wrote them, not wrapped, and
/// are counted from the tab's first one ever.
#pragma once

#include "ids.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mux {

struct text_mark {
    std::uint64_t line = 0;   ///< from 0
    std::uint64_t column = 0; ///< bytes of the line's text before it
    tab_id tab = 0;           ///< 0: not named

    /// LINE.COLUMN@TAB, lines counted from 1. Without @TAB if no tab is named.
    [[nodiscard]] std::string text() const;
    /// Empty: it is not a mark.
    [[nodiscard]] static std::optional<text_mark> parse(std::string_view text);

    /// The place after a text that begins here.
    [[nodiscard]] text_mark after(std::string_view text) const noexcept;

    friend bool operator==(const text_mark&, const text_mark&) = default;
};

/// The byte of `text` at which the line after so many others begins; npos: there are not so many.
[[nodiscard]] std::size_t begin_of_line(std::string_view text, std::uint64_t before) noexcept;

} // namespace mux
