// SPDX-License-Identifier: MIT
/// @file text_line.hpp: a row for readers: UTF-8 and the styles of its parts.
/// Layer: vt core.  Test: test/mato/vt/terminal_test.cpp.
/// Threads: values.   Blocks: never.
#pragma once

#include "style.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace mux::vt {

class row;

/// Neighbouring cells of one style.
struct text_run {
    int column = 0;
    int columns = 0;
    std::size_t from = 0; ///< the bytes [from, from + bytes) of the text
    std::size_t bytes = 0;
    vt::style style;

    friend bool operator==(const text_run&, const text_run&) = default;
};

/// Cells after the last run are erased, in the default style. Erased cells before it read as spaces.
struct text_line {
    std::string text;
    std::vector<text_run> runs;
    bool wraps = false; ///< the text continues in the next row

    [[nodiscard]] int columns() const noexcept { return runs.empty() ? 0 : runs.back().column + runs.back().columns; }
    friend bool operator==(const text_line&, const text_line&) = default;
};

/// Reuses the memory of `out`.
void read_line(const row& r, text_line& out);

} // namespace mux::vt
