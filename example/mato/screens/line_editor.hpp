// SPDX-License-Identifier: MIT
/// @file line_editor.hpp: a line of text that a user types and edits in a row of cells.
/// Pure.  Test: test/mato/line_editor_test.cpp.
#pragma once

#include "view/key_event.hpp"
#include "vt/row.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mux {

class line_editor {
public:
    enum class result : std::uint8_t {
        unused, ///< the key is none of its keys, or there is no room
        moved,  ///< only the cursor may have moved
        changed ///< the text may have
    };

    /// At most `most` characters; of a longer `text` the beginning. The cursor is after it.
    explicit line_editor(std::size_t most, std::string_view text = {});

    /// A printable character, the arrows to the sides, Home, End, Backspace, Delete; C-a C-e C-b C-f C-h C-d C-u C-k C-w as in
    /// a shell.
    result press(const key_event& key);
    void set(std::string_view text);
    void clear() noexcept { text_.clear(), at_ = 0; }
    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
    [[nodiscard]] std::string text() const;
    /// The part of it that the cursor is after.
    [[nodiscard]] std::string before_cursor() const;

    struct drawing {
        int end;    ///< the column after the text
        int cursor; ///< the cursor's column, never beyond the last one
    };
    /// Writes it from column `from` on, never beyond column `limit`. Of a longer text the part before the cursor is shown.
    drawing draw(vt::row& row, int from, int limit, const vt::style& look, bool unicode) const;

private:
    std::size_t most_;
    std::u32string text_;
    std::size_t at_ = 0; // the cursor's place: before this character
};

} // namespace mux
