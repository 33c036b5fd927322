// SPDX-License-Identifier: MIT
/// @file look_back_screen.hpp: the history and the screen of a tab, pinned to a line while output goes on: to read and to copy.
/// Pure.  Test: test/mato/look_back_test.cpp.
#pragma once

#include "find_prompt.hpp"
#include "screen.hpp"
#include "text_selection.hpp"
#include "text_source.hpp"
#include "text_view.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace mux {

/// `selection`: it shows what the mouse selects, and text alone: all rows are text, and keys are not for it.
enum class look_back_use : std::uint8_t { reading, selection };

class look_back_screen final : public screen {
public:
    /// Begins where the screen begins, or `rows_back` rows above, with the cursor where the program's is.
    look_back_screen(std::unique_ptr<const text_source> text, vt::screen_size size, std::size_t rows_back,
                     look_back_use use = look_back_use::reading);

    /// Opens the find row and searches for `typed`. @pre called before the first key: Escape then closes the screen
    void find(std::string_view typed = {});
    /// Goes to a hit for `typed`, with text around it, and marks all hits; C-r and C-s go on from there.
    void show_found(std::string_view typed, text_position at);

    [[nodiscard]] overlay draw(vt::screen_size size, const looks& look) override;
    /// Keys as in vi; C-u C-d C-f C-b C-a C-e C-n C-p as in a shell.
    screen_reply press(const key_event& key) override;
    /// Scrolls; the cursor stays on the rows that are shown.
    screen_reply wheel(int rows) override;
    /// A drag selects, a double click a word, a triple one a line; with Alt a block. The release copies.
    screen_reply pointer(const pointer_event& event) override;
    /// A slice of the search.
    [[nodiscard]] bool has_work() const override { return prompt_ && prompt_->has_work(); }
    void work() override;

    /// For tests: a place in the text that exists.
    [[nodiscard]] text_position cursor() const noexcept { return cursor_; }
    [[nodiscard]] text_position top() const noexcept { return view_.top(); }

private:
    enum class step : std::uint8_t;

    void follow_text();
    void point(const pointer_event& event);
    void select_clicked(int clicks);
    void move(step what);
    void move_rows(int rows);
    void scroll_page(int rows);
    void go_to_row(int row);
    void place(text_position at);
    void select(selection_kind kind);
    [[nodiscard]] screen_reply go_to_prompt(bool newer);
    [[nodiscard]] screen_reply select_output();
    void open_find();
    [[nodiscard]] screen_reply press_in_find(const key_event& key);
    void go_on_finding(find_prompt::result found);
    void show_hit();
    [[nodiscard]] screen_reply copy();
    [[nodiscard]] std::optional<std::string> selected_text() const;
    [[nodiscard]] text_selection selection() const { return {kind_, *anchor_, released_.value_or(cursor_)}; }
    void mark(vt::row& row, std::uint64_t line, int column) const;
    [[nodiscard]] vt::row last_row(int columns, const looks& look) const;
    [[nodiscard]] vt::screen_size text_size(vt::screen_size size) const noexcept;

    std::unique_ptr<const text_source> text_;
    const look_back_use use_;
    text_view view_;
    text_position cursor_;
    int x_ = 0;                             // the column that vertical steps keep
    std::optional<text_position> released_; // the end of a selection that the mouse has made; nothing: the cursor is it
    std::optional<text_position> pressed_;  // the button is held, since there
    std::optional<text_position> anchor_;   // where the selection began; nothing: none
    selection_kind kind_ = selection_kind::characters;
    std::optional<find_prompt> prompt_; // of the last search, also when it is not open
    bool finds_ = false;                // it is open
    bool marks_hits_ = false;           // of prompt_
    bool only_finds_ = false;           // the screen was opened to find
    text_position before_find_;         // the cursor
    bool lost_lines_ = false;           // some of what was shown or selected was evicted since the last key
};

} // namespace mux
