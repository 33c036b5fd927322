// SPDX-License-Identifier: MIT
/// @file text_source.hpp: the text of a tab, as lines with numbers: all that a screen of mato's may know of it.
/// Pure.  Test: test/mato/look_back_test.cpp.
#pragma once

#include "vt/prompt_marks.hpp"
#include "vt/row.hpp"

#include <compare>
#include <cstdint>
#include <span>

namespace mux {

/// A place in the text. It stays the same while output goes on and when the terminal gets another size.
struct text_position {
    std::uint64_t line = 0; ///< counted from the tab's first line ever
    int column = 0;         ///< of the line, which may be wrapped

    friend auto operator<=>(const text_position&, const text_position&) = default;
};

/// Lines as the program wrote them, not wrapped: those of the history, then those of the screen. There is at least one.
class text_source {
public:
    virtual ~text_source() = default;
    /// The oldest line that is kept; it increases when lines are evicted.
    [[nodiscard]] virtual std::uint64_t first_line() const = 0;
    /// The number after the last line.
    [[nodiscard]] virtual std::uint64_t end_line() const = 0;
    /// Where the screen's first row begins: within a line if that one is partly in the history.
    [[nodiscard]] virtual text_position screen_begin() const = 0;
    /// Where the program's cursor is.
    [[nodiscard]] virtual text_position cursor() const = 0;
    /// @pre first_line() <= line < end_line()
    virtual void read_line(std::uint64_t line, vt::row& out) const = 0;
    /// Where a shell's prompts and outputs begin, in the order of the text. Valid until the text changes.
    [[nodiscard]] virtual std::span<const vt::prompt_mark> marks() const { return {}; }
};

} // namespace mux
