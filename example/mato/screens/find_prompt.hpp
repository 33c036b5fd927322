// SPDX-License-Identifier: MIT
/// @file find_prompt.hpp: the last row of a screen in which a user types what to find in its text.
/// Pure.  Test: test/mato/text_find_test.cpp.
#pragma once

#include "line_editor.hpp"
#include "looks.hpp"
#include "text_find.hpp"
#include "view/key_event.hpp"

#include <cstdint>
#include <string_view>

namespace mux {

class find_prompt {
public:
    static constexpr std::size_t most_typed = 256; ///< characters; longer ones are mistakes, such as a pasted file

    enum class result : std::uint8_t { nothing, moved, stays, leaves };

    /// Searches for `typed`, as if it was typed.
    void begin_with(std::string_view typed, const text_source& text);
    /// Types, or goes to an older or newer hit than the one at `at`. Go to target() if it says `moved`.
    result press(const key_event& key, const text_source& text, text_position at);
    /// To the nearest hit before or after `at`, as C-r and C-s do.
    result older(text_position at);
    result newer(text_position at);
    /// A slice of the search. @returns true if the first hit was found: go to target()
    bool work(const text_source& text);
    /// The first hit is still to be shown; forget_first(): the user has gone elsewhere meanwhile.
    [[nodiscard]] bool awaits_first() const noexcept { return awaits_first_ && find_.is_searching(); }
    void forget_first() noexcept { awaits_first_ = false; }
    [[nodiscard]] bool has_work() const noexcept { return find_.is_searching(); }
    [[nodiscard]] text_position target() const noexcept { return target_; }
    [[nodiscard]] const line_editor& typed() const noexcept { return typed_; }
    [[nodiscard]] const text_find& found() const noexcept { return find_; }
    void drop_before(std::uint64_t line) { find_.drop_before(line); }

    /// As typed_row.
    [[nodiscard]] vt::row draw(int columns, text_position at, const looks& look, int& cursor) const;

private:
    void begin(const text_source& text);

    line_editor typed_{most_typed};
    text_find find_;
    text_position target_;
    bool awaits_first_ = false;
};

} // namespace mux
