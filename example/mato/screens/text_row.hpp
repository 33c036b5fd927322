// SPDX-License-Identifier: MIT
/// @file text_row.hpp: writes text into a row of cells: by columns, clipped, with control characters shown.
/// Pure.  Test: test/mato/screens_test.cpp.
#pragma once

#include "vt/row.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace mux {

/// Columns of `text` as put_text() writes it.
[[nodiscard]] int text_columns(std::string_view text);

/// Writes UTF-8 `text` from column `at` on, never beyond column `limit`; of text that is cut, the last column that is left is
/// an ellipsis ('>' without `unicode`). Control characters, bidirectional overrides and invalid bytes are shown as \xNN: names
/// and titles come from programs. @returns the column after the text
int put_text(vt::row& row, int at, int limit, std::string_view text, const vt::style& look, bool unicode = true);

/// "1 tab", "2 tabs".
[[nodiscard]] std::string counted(std::size_t n, std::string_view what);

/// The part of `text` that fits into `columns`, with an ellipsis if it was cut.
[[nodiscard]] std::string clipped(std::string_view text, int columns, bool unicode = true);

} // namespace mux
