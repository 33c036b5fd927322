// SPDX-License-Identifier: MIT
/// @file bottom_row.hpp: one row of mato's own over the terminal's last row: a hint, a message.
/// Pure.  Test: test/mato/screens_test.cpp.
#pragma once

#include "key_map.hpp"
#include "line_editor.hpp"
#include "looks.hpp"
#include "view/overlay.hpp"

#include <span>
#include <string_view>

namespace mux {

/// A row with the ground of a bar.
[[nodiscard]] vt::row ground_row(int columns, const looks& look);
/// `row` as the last one; the others show the tab.
[[nodiscard]] overlay as_bottom(vt::row row, vt::screen_size size);

/// What the most used keys do, for a user who has pressed the prefix and waits.
[[nodiscard]] overlay hint_row(std::string_view prefix, const key_map& keys, vt::screen_size size, const looks& look);
/// What a key does, in a last row.
struct key_hint {
    std::string_view key, does;
};

[[nodiscard]] int columns_of(const key_hint& hint);
/// @returns the column after it
int put_hint(vt::row& row, int at, int limit, const key_hint& hint, const looks& look);

/// A last row in which a user types. `state`: what is to be told of it · `cursor`: becomes the column of the cursor. Hints that
/// do not fit are left out.
[[nodiscard]] vt::row typed_row(std::string_view label, const line_editor& typed, std::string_view state,
                                std::span<const key_hint> hints, int columns, const looks& look, int& cursor);

/// A message, cut to the width.
[[nodiscard]] overlay message_row(std::string_view text, vt::screen_size size, const looks& look);

} // namespace mux
